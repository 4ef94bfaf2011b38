/*
 * made_identity.c - see made_identity.h.
 */
#include "fake/made_identity.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { DAY = 86400, RSA_BITS = 2048 };

static void name_it(gnutls_x509_crt_t crt, const char *name) {
    static const unsigned char v4[] = {127, 0, 0, 1}, v6[16] = {[15] = 1};
    assert_int_equal(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                                   (unsigned)strlen(name)),
                     0);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9,
                                         GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, v4, sizeof v4,
                                         GNUTLS_FSAN_APPEND);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, v6, sizeof v6,
                                         GNUTLS_FSAN_APPEND);
}

static void give_rights(gnutls_x509_crt_t crt, bool is_ca) {
    if (is_ca) {
        gnutls_x509_crt_set_basic_constraints(crt, 1, -1);
        gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
        return;
    }
    gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
}

void made_identity_create(struct made_identity *made, gnutls_pk_algorithm_t kind, const char *name,
                          const struct made_identity *issuer, bool is_ca) {
    static uint32_t last_serial;
    const uint32_t serial = __builtin_bswap32(++last_serial | 1u << 30);
    unsigned bits = kind == GNUTLS_PK_ECDSA ? GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)
                    : kind == GNUTLS_PK_RSA ? RSA_BITS
                                            : 0;
    const time_t now = time(NULL);
    assert_int_equal(gnutls_x509_privkey_init(&made->key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(made->key, kind, bits, 0), 0);
    assert_int_equal(gnutls_x509_crt_init(&made->crt), 0);
    gnutls_x509_crt_set_version(made->crt, 3);
    gnutls_x509_crt_set_serial(made->crt, &serial, sizeof serial);
    gnutls_x509_crt_set_activation_time(made->crt, now - DAY);
    gnutls_x509_crt_set_expiration_time(made->crt, now + DAY);
    gnutls_x509_crt_set_key(made->crt, made->key);
    name_it(made->crt, name);
    give_rights(made->crt, is_ca);
    gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;
    const struct made_identity *signer = issuer != NULL ? issuer : made;
    if (gnutls_x509_privkey_get_pk_algorithm(signer->key) == GNUTLS_PK_EDDSA_ED25519)
        digest = GNUTLS_DIG_SHA512;
    assert_int_equal(gnutls_x509_crt_sign2(made->crt, signer->crt, signer->key, digest, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(made->crt, GNUTLS_X509_FMT_PEM, &made->pem), 0);
    assert_int_equal(gnutls_x509_crt_export2(made->crt, GNUTLS_X509_FMT_DER, &made->der), 0);
    assert_int_equal(gnutls_x509_privkey_export2_pkcs8(made->key, GNUTLS_X509_FMT_PEM, NULL,
                                                       GNUTLS_PKCS_PLAIN, &made->key_pem),
                     0);
    assert_int_equal(gnutls_x509_privkey_export2_pkcs8(made->key, GNUTLS_X509_FMT_DER, NULL,
                                                       GNUTLS_PKCS_PLAIN, &made->key_der),
                     0);
}

void made_identity_free(struct made_identity *made) {
    gnutls_x509_crt_deinit(made->crt);
    gnutls_x509_privkey_deinit(made->key);
    gnutls_free(made->pem.data);
    gnutls_free(made->der.data);
    gnutls_free(made->key_pem.data);
    gnutls_free(made->key_der.data);
}
