/* test_suites_agreed.c - which suite comes of it, in handshakes over memory. */
#include "bare_pair.h"
#include "base/alloc.h"
#include "protocol/tls/suites.h"
#include "trust/identity.h"
#include <Security/protocol_settings.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static char *priority_of(sec_protocol_options_t options, bool is_server) {
    char *priority;
    assert_int_equal(nwi_tls_suites_priority(options, is_server, false, &priority), 0);
    return priority;
}

/* A server that has one suite and nothing else, as an old one may. */
static sec_protocol_options_t only(uint16_t suite) {
    sec_protocol_options_t options = nwi_sec_options_create();
    sec_protocol_options_set_exact_tls_ciphersuites(options, &suite, 1);
    return options;
}

static int before_hello(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                        const gnutls_datum_t *hello) {
    (void)type, (void)when;
    return incoming ? nwi_tls_suites_narrow(session, gnutls_session_get_ptr(session), false, hello)
                    : 0;
}

/* The suite that both agree on; 0: they do not. */
static uint16_t agree(sec_protocol_options_t client, sec_protocol_options_t server, bool rsa) {
    static struct bare_pair pair;
    char *ours = priority_of(client, false), *theirs = priority_of(server, true);
    gnutls_session_t whose;
    bare_pair_open(&pair, ours, theirs, 0, 0);
    if (rsa)
        gnutls_credentials_set(pair.server.session, GNUTLS_CRD_CERTIFICATE,
                               bare_server_rsa_credentials());
    gnutls_session_set_ptr(pair.server.session, server);
    gnutls_handshake_set_hook_function(pair.server.session, GNUTLS_HANDSHAKE_CLIENT_HELLO,
                                       GNUTLS_HOOK_PRE, before_hello);
    assert_int_equal(nwi_tls_suite_of(pair.client.session), 0);
    uint16_t suite = 0;
    if (bare_pair_shake(&pair, &whose) == 0) {
        suite = nwi_tls_suite_of(pair.client.session);
        assert_int_equal(nwi_tls_suite_of(pair.server.session), suite);
    }
    bare_pair_close(&pair);
    nwi_free(ours);
    nwi_free(theirs);
    return suite;
}

static void appended_suites_are_agreed_on(void **state) {
    (void)state;
    static const uint16_t extra[] = {TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
                                     TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
                                     TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384};
    sec_protocol_options_t plain = nwi_sec_options_create(), client = nwi_sec_options_create();
    for (size_t i = 0; i < COUNT(extra); i++)
        sec_protocol_options_append_tls_ciphersuite(client, extra[i]);
    for (size_t i = 0; i < COUNT(extra); i++) {
        sec_protocol_options_t server = only(extra[i]);
        assert_int_equal(agree(client, server, i == 2), extra[i]);
        assert_int_equal(agree(plain, server, i == 2), 0);
        sec_release(server);
    }
    sec_protocol_options_t modern = nwi_sec_options_create();
    assert_int_equal(agree(client, modern, false), agree(plain, modern, false));
    sec_release(modern);
    sec_release(client);
    sec_release(plain);
}

static void groups_reach_old_servers(void **state) {
    (void)state;
    static const struct {
        tls_ciphersuite_group_t group;
        uint16_t suite;
    } cases[] = {
        {tls_ciphersuite_group_ats, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA},
        {tls_ciphersuite_group_compatibility, TLS_RSA_WITH_AES_128_CBC_SHA},
        {tls_ciphersuite_group_legacy, TLS_RSA_WITH_3DES_EDE_CBC_SHA},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        sec_protocol_options_t client = nwi_sec_options_create(), server = only(cases[i].suite);
        sec_protocol_options_append_tls_ciphersuite_group(client, cases[i].group);
        assert_int_equal(agree(client, server, true), cases[i].suite);
        sec_release(client);
        sec_release(server);
    }
}

static void old_versions_are_spoken_when_allowed(void **state) {
    (void)state;
    sec_protocol_options_t plain = nwi_sec_options_create(), client = nwi_sec_options_create(),
                           server = nwi_sec_options_create();
    sec_protocol_options_set_max_tls_protocol_version(server, tls_protocol_version_TLSv10);
    assert_int_equal(agree(plain, server, true), 0);
    sec_protocol_options_set_min_tls_protocol_version(client, tls_protocol_version_TLSv10);
    assert_int_equal(agree(client, server, true), TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA);
    sec_release(plain);
    sec_release(client);
    sec_release(server);
}

