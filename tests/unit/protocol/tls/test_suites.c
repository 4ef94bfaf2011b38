/* test_suites.c - what the settings put into a ClientHello, suite by suite. */
#include "base/alloc.h"
#include "base/log.h"
#include "hello.h"
#include "protocol/tls/errors.h"
#include "protocol/tls/suites.h"
#include "protocol/tls/suites_internal.h"
#include <Security/SecureTransport.h>
#include <Security/protocol_settings.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- the log, which must name what could not be done --- */

static char logged[4096];
static unsigned errors;

static void sink(enum nwi_log_level level, const char *name, const char *event,
                 const char *message) {
    (void)name, (void)event;
    if (level > NWI_LOG_ERROR)
        return;
    errors++;
    size_t length = strlen(logged);
    snprintf(logged + length, sizeof logged - length, "%s\n", message);
}

static void forget_log(void) {
    logged[0] = '\0';
    errors = 0;
}

static sec_protocol_options_t fresh(void) {
    sec_protocol_options_t options = nwi_sec_options_create();
    assert_non_null(options);
    forget_log();
    return options;
}

static void add_psk(sec_protocol_options_t options) {
    dispatch_data_t key = dispatch_data_create_f("0123456789abcdef", 16, NULL, NULL, NULL);
    dispatch_data_t identity = dispatch_data_create_f("somebody", 8, NULL, NULL, NULL);
    sec_protocol_options_add_pre_shared_key(options, key, identity);
    dispatch_release(key);
    dispatch_release(identity);
}

/* --- the defaults --- */

static const uint16_t with_aes[] = {
    TLS_AES_128_GCM_SHA256,
    TLS_AES_256_GCM_SHA384,
    TLS_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
};
static const uint16_t without_aes[] = {
    TLS_CHACHA20_POLY1305_SHA256,
    TLS_AES_128_GCM_SHA256,
    TLS_AES_256_GCM_SHA384,
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
};

static void assert_suites(const struct hello *hello, const uint16_t *suites, size_t count) {
    for (size_t i = 0; i < count && i < hello->suite_count; i++)
        if (hello->suites[i] != suites[i])
            fail_msg("suite %zu is %s, not %s", i, nwi_tls_suite_name(hello->suites[i]),
                     nwi_tls_suite_name(suites[i]));
    assert_int_equal(hello->suite_count, count);
}

static void default_hello_is_modern(void **state) {
    (void)state;
    sec_protocol_options_t options = fresh();
    struct hello hello;
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    assert_suites(&hello, with_aes, COUNT(with_aes));
    assert_int_equal(errors, 0);
    static const uint16_t groups[] = {29, 23, 24, 25}; /* x25519, P-256, P-384, P-521 */
    assert_int_equal(hello.group_count, COUNT(groups));
    assert_memory_equal(hello.groups, groups, sizeof groups);
    static const uint16_t versions[] = {0x0304, 0x0303};
    assert_int_equal(hello.version_count, COUNT(versions));
    assert_memory_equal(hello.versions, versions, sizeof versions);
    assert_true(hello.has_renegotiation_info);
    assert_true(hello.signature_count > 5);
    for (size_t i = 0; i < hello.signature_count; i++) {
        assert_int_not_equal(hello.signatures[i] >> 8, 0x02);   /* SHA-1: rsa_pkcs1, ecdsa, dsa */
        assert_int_not_equal(hello.signatures[i] & 0xff, 0x02); /* dsa */
    }
    assert_true(hello_lists(hello.signatures, hello.signature_count, 0x0403));
    assert_true(hello_lists(hello.signatures, hello.signature_count, 0x0804));
    assert_true(hello_lists(hello.signatures, hello.signature_count, 0x0807));
    sec_release(options);
}

static void processor_decides_the_order(void **state) {
    (void)state;
    sec_protocol_options_t options = fresh();
    struct hello hello;
    assert_int_equal(hello_for(options, false, false, &hello), 0);
    assert_suites(&hello, without_aes, COUNT(without_aes));
    sec_release(options);
}

