/*
 * ocsp.c - see ocsp.h.
 * What:   GnuTLS reads the response; who may have signed it is decided here, by the same rules and
 *         the same time as all else: GnuTLS's own verification takes the clock's time.
 * Source: RFC 6960; CA/Browser Forum baseline requirements section 4.9.10 (ten days).
 * Runs:   any thread.
 */
#include "trust/ocsp.h"
#include "trust/der.h"
#include "trust/verdict.h"
#include <Security/SecureTransport.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/ocsp.h>
#include <string.h>

enum {
    SINGLES_MAX = 32,             /* statuses in one response that are looked at */
    RESPONDERS_MAX = 4,           /* certificates sent with it that are tried */
    SKEW = 5 * 60,                /* a responder's clock may be that much ahead of ours */
    LIFE_MAX = 10 * 24 * 60 * 60, /* of a response that does not say until when it holds */
    STATUS_REQUEST = 5,           /* TLS extensions that a certificate may demand */
};

static bool unsatisfactory(struct nwi_trust_verdict *verdict, const char *what) {
    return nwi_trust_wrong(verdict, errSSLBadCertificateStatusResponse,
                           "its stapled OCSP response %s", what);
}

/* --- which of its statuses is about this certificate --- */

/* The digest of the issuer's public key: of the BIT STRING without tag, length and unused bits (RFC
 * 6960 section 4.1.1). */
static bool key_digest(sec_certificate_t issuer, gnutls_digest_algorithm_t digest,
                       unsigned char *octets) {
    gnutls_datum_t spki = {0}, rest;
    gnutls_pubkey_t key;
    struct nwi_der whole, algorithm, bits;
    bool good = false;
    if (gnutls_pubkey_init(&key) < 0)
        return false;
    if (gnutls_pubkey_import_x509(key, issuer->crt, 0) >= 0 &&
        gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki) >= 0) {
        rest = spki;
        good = nwi_der_take(&rest, &whole) && nwi_der_take(&whole.content, &algorithm) &&
               nwi_der_take(&whole.content, &bits) && bits.content.size > 1 &&
               gnutls_hash_fast((gnutls_digest_algorithm_t)digest, bits.content.data + 1,
                                bits.content.size - 1, octets) >= 0;
    }
    gnutls_free(spki.data);
    gnutls_pubkey_deinit(key);
    return good;
}

struct status {
    unsigned state; /* gnutls_ocsp_cert_status_t */
    time_t from, until, revoked;
    unsigned reason;
};

/* Whether status `index` is about the certificate: the names and the serial number by GnuTLS, the
 * issuer's key by us. */
static bool is_about(gnutls_ocsp_resp_t response, unsigned index, sec_certificate_t certificate,
                     sec_certificate_t issuer, struct status *status) {
    unsigned char own[64];
    gnutls_digest_algorithm_t digest;
    gnutls_datum_t key = {0};
    if (gnutls_ocsp_resp_check_crt(response, index, certificate->crt) < 0 ||
        gnutls_ocsp_resp_get_single(response, index, &digest, NULL, &key, NULL, &status->state,
                                    &status->from, &status->until, &status->revoked,
                                    &status->reason) < 0)
        return false;
    bool good = gnutls_hash_get_len(digest) == key.size && key.size <= sizeof own &&
                key_digest(issuer, digest, own) && memcmp(own, key.data, key.size) == 0;
    gnutls_free(key.data);
    return good;
}

