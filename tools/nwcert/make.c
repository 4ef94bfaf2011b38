/*
 * make.c - certificates as Apple's and the web's rules want them.
 * What:   see make.h. Each certificate has a random serial, a key of its own, SHA-2 signatures and,
 *         unless asked otherwise, a lifetime that Apple's clients accept.
 * Source: RFC 5280 section 4.2.1 (extensions); Apple's requirements for trusted certificates: names
 *         in the SAN, EKU serverAuth, SHA-2, RSA of 2048 bits or more, at most 398 days.
 */
#include "make.h"
#include "common/certificate.h"
#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

enum {
    DAY = 24 * 60 * 60,
    CA_DAYS = 3650,
    LEAF_DAYS = 397,
    EXPIRED_FOR_DAYS = 1,
    SKEW = 60 * 60, /* seconds that a peer's clock may be behind */
    SERIAL_SIZE = 16,
};

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int try_result = (call);                                                                   \
        if (try_result < 0)                                                                        \
            return gnutls_strerror(try_result);                                                    \
    } while (0)

void nwcert_identity_clear(struct nwcert_identity *identity) {
    for (unsigned i = 0; i < identity->count; i++)
        gnutls_x509_crt_deinit(identity->chain[i]);
    if (identity->key != NULL)
        gnutls_x509_privkey_deinit(identity->key);
    *identity = (struct nwcert_identity){0};
}

static const char *set_serial(gnutls_x509_crt_t certificate) {
    unsigned char serial[SERIAL_SIZE];
    TRY(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial));
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, and of full length */
    TRY(gnutls_x509_crt_set_serial(certificate, serial, sizeof serial));
    return NULL;
}

static const char *set_dates(gnutls_x509_crt_t certificate, const struct nwcert_request *request,
                             bool is_ca) {
    time_t now = time(NULL);
    time_t length = (time_t)(request->days != 0 ? request->days
                             : is_ca            ? CA_DAYS
                                                : LEAF_DAYS) *
                    DAY;
    time_t until = request->until != -1 ? request->until : now + length;
    time_t from = request->from != -1 ? request->from : now - SKEW;
    if (request->expired) {
        until = now - EXPIRED_FOR_DAYS * (time_t)DAY;
        from = until - length;
    } else if (request->from != -1 && request->until == -1) {
        until = from + length;
    } else if (request->from == -1 && from >= until) {
        from = until - length;
    }
    TRY(gnutls_x509_crt_set_activation_time(certificate, from));
    TRY(gnutls_x509_crt_set_expiration_time(certificate, until));
    return NULL;
}

static const char *set_subject(gnutls_x509_crt_t certificate, const struct nwcert_request *request,
                               bool is_ca) {
    char made[128];
    const char *name = request->common_name;
    const struct nwcert_name *first = &request->names[0];
    if (name == NULL && request->signed_ca) {
        /* Not the name of its issuer: to RFC 5280 such a one would be issued by itself, and no step
         * of a path's length (section 6.1.4). */
        snprintf(made, sizeof made, "Test CA %s",
                 request->base != NULL ? request->base : "intermediate");
        name = made;
    } else if (name == NULL && is_ca) {
        name = "Test CA";
    } else if (name == NULL && first->kind == GNUTLS_SAN_IPADDRESS) {
        tool_address_text(first->text, first->size, made, sizeof made);
        name = made;
    } else if (name == NULL) {
        name = first->text;
    }
    /* X.520 gives the Common Name 64 characters; the SAN has the whole. */
    unsigned length = (unsigned)strnlen(name, 64);
    TRY(gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name, length));
    return NULL;
}

static const char *set_names(gnutls_x509_crt_t certificate, const struct nwcert_request *request) {
    for (size_t i = 0; i < request->name_count && !request->no_san; i++) {
        const struct nwcert_name *name = &request->names[i];
        TRY(gnutls_x509_crt_set_subject_alt_name(certificate, name->kind, name->text,
                                                 (unsigned)name->size, GNUTLS_FSAN_APPEND));
    }
    return NULL;
}

