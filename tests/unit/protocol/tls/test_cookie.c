/*
 * test_cookie.c - src/protocol/tls/cookie.c against real clients of GnuTLS, over memory.
 */
#include "base/alloc.h"
#include "protocol/tls/cookie.h"
#include "sys/address.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK(call) assert_int_equal((call), 0)
#define PSK_PRIORITY "NONE:+VERS-DTLS1.2:+AES-128-GCM:+AEAD:+PSK:+SIGN-ALL:+COMP-NULL"
enum { PACKETS = 32, PACKET_ROOM = 2048, ROOM = 64, HELLO_SEQUENCE = 13 + 5, FAR_MTU = 1400 };

/* --- two ends over memory --- */

struct packets { /* what waits to be read by one end */
    uint8_t octets[PACKETS][PACKET_ROOM];
    size_t size[PACKETS], first, count;
};

struct end {
    gnutls_session_t session;
    struct packets *in, *out;
};

static void add_packet(struct packets *packets, const void *octets, size_t size) {
    assert_true(packets->count < PACKETS && size <= PACKET_ROOM);
    size_t place = (packets->first + packets->count++) % PACKETS;
    memcpy(packets->octets[place], octets, size);
    packets->size[place] = size;
}

static ssize_t push(gnutls_transport_ptr_t end, const void *octets, size_t size) {
    add_packet(((struct end *)end)->out, octets, size);
    return (ssize_t)size;
}

static ssize_t pull(gnutls_transport_ptr_t end_object, void *octets, size_t size) {
    struct end *end = end_object;
    if (end->in->count == 0) {
        gnutls_transport_set_errno(end->session, EAGAIN);
        return -1;
    }
    size_t length = end->in->size[end->in->first];
    assert_true(length <= size);
    memcpy(octets, end->in->octets[end->in->first], length);
    end->in->first = (end->in->first + 1) % PACKETS;
    end->in->count--;
    return (ssize_t)length;
}

static int pull_timeout(gnutls_transport_ptr_t end, unsigned ms) {
    (void)ms;
    return ((struct end *)end)->in->count > 0;
}

static const gnutls_datum_t psk = {(unsigned char *)"0123456789abcdef", 16};

static int find_psk(gnutls_session_t session, const char *name, gnutls_datum_t *ret_key) {
    (void)session, (void)name;
    ret_key->data = gnutls_malloc(psk.size);
    ret_key->size = psk.size;
    memcpy(ret_key->data, psk.data, psk.size);
    return 0;
}

struct pair {
    struct packets to_client, to_server;
    struct end client, server;
    gnutls_psk_client_credentials_t client_psk;
    gnutls_psk_server_credentials_t server_psk;
    struct nwi_dtls_cookies *cookies;
    struct sockaddr_storage peer;
};

static void open_end(struct end *end, unsigned role, struct packets *in, struct packets *out,
                     void *credentials) {
    *end = (struct end){.in = in, .out = out};
    OK(gnutls_init(&end->session, role | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK));
    OK(gnutls_priority_set_direct(end->session, PSK_PRIORITY, NULL));
    OK(gnutls_credentials_set(end->session, GNUTLS_CRD_PSK, credentials));
    gnutls_transport_set_ptr(end->session, end);
    gnutls_transport_set_push_function(end->session, push);
    gnutls_transport_set_pull_function(end->session, pull);
    gnutls_transport_set_pull_timeout_function(end->session, pull_timeout);
    gnutls_dtls_set_mtu(end->session, FAR_MTU);
}

static void parse_address(const char *text, uint16_t port, struct sockaddr_storage *ret_address) {
    socklen_t length;
    assert_true(nwi_address_parse(text, port, ret_address, &length));
}

static struct pair *open_pair(void) {
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    OK(gnutls_psk_allocate_client_credentials(&pair->client_psk));
    OK(gnutls_psk_set_client_credentials(pair->client_psk, "me", &psk, GNUTLS_PSK_KEY_RAW));
    OK(gnutls_psk_allocate_server_credentials(&pair->server_psk));
    gnutls_psk_set_server_credentials_function(pair->server_psk, find_psk);
    open_end(&pair->client, GNUTLS_CLIENT, &pair->to_client, &pair->to_server, pair->client_psk);
    pair->cookies = nwi_dtls_cookies_create(0);
    assert_non_null(pair->cookies);
    parse_address("192.0.2.1", 4433, &pair->peer);
    return pair;
}

static void close_pair(struct pair *pair) {
    gnutls_deinit(pair->client.session);
    if (pair->server.session != NULL)
        gnutls_deinit(pair->server.session);
    gnutls_psk_free_client_credentials(pair->client_psk);
    gnutls_psk_free_server_credentials(pair->server_psk);
    assert_null(nwi_dtls_cookies_free(pair->cookies));
    free(pair);
}

/* The client's next datagram, lent until more are sent. */
static const uint8_t *take_hello(struct pair *pair, size_t *ret_size) {
    assert_int_equal(gnutls_handshake(pair->client.session), GNUTLS_E_AGAIN);
    assert_true(pair->to_server.count > 0);
    size_t place = pair->to_server.first;
    pair->to_server.first = (place + 1) % PACKETS;
    pair->to_server.count--;
    *ret_size = pair->to_server.size[place];
    return pair->to_server.octets[place];
}