static void datagrams_have_no_13(void **state) {
    (void)state;
    sec_protocol_options_t options = fresh();
    struct hello hello;
    assert_int_equal(hello_for(options, true, true, &hello), 0);
    assert_suites(&hello, with_aes + 3, COUNT(with_aes) - 3);
    assert_int_equal(hello.legacy_version, 0xFEFD);
    assert_int_equal(errors, 0); /* that TLS 1.3's suites are not there is nobody's mistake */
    sec_release(options);
}

/* --- appending --- */

static void append_appends(void **state) {
    (void)state;
    static const uint16_t extra[] = {TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
                                     TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
                                     TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384};
    sec_protocol_options_t options = fresh();
    struct hello hello;
    for (size_t i = 0; i < COUNT(extra); i++)
        sec_protocol_options_append_tls_ciphersuite(options, extra[i]);
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    for (size_t i = 0; i < COUNT(with_aes); i++)
        assert_true(hello_offers(&hello, with_aes[i]));
    for (size_t i = 0; i < COUNT(extra); i++)
        assert_true(hello_offers(&hello, extra[i]));
    /* one more is made of the same parts */
    assert_true(hello_offers(&hello, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256));
    assert_int_equal(hello.suite_count, COUNT(with_aes) + COUNT(extra) + 1);
    assert_true(hello_place(&hello, extra[0]) >
                hello_place(&hello, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256));
    assert_true(nwi_tls_suite_is_allowed(options, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256));
    assert_int_equal(errors, 0);
    sec_release(options);
}

static void every_offerable_suite_is_offered(void **state) {
    (void)state;
    static const uint16_t suites[] = {
        TLS_RSA_WITH_AES_128_CBC_SHA,
        TLS_RSA_WITH_AES_256_CBC_SHA256,
        TLS_RSA_WITH_3DES_EDE_CBC_SHA,
        TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
        TLS_DHE_RSA_WITH_AES_256_CBC_SHA,
        TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA,
        TLS_AES_128_CCM_SHA256,
        TLS_AES_128_CCM_8_SHA256,
        TLS_RSA_WITH_AES_256_GCM_SHA384,
        TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
        0xC0AC /* TLS_ECDHE_ECDSA_WITH_AES_128_CCM */,
    };
    for (size_t i = 0; i < COUNT(suites); i++) {
        sec_protocol_options_t options = fresh();
        struct hello hello;
        sec_protocol_options_append_tls_ciphersuite(options, suites[i]);
        assert_int_equal(hello_for(options, false, true, &hello), 0);
        if (!hello_offers(&hello, suites[i]))
            fail_msg("%s is not offered", nwi_tls_suite_name(suites[i]));
        assert_int_equal(errors, 0);
        sec_release(options);
    }
}