static bool find_status(gnutls_ocsp_resp_t response, sec_certificate_t certificate,
                        sec_certificate_t issuer, struct status *ret_status,
                        struct nwi_trust_verdict *verdict) {
    for (unsigned i = 0; i < SINGLES_MAX; i++) {
        int there = gnutls_ocsp_resp_get_single(response, i, NULL, NULL, NULL, NULL, NULL, NULL,
                                                NULL, NULL, NULL);
        if (there == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
        if (is_about(response, i, certificate, issuer, ret_status))
            return true;
    }
    return unsatisfactory(verdict, "is about another certificate");
}

/* --- who signed it --- */

/* tbsResponseData, the first element of a BasicOCSPResponse: what is signed. */
static bool signed_part(gnutls_ocsp_resp_t response, gnutls_datum_t *ret_basic,
                        gnutls_datum_t *ret_part) {
    struct nwi_der whole, part;
    if (gnutls_ocsp_resp_get_response(response, NULL, ret_basic) < 0)
        return false;
    gnutls_datum_t rest = *ret_basic;
    if (!nwi_der_take(&rest, &whole) || !nwi_der_take(&whole.content, &part))
        return false;
    *ret_part = part.whole;
    return true;
}

/* Whether this certificate's key made the signature. */
static bool made_signature(gnutls_ocsp_resp_t response, gnutls_x509_crt_t signer) {
    gnutls_datum_t basic = {0}, part, signature = {0};
    gnutls_pubkey_t key;
    int algorithm = gnutls_ocsp_resp_get_signature_algorithm(response);
    if (algorithm < 0 ||
        !gnutls_sign_is_secure2((gnutls_sign_algorithm_t)algorithm,
                                GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS) ||
        gnutls_pubkey_init(&key) < 0)
        return false;
    bool good = signed_part(response, &basic, &part) &&
                gnutls_ocsp_resp_get_signature(response, &signature) >= 0 &&
                gnutls_pubkey_import_x509(key, signer, 0) >= 0 &&
                gnutls_pubkey_verify_data2(key, (gnutls_sign_algorithm_t)algorithm, 0, &part,
                                           &signature) >= 0;
    gnutls_pubkey_deinit(key);
    gnutls_free(signature.data);
    gnutls_free(basic.data);
    return good;
}

/* Signed by a responder to which the issuer itself gave a certificate for OCSP (RFC 6960 section
 * 4.2.2.2). Its key is looked at before it is used: the peer may have chosen one that takes hours.
 */
static bool is_by_delegate(gnutls_ocsp_resp_t response, gnutls_x509_crt_t crt,
                           sec_certificate_t issuer, const struct nwi_trust_policy *policy,
                           struct nwi_trust_verdict *verdict) {
    gnutls_datum_t der = {0};
    if (gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der) < 0)
        return false;
    sec_certificate_t responder = nwi_certificate_create(der.data, der.size);
    gnutls_free(der.data);
    bool good = responder != NULL && nwi_certificate_names(responder, issuer) &&
                nwi_trust_check_key(responder, verdict) &&
                made_signature(response, responder->crt) &&
                nwi_trust_check_responder(responder, policy, verdict) &&
                nwi_certificate_signed_by(responder, issuer);
    nwi_release(responder);
    return good;
}

/* The issuer first: most responses of small CAs come from it, and nothing else is then read. */
static bool check_signer(gnutls_ocsp_resp_t response, sec_certificate_t issuer,
                         const struct nwi_trust_policy *policy, struct nwi_trust_verdict *verdict) {
    gnutls_x509_crt_t *sent = NULL;
    size_t count = 0;
    bool good = made_signature(response, issuer->crt);
    struct nwi_trust_verdict why = {0};
    if (good)
        return true;
    if (gnutls_ocsp_resp_get_certs(response, &sent, &count) < 0)
        count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!good && i < RESPONDERS_MAX)
            good = is_by_delegate(response, sent[i], issuer, policy, &why);
        gnutls_x509_crt_deinit(sent[i]);
    }
    gnutls_free(sent);
    if (!good && why.status != 0)
        return nwi_trust_wrong(verdict, errSSLBadCertificateStatusResponse,
                               "its stapled OCSP response was signed by a responder that may not: "
                               "%.100s",
                               why.reason);
    return good || unsatisfactory(verdict, "was not signed by its issuer, nor in its name");
}

/* --- what it says --- */

