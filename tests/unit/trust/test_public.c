/*
 * test_public.c - what roots of the system demand besides: how long a certificate may live, by the
 * day of its issue, and its purpose. nwi_trust_check_public_leaf() of src/trust/rules.c.
 */
#include "trust/rules.h"
#include <Security/SecureTransport.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { DAY = 24 * 60 * 60 };
static gnutls_x509_privkey_t key;

static int make_key(void **state) {
    (void)state;
    return gnutls_x509_privkey_init(&key) < 0 ||
                   gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 256, 0) < 0
               ? -1
               : 0;
}

static int forget_key(void **state) {
    (void)state;
    gnutls_x509_privkey_deinit(key);
    return 0;
}

/* The verdict on one that is valid from `begin` on for `life` seconds, the last one included. */
static int judge(time_t begin, time_t life, const char *purpose, enum nwi_trust_purpose wanted) {
    const struct nwi_trust_policy policy = {.purpose = wanted, .now = begin};
    struct nwi_trust_verdict verdict = {0};
    gnutls_x509_crt_t crt;
    gnutls_datum_t der;
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_crt_set_version(crt, 3), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(crt, "\1", 1), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(crt, begin), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, begin + life - 1), 0);
    assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
    if (purpose != NULL)
        assert_int_equal(gnutls_x509_crt_set_key_purpose_oid(crt, purpose, 0), 0);
    assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_UNKNOWN, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), 0);
    sec_certificate_t certificate = nwi_certificate_create(der.data, der.size);
    assert_non_null(certificate);
    bool good = nwi_trust_check_public_leaf(certificate, &policy, &verdict);
    assert_int_equal(good, verdict.status == 0);
    sec_release(certificate);
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(crt);
    return verdict.status;
}

static void lives(void **state) {
    static const struct {
        time_t from;
        int days, before; /* the most from then on, and the second before; 0: any */
    } cases[] = {
        {1561939200, 825, 0},   /* 2019-07-01 */
        {1598918400, 398, 825}, /* 2020-09-01 */
        {1773532800, 200, 398}, /* 2026-03-15 */
        {1805068800, 100, 200}, /* 2027-03-15 */
        {1868227200, 47, 100},  /* 2029-03-15 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        time_t from = cases[i].from, life = (time_t)cases[i].days * DAY;
        time_t before = (time_t)cases[i].before * DAY;
        assert_int_equal(judge(from, life, GNUTLS_KP_TLS_WWW_SERVER, NWI_TRUST_SERVER), 0);
        assert_int_equal(judge(from, life + 1, GNUTLS_KP_TLS_WWW_SERVER, NWI_TRUST_SERVER),
                         errSSLBadCert);
        assert_int_equal(judge(from - 1, before != 0 ? before : 10000l * DAY,
                               GNUTLS_KP_TLS_WWW_SERVER, NWI_TRUST_SERVER),
                         0);
        assert_int_equal(judge(from, life + 1, NULL, NWI_TRUST_CLIENT), 0); /* a server's only */
    }
}

static void purpose(void **state) {
    (void)state;
    assert_int_equal(judge(1790000000, DAY, NULL, NWI_TRUST_SERVER), errSSLBadCert);
    assert_int_equal(judge(1790000000, DAY, GNUTLS_KP_TLS_WWW_CLIENT, NWI_TRUST_SERVER),
                     errSSLBadCert);
    assert_int_equal(judge(1790000000, DAY, GNUTLS_KP_ANY, NWI_TRUST_SERVER), errSSLBadCert);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(lives), cmocka_unit_test(purpose)};
    return cmocka_run_group_tests(tests, make_key, forget_key);
}
