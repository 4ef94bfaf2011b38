/*
 * fuzz_suites.c - any ClientHello before a server that keeps to an exact list of suites
 *         (src/protocol/tls/suites_narrow.c).
 * What:   the first octet picks the list and TLS or DTLS, the rest is the body of the message. The
 *         answer is always that the handshake may go on, what was given is not read past its end,
 *         and the session can still be given its list.
 */
#include "fuzz.h"
#include "protocol/tls/suites.h"
#include <Security/protocol_settings.h>

enum { DATAGRAM = 0x80, SUITES = 7 };

static const tls_ciphersuite_t suites[SUITES] = {
    TLS_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    TLS_PSK_WITH_AES_128_GCM_SHA256,
    TLS_PSK_WITH_AES_256_CBC_SHA384,
    TLS_CHACHA20_POLY1305_SHA256,
};

static sec_protocol_options_t options;
static gnutls_session_t sessions[2];

static void set_up(void) {
    fuzz_log_nothing();
    options = nwi_sec_options_create();
    CHECK(options != NULL);
    dispatch_data_t key = dispatch_data_create_f("0123456789abcdef", 16, NULL, NULL, NULL);
    sec_protocol_options_add_pre_shared_key(options, key, key);
    dispatch_release(key);
    CHECK(gnutls_init(&sessions[0], GNUTLS_SERVER) == 0);
    CHECK(gnutls_init(&sessions[1], GNUTLS_SERVER | GNUTLS_DATAGRAM) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tls_ciphersuite_t list[SUITES];
    size_t count = 0;
    if (options == NULL)
        set_up();
    if (size < 1)
        return 0;
    for (unsigned i = 0; i < SUITES; i++)
        if (data[0] & 1u << i)
            list[count++] = suites[i];
    sec_protocol_options_set_exact_tls_ciphersuites(options, list, count);
    bool datagram = (data[0] & DATAGRAM) != 0;
    gnutls_datum_t hello = {.data = malloc(size), .size = (unsigned)(size - 1)};
    CHECK(hello.data != NULL);
    memcpy(hello.data, data + 1, size - 1);
    hello.data =
        realloc(hello.data, size > 1 ? size - 1 : 1); /* so ASan sees a read past the end */
    CHECK(hello.data != NULL);
    CHECK(nwi_tls_suites_narrow(sessions[datagram], options, datagram, &hello) == 0);
    free(hello.data);
    return 0;
}
