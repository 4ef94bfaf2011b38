/*
 * rules.c - see rules.h.
 * Source: RFC 5280 sections 4.1, 4.2 and 6.1; Apple's requirements for trusted certificates;
 *         CA/Browser Forum ballot SC-081 (shorter lives by date of issue). docs/trust.md.
 * Runs:   any thread.
 */
#include "trust/rules.h"
#include "trust/name.h"
#include "trust/verdict.h"
#include <Security/SecureTransport.h>
#include <gnutls/x509-ext.h>
#include <stdio.h>
#include <string.h>

enum {
    RSA_MIN_BITS = 2048,
    RSA_MAX_BITS = 16384, /* more would keep whoever checks a signature busy */
    EC_MIN_BITS = 256,
    DAY = 24 * 60 * 60,
    OID_SIZE = 128,
    EMPTY_NAME = 2,       /* octets of an encoded name without parts */
    EXTENSIONS_MAX = 100, /* each is held against all before it, and GnuTLS counts its way to it */
};

/* --- of every certificate --- */

/* Extensions, and what RFC 5280 says of their critical bit. */
enum critical { EITHER, NEVER };
static const struct {
    const char *oid, *name;
    enum critical critical;
} understood[] = {
    {"2.5.29.14", "subjectKeyIdentifier", NEVER},
    {"2.5.29.15", "keyUsage", EITHER},
    {"2.5.29.17", "subjectAltName", EITHER},
    {"2.5.29.18", "issuerAltName", EITHER},
    {"2.5.29.19", "basicConstraints", EITHER},
    {"2.5.29.30", "nameConstraints", EITHER},
    {"2.5.29.31", "cRLDistributionPoints", EITHER},
    {"2.5.29.32", "certificatePolicies", EITHER}, /* no policy is required of a path */
    {"2.5.29.35", "authorityKeyIdentifier", NEVER},
    {"2.5.29.37", "extKeyUsage", EITHER},
    {"1.3.6.1.5.5.7.1.1", "authorityInfoAccess", NEVER},
    {"1.3.6.1.5.5.7.1.24", "TLS feature", EITHER},
};

static bool check_extension(const char *oid, bool critical, struct nwi_trust_verdict *verdict) {
    for (size_t i = 0; i < sizeof understood / sizeof understood[0]; i++) {
        if (strcmp(oid, understood[i].oid) != 0)
            continue;
        return !critical || understood[i].critical != NEVER ||
               nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                               "extension %s must not be critical", understood[i].name);
    }
    return !critical || nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                                        "critical extension %s is not understood", oid);
}

/* None twice: which of the two would count? (RFC 5280 section 4.2) */
static bool check_extensions(gnutls_x509_crt_t crt, struct nwi_trust_verdict *verdict) {
    char oid[OID_SIZE], other[OID_SIZE];
    for (unsigned i = 0;; i++) {
        size_t size = sizeof oid;
        unsigned critical = 0;
        int result = gnutls_x509_crt_get_extension_info(crt, i, oid, &size, &critical);
        if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return true;
        if (result < 0)
            return nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                                   "its extensions cannot be read");
        if (i == EXTENSIONS_MAX)
            return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "more than %d extensions",
                                   EXTENSIONS_MAX);
        if (!check_extension(oid, critical != 0, verdict))
            return false;
        for (unsigned j = 0; j < i; j++) {
            size = sizeof other;
            if (gnutls_x509_crt_get_extension_info(crt, j, other, &size, NULL) == 0 &&
                strcmp(oid, other) == 0)
                return nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                                       "extension %s stands there twice", oid);
        }
    }
}

/* With an exponent of one a signature is the message; an even one has no private key; a long one
 * makes each look at a signature take minutes, whoever made it. */