/* What a client offers on top, because of the parts, a server may choose: to be asked about. */
static void choice_outside_the_list_is_seen(void **state) {
    (void)state;
    static const uint16_t list[] = {TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
                                    TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384};
    sec_protocol_options_t client = nwi_sec_options_create(),
                           server = only(TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384);
    sec_protocol_options_set_exact_tls_ciphersuites(client, list, COUNT(list));
    uint16_t suite = agree(client, server, false);
    assert_int_equal(suite, TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384);
    assert_false(nwi_tls_suite_is_allowed(client, suite));
    sec_release(client);
    sec_release(server);
}

/* Servers whose list, by its parts, holds more than it names. */
static void servers_keep_to_their_list(void **state) {
    (void)state;
    static const struct {
        uint16_t list[3], client[4]; /* the client's exact list; none: its defaults */
        uint16_t max;                /* of the client's versions */
        uint16_t agreed;
        bool rsa;
        uint16_t server_max; /* of the server's versions */
    } cases[] = {
        /* by its own order GnuTLS would take AES-128 in TLS 1.2 */
        {{TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
         {0},
         tls_protocol_version_TLSv12,
         TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
         false,
         0},
        {{TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
         {0},
         tls_protocol_version_TLSv13,
         TLS_AES_128_GCM_SHA256,
         false,
         0},
        /* TLS 1.3 with another suite only: down to TLS 1.2 */
        {{TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
         {TLS_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
         tls_protocol_version_TLSv13,
         TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
         false,
         0},
        {{TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384},
         {TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384},
         tls_protocol_version_TLSv12,
         TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
         true,
         0},
        /* what the server's versions do not have takes no other's place */
        {{TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
         {0},
         tls_protocol_version_TLSv13,
         TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
         false,
         tls_protocol_version_TLSv12},
        /* nothing in common but what is not on the list */
        {{TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384},
         {TLS_RSA_WITH_AES_128_CBC_SHA},
         tls_protocol_version_TLSv12,
         0,
         true,
         0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        sec_protocol_options_t client = nwi_sec_options_create(), server = nwi_sec_options_create();
        size_t count = 0, offered = 0;
        while (count < COUNT(cases[i].list) && cases[i].list[count] != 0)
            count++;
        while (offered < COUNT(cases[i].client) && cases[i].client[offered] != 0)
            offered++;
        sec_protocol_options_set_exact_tls_ciphersuites(server, cases[i].list, count);
        sec_protocol_options_set_exact_tls_ciphersuites(client, cases[i].client, offered);
        sec_protocol_options_set_max_tls_protocol_version(client, cases[i].max);
        if (cases[i].server_max != 0)
            sec_protocol_options_set_max_tls_protocol_version(server, cases[i].server_max);
        server->local_identity = bare_identity(cases[i].rsa);
        uint16_t suite = agree(client, server, cases[i].rsa);
        if (suite != cases[i].agreed)
            fail_msg("case %zu: %s", i, nwi_tls_suite_name(suite));
        sec_release(client);
        sec_release(server);
    }
}

/* Whatever octets stand for a ClientHello, nothing is read past them. */
static void broken_hellos_change_nothing(void **state) {
    (void)state;
    static const uint16_t list[] = {TLS_AES_128_GCM_SHA256,
                                    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384};
    sec_protocol_options_t server = nwi_sec_options_create();
    sec_protocol_options_set_exact_tls_ciphersuites(server, list, COUNT(list));
    unsigned char whole[64] = {3, 3};
    whole[35] = 0;
    whole[36] = 4; /* two suites */
    whole[37] = 0x13, whole[38] = 0x02, whole[39] = 0xC0, whole[40] = 0x2C;
    gnutls_session_t session;
    assert_int_equal(gnutls_init(&session, GNUTLS_SERVER), 0);
    for (unsigned size = 0; size <= 41; size++) {
        unsigned char *octets = malloc(size + 1); /* so that a reader past the end is caught */
        memcpy(octets, whole, size);
        octets = realloc(octets, size == 0 ? 1 : size);
        gnutls_datum_t hello = {octets, size};
        assert_int_equal(nwi_tls_suites_narrow(session, server, false, &hello), 0);
        assert_int_equal(nwi_tls_suites_narrow(session, server, true, &hello), 0);
        free(octets);
    }
    memset(whole, 0xff, sizeof whole);
    gnutls_datum_t hello = {whole, sizeof whole};
    assert_int_equal(nwi_tls_suites_narrow(session, server, false, &hello), 0);
    gnutls_deinit(session);
    sec_release(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_suites_are_agreed_on),
        cmocka_unit_test(groups_reach_old_servers),
        cmocka_unit_test(old_versions_are_spoken_when_allowed),
        cmocka_unit_test(choice_outside_the_list_is_seen),
        cmocka_unit_test(servers_keep_to_their_list),
        cmocka_unit_test(broken_hellos_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
