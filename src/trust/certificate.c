/*
 * certificate.c - see certificate.h.
 * Source: RFC 5280 section 4.1 and 4.2.
 * Runs:   any thread.
 */
#include "trust/certificate.h"
#include "base/log.h"
#include "dispatch/data.h"
#include "trust/der.h"
#include <Security/trust_evaluation.h>
#include <gnutls/abstract.h>
#include <stdlib.h>
#include <string.h>

static void destroy(void *object) {
    sec_certificate_t certificate = object;
    if (certificate->crt != NULL)
        gnutls_x509_crt_deinit(certificate->crt);
    if (certificate->names != NULL)
        gnutls_subject_alt_names_deinit(certificate->names);
    gnutls_free(certificate->der.data);
    gnutls_free(certificate->subject.data);
    gnutls_free(certificate->issuer.data);
}

static const struct nwi_type certificate_type = {
    .name = "sec_certificate",
    .size = sizeof(struct sec_certificate),
    .destroy = destroy,
};

static bool same(const gnutls_datum_t *a, const gnutls_datum_t *b) {
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* Read once, because each look into the certificate would read it anew. */
static bool read_names(sec_certificate_t certificate) {
    gnutls_datum_t extension = {0};
    bool sound = true;
    if (gnutls_subject_alt_names_init(&certificate->names) < 0)
        return false;
    if (gnutls_x509_crt_get_extension_by_oid2(certificate->crt, GNUTLS_X509EXT_OID_SAN, 0,
                                              &extension, NULL) >= 0)
        sound = gnutls_x509_ext_import_subject_alt_names(&extension, certificate->names, 0) >= 0;
    gnutls_free(extension.data);
    return sound;
}

/* Without the extension everything is allowed; one that cannot be read allows nothing. */
static unsigned read_key_usage(gnutls_x509_crt_t crt) {
    unsigned usage = 0, critical;
    int result = gnutls_x509_crt_get_key_usage(crt, &usage, &critical);
    return result >= 0 ? usage : result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ? ~0u : 0;
}

static bool read_fields(sec_certificate_t certificate, const gnutls_datum_t *der) {
    gnutls_x509_crt_t crt;
    unsigned critical, is_ca = 0;
    if (gnutls_x509_crt_init(&certificate->crt) < 0)
        return false;
    crt = certificate->crt;
    if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) < 0 ||
        gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &certificate->der) < 0 ||
        gnutls_x509_crt_get_raw_dn(crt, &certificate->subject) < 0 ||
        gnutls_x509_crt_get_raw_issuer_dn(crt, &certificate->issuer) < 0 ||
        !read_names(certificate))
        return false;
    certificate->begin = gnutls_x509_crt_get_activation_time(crt);
    certificate->end = gnutls_x509_crt_get_expiration_time(crt);
    certificate->path_length = -1;
    if (gnutls_x509_crt_get_basic_constraints(crt, &critical, &is_ca, &certificate->path_length) >=
        0)
        certificate->is_ca = is_ca != 0;
    certificate->key_usage = read_key_usage(crt);
    certificate->self_issued = same(&certificate->subject, &certificate->issuer);
    return true;
}

sec_certificate_t nwi_certificate_create(const void *der, size_t size) {
    gnutls_datum_t encoded = {.data = (unsigned char *)der, .size = (unsigned)size};
    sec_certificate_t certificate = nwi_object_create(&certificate_type, 0);
    if (certificate == NULL)
        return NULL;
    if (!read_fields(certificate, &encoded))
        return nwi_release(certificate);
    return certificate;
}

bool nwi_certificate_equal(sec_certificate_t a, sec_certificate_t b) {
    return a == b || same(&a->der, &b->der);
}

bool nwi_certificate_is_among(const sec_certificate_t *list, size_t count,
                              sec_certificate_t certificate) {
    for (size_t i = 0; i < count; i++)
        if (nwi_certificate_equal(list[i], certificate))
            return true;
    return false;
}

bool nwi_certificate_names(sec_certificate_t certificate, sec_certificate_t issuer) {
    return same(&certificate->issuer, &issuer->subject);
}

/* --- the signature --- */