static void what_cannot_be_offered_is_named(void **state) {
    (void)state;
    static const struct {
        uint16_t suite;
        const char *name;
    } cases[] = {
        {TLS_RSA_WITH_RC4_128_SHA, "TLS_RSA_WITH_RC4_128_SHA (0x0005) cannot be offered: RC4"},
        {TLS_DH_anon_WITH_AES_128_CBC_SHA, "TLS_DH_anon_WITH_AES_128_CBC_SHA"},
        {TLS_RSA_WITH_NULL_SHA256, "TLS_RSA_WITH_NULL_SHA256"},
        {TLS_ECDH_RSA_WITH_AES_128_CBC_SHA, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA"},
        {TLS_DHE_DSS_WITH_AES_128_CBC_SHA, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"},
        {TLS_PSK_WITH_AES_128_GCM_SHA256, "TLS_PSK_WITH_AES_128_GCM_SHA256"},
        {TLS_RSA_PSK_WITH_AES_128_CBC_SHA, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA"},
        {0x9999, "an unregistered suite (0x9999)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        sec_protocol_options_t options = fresh();
        struct hello hello;
        sec_protocol_options_append_tls_ciphersuite(options, cases[i].suite);
        assert_int_equal(hello_for(options, false, true, &hello), 0);
        assert_suites(&hello, with_aes, COUNT(with_aes)); /* and nothing else is lost by it */
        assert_int_equal(errors, 1);
        assert_non_null(strstr(logged, cases[i].name));
        sec_release(options);
    }
}

/* --- groups --- */

static void groups_bring_their_suites(void **state) {
    (void)state;
    static const struct {
        tls_ciphersuite_group_t group;
        uint16_t in, out; /* 0: nothing */
    } cases[] = {
        {tls_ciphersuite_group_default, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
         TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA},
        {tls_ciphersuite_group_compatibility, TLS_RSA_WITH_AES_128_CBC_SHA,
         TLS_RSA_WITH_3DES_EDE_CBC_SHA},
        {tls_ciphersuite_group_legacy, TLS_RSA_WITH_3DES_EDE_CBC_SHA, TLS_RSA_WITH_RC4_128_SHA},
        {tls_ciphersuite_group_ats, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
         TLS_RSA_WITH_AES_128_CBC_SHA},
        {tls_ciphersuite_group_ats_compatibility, TLS_RSA_WITH_AES_256_GCM_SHA384,
         TLS_RSA_WITH_3DES_EDE_CBC_SHA},
        {tls_ciphersuite_group_ats_fcp_v2_1, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
         TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        sec_protocol_options_t options = fresh();
        struct hello hello;
        sec_protocol_options_append_tls_ciphersuite_group(options, cases[i].group);
        assert_int_equal(hello_for(options, false, true, &hello), 0);
        for (size_t j = 0; j < COUNT(with_aes); j++)
            assert_true(hello_offers(&hello, with_aes[j]));
        assert_true(hello_offers(&hello, cases[i].in));
        assert_false(hello_offers(&hello, cases[i].out));
        assert_int_equal(errors, 0);
        sec_release(options);
    }
}

/* --- exact lists --- */

static void exact_list_restricts(void **state) {
    (void)state;
    static const struct {
        uint16_t list[3];
        size_t count;
        uint16_t offered[6];
        size_t offered_count;
        uint16_t first_version; /* 0: the extension is not sent */
    } cases[] = {
        {{TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
         1,
         {TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
          /* GnuTLS lists TLS 1.3's suites of the same cipher only with that version */},
         1,
         0},
        {{TLS_AES_256_GCM_SHA384}, 1, {TLS_AES_256_GCM_SHA384}, 1, 0x0304},
        {{TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256},
         2,
         {TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256},
         2,
         0x0304},
        {{TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256},
         1,
         {TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256},
         1,
         0},
        {{TLS_RSA_WITH_AES_128_CBC_SHA}, 1, {TLS_RSA_WITH_AES_128_CBC_SHA}, 1, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        sec_protocol_options_t options = fresh();
        struct hello hello;
        sec_protocol_options_append_tls_ciphersuite(options, TLS_RSA_WITH_AES_256_CBC_SHA);
        sec_protocol_options_set_exact_tls_ciphersuites(options, cases[i].list, cases[i].count);
        assert_int_equal(hello_for(options, false, true, &hello), 0);
        assert_suites(&hello, cases[i].offered, cases[i].offered_count);
        assert_int_equal(hello.version_count > 0 ? hello.versions[0] : 0, cases[i].first_version);
        for (size_t j = 0; j < cases[i].count; j++)
            assert_true(nwi_tls_suite_is_allowed(options, cases[i].list[j]));
        assert_false(nwi_tls_suite_is_allowed(options, TLS_RSA_WITH_AES_256_CBC_SHA));
        assert_int_equal(errors, 0);
        /* taken back */
        sec_protocol_options_set_exact_tls_ciphersuites(options, NULL, 0);
        assert_true(nwi_tls_suite_is_allowed(options, TLS_RSA_WITH_AES_256_CBC_SHA));
        assert_int_equal(hello_for(options, false, true, &hello), 0);
        assert_true(hello_offers(&hello, TLS_RSA_WITH_AES_256_CBC_SHA));
        assert_true(hello_offers(&hello, with_aes[0]));
        sec_release(options);
    }
}

/* Two suites whose parts make two others: these are offered, and refused when chosen. */
static void cross_products_are_known(void **state) {
    (void)state;
    static const uint16_t list[] = {TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
                                    TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384};
    sec_protocol_options_t options = fresh();
    struct hello hello;
    sec_protocol_options_set_exact_tls_ciphersuites(options, list, COUNT(list));
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    assert_int_equal(hello.suite_count, 4);
    for (size_t i = 0; i < hello.suite_count; i++)
        assert_int_equal(nwi_tls_suite_is_allowed(options, hello.suites[i]),
                         hello_lists(list, COUNT(list), hello.suites[i]));
    sec_release(options);
}

static void nothing_left_is_an_error(void **state) {
    (void)state;
    static const uint16_t hopeless[] = {TLS_RSA_WITH_RC4_128_SHA, TLS_RSA_WITH_NULL_SHA};
    static const uint16_t only_13[] = {TLS_AES_128_GCM_SHA256};
    sec_protocol_options_t options = fresh();
    struct hello hello;
    sec_protocol_options_set_exact_tls_ciphersuites(options, hopeless, COUNT(hopeless));
    assert_int_equal(hello_for(options, false, true, &hello), nwi_tls(errSSLBadConfiguration));
    assert_non_null(strstr(logged, "TLS_RSA_WITH_RC4_128_SHA"));
    assert_non_null(strstr(logged, "TLS_RSA_WITH_NULL_SHA"));
    sec_protocol_options_set_exact_tls_ciphersuites(options, only_13, COUNT(only_13));
    assert_int_equal(hello_for(options, true, true, &hello), nwi_tls(errSSLBadConfiguration));
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    sec_protocol_options_set_max_tls_protocol_version(options, tls_protocol_version_TLSv12);
    assert_int_equal(hello_for(options, false, true, &hello), nwi_tls(errSSLBadConfiguration));
    sec_release(options);
}

static void exact_list_is_copied_and_compared(void **state) {
    (void)state;
    uint16_t list[] = {TLS_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384};
    sec_protocol_options_t options = fresh(), other = nwi_sec_options_copy(options);
    sec_protocol_options_set_exact_tls_ciphersuites(options, list, COUNT(list));
    list[0] = 0;
    assert_int_equal(options->exact_ciphersuite_count, 2);
    assert_int_equal(options->exact_ciphersuites[0], TLS_AES_128_GCM_SHA256);
    assert_false(sec_protocol_options_are_equal(options, other));
    sec_release(other);
    other = nwi_sec_options_copy(options);
    assert_true(sec_protocol_options_are_equal(options, other));
    assert_int_equal(other->exact_ciphersuites[1], TLS_AES_256_GCM_SHA384);
    forget_log();
    sec_protocol_options_set_exact_tls_ciphersuites(NULL, list, 1);
    sec_protocol_options_set_exact_tls_ciphersuites(options, NULL, 1);
    assert_int_equal(errors, 2);
    assert_int_equal(options->exact_ciphersuite_count, 2);
    sec_release(other);
    sec_release(options);
}

/* --- pre-shared keys --- */

static void keys_bring_their_suites(void **state) {
    (void)state;
    sec_protocol_options_t options = fresh();
    struct hello hello;
    add_psk(options);
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    static const uint16_t psk[] = {0xCCAC, TLS_PSK_WITH_AES_128_GCM_SHA256,
                                   TLS_PSK_WITH_AES_256_GCM_SHA384,
                                   TLS_PSK_WITH_CHACHA20_POLY1305_SHA256};
    for (size_t i = 0; i < COUNT(psk); i++) {
        assert_true(hello_offers(&hello, psk[i]));
        assert_true(hello_place(&hello, psk[i]) < hello_place(&hello, with_aes[3]));
    }
    for (size_t i = 0; i < COUNT(with_aes); i++)
        assert_true(hello_offers(&hello, with_aes[i]));
    assert_true(hello.has_psk); /* an external key for TLS 1.3 */
    assert_true(hello.has_dhe_psk_mode);
    assert_int_equal(errors, 0);
    /* what Apple's sample does */
    sec_protocol_options_append_tls_ciphersuite(options, TLS_PSK_WITH_AES_128_GCM_SHA256);
    sec_protocol_options_set_max_tls_protocol_version(options, tls_protocol_version_TLSv12);
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    assert_true(hello_offers(&hello, TLS_PSK_WITH_AES_128_GCM_SHA256));
    assert_false(hello.has_psk);
    assert_int_equal(errors, 0);
    /* TLS 1.3 alone, by an exact list */
    static const uint16_t exact[] = {TLS_AES_128_GCM_SHA256};
    sec_protocol_options_set_max_tls_protocol_version(options, tls_protocol_version_TLSv13);
    sec_protocol_options_set_exact_tls_ciphersuites(options, exact, 1);
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    assert_suites(&hello, exact, 1);
    assert_true(hello.has_psk && hello.has_dhe_psk_mode);
    /* RSA_PSK where TLS 1.3 is not in the way */
    sec_protocol_options_set_exact_tls_ciphersuites(options, NULL, 0);
    sec_protocol_options_set_max_tls_protocol_version(options, tls_protocol_version_TLSv12);
    sec_protocol_options_append_tls_ciphersuite(options, TLS_RSA_PSK_WITH_AES_128_GCM_SHA256);
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    assert_true(hello_offers(&hello, TLS_RSA_PSK_WITH_AES_128_GCM_SHA256));
    sec_release(options);
}

static void keys_over_datagrams(void **state) {
    (void)state;
    sec_protocol_options_t options = fresh();
    struct hello hello;
    add_psk(options);
    assert_int_equal(hello_for(options, true, true, &hello), 0);
    assert_true(hello_offers(&hello, TLS_PSK_WITH_AES_128_GCM_SHA256));
    assert_false(hello.has_psk);
    sec_release(options);
}

/* --- versions --- */

static void versions_are_kept(void **state) {
    (void)state;
    enum {
        OLD10 = 0x0301,
        OLD11 = 0x0302,
        TLS12 = 0x0303,
        TLS13 = 0x0304,
        D10 = 0xFEFF,
        D12 = 0xFEFD
    };
    static const struct {
        uint16_t min, max; /* 0: not set */
        bool is_datagram;
        int code;                 /* of the error */
        uint16_t version, lowest; /* highest and lowest offered; lowest 0: no extension */
    } cases[] = {
        {0, 0, false, 0, TLS13, TLS12},
        {TLS13, 0, false, 0, TLS13, TLS13},
        {0, TLS12, false, 0, TLS12, 0},
        {TLS12, TLS12, false, 0, TLS12, 0},
        {OLD10, 0, false, 0, TLS13, OLD10},
        {OLD11, TLS12, false, 0, TLS12, 0},
        {0, OLD11, false, 0, OLD11, 0},
        {OLD10, OLD10, false, 0, OLD10, 0},
        {TLS13, TLS12, false, errSSLBadConfiguration, 0, 0},
        {0, 0, true, 0, D12, 0},
        {D10, 0, true, 0, D12, 0},
        {D10, D10, true, 0, D10, 0},
        {TLS12, TLS13, true, 0, D12, 0},
        {TLS13, 0, true, errSSLBadConfiguration, 0, 0},
        {D12, D10, true, errSSLBadConfiguration, 0, 0},
        {D12, 0, false, 0, TLS13, TLS12},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        sec_protocol_options_t options = fresh();
        struct hello hello;
        if (cases[i].min != 0)
            sec_protocol_options_set_min_tls_protocol_version(options, cases[i].min);
        if (cases[i].max != 0)
            sec_protocol_options_set_max_tls_protocol_version(options, cases[i].max);
        nwi_err err = hello_for(options, cases[i].is_datagram, true, &hello);
        assert_int_equal(err, nwi_tls(cases[i].code));
        assert_int_equal(errors, cases[i].code != 0);
        sec_release(options);
        if (err != 0)
            continue;
        uint16_t version = hello.version_count > 0 ? hello.versions[0] : hello.legacy_version;
        uint16_t lowest = hello.version_count > 0 ? hello.versions[hello.version_count - 1] : 0;
        if (version != cases[i].version || lowest != cases[i].lowest)
            fail_msg("case %zu: %04x to %04x", i, lowest, version);
        if (cases[i].version < TLS12)
            assert_true(hello_offers(&hello, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA));
    }
}

static void switches_are_kept(void **state) {
    (void)state;
    sec_protocol_options_t options = fresh();
    struct hello hello;
    sec_protocol_options_set_max_tls_protocol_version(options, tls_protocol_version_TLSv12);
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    assert_true(hello.has_ticket);
    assert_false(hello_offers(&hello, 0x5600));
    sec_protocol_options_set_tls_tickets_enabled(options, false);
    sec_protocol_options_set_tls_is_fallback_attempt(options, true);
    assert_int_equal(hello_for(options, false, true, &hello), 0);
    assert_false(hello.has_ticket);
    assert_true(hello_offers(&hello, 0x5600)); /* TLS_FALLBACK_SCSV: RFC 7507 section 2 */
    sec_release(options);
}

/* --- servers --- */

static void servers_choose_only_among_weak_suites(void **state) {
    (void)state;
    sec_protocol_options_t options = fresh();
    char *priority;
    assert_int_equal(nwi_tls_suites_priority(options, true, false, &priority), 0);
    assert_null(strstr(priority, "%SERVER_PRECEDENCE"));
    assert_null(strstr(priority, "%SAFE_RENEGOTIATION"));
    nwi_free(priority);
    sec_protocol_options_append_tls_ciphersuite(options, TLS_RSA_WITH_AES_128_CBC_SHA);
    assert_int_equal(nwi_tls_suites_priority(options, true, false, &priority), 0);
    assert_non_null(strstr(priority, "%SERVER_PRECEDENCE"));
    nwi_free(priority);
    sec_release(options);
}

static void lack_of_memory_is_reported(void **state) {
    (void)state;
    sec_protocol_options_t options = fresh();
    for (unsigned long n = 1;; n++) {
        char *priority = NULL;
        sec_protocol_options_set_min_tls_protocol_version(options, tls_protocol_version_TLSv13);
        nwi_alloc_fail_at(n);
        nwi_err err = nwi_tls_suites_priority(options, false, false, &priority);
        bool hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_true(err == 0 ? priority != NULL : err == NWI_ERR_NOMEM && priority == NULL);
        nwi_free(priority);
        if (!hit)
            break;
    }
    sec_release(options);
}

static void names_are_registered(void **state) {
    (void)state;
    assert_string_equal(nwi_tls_suite_name(0x1301), "TLS_AES_128_GCM_SHA256");
    assert_string_equal(nwi_tls_suite_name(0x0000), "TLS_NULL_WITH_NULL_NULL");
    assert_string_equal(nwi_tls_suite_name(0xCCAE), "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256");
    assert_string_equal(nwi_tls_suite_name(0xC030), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    assert_string_equal(nwi_tls_suite_name(0x7777), "an unregistered suite");
}

static int setup(void **state) {
    (void)state;
    nwi_log_set_sink(sink);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_hello_is_modern),
        cmocka_unit_test(processor_decides_the_order),
        cmocka_unit_test(datagrams_have_no_13),
        cmocka_unit_test(append_appends),
        cmocka_unit_test(every_offerable_suite_is_offered),
        cmocka_unit_test(what_cannot_be_offered_is_named),
        cmocka_unit_test(groups_bring_their_suites),
        cmocka_unit_test(exact_list_restricts),
        cmocka_unit_test(cross_products_are_known),
        cmocka_unit_test(nothing_left_is_an_error),
        cmocka_unit_test(exact_list_is_copied_and_compared),
        cmocka_unit_test(keys_bring_their_suites),
        cmocka_unit_test(keys_over_datagrams),
        cmocka_unit_test(versions_are_kept),
        cmocka_unit_test(switches_are_kept),
        cmocka_unit_test(servers_choose_only_among_weak_suites),
        cmocka_unit_test(lack_of_memory_is_reported),
        cmocka_unit_test(names_are_registered),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