static bool check_exponent(gnutls_x509_crt_t crt, struct nwi_trust_verdict *verdict) {
    gnutls_datum_t modulus = {0}, exponent = {0};
    uint64_t number = 0;
    bool is_long = false;
    if (gnutls_x509_crt_get_pk_rsa_raw(crt, &modulus, &exponent) >= 0) {
        for (unsigned i = 0; i < exponent.size; i++) {
            is_long = is_long || number >> 56 != 0;
            number = number << 8 | exponent.data[i];
        }
    }
    gnutls_free(modulus.data);
    gnutls_free(exponent.data);
    if (is_long)
        return nwi_trust_wrong(verdict, errSSLBadCert,
                               "RSA key whose exponent has more than 64 bits");
    return (number & 1) != 0 && number != 1
               ? true
               : nwi_trust_wrong(verdict, errSSLBadCert, "RSA key whose exponent is one or even");
}

/* Whether a look at a signature costs no more than of an honest key, and proves something. */
static bool check_effort(gnutls_x509_crt_t crt, struct nwi_trust_verdict *verdict) {
    unsigned bits = 0;
    int kind = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    if (kind != GNUTLS_PK_RSA && kind != GNUTLS_PK_RSA_PSS)
        return true;
    if (bits > RSA_MAX_BITS)
        return nwi_trust_wrong(verdict, errSSLBadCert, "RSA key of %u bits, %d are the most", bits,
                               RSA_MAX_BITS);
    return check_exponent(crt, verdict);
}

static bool check_key(gnutls_x509_crt_t crt, struct nwi_trust_verdict *verdict) {
    unsigned bits = 0;
    int kind = gnutls_x509_crt_get_pk_algorithm(crt, &bits);
    switch (kind) {
    case GNUTLS_PK_RSA:
    case GNUTLS_PK_RSA_PSS:
        return bits >= RSA_MIN_BITS
                   ? check_effort(crt, verdict)
                   : nwi_trust_wrong(verdict, errSSLBadCert,
                                     "RSA key of %u bits, 2048 are the least", bits);
    case GNUTLS_PK_ECDSA:
        return bits >= EC_MIN_BITS ||
               nwi_trust_wrong(verdict, errSSLBadCert,
                               "elliptic curve of %u bits, 256 are the least", bits);
    case GNUTLS_PK_EDDSA_ED25519:
    case GNUTLS_PK_EDDSA_ED448:
        return true;
    default: {
        const char *name = kind >= 0 ? gnutls_pk_get_name((gnutls_pk_algorithm_t)kind) : NULL;
        return nwi_trust_wrong(verdict, errSSLBadCert, "kind of key: %s",
                               name != NULL ? name : "unknown");
    }
    }
}

/* Not of an anchor: nobody relies on the signature that a root makes over itself. */
static bool check_signature(gnutls_x509_crt_t crt, struct nwi_trust_verdict *verdict) {
    int algorithm = gnutls_x509_crt_get_signature_algorithm(crt);
    gnutls_sign_algorithm_t sign =
        algorithm < 0 ? GNUTLS_SIGN_UNKNOWN : (gnutls_sign_algorithm_t)algorithm;
    const char *name = gnutls_sign_get_name(sign);
    if (sign == GNUTLS_SIGN_UNKNOWN ||
        !gnutls_sign_is_secure2(sign, GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS))
        return nwi_trust_wrong(verdict, errSSLBadCert, "signature by %s, SHA-256 is the least",
                               name != NULL ? name : "an unknown algorithm");
    return true;
}

static bool check_dates(sec_certificate_t certificate, time_t now,
                        struct nwi_trust_verdict *verdict) {
    char text[32];
    if (certificate->begin == (time_t)-1 || certificate->end == (time_t)-1)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "its dates cannot be read");
    if (now > certificate->end) {
        nwi_trust_time_text(certificate->end, text);
        return nwi_trust_wrong(verdict, errSSLCertExpired, "expired, it was valid until %s", text);
    }
    if (now < certificate->begin) {
        nwi_trust_time_text(certificate->begin, text);
        return nwi_trust_wrong(verdict, errSSLCertNotYetValid, "not valid before %s", text);
    }
    return true;
}

static bool is_zero(const unsigned char *octets, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (octets[i] != 0)
            return false;
    return true;
}

