/*
 * identity_nw.c - see identity_nw.h.
 */
#include "identity_nw.h"
#include "die.h"
#include <Security/identity.h>
#include <errno.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>

enum { DAY = 24 * 60 * 60 };

static void good(int code) {
    if (code < 0) {
        fprintf(stderr, "bench: certificate: %s\n", gnutls_strerror(code));
        bench_die("certificate", EINVAL);
    }
}

static void write_leaf(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key) {
    static const unsigned char serial[] = {1}, address[] = {127, 0, 0, 1};
    time_t now = time(NULL);
    good(gnutls_x509_crt_set_version(crt, 3));
    good(gnutls_x509_crt_set_serial(crt, serial, sizeof serial));
    good(gnutls_x509_crt_set_activation_time(crt, now - DAY));
    good(gnutls_x509_crt_set_expiration_time(crt, now + DAY));
    good(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "localhost", 9));
    good(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9,
                                              GNUTLS_FSAN_SET));
    good(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, sizeof address,
                                              GNUTLS_FSAN_APPEND));
    good(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE));
    good(gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0));
    good(gnutls_x509_crt_set_key(crt, key));
    good(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0));
}

sec_identity_t bench_identity(void) {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
    gnutls_datum_t crt_pem, key_pem;
    char *why = NULL;
    good(gnutls_x509_privkey_init(&key));
    good(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    good(gnutls_x509_crt_init(&crt));
    write_leaf(crt, key);
    good(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_pem));
    good(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                           &key_pem));
    sec_identity_t identity = sec_identity_create_with_bytes(
        crt_pem.data, crt_pem.size, key_pem.data, key_pem.size, NULL, &why);
    if (identity == NULL) {
        fprintf(stderr, "bench: %s\n", why);
        bench_die("identity", EINVAL);
    }
    gnutls_free(crt_pem.data);
    gnutls_free(key_pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    return identity;
}