/* TBSCertificate, the first element of a certificate: what is signed (RFC 5280 section 4.1.1). */
static bool find_signed_part(const gnutls_datum_t *der, gnutls_datum_t *ret_part) {
    gnutls_datum_t rest = *der;
    struct nwi_der whole, part;
    if (!nwi_der_take(&rest, &whole) || !nwi_der_take(&whole.content, &part))
        return false;
    *ret_part = part.whole;
    return true;
}

bool nwi_certificate_signature_holds(sec_certificate_t certificate, sec_certificate_t issuer,
                                     const gnutls_datum_t *part) {
    char octets[2048];
    size_t size = sizeof octets;
    gnutls_pubkey_t key;
    int algorithm = gnutls_x509_crt_get_signature_algorithm(certificate->crt);
    if (algorithm < 0 || gnutls_x509_crt_get_signature(certificate->crt, octets, &size) < 0 ||
        gnutls_pubkey_init(&key) < 0)
        return false;
    const gnutls_datum_t signature = {.data = (unsigned char *)octets, .size = (unsigned)size};
    bool good = gnutls_pubkey_import_x509(key, issuer->crt, 0) >= 0 &&
                gnutls_pubkey_verify_data2(key, (gnutls_sign_algorithm_t)algorithm,
                                           GNUTLS_VERIFY_ALLOW_BROKEN, part, &signature) >= 0;
    gnutls_pubkey_deinit(key);
    return good;
}

/* GnuTLS's own verification of one certificate by another passes over those issued by themselves,
 * so the signature is verified by hand. */
bool nwi_certificate_signed_by(sec_certificate_t certificate, sec_certificate_t issuer) {
    gnutls_datum_t part;
    return find_signed_part(&certificate->der, &part) &&
           nwi_certificate_signature_holds(certificate, issuer, &part);
}

void nwi_certificate_name(sec_certificate_t certificate, char *text, size_t size) {
    char name[256];
    size_t length = sizeof name;
    if (gnutls_x509_crt_get_dn(certificate->crt, name, &length) < 0 || name[0] == '\0')
        strcpy(name, "no subject");
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < size; i++)
        text[i] = (unsigned char)name[i] < ' ' || name[i] == 0x7f ? '?' : name[i];
    text[i] = '\0';
}

/* --- public --- */

/* The first certificate of a PEM text, as DER. */
static bool decode_pem(const gnutls_datum_t *text, gnutls_datum_t *ret_der) {
    return gnutls_pem_base64_decode2("CERTIFICATE", text, ret_der) >= 0 ||
           gnutls_pem_base64_decode2("X509 CERTIFICATE", text, ret_der) >= 0;
}

SEC_EXPORT sec_certificate_t sec_certificate_create_with_bytes(const void *bytes, size_t size) {
    enum { SIZE_MAX_OCTETS = 1 << 20 };
    sec_certificate_t certificate = NULL;
    if (bytes == NULL || size == 0 || size > SIZE_MAX_OCTETS) {
        nwi_log_misuse(__func__, "no certificate is given, or one of more than 1 MiB");
        return NULL;
    }
    if (((const unsigned char *)bytes)[0] == NWI_DER_SEQUENCE)
        return nwi_certificate_create(bytes, size);
    gnutls_datum_t text = {.data = (unsigned char *)bytes, .size = (unsigned)size}, der = {0};
    if (decode_pem(&text, &der))
        certificate = nwi_certificate_create(der.data, der.size);
    gnutls_free(der.data);
    return certificate;
}

SEC_EXPORT dispatch_data_t sec_certificate_copy_data(sec_certificate_t certificate) {
    if (certificate == NULL)
        return NULL;
    return nwi_data_create_copy(certificate->der.data, certificate->der.size);
}

SEC_EXPORT bool sec_certificate_are_equal(sec_certificate_t a, sec_certificate_t b) {
    return a != NULL && b != NULL && nwi_certificate_equal(a, b);
}

SEC_EXPORT char *sec_certificate_copy_subject(sec_certificate_t certificate) {
    char name[256];
    if (certificate == NULL)
        return NULL;
    nwi_certificate_name(certificate, name, sizeof name);
    return strdup(name);
}