/* RFC 5280 section 4.1.2.2: positive, at most 20 octets. */
static bool check_serial(gnutls_x509_crt_t crt, struct nwi_trust_verdict *verdict) {
    unsigned char serial[32];
    size_t size = sizeof serial;
    enum { SERIAL_MAX = 21 }; /* a leading zero keeps the first bit from being a sign */
    if (gnutls_x509_crt_get_serial(crt, serial, &size) < 0 || size == 0 || size > SERIAL_MAX ||
        (size == SERIAL_MAX && serial[0] != 0))
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                               "serial number of more than 20 octets");
    if ((serial[0] & 0x80) != 0)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "negative serial number");
    if (is_zero(serial, size))
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "serial number zero");
    return true;
}

static bool check_any(sec_certificate_t certificate, bool anchor,
                      const struct nwi_trust_policy *policy, struct nwi_trust_verdict *verdict) {
    gnutls_x509_crt_t crt = certificate->crt;
    if (gnutls_x509_crt_get_version(crt) != 3)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "X.509 version %d, 3 is needed",
                               gnutls_x509_crt_get_version(crt));
    if (certificate->issuer.size <= EMPTY_NAME)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "its issuer has no name");
    return check_dates(certificate, policy->now, verdict) && check_key(crt, verdict) &&
           check_extensions(crt, verdict) &&
           (anchor || (check_signature(crt, verdict) && check_serial(crt, verdict)));
}

/* --- purposes --- */

static const char *purpose_oid(const struct nwi_trust_policy *policy) {
    return policy->purpose == NWI_TRUST_SERVER ? GNUTLS_KP_TLS_WWW_SERVER
                                               : GNUTLS_KP_TLS_WWW_CLIENT;
}

enum purpose_found { NO_LIST, LISTED, ANY_LISTED, NOT_LISTED };

static bool is_purpose(const gnutls_datum_t *oid, const char *wanted) {
    return oid->size == strlen(wanted) && memcmp(oid->data, wanted, oid->size) == 0;
}

/* A list that is there and empty, or cannot be read, allows nothing. Read once, not once for each
 * purpose: it may be long, and stand in many paths. */
static enum purpose_found find_purpose(gnutls_x509_crt_t crt, const char *wanted) {
    gnutls_datum_t extension = {0}, oid;
    gnutls_x509_key_purposes_t list = NULL;
    enum purpose_found found = NOT_LISTED;
    int result = gnutls_x509_crt_get_extension_by_oid2(crt, "2.5.29.37", 0, &extension, NULL);
    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return NO_LIST;
    if (result >= 0 && gnutls_x509_key_purpose_init(&list) >= 0 &&
        gnutls_x509_ext_import_key_purposes(&extension, list, 0) >= 0)
        for (unsigned i = 0; found != LISTED && gnutls_x509_key_purpose_get(list, i, &oid) >= 0;
             i++)
            found = is_purpose(&oid, wanted)          ? LISTED
                    : is_purpose(&oid, GNUTLS_KP_ANY) ? ANY_LISTED
                                                      : found;
    if (list != NULL)
        gnutls_x509_key_purpose_deinit(list);
    gnutls_free(extension.data);
    return found;
}

static const char *purpose_name(const struct nwi_trust_policy *policy) {
    return policy->purpose == NWI_TRUST_SERVER ? "serverAuth" : "clientAuth";
}

/* --- the peer's own --- */

bool nwi_trust_check_leaf(sec_certificate_t certificate, const struct nwi_trust_policy *policy,
                          bool anchor, struct nwi_trust_verdict *verdict) {
    const unsigned use =
        GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_KEY_AGREEMENT;
    if (!check_any(certificate, anchor, policy, verdict))
        return false;
    if (certificate->is_ca && !anchor)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                               "a CA's certificate is not a peer's");
    if ((certificate->key_usage & use) == 0)
        return nwi_trust_wrong(verdict, errSSLBadCert, "its key usage has nothing that TLS needs");
    size_t size = 0;
    if (!certificate->is_ca &&
        gnutls_x509_crt_get_extension_by_oid(certificate->crt, "2.5.29.30", 0, NULL, &size, NULL) !=
            GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "nameConstraints are for CAs");
    enum purpose_found found = find_purpose(certificate->crt, purpose_oid(policy));
    if (found != LISTED && found != NO_LIST)
        return nwi_trust_wrong(verdict, errSSLBadCert, "its extended key usage lacks %s",
                               purpose_name(policy));
    if (policy->host != NULL && !nwi_trust_name_matches(certificate, policy->host))
        return nwi_trust_wrong(verdict, errSSLHostNameMismatch,
                               "its Subject Alternative Name does not hold '%.100s'", policy->host);
    return true;
}