static bool check(struct pair *pair, nwi_ns now, const uint8_t *hello, size_t size, uint8_t *answer,
                  size_t *ret_length) {
    *ret_length = ROOM;
    return nwi_dtls_cookies_check(pair->cookies, now, (struct sockaddr *)&pair->peer, hello, size,
                                  answer, ret_length);
}

/* The client's hello is answered by a request to repeat it; what it then sends is returned. */
static const uint8_t *ask_again(struct pair *pair, nwi_ns now, const uint8_t *hello, size_t *size) {
    uint8_t answer[ROOM];
    size_t length;
    assert_false(check(pair, now, hello, *size, answer, &length));
    assert_in_range(length, 1, *size);
    add_packet(&pair->to_client, answer, length);
    return take_hello(pair, size);
}

/* A server made for that hello, the last one taken, and the client agree. */
static void finish(struct pair *pair, const uint8_t *hello, size_t size) {
    gnutls_dtls_prestate_st state;
    int client = GNUTLS_E_AGAIN, server = GNUTLS_E_AGAIN;
    open_end(&pair->server, GNUTLS_SERVER, &pair->to_server, &pair->to_client, pair->server_psk);
    assert_true(nwi_dtls_prestate(hello, size, &state));
    gnutls_dtls_prestate_set(pair->server.session, &state);
    pair->to_server.first = (pair->to_server.first + PACKETS - 1) % PACKETS; /* it is still there */
    pair->to_server.count++;
    for (int i = 0; i < 10 && (client != 0 || server != 0); i++) {
        server = server != 0 ? gnutls_handshake(pair->server.session) : 0;
        client = client != 0 ? gnutls_handshake(pair->client.session) : 0;
    }
    OK(server);
    OK(client);
}

/* --- tests --- */

static void second_hello_comes_in(void **state) {
    (void)state;
    struct pair *pair = open_pair();
    size_t size, length;
    const uint8_t *hello = take_hello(pair, &size);
    gnutls_dtls_prestate_st unused;
    assert_false(nwi_dtls_prestate(hello, size, &unused)); /* a first message counts from zero */
    hello = ask_again(pair, 0, hello, &size);
    uint8_t answer[ROOM];
    assert_true(check(pair, 0, hello, size, answer, &length));
    assert_int_equal(length, 0);
    finish(pair, hello, size);
    close_pair(pair);
}

/* The cookie is of one address, port, scope and hello. */
static void cookie_is_bound(void **state) {
    (void)state;
    static const struct {
        const char *address;
        uint16_t port;
    } others[] = {{"192.0.2.2", 4433}, {"192.0.2.1", 4434}, {"::ffff:192.0.2.1", 4433}};
    struct pair *pair = open_pair();
    uint8_t answer[ROOM], other_hello[PACKET_ROOM];
    size_t size, length;
    const uint8_t *hello = take_hello(pair, &size);
    hello = ask_again(pair, 0, hello, &size);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        parse_address(others[i].address, others[i].port, &pair->peer);
        assert_false(check(pair, 0, hello, size, answer, &length));
        assert_int_not_equal(length, 0); /* as if it had brought none */
    }
    parse_address("192.0.2.1", 4433, &pair->peer);
    memcpy(other_hello, hello, size);
    other_hello[30] ^= 1; /* in its random octets */
    assert_false(check(pair, 0, other_hello, size, answer, &length));
    assert_true(check(pair, 0, hello, size, answer, &length));
    struct nwi_dtls_cookies *elsewhere = nwi_dtls_cookies_create(0); /* secrets of its own */
    length = ROOM;
    assert_false(nwi_dtls_cookies_check(elsewhere, 0, (struct sockaddr *)&pair->peer, hello, size,
                                        answer, &length));
    nwi_dtls_cookies_free(elsewhere);
    close_pair(pair);
}

static void scope_counts(void **state) {
    (void)state;
    struct pair *pair = open_pair();
    uint8_t answer[ROOM];
    size_t size, length;
    parse_address("fe80::1", 4433, &pair->peer);
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&pair->peer;
    v6->sin6_scope_id = 2;
    const uint8_t *hello = take_hello(pair, &size);
    hello = ask_again(pair, 0, hello, &size);
    v6->sin6_flowinfo = 77; /* not part of an address */
    assert_true(check(pair, 0, hello, size, answer, &length));
    v6->sin6_scope_id = 3;
    assert_false(check(pair, 0, hello, size, answer, &length));
    pair->peer.ss_family = AF_UNIX;
    assert_false(check(pair, 0, hello, size, answer, &length));
    assert_int_equal(length, 0);
    close_pair(pair);
}

