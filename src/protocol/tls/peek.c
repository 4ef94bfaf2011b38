/*
 * peek.c - see peek.h. What it cannot read it leaves to GnuTLS, which says what is wrong.
 */
#include "protocol/tls/peek.h"
#include "base/alloc.h"
#include "dispatch/data.h"
#include "protocol/tls/octets.h"
#include <string.h>

enum { /* RFC 8446 section 4 and appendix B.3, RFC 5246 section 7.4 */
       SERVER_HELLO = 2,
       CERTIFICATE = 11,
       SERVER_KEY_EXCHANGE = 12,
       CERTIFICATE_REQUEST = 13,
       SERVER_HELLO_DONE = 14,
       FINISHED = 20,
};
enum { CHANGE_CIPHER_SPEC = 20, HANDSHAKE = 22, APPLICATION_DATA = 23 }; /* types of records */
enum { SIGNATURE_ALGORITHMS = 13, SUPPORTED_VERSIONS = 43, CERTIFICATE_AUTHORITIES = 47 };
enum {
    RECORD_HEADER = 5,
    MESSAGE_HEADER = 4,
    NONCE = 12,
    MESSAGE_MOST = 128 * 1024, /* octets: lists of CA names of up to 64 KiB fit */
    TLS_13 = 0x0304,
};

struct nwi_tls_peek {
    bool is_13, ended;
    bool requested; /* a CertificateRequest has come */
    bool takes_key; /* TLS 1.2 with a suite of pre-shared keys */
    uint16_t suite;
    unsigned char *message; /* header and body, as far as they have come; owned */
    size_t length, room;
    unsigned char *request; /* body of the CertificateRequest; owned; NULL: none came */
    size_t request_size;
    dispatch_data_t hint;           /* owned; NULL: none */
    gnutls_aead_cipher_hd_t cipher; /* NULL: no encrypted records yet */
    size_t tag_size;
    unsigned char iv[NONCE];
    uint64_t sequence;
};

struct nwi_tls_peek *nwi_tls_peek_create(void) {
    return nwi_alloc(sizeof(struct nwi_tls_peek));
}

void *nwi_tls_peek_free(struct nwi_tls_peek *peek) {
    if (peek == NULL)
        return NULL;
    if (peek->cipher != NULL)
        gnutls_aead_cipher_deinit(peek->cipher);
    if (peek->hint != NULL)
        dispatch_release(peek->hint);
    nwi_free(peek->message);
    nwi_free(peek->request);
    gnutls_memset(peek, 0, sizeof *peek);
    nwi_free(peek);
    return NULL;
}

/* --- keys of TLS 1.3 --- */

/* HKDF-Expand-Label without a context, RFC 8446 section 7.1. */
static bool expand(gnutls_mac_algorithm_t mac, const gnutls_datum_t *secret, const char *label,
                   unsigned char *bytes, size_t size) {
    unsigned char info[32];
    size_t length = strlen(label);
    info[0] = (unsigned char)(size >> 8);
    info[1] = (unsigned char)size;
    info[2] = (unsigned char)length;
    memcpy(info + 3, label, length);
    info[3 + length] = 0;
    gnutls_datum_t datum = {.data = info, .size = (unsigned)length + 4};
    return gnutls_hkdf_expand(mac, secret, &datum, bytes, size) == 0;
}

static gnutls_cipher_algorithm_t cipher_of(uint16_t suite) {
    switch (suite) { /* RFC 8446 appendix B.4 */
    case 0x1301:
        return GNUTLS_CIPHER_AES_128_GCM;
    case 0x1302:
        return GNUTLS_CIPHER_AES_256_GCM;
    case 0x1303:
        return GNUTLS_CIPHER_CHACHA20_POLY1305;
    case 0x1304:
        return GNUTLS_CIPHER_AES_128_CCM;
    case 0x1305:
        return GNUTLS_CIPHER_AES_128_CCM_8;
    default:
        return GNUTLS_CIPHER_UNKNOWN;
    }
}