/* Nobody's word is relied on, so neither the signature nor what an issuer may say of it counts. */
bool nwi_trust_check_accepted(sec_certificate_t certificate, const struct nwi_trust_policy *policy,
                              struct nwi_trust_verdict *verdict) {
    return check_dates(certificate, policy->now, verdict) && check_key(certificate->crt, verdict);
}

bool nwi_trust_check_key(sec_certificate_t certificate, struct nwi_trust_verdict *verdict) {
    return check_key(certificate->crt, verdict);
}

bool nwi_trust_check_effort(sec_certificate_t certificate, struct nwi_trust_verdict *verdict) {
    return check_effort(certificate->crt, verdict);
}

bool nwi_trust_check_responder(sec_certificate_t certificate, const struct nwi_trust_policy *policy,
                               struct nwi_trust_verdict *verdict) {
    return check_dates(certificate, policy->now, verdict) && check_key(certificate->crt, verdict) &&
           check_signature(certificate->crt, verdict) &&
           (find_purpose(certificate->crt, GNUTLS_KP_OCSP_SIGNING) == LISTED ||
            nwi_trust_wrong(verdict, errSSLBadCertificateStatusResponse,
                            "its extended key usage lacks OCSPSigning"));
}

/* The longest life by date of issue; the newest first. */
static const struct {
    time_t from;
    int days;
} lives[] = {
    {1868227200, 47},  /* 2029-03-15 */
    {1805068800, 100}, /* 2027-03-15 */
    {1773532800, 200}, /* 2026-03-15 */
    {1598918400, 398}, /* 2020-09-01 */
    {1561939200, 825}, /* 2019-07-01 */
};

bool nwi_trust_check_public_leaf(sec_certificate_t certificate,
                                 const struct nwi_trust_policy *policy,
                                 struct nwi_trust_verdict *verdict) {
    if (policy->purpose != NWI_TRUST_SERVER)
        return true;
    for (size_t i = 0; i < sizeof lives / sizeof lives[0]; i++) {
        if (certificate->begin < lives[i].from)
            continue;
        /* Both ends count as valid, hence the second. */
        time_t life = certificate->end - certificate->begin + 1;
        if (life > (time_t)lives[i].days * DAY)
            return nwi_trust_wrong(verdict, errSSLBadCert, "valid for %ld days, %d are the most",
                                   (long)((life + DAY - 1) / DAY), lives[i].days);
        break;
    }
    return find_purpose(certificate->crt, purpose_oid(policy)) == LISTED ||
           nwi_trust_wrong(verdict, errSSLBadCert, "its extended key usage lacks %s",
                           purpose_name(policy));
}

/* --- issuers --- */

bool nwi_trust_check_issuer(sec_certificate_t certificate, unsigned below, bool anchor,
                            const struct nwi_trust_policy *policy,
                            struct nwi_trust_verdict *verdict) {
    if (!check_any(certificate, anchor, policy, verdict))
        return false;
    if (!certificate->is_ca)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "not a CA, yet it issued another");
    if (certificate->subject.size <= EMPTY_NAME)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "a CA without a name");
    if ((certificate->key_usage & GNUTLS_KEY_KEY_CERT_SIGN) == 0)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "its key usage lacks keyCertSign");
    if (certificate->path_length >= 0 && below > (unsigned)certificate->path_length)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                               "%u CAs below it, its path length allows %d", below,
                               certificate->path_length);
    enum purpose_found found = find_purpose(certificate->crt, purpose_oid(policy));
    if (!anchor && found == NOT_LISTED)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "its extended key usage lacks %s",
                               purpose_name(policy));
    return true;
}
