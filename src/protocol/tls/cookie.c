/*
 * cookie.c - see cookie.h.
 * What:   GnuTLS makes and compares the cookies. It trusts the datagram to be a ClientHello, so
 *         that is looked at here first, field by field.
 * Source: RFC 6347 sections 4.1 (record), 4.2.1 (cookies), 4.2.2 (messages, fragments);
 *         RFC 5246 section 7.4.1.2 (ClientHello).
 * Runs:   in one context at a time.
 * Owns:   the two secrets, wiped when they are given up.
 */
#include "protocol/tls/cookie.h"
#include "base/alloc.h"
#include "sys/address.h"
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

enum {
    CONTENT_HANDSHAKE = 22,
    MAJOR_VERSION = 254, /* of every DTLS: the one's complement of 1 */
    CLIENT_HELLO = 1,
    /* Places in the datagram. */
    RECORD_VERSION = 1,
    RECORD_EPOCH = 3,
    RECORD_SEQUENCE = 5, /* six octets */
    RECORD_LENGTH = 11,
    MESSAGE = 13, /* behind the record's header: type, length */
    MESSAGE_SEQUENCE = MESSAGE + 4,
    FRAGMENT_OFFSET = MESSAGE + 6,
    FRAGMENT_LENGTH = MESSAGE + 9,
    HELLO = MESSAGE + 12, /* behind the message's header: version, random */
    HELLO_SESSION_ID = HELLO + 2 + 32,
    SESSION_ID_MAX = 32,
    COOKIE_SIZE = 16,                      /* of GnuTLS's cookies */
    ANSWER_SIZE = HELLO + 3 + COOKIE_SIZE, /* a HelloVerifyRequest: version, length, cookie */
};

struct nwi_dtls_cookies {
    gnutls_datum_t secrets[2]; /* [0] makes cookies; both are accepted. Empty: never made */
    nwi_ns made;               /* when [0] was */
};

/* What a cookie is bound to: who sent the hello, and which hello (RFC 6347 section 4.2.1: the
 * client repeats its parameters). Compared as octets, so its padding is zeroed. */
struct subject {
    struct in6_addr address;
    uint32_t scope;
    uint16_t port, family;
    uint8_t hello[HELLO_SESSION_ID - HELLO + 1 + SESSION_ID_MAX];
};

/* --- secrets --- */

static void wipe(gnutls_datum_t *secret) {
    if (secret->data != NULL)
        gnutls_memset(secret->data, 0, secret->size);
    gnutls_free(secret->data);
    *secret = (gnutls_datum_t){0};
}

/* The secret now becomes the former one. Without a new one the old goes on. */
static bool turn(struct nwi_dtls_cookies *cookies, nwi_ns now) {
    gnutls_datum_t fresh = {0};
    if (gnutls_key_generate(&fresh, GNUTLS_COOKIE_KEY_SIZE) < 0)
        return false;
    wipe(&cookies->secrets[1]);
    cookies->secrets[1] = cookies->secrets[0];
    cookies->secrets[0] = fresh;
    cookies->made = now;
    return true;
}

static void turn_when_due(struct nwi_dtls_cookies *cookies, nwi_ns now) {
    nwi_ns age = now - cookies->made;
    if (age >= NWI_DTLS_COOKIE_PERIOD && turn(cookies, now) && age >= 2 * NWI_DTLS_COOKIE_PERIOD)
        wipe(&cookies->secrets[1]); /* nobody came for so long that it is too old as well */
}

struct nwi_dtls_cookies *nwi_dtls_cookies_create(nwi_ns now) {
    struct nwi_dtls_cookies *cookies = nwi_alloc(sizeof *cookies);
    if (cookies == NULL || turn(cookies, now))
        return cookies;
    return nwi_dtls_cookies_free(cookies);
}

struct nwi_dtls_cookies *nwi_dtls_cookies_free(struct nwi_dtls_cookies *cookies) {
    if (cookies == NULL)
        return NULL;
    wipe(&cookies->secrets[0]);
    wipe(&cookies->secrets[1]);
    nwi_free(cookies);
    return NULL;
}

/* --- the hello --- */

static unsigned number(const uint8_t *octets, size_t count) {
    unsigned value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | octets[i];
    return value;
}

/* Whether the datagram begins with a ClientHello, or with the first piece of one, that holds at
 * least its cookie's length. Nobody needs 256 records or messages to get that far, so numbers of
 * which GnuTLS could only carry the lowest octet are refused. */
