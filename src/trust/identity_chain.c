/*
 * identity_chain.c - whose key it is, and in which order its certificates are shown.
 * What:   the certificate with the public half of the key comes first, then whoever issued one that
 *         stands before, in the order in which they were given; cross-signed issuers all stay. What
 *         is no part of the chain is left out.
 * Source: RFC 5246 section 7.4.2, RFC 8446 section 4.4.2.
 * Runs:   the thread of the public call.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "trust/reading.h"
#include <stdio.h>
#include <string.h>

enum { ID_SIZE = 32 /* SHA-256 */ };

/* --- the key's certificate --- */

static bool key_id(gnutls_privkey_t key, unsigned char id[ID_SIZE]) {
    gnutls_pubkey_t public_half;
    size_t size = ID_SIZE;
    if (gnutls_pubkey_init(&public_half) < 0)
        return false;
    bool found = gnutls_pubkey_import_privkey(public_half, key, 0, 0) >= 0 &&
                 gnutls_pubkey_get_key_id(public_half, GNUTLS_KEYID_USE_SHA256, id, &size) >= 0;
    gnutls_pubkey_deinit(public_half);
    return found;
}

/* A token may keep the public half of a key to itself: then a signature shows whose it is. */
static bool is_proven(gnutls_privkey_t key, gnutls_pubkey_t public_half) {
    static unsigned char words[] = "whose key is this";
    const gnutls_datum_t message = {.data = words, .size = sizeof words};
    gnutls_datum_t signature = {0};
    int kind = gnutls_pubkey_get_pk_algorithm(public_half, NULL);
    gnutls_sign_algorithm_t algorithm =
        gnutls_pk_to_sign((gnutls_pk_algorithm_t)kind, GNUTLS_DIG_SHA256);
    if (kind != gnutls_privkey_get_pk_algorithm(key, NULL))
        return false;
    if (kind == GNUTLS_PK_EDDSA_ED25519)
        algorithm = GNUTLS_SIGN_EDDSA_ED25519;
    else if (kind == GNUTLS_PK_EDDSA_ED448)
        algorithm = GNUTLS_SIGN_EDDSA_ED448;
    bool proven = gnutls_privkey_sign_data2(key, algorithm, 0, &message, &signature) >= 0 &&
                  gnutls_pubkey_verify_data2(public_half, algorithm, 0, &message, &signature) >= 0;
    gnutls_free(signature.data);
    return proven;
}

static bool belongs(gnutls_privkey_t key, const unsigned char *id /* NULL: not known */,
                    sec_certificate_t certificate) {
    unsigned char other[ID_SIZE];
    size_t size = sizeof other;
    gnutls_pubkey_t public_half;
    if (id != NULL)
        return gnutls_x509_crt_get_key_id(certificate->crt, GNUTLS_KEYID_USE_SHA256, other,
                                          &size) >= 0 &&
               memcmp(other, id, ID_SIZE) == 0;
    if (gnutls_pubkey_init(&public_half) < 0)
        return false;
    bool fits = gnutls_pubkey_import_x509(public_half, certificate->crt, 0) >= 0 &&
                is_proven(key, public_half);
    gnutls_pubkey_deinit(public_half);
    return fits;
}

static void describe_key(gnutls_privkey_t key, char *text, size_t size) {
    unsigned bits = 0;
    int kind = gnutls_privkey_get_pk_algorithm(key, &bits);
    snprintf(text, size, "%s, %u bits",
             kind >= 0 ? gnutls_pk_get_name((gnutls_pk_algorithm_t)kind) : "unknown", bits);
}

/* Moves it to the front of what was read. */
static bool find_own(struct nwi_reading *reading) {
    unsigned char id[ID_SIZE];
    char name[256], kind[64];
    bool known = key_id(reading->key.key, id);
    for (size_t i = 0; i < reading->count; i++) {
        if (!belongs(reading->key.key, known ? id : NULL, reading->certificates[i]))
            continue;
        sec_certificate_t own = reading->certificates[i];
        memmove(reading->certificates + 1, reading->certificates, i * sizeof own);
        reading->certificates[0] = own;
        return true;
    }
    describe_key(reading->key.key, kind, sizeof kind);
    nwi_certificate_name(reading->certificates[0], name, sizeof name);
    if (reading->count > 1)
        return nwi_reading_fail(
            reading,
            "%s: the key (%s) belongs neither to certificate \"%s\" nor to the %zu other%s",
            reading->key_place, kind, name, reading->count - 1, reading->count > 2 ? "s" : "");
    return nwi_reading_fail(reading, "%s: the key (%s) does not belong to certificate \"%s\"",
                            reading->key_place, kind, name);
}

/* --- its issuers --- */

/* The chain grows while it is walked: each one in it may bring its issuers. False: too long. */
static bool gather(const struct nwi_reading *reading, sec_certificate_t *chain, size_t *ret_count) {
    size_t count = 1;
    chain[0] = reading->certificates[0];
    for (size_t at = 0; at < count; at++) {
        for (size_t i = 1; i < reading->count; i++) {
            sec_certificate_t candidate = reading->certificates[i];
            if (!nwi_certificate_names(chain[at], candidate) ||
                nwi_certificate_is_among(chain, count, candidate) ||
                !nwi_certificate_signed_by(chain[at], candidate))
                continue;
            if (count == NWI_IDENTITY_CHAIN_MAX)
                return false;
            chain[count++] = candidate;
        }
    }
    *ret_count = count;
    return true;
}

static void tell_left_out(const struct nwi_reading *reading, const sec_certificate_t *chain,
                          size_t count) {
    char name[256], own[256];
    if (!nwi_log_enabled(NWI_LOG_NOTICE))
        return;
    nwi_certificate_name(chain[0], own, sizeof own);
    for (size_t i = 1; i < reading->count; i++) {
        if (nwi_certificate_is_among(chain, count, reading->certificates[i]))
            continue;
        nwi_certificate_name(reading->certificates[i], name, sizeof name);
        nwi_log(NWI_LOG_NOTICE, "identity", "left-out",
                "certificate \"%s\" is no part of the chain of \"%s\": it is not shown to peers",
                name, own);
    }
}

static sec_identity_t make(struct nwi_reading *reading) {
    sec_certificate_t chain[NWI_IDENTITY_CHAIN_MAX];
    size_t count;
    if (reading->failed || !find_own(reading))
        return NULL;
    if (!gather(reading, chain, &count)) {
        nwi_reading_fail(reading, "the chain has more than %d certificates",
                         NWI_IDENTITY_CHAIN_MAX);
        return NULL;
    }
    if (!reading->quiet)
        tell_left_out(reading, chain, count);
    sec_identity_t identity = nwi_identity_create(chain, count, &reading->key);
    if (identity == NULL)
        nwi_reading_fail(reading, "out of memory");
    return identity;
}

sec_identity_t nwi_reading_finish(struct nwi_reading *reading, const char *function,
                                  char **ret_reason) {
    if (!reading->failed && reading->count == 0)
        nwi_reading_fail(reading, "%s: holds no certificate", reading->source);
    if (!reading->failed && reading->key.key == NULL)
        nwi_reading_fail(reading, "%s: holds no private key", reading->key_source);
    sec_identity_t identity = make(reading);
    nwi_reading_tell(reading, function, ret_reason);
    nwi_reading_end(reading);
    return identity;
}