static const char *set_use(gnutls_x509_crt_t certificate, const struct nwcert_request *request,
                           enum nwcert_command command) {
    if (command == NWCERT_CA) {
        TRY(gnutls_x509_crt_set_basic_constraints(certificate, 1, request->path_length));
        TRY(gnutls_x509_crt_set_key_usage(certificate,
                                          GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
        return NULL;
    }
    unsigned usage = GNUTLS_KEY_DIGITAL_SIGNATURE;
    if (request->key == GNUTLS_PK_RSA) /* the RSA key exchange of TLS 1.2 */
        usage |= GNUTLS_KEY_KEY_ENCIPHERMENT;
    TRY(gnutls_x509_crt_set_basic_constraints(certificate, 0, -1));
    TRY(gnutls_x509_crt_set_key_usage(certificate, usage));
    TRY(gnutls_x509_crt_set_key_purpose_oid(
        certificate, command == NWCERT_SERVER ? GNUTLS_KP_TLS_WWW_SERVER : GNUTLS_KP_TLS_WWW_CLIENT,
        0));
    return NULL;
}

static const char *set_key_ids(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer) {
    unsigned char id[64];
    size_t size = sizeof id;
    TRY(gnutls_x509_crt_get_key_id(certificate, 0, id, &size));
    TRY(gnutls_x509_crt_set_subject_key_id(certificate, id, size));
    size = sizeof id;
    if (issuer != NULL && gnutls_x509_crt_get_subject_key_id(issuer, id, &size, NULL) == 0)
        TRY(gnutls_x509_crt_set_authority_key_id(certificate, id, size));
    return NULL;
}

/* The digest that goes with the signer's key; Ed25519 has its own (RFC 8410). */
static const char *sign(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
                        gnutls_x509_privkey_t key) {
    unsigned bits = 0;
    int kind = gnutls_x509_privkey_get_pk_algorithm2(key, &bits);
    gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;
    if (kind == GNUTLS_PK_EDDSA_ED25519 || (kind == GNUTLS_PK_ECDSA && bits > 384))
        digest = GNUTLS_DIG_SHA512;
    else if (kind == GNUTLS_PK_ECDSA && bits > 256)
        digest = GNUTLS_DIG_SHA384;
    TRY(gnutls_x509_crt_sign2(certificate, issuer, key, digest, 0));
    return NULL;
}

static bool is_root(gnutls_x509_crt_t certificate) {
    return gnutls_x509_crt_check_issuer(certificate, certificate) != 0;
}

/* What was built is only readable once it has been encoded; so a peer's view is taken of each. */
static const char *add_copy(struct nwcert_identity *identity, gnutls_x509_crt_t certificate) {
    gnutls_datum_t der = {0};
    gnutls_x509_crt_t copy = NULL;
    if (identity->count == NWCERT_CHAIN_MAX)
        return "the chain of issuers is too long";
    TRY(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der));
    int result = gnutls_x509_crt_init(&copy);
    if (result == 0)
        result = gnutls_x509_crt_import(copy, &der, GNUTLS_X509_FMT_DER);
    gnutls_free(der.data);
    if (copy != NULL)
        identity->chain[identity->count++] = copy;
    TRY(result);
    return NULL;
}

/* Behind the certificate come the intermediates, for the peer that knows the root alone. */
static const char *add_issuers(const struct nwcert_identity *issuer,
                               struct nwcert_identity *identity) {
    const char *why = NULL;
    for (unsigned i = 0; i < issuer->count && why == NULL && !is_root(issuer->chain[i]); i++)
        why = add_copy(identity, issuer->chain[i]);
    return why;
}

static const char *build(const struct nwcert_request *request, enum nwcert_command command,
                         const struct nwcert_identity *issuer, gnutls_x509_privkey_t key,
                         gnutls_x509_crt_t certificate) {
    bool is_ca = command == NWCERT_CA;
    gnutls_x509_crt_t signer = issuer != NULL ? issuer->chain[0] : certificate;
    const char *why;
    TRY(gnutls_x509_crt_set_version(certificate, 3));
    TRY(gnutls_x509_crt_set_key(certificate, key));
    if ((why = set_serial(certificate)) != NULL ||
        (why = set_dates(certificate, request, is_ca)) != NULL ||
        (why = set_subject(certificate, request, is_ca)) != NULL ||
        (!is_ca && (why = set_names(certificate, request)) != NULL) ||
        (why = set_use(certificate, request, command)) != NULL ||
        (why = set_key_ids(certificate, issuer != NULL ? signer : NULL)) != NULL)
        return why;
    return sign(certificate, signer, issuer != NULL ? issuer->key : key);
}

static const char *fill(const struct nwcert_request *request, enum nwcert_command command,
                        const struct nwcert_identity *issuer, struct nwcert_identity *identity) {
    gnutls_x509_crt_t certificate;
    TRY(gnutls_x509_privkey_init(&identity->key));
    TRY(gnutls_x509_privkey_generate(identity->key, request->key, request->key_bits, 0));
    TRY(gnutls_x509_crt_init(&certificate));
    const char *why = build(request, command, issuer, identity->key, certificate);
    if (why == NULL)
        why = add_copy(identity, certificate);
    gnutls_x509_crt_deinit(certificate);
    return why == NULL && issuer != NULL ? add_issuers(issuer, identity) : why;
}

const char *nwcert_make(const struct nwcert_request *request, enum nwcert_command command,
                        const struct nwcert_identity *issuer,
                        struct nwcert_identity *ret_identity) {
    *ret_identity = (struct nwcert_identity){0};
    const char *why = fill(request, command, issuer, ret_identity);
    if (why != NULL)
        nwcert_identity_clear(ret_identity);
    return why;
}