static bool is_client_hello(const uint8_t *datagram, size_t size) {
    if (size <= HELLO_SESSION_ID || datagram[0] != CONTENT_HANDSHAKE ||
        datagram[RECORD_VERSION] != MAJOR_VERSION || number(datagram + RECORD_EPOCH, 2) != 0 ||
        number(datagram + RECORD_SEQUENCE, 2) != 0 ||
        number(datagram + RECORD_SEQUENCE + 2, 3) != 0)
        return false;
    size_t record = number(datagram + RECORD_LENGTH, 2);
    size_t message = number(datagram + MESSAGE + 1, 3);
    size_t fragment = number(datagram + FRAGMENT_LENGTH, 3);
    if (record > size - MESSAGE || record < HELLO - MESSAGE || fragment > message ||
        fragment > record - (HELLO - MESSAGE) || datagram[MESSAGE] != CLIENT_HELLO ||
        datagram[MESSAGE_SEQUENCE] != 0 || number(datagram + FRAGMENT_OFFSET, 3) != 0)
        return false;
    size_t session_id = datagram[HELLO_SESSION_ID];
    return datagram[HELLO] == MAJOR_VERSION && session_id <= SESSION_ID_MAX &&
           fragment >= HELLO_SESSION_ID - HELLO + 1 + session_id + 1;
}

static struct subject subject_of(const struct sockaddr *peer, const uint8_t *datagram) {
    struct subject subject;
    memset(&subject, 0, sizeof subject);
    subject.family = peer->sa_family;
    subject.port = nwi_address_port(peer);
    if (peer->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
        subject.address = v6->sin6_addr;
        subject.scope = v6->sin6_scope_id;
    } else {
        memcpy(&subject.address, &((const struct sockaddr_in *)peer)->sin_addr,
               sizeof(struct in_addr));
    }
    memcpy(subject.hello, datagram + HELLO,
           HELLO_SESSION_ID - HELLO + 1 + datagram[HELLO_SESSION_ID]);
    return subject;
}

static bool has_cookie(struct nwi_dtls_cookies *cookies, struct subject *subject,
                       const uint8_t *datagram, size_t size) {
    gnutls_dtls_prestate_st unused;
    size_t cookie = HELLO_SESSION_ID + 1 + datagram[HELLO_SESSION_ID];
    if (datagram[cookie] != COOKIE_SIZE ||
        cookie + 1 + COOKIE_SIZE > HELLO + number(datagram + FRAGMENT_LENGTH, 3))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (cookies->secrets[i].data != NULL &&
            gnutls_dtls_cookie_verify(&cookies->secrets[i], subject, sizeof *subject,
                                      (void *)datagram, size, &unused) == 0)
            return true;
    return false;
}

static ssize_t write_answer(gnutls_transport_ptr_t answer, const void *octets, size_t size) {
    memcpy(answer, octets, size < ANSWER_SIZE ? size : ANSWER_SIZE);
    return (ssize_t)size;
}

bool nwi_dtls_cookies_check(struct nwi_dtls_cookies *cookies, nwi_ns now,
                            const struct sockaddr *peer, const uint8_t *datagram, size_t size,
                            uint8_t *answer, size_t *length) {
    size_t room = *length;
    *length = 0;
    if ((peer->sa_family != AF_INET && peer->sa_family != AF_INET6) ||
        !is_client_hello(datagram, size))
        return false;
    turn_when_due(cookies, now);
    struct subject subject = subject_of(peer, datagram);
    if (has_cookie(cookies, &subject, datagram, size))
        return true;
    if (room < ANSWER_SIZE || size < ANSWER_SIZE)
        return false;
    /* The record gets the number of its question (RFC 6347 section 4.2.1), and so does the message:
     * a client whose cookie has become too old waits for the next number. */
    gnutls_dtls_prestate_st state = {.record_seq = datagram[RECORD_SEQUENCE + 5],
                                     .hsk_write_seq = datagram[MESSAGE_SEQUENCE + 1]};
    if (gnutls_dtls_cookie_send(&cookies->secrets[0], &subject, sizeof subject, &state, answer,
                                write_answer) == ANSWER_SIZE)
        *length = ANSWER_SIZE;
    return false;
}

uint64_t nwi_dtls_beginning(const uint8_t *datagram, size_t size) {
    uint64_t random;
    if (!is_client_hello(datagram, size))
        return 0;
    memcpy(&random, datagram + HELLO_SESSION_ID - sizeof random, sizeof random);
    return random != 0 ? random : 1;
}

bool nwi_dtls_prestate(const uint8_t *datagram, size_t size, gnutls_dtls_prestate_st *ret_state) {
    if (!is_client_hello(datagram, size) || datagram[MESSAGE_SEQUENCE + 1] == 0)
        return false;
    /* The session's first message follows what the listener has answered until now: one message
     * for each hello before this one. GnuTLS adds one to the number of the last message. */
    *ret_state = (gnutls_dtls_prestate_st){.record_seq = datagram[RECORD_SEQUENCE + 5],
                                           .hsk_read_seq = datagram[MESSAGE_SEQUENCE + 1],
                                           .hsk_write_seq = datagram[MESSAGE_SEQUENCE + 1] - 1u};
    return true;
}