void nwi_tls_peek_secret(struct nwi_tls_peek *peek, const char *label,
                         const gnutls_datum_t *secret) {
    gnutls_cipher_algorithm_t cipher = cipher_of(peek->suite);
    gnutls_mac_algorithm_t mac = secret->size == 48 ? GNUTLS_MAC_SHA384 : GNUTLS_MAC_SHA256;
    unsigned char bytes[32];
    gnutls_datum_t key = {.data = bytes, .size = (unsigned)gnutls_cipher_get_key_size(cipher)};
    if (strcmp(label, "SERVER_HANDSHAKE_TRAFFIC_SECRET") != 0 || peek->cipher != NULL)
        return;
    if (cipher == GNUTLS_CIPHER_UNKNOWN || key.size > sizeof bytes ||
        !expand(mac, secret, "tls13 key", bytes, key.size) ||
        !expand(mac, secret, "tls13 iv", peek->iv, sizeof peek->iv) ||
        gnutls_aead_cipher_init(&peek->cipher, cipher, &key) < 0)
        peek->ended = true;
    peek->tag_size = gnutls_cipher_get_tag_size(cipher);
    gnutls_memset(bytes, 0, sizeof bytes);
}

/* --- messages --- */

/* The suites of RFC 4279, 4785, 5487, 5489, 6655, 7905 and 8442 with a pre-shared key, but for those
 * with RSA, which GnuTLS is never told to use; the ranges are IANA's. */
static bool takes_key(uint16_t suite) {
    return (suite >= 0x008a && suite <= 0x0091) || (suite >= 0x00a8 && suite <= 0x00ab) ||
           (suite >= 0x00ae && suite <= 0x00b5) || (suite >= 0xc033 && suite <= 0xc03b) ||
           (suite >= 0xc0a4 && suite <= 0xc0ab) || (suite >= 0xccab && suite <= 0xccad) ||
           (suite >= 0xd001 && suite <= 0xd005);
}

static void see_server_hello(struct nwi_tls_peek *peek, struct octets body) {
    struct octets extensions, extension;
    uint16_t suite, type, version;
    if (!octets_skip(&body, 2 + 32) || !octets_take_list(&body, 1, &extension) ||
        !octets_take_16(&body, &suite) || !octets_skip(&body, 1))
        return;
    peek->suite = suite;
    if (octets_take_list(&body, 2, &extensions))
        while (octets_take_16(&extensions, &type) && octets_take_list(&extensions, 2, &extension))
            if (type == SUPPORTED_VERSIONS && octets_take_16(&extension, &version))
                peek->is_13 = version == TLS_13;
    peek->takes_key = !peek->is_13 && takes_key(suite);
}

/* RFC 4279 sections 2 to 4: the hint stands in front, whatever follows. */
static void see_key_exchange(struct nwi_tls_peek *peek, struct octets body) {
    struct octets hint;
    if (peek->takes_key && peek->hint == NULL && octets_take_list(&body, 2, &hint) && hint.size > 0)
        peek->hint = nwi_data_create_copy(hint.at, hint.size);
}

/* A whole message has come. */
static unsigned see(struct nwi_tls_peek *peek) {
    struct octets body = {peek->message + MESSAGE_HEADER, peek->length - MESSAGE_HEADER};
    switch (peek->message[0]) {
    case SERVER_HELLO:
        see_server_hello(peek, body);
        return 0;
    case SERVER_KEY_EXCHANGE:
        see_key_exchange(peek, body);
        return 0;
    case CERTIFICATE_REQUEST:
        peek->ended = peek->is_13 || peek->requested;
        if (peek->requested)
            return 0; /* nobody is asked again: GnuTLS refuses it */
        peek->requested = true;
        peek->request = nwi_alloc_raw(body.size + 1);
        peek->request_size = peek->request != NULL ? body.size : 0;
        if (peek->request != NULL)
            memcpy(peek->request, body.at, body.size);
        return NWI_TLS_SEEN_REQUEST;
    case SERVER_HELLO_DONE:
        peek->ended = true;
        return peek->takes_key ? NWI_TLS_SEEN_KEY_TURN : 0;
    case CERTIFICATE:
        peek->ended = peek->is_13; /* a request would have come before it */
        return 0;
    case FINISHED:
        peek->ended = true;
        return 0;
    default:
        return 0;
    }
}

/* Of the message that has begun, as far as its header tells. */
static size_t message_size(const struct nwi_tls_peek *peek) {
    const unsigned char *at = peek->message;
    return peek->length < MESSAGE_HEADER
               ? MESSAGE_HEADER
               : MESSAGE_HEADER + ((size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3]);
}

/* Makes `size` octets of a message fit. False: too long for us, or no memory. */
static bool make_room(struct nwi_tls_peek *peek, size_t size) {
    if (size <= peek->room)
        return true;
    unsigned char *grown = size <= MESSAGE_MOST ? nwi_realloc(peek->message, size) : NULL;
    if (grown == NULL)
        return false;
    peek->message = grown;
    peek->room = size;
    return true;
}

