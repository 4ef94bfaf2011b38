/*
 * constraints.c - name constraints.
 * What:   each entry of the SAN, the subject, and the host that is asked for are held against the
 *         subtrees. What cannot be judged, such as a name that is malformed, is not allowed.
 * Source: RFC 5280 section 4.2.1.10.
 * Runs:   any thread.
 */
#include "trust/der.h"
#include "trust/name.h"
#include "trust/verdict.h"
#include <Security/SecureTransport.h>
#include <arpa/inet.h>
#include <string.h>

/* Names times subtrees: a chain must not keep a handshake busy. */
enum { COMPARISONS_MAX = 1 << 16 };

static const char *kind_name(int kind) {
    switch (kind) {
    case GNUTLS_SAN_DNSNAME:
        return "host name";
    case GNUTLS_SAN_IPADDRESS:
        return "address";
    case GNUTLS_SAN_RFC822NAME:
        return "mail address";
    case GNUTLS_SAN_URI:
        return "URI";
    default:
        return "name";
    }
}

static bool is_well_formed(int kind, const char *entry, size_t size) {
    switch (kind) {
    case GNUTLS_SAN_DNSNAME:
        return nwi_trust_is_pattern(entry, size);
    case GNUTLS_SAN_IPADDRESS:
        return size == 4 || size == 16;
    case GNUTLS_SAN_RFC822NAME: {
        const char *at = memchr(entry, '@', size);
        return at != NULL && at != entry && at != entry + size - 1 &&
               memchr(at + 1, '@', size - (size_t)(at - entry) - 1) == NULL;
    }
    default:
        return true;
    }
}

static bool check_entries(gnutls_x509_name_constraints_t constraints, sec_certificate_t certificate,
                          struct nwi_trust_verdict *verdict) {
    gnutls_datum_t entry;
    unsigned kind;
    for (unsigned i = 0;
         gnutls_subject_alt_names_get(certificate->names, i, &kind, &entry, NULL) >= 0; i++) {
        if (!is_well_formed((int)kind, (const char *)entry.data, entry.size) ||
            gnutls_x509_name_constraints_check(constraints, (gnutls_x509_subject_alt_name_t)kind,
                                               &entry) == 0)
            return nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                                   "its name constraints forbid a %s of a certificate below it",
                                   kind_name((int)kind));
    }
    return true;
}

static bool check_host(gnutls_x509_name_constraints_t constraints, const char *host,
                       struct nwi_trust_verdict *verdict) {
    unsigned char address[16];
    const gnutls_datum_t name = {.data = (unsigned char *)host, .size = (unsigned)strlen(host)};
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1 ||
        gnutls_x509_name_constraints_check(constraints, GNUTLS_SAN_DNSNAME, &name) != 0)
        return true; /* an address has no wildcard, so its entry has been checked */
    return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "its name constraints forbid '%.100s'",
                           host);
}

/* How many subtrees there are, as far as it matters. */
static unsigned count_subtrees(gnutls_x509_name_constraints_t constraints) {
    gnutls_datum_t name;
    unsigned kind, permitted = 0, excluded = 0;
    while (permitted < COMPARISONS_MAX &&
           gnutls_x509_name_constraints_get_permitted(constraints, permitted, &kind, &name) >= 0)
        permitted++;
    while (excluded < COMPARISONS_MAX &&
           gnutls_x509_name_constraints_get_excluded(constraints, excluded, &kind, &name) >= 0)
        excluded++;
    return permitted + excluded;
}

static unsigned count_entries(sec_certificate_t certificate) {
    gnutls_datum_t entry;
    unsigned kind, count = 0;
    while (count < COMPARISONS_MAX &&
           gnutls_subject_alt_names_get(certificate->names, count, &kind, &entry, NULL) >= 0)
        count++;
    return count;
}

/* GnuTLS 3.7 loses memory over a kind that it does not know, so the kinds are looked at first. */
static bool has_known_kinds(const gnutls_datum_t *extension) {
    enum { MAIL = 0x81, HOST = 0x82, SUBJECT = 0xa4, URI = 0x86, ADDRESS = 0x87 };
    gnutls_datum_t rest = *extension;
    struct nwi_der constraints, subtrees, subtree, name;
    if (!nwi_der_take(&rest, &constraints))
        return false;
    while (constraints.content.size > 0) {
        if (!nwi_der_take(&constraints.content, &subtrees))
            return false;
        while (subtrees.content.size > 0) {
            if (!nwi_der_take(&subtrees.content, &subtree) ||
                !nwi_der_take(&subtree.content, &name))
                return false;
            if (name.tag != MAIL && name.tag != HOST && name.tag != SUBJECT && name.tag != URI &&
                name.tag != ADDRESS)
                return false;
        }
    }
    return true;
}

/* 0, GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE for none, or another GnuTLS code. */
static int read_constraints(gnutls_x509_crt_t crt, gnutls_x509_name_constraints_t constraints) {
    gnutls_datum_t extension = {0};
    int result = gnutls_x509_crt_get_extension_by_oid2(crt, GNUTLS_X509EXT_OID_NAME_CONSTRAINTS, 0,
                                                       &extension, NULL);
    if (result < 0)
        return result;
    result = has_known_kinds(&extension)
                 ? gnutls_x509_ext_import_name_constraints(&extension, constraints, 0)
                 : GNUTLS_E_UNIMPLEMENTED_FEATURE;
    gnutls_free(extension.data);
    return result;
}

static bool check(gnutls_x509_name_constraints_t constraints, sec_certificate_t issuer,
                  sec_certificate_t certificate, const char *host,
                  struct nwi_trust_verdict *verdict) {
    int result = read_constraints(issuer->crt, constraints);
    if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return true;
    if (result < 0)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                               "its name constraints are of a kind that is not understood");
    unsigned subtrees = count_subtrees(constraints);
    if (subtrees == 0) /* it says nothing, which it must not */
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid, "its name constraints are empty");
    if (count_entries(certificate) + 1 > COMPARISONS_MAX / subtrees)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                               "too many name constraints for the names below it");
    if (gnutls_x509_name_constraints_check_crt(constraints, GNUTLS_SAN_DN, certificate->crt) == 0)
        return nwi_trust_wrong(verdict, errSSLXCertChainInvalid,
                               "its name constraints forbid the subject of a certificate below it");
    return check_entries(constraints, certificate, verdict) &&
           (host == NULL || check_host(constraints, host, verdict));
}

bool nwi_trust_check_constraints(sec_certificate_t issuer, sec_certificate_t certificate,
                                 const char *host, struct nwi_trust_verdict *verdict) {
    gnutls_x509_name_constraints_t constraints;
    if (gnutls_x509_name_constraints_init(&constraints) < 0)
        return nwi_trust_wrong(verdict, errSSLBadCert, "out of memory");
    bool good = check(constraints, issuer, certificate, host, verdict);
    gnutls_x509_name_constraints_deinit(constraints);
    return good;
}
