/*
 * private_key.c - private keys in all the wrappings that are in use.
 * What:   PKCS #8, plain and encrypted; PKCS #1 and SEC 1, and those as OpenSSL used to encrypt
 *         them. How often a password is to be stirred is looked at before it is done.
 * Source: RFC 5958 (PKCS #8), RFC 8018 (PBES2), RFC 8017 appendix A.1.2, RFC 5915.
 * Runs:   the thread of the public call.
 */
#include "trust/der.h"
#include "trust/reading.h"
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>

enum wrapping { PLAIN, PKCS8_ENCRYPTED, OPENSSL_ENCRYPTED };

bool nwi_reading_spend(struct nwi_reading *reading, const char *place, unsigned rounds) {
    if (rounds > reading->rounds)
        return nwi_reading_fail(
            reading, "%s: its password takes %u rounds of key derivation, more than the %u allowed",
            place, rounds, reading->rounds);
    reading->rounds -= rounds;
    return true;
}

static bool holds(const gnutls_datum_t *data, const char *word) {
    return memmem(data->data, data->size, word, strlen(word)) != NULL;
}

/* An EncryptedPrivateKeyInfo: what its password costs is spent. */
static bool look_at_pkcs8(struct nwi_reading *reading, const char *place,
                          const gnutls_datum_t *data, gnutls_x509_crt_fmt_t format) {
    unsigned scheme, cipher, salt_size = 0, rounds = 0;
    char *oid = NULL;
    int result = gnutls_pkcs8_info(data, format, &scheme, &cipher, NULL, &salt_size, &rounds, &oid);
    bool sound = false;
    if (result >= 0)
        sound = nwi_reading_spend(reading, place, rounds);
    else if (result == GNUTLS_E_ILLEGAL_PARAMETER) /* a limit of GnuTLS's own, alike to ours */
        nwi_reading_fail(reading, "%s: its password takes too many rounds of key derivation",
                         place);
    else
        nwi_reading_fail(reading, "%s: damaged, or encrypted in a way that is not supported (%s)",
                         place, oid != NULL ? oid : gnutls_strerror(result));
    gnutls_free(oid);
    return sound;
}

static enum wrapping wrapping_of(const gnutls_datum_t *data, const char *pem_label) {
    gnutls_datum_t rest = *data;
    struct nwi_der whole, first;
    if (pem_label != NULL)
        return strcmp(pem_label, "ENCRYPTED PRIVATE KEY") == 0 ? PKCS8_ENCRYPTED
               : holds(data, "Proc-Type: 4,ENCRYPTED")         ? OPENSSL_ENCRYPTED
                                                               : PLAIN;
    /* What is not encrypted begins with a version. */
    return nwi_der_take(&rest, &whole) && nwi_der_take(&whole.content, &first) &&
                   first.tag == NWI_DER_SEQUENCE
               ? PKCS8_ENCRYPTED
               : PLAIN;
}

static int import(gnutls_x509_privkey_t key, const gnutls_datum_t *data,
                  gnutls_x509_crt_fmt_t format, enum wrapping wrapping, const char *password) {
    switch (wrapping) {
    case PKCS8_ENCRYPTED:
        return gnutls_x509_privkey_import_pkcs8(key, data, format, password, 0);
    case OPENSSL_ENCRYPTED:
        return gnutls_x509_privkey_import_openssl(key, data, password);
    case PLAIN:
        break;
    }
    return gnutls_x509_privkey_import(key, data, format);
}

static bool decode(struct nwi_reading *reading, const char *place, const gnutls_datum_t *data,
                   const char *pem_label, gnutls_x509_privkey_t key) {
    gnutls_x509_crt_fmt_t format = pem_label != NULL ? GNUTLS_X509_FMT_PEM : GNUTLS_X509_FMT_DER;
    enum wrapping wrapping = wrapping_of(data, pem_label);
    if (wrapping != PLAIN && reading->password == NULL)
        return nwi_reading_fail(reading, "%s: encrypted, and no password is given", place);
    if (wrapping == PKCS8_ENCRYPTED && !look_at_pkcs8(reading, place, data, format))
        return false;
    int result = import(key, data, format, wrapping, reading->password);
    if (result == GNUTLS_E_MEMORY_ERROR)
        return nwi_reading_fault(reading, place, result);
    if (result < 0 && wrapping == PLAIN)
        return nwi_reading_fail(reading, "%s: damaged, or of a kind that is not supported (%s)",
                                place, gnutls_strerror(result));
    /* A wrong password shows in the padding, or, one time in 256, in what stands before it. */
    if (result < 0)
        return nwi_reading_fail(reading, "%s: wrong password, or damaged", place);
    result = gnutls_x509_privkey_verify_params(key);
    return result >= 0 ||
           nwi_reading_fail(reading, "%s: the numbers of the key do not fit together", place);
}

/* TLS signs with it. */
static bool is_usable(gnutls_x509_privkey_t key) {
    switch (gnutls_x509_privkey_get_pk_algorithm(key)) {
    case GNUTLS_PK_RSA:
    case GNUTLS_PK_RSA_PSS:
    case GNUTLS_PK_ECDSA:
    case GNUTLS_PK_EDDSA_ED25519:
    case GNUTLS_PK_EDDSA_ED448:
        return true;
    default:
        return false;
    }
}

bool nwi_reading_add_key(struct nwi_reading *reading, const char *place, const gnutls_datum_t *data,
                         const char *pem_label) {
    gnutls_x509_privkey_t inner;
    if (pem_label != NULL && strcmp(pem_label, "OPENSSH PRIVATE KEY") == 0)
        return nwi_reading_fail(reading,
                                "%s: OpenSSH's own form; ssh-keygen -p -m PKCS8 changes it", place);
    if (reading->key.key != NULL)
        return nwi_reading_fail(reading, "%s: a second private key; the first is %s", place,
                                reading->key_place);
    int result = gnutls_x509_privkey_init(&inner);
    if (result < 0)
        return nwi_reading_fault(reading, place, result);
    bool sound = decode(reading, place, data, pem_label, inner);
    if (sound && !is_usable(inner))
        sound = nwi_reading_fail(
            reading, "%s: TLS has no use for a key of kind %s", place,
            gnutls_pk_get_name((gnutls_pk_algorithm_t)gnutls_x509_privkey_get_pk_algorithm(inner)));
    if (sound && (result = gnutls_privkey_init(&reading->key.key)) >= 0)
        result = gnutls_privkey_import_x509(reading->key.key, inner, GNUTLS_PRIVKEY_IMPORT_COPY);
    gnutls_x509_privkey_deinit(inner);
    if (!sound || result < 0)
        return sound ? nwi_reading_fault(reading, place, result) : false;
    snprintf(reading->key_place, sizeof reading->key_place, "%s", place); /* a path may be longer */
    return true;
}