/* Octets of handshake messages, which need not keep to the bounds of records. */
static unsigned gather(struct nwi_tls_peek *peek, struct octets octets) {
    unsigned seen = 0;
    while (octets.size > 0 && !peek->ended) {
        size_t want = message_size(peek);
        if (!make_room(peek, want)) {
            peek->ended = true;
            break;
        }
        size_t part = want - peek->length < octets.size ? want - peek->length : octets.size;
        memcpy(peek->message + peek->length, octets.at, part);
        peek->length += part;
        octets_skip(&octets, part);
        if (peek->length < MESSAGE_HEADER || peek->length < message_size(peek))
            continue;
        seen |= see(peek);
        peek->length = 0;
    }
    return seen;
}

/* --- records --- */

/* RFC 8446 section 5.2 and 5.3. The sequence goes on with each record, read or not. */
static unsigned open_record(struct nwi_tls_peek *peek, const unsigned char *record, size_t size) {
    unsigned char nonce[NONCE], seen = 0;
    size_t length = size;
    unsigned char *plain = nwi_alloc_raw(size);
    memcpy(nonce, peek->iv, sizeof nonce);
    for (int i = 0; i < 8; i++)
        nonce[NONCE - 1 - i] ^= (unsigned char)(peek->sequence >> (8 * i));
    peek->sequence++;
    if (plain == NULL ||
        gnutls_aead_cipher_decrypt(peek->cipher, nonce, sizeof nonce, record, RECORD_HEADER,
                                   peek->tag_size, record + RECORD_HEADER, size - RECORD_HEADER,
                                   plain, &length) < 0) {
        peek->ended = true;
        length = 0;
    }
    while (length > 0 && plain[length - 1] == 0) /* padding, in front of it the type */
        length--;
    if (length > 0 && plain[length - 1] == HANDSHAKE)
        seen = (unsigned char)gather(peek, (struct octets){plain, length - 1});
    else
        peek->ended = true;
    if (plain != NULL)
        gnutls_memset(plain, 0, size);
    nwi_free(plain);
    return seen;
}

unsigned nwi_tls_peek_record(struct nwi_tls_peek *peek, const unsigned char *record, size_t size) {
    if (peek->ended || size <= RECORD_HEADER)
        return 0;
    switch (record[0]) {
    case HANDSHAKE:
        return gather(peek, (struct octets){record + RECORD_HEADER, size - RECORD_HEADER});
    case APPLICATION_DATA:
        if (peek->cipher != NULL)
            return open_record(peek, record, size);
        peek->ended = true;
        return 0;
    case CHANGE_CIPHER_SPEC:
        peek->ended = !peek->is_13; /* TLS 1.2: all that matters came before */
        return 0;
    default:
        return 0;
    }
}

/* --- what was seen --- */

/* TLS 1.2: types, schemes, names. TLS 1.3: context, extensions. */
static void find_lists(const struct nwi_tls_peek *peek, struct octets *ret_schemes,
                       struct octets *ret_names) {
    struct octets body = {peek->request, peek->request_size}, list, extension;
    uint16_t type;
    *ret_schemes = *ret_names = (struct octets){0};
    if (!octets_take_list(&body, 1, &list))
        return;
    if (!peek->is_13) {
        if (octets_take_list(&body, 2, ret_schemes))
            octets_take_list(&body, 2, ret_names);
        return;
    }
    if (!octets_take_list(&body, 2, &list))
        return;
    while (octets_take_16(&list, &type) && octets_take_list(&list, 2, &extension)) {
        if (type == SIGNATURE_ALGORITHMS)
            octets_take_list(&extension, 2, ret_schemes);
        if (type == CERTIFICATE_AUTHORITIES)
            octets_take_list(&extension, 2, ret_names);
    }
}

bool nwi_tls_peek_describe(const struct nwi_tls_peek *peek, sec_protocol_metadata_t metadata) {
    struct octets schemes, names, name;
    uint16_t scheme;
    find_lists(peek, &schemes, &names);
    while (octets_take_16(&schemes, &scheme))
        if (!nwi_sec_metadata_add_signature_algorithm(metadata, scheme))
            return false;
    while (octets_take_list(&names, 2, &name))
        if (!nwi_sec_metadata_add_item(&metadata->distinguished_names, name.at, name.size))
            return false;
    return true;
}

dispatch_data_t nwi_tls_peek_copy_hint(const struct nwi_tls_peek *peek) {
    return nwi_retain(peek->hint);
}