/* A cookie lives for one to two periods; who comes later is asked again, and still comes in. */
static void secrets_turn(void **state) {
    (void)state;
    struct pair *pair = open_pair();
    uint8_t answer[ROOM];
    size_t size, length;
    const uint8_t *hello = take_hello(pair, &size);
    hello = ask_again(pair, NWI_DTLS_COOKIE_PERIOD - 1, hello, &size);
    assert_true(check(pair, NWI_DTLS_COOKIE_PERIOD, hello, size, answer, &length));
    assert_true(check(pair, 2 * NWI_DTLS_COOKIE_PERIOD - 1, hello, size, answer, &length));
    assert_false(check(pair, 2 * NWI_DTLS_COOKIE_PERIOD, hello, size, answer, &length));
    assert_int_equal(hello[HELLO_SEQUENCE], 1);
    hello = ask_again(pair, 2 * NWI_DTLS_COOKIE_PERIOD, hello, &size);
    assert_int_equal(hello[HELLO_SEQUENCE], 2); /* the client took the second request */
    assert_true(check(pair, 2 * NWI_DTLS_COOKIE_PERIOD, hello, size, answer, &length));
    finish(pair, hello, size);
    close_pair(pair);
}

/* After a long silence both secrets are too old. */
static void silence_ends_secrets(void **state) {
    (void)state;
    struct pair *pair = open_pair();
    uint8_t answer[ROOM];
    size_t size, length;
    const uint8_t *hello = take_hello(pair, &size);
    hello = ask_again(pair, 0, hello, &size);
    assert_false(check(pair, 5 * NWI_DTLS_COOKIE_PERIOD, hello, size, answer, &length));
    close_pair(pair);
}

/* Only the first piece of a hello that came in pieces can be asked for its cookie. */
static void pieces(void **state) {
    (void)state;
    struct pair *pair = open_pair();
    uint8_t answer[ROOM];
    size_t size, length;
    gnutls_dtls_set_mtu(pair->client.session, 110);
    const uint8_t *hello = take_hello(pair, &size);
    assert_true(pair->to_server.count > 0);
    size_t rest = pair->to_server.first;
    assert_false(
        check(pair, 0, pair->to_server.octets[rest], pair->to_server.size[rest], answer, &length));
    assert_int_equal(length, 0);
    pair->to_server.count = 0;
    hello = ask_again(pair, 0, hello, &size);
    assert_true(check(pair, 0, hello, size, answer, &length));
    finish(pair, hello, size);
    close_pair(pair);
}

/* Whatever is not a whole hello gets no answer, and none is larger than its question. */
static void others_get_nothing(void **state) {
    (void)state;
    struct pair *pair = open_pair();
    uint8_t answer[ROOM], bytes[PACKET_ROOM];
    size_t size, length;
    const uint8_t *hello = take_hello(pair, &size);
    hello = ask_again(pair, 0, hello, &size);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *exact = malloc(cut + 1);
        memcpy(exact, hello, cut);
        assert_false(check(pair, 0, exact, cut, answer, &length));
        assert_int_equal(length, 0); /* the record says how long it is */
        free(exact);
    }
    for (size_t i = 0; i < 25 + 2; i++) /* each octet of the two headers, and the version */
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(bytes, hello, size);
            bytes[i] ^= (uint8_t)(1u << bit);
            bool passed = check(pair, 0, bytes, size, answer, &length);
            assert_true(length <= size);
            /* A minor version, the lowest octets of the numbers. */
            bool harmless = i == 2 || i == 10 || i == HELLO_SEQUENCE;
            if (passed)
                assert_true(harmless || (i >= 11 && i <= 24 && length == 0));
            else if (!harmless && i < 13)
                assert_int_equal(length, 0);
        }
    length = 20; /* no room for an answer */
    parse_address("192.0.2.7", 1, &pair->peer);
    assert_false(nwi_dtls_cookies_check(pair->cookies, 0, (struct sockaddr *)&pair->peer, hello,
                                        size, answer, &length));
    assert_int_equal(length, 0);
    close_pair(pair);
}

static void nothing_is_kept(void **state) {
    (void)state;
    struct pair *pair = open_pair();
    uint8_t answer[ROOM];
    size_t size, length;
    const uint8_t *hello = take_hello(pair, &size);
    nwi_alloc_count(true);
    long before = nwi_alloc_live();
    for (unsigned i = 0; i < 10000; i++) {
        nwi_address_set_port((struct sockaddr *)&pair->peer, (uint16_t)(1024 + i));
        assert_false(check(pair, i * NWI_MS, hello, size, answer, &length));
        assert_int_not_equal(length, 0);
    }
    assert_int_equal(nwi_alloc_live() - before, 0);
    nwi_alloc_fail_at(1);
    assert_null(nwi_dtls_cookies_create(0));
    assert_true(nwi_alloc_fault_hit());
    nwi_alloc_fail_at(0);
    nwi_alloc_count(false);
    assert_null(nwi_dtls_cookies_free(NULL));
    close_pair(pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_hello_comes_in), cmocka_unit_test(cookie_is_bound),
        cmocka_unit_test(scope_counts),          cmocka_unit_test(secrets_turn),
        cmocka_unit_test(silence_ends_secrets),  cmocka_unit_test(pieces),
        cmocka_unit_test(others_get_nothing),    cmocka_unit_test(nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