static bool check_times(const struct status *status, time_t now,
                        struct nwi_trust_verdict *verdict) {
    char text[32];
    bool open = status->until == (time_t)-1;
    time_t until = open ? status->from + LIFE_MAX : status->until;
    if (status->from == (time_t)-1)
        return unsatisfactory(verdict, "does not say from when it holds");
    if (status->from > now + SKEW) {
        nwi_trust_time_text(status->from, text);
        return nwi_trust_wrong(verdict, errSSLBadCertificateStatusResponse,
                               "its stapled OCSP response does not hold before %s", text);
    }
    if (until < now) {
        nwi_trust_time_text(until, text);
        return nwi_trust_wrong(verdict, errSSLBadCertificateStatusResponse,
                               "its stapled OCSP response %s %s",
                               open ? "says no end; ten days passed at" : "held until", text);
    }
    return true;
}

static const char *reason_text(unsigned reason) {
    static const char *const text[] = {
        "no reason given",
        "its key is known to others",
        "a CA's key is known to others",
        "its owner has changed",
        "another has taken its place",
        "it is not used any more",
        "it is on hold",
        "no reason given",
        "it was put on hold and is not now",
        "a right was withdrawn",
        "an attribute authority's key", /* RFC 5280 section 5.3.1 */
    };
    return reason < sizeof text / sizeof text[0] ? text[reason] : text[0];
}

static bool check_state(const struct status *status, struct nwi_trust_verdict *verdict) {
    char text[32];
    switch (status->state) {
    case GNUTLS_OCSP_CERT_GOOD:
        return true;
    case GNUTLS_OCSP_CERT_REVOKED:
        nwi_trust_time_text(status->revoked, text);
        return nwi_trust_wrong(verdict, errSSLPeerCertRevoked,
                               "revoked at %s (%s), says its stapled OCSP response", text,
                               reason_text(status->reason));
    default:
        return unsatisfactory(verdict, "says that the responder does not know it");
    }
}

static bool check(gnutls_ocsp_resp_t response, const gnutls_datum_t *octets,
                  sec_certificate_t certificate, sec_certificate_t issuer,
                  const struct nwi_trust_policy *policy, struct nwi_trust_verdict *verdict) {
    struct status status = {0};
    if (gnutls_ocsp_resp_import2(response, octets, GNUTLS_X509_FMT_DER) < 0)
        return unsatisfactory(verdict, "cannot be read");
    if (gnutls_ocsp_resp_get_status(response) != GNUTLS_OCSP_RESP_SUCCESSFUL)
        return unsatisfactory(verdict, "is an error of the responder");
    return find_status(response, certificate, issuer, &status, verdict) &&
           check_signer(response, issuer, policy, verdict) &&
           check_times(&status, policy->now, verdict) && check_state(&status, verdict);
}

bool nwi_trust_check_status(const gnutls_datum_t *octets, sec_certificate_t certificate,
                            sec_certificate_t issuer, const struct nwi_trust_policy *policy,
                            struct nwi_trust_verdict *verdict) {
    gnutls_ocsp_resp_t response;
    if (gnutls_ocsp_resp_init(&response) < 0)
        return nwi_trust_wrong(verdict, errSSLBadCert, "out of memory");
    bool good = check(response, octets, certificate, issuer, policy, verdict);
    gnutls_ocsp_resp_deinit(response);
    return good;
}

/* --- must-staple --- */

bool nwi_trust_demands_status(sec_certificate_t certificate) {
    gnutls_x509_tlsfeatures_t features;
    unsigned critical, feature;
    bool found = false;
    if (gnutls_x509_tlsfeatures_init(&features) < 0)
        return true; /* no memory to know better */
    if (gnutls_x509_crt_get_tlsfeatures(certificate->crt, features, 0, &critical) >= 0)
        for (unsigned i = 0; gnutls_x509_tlsfeatures_get(features, i, &feature) >= 0; i++)
            found = found || feature == STATUS_REQUEST;
    gnutls_x509_tlsfeatures_deinit(features);
    return found;
}
