/*
 * certificate.h - one X.509 certificate, read once, and what the rules ask of it.
 * Runs:   any thread: it never changes.
 * Owns:   its encoding and GnuTLS's view of it.
 */
#ifndef NWI_TRUST_CERTIFICATE_H
#define NWI_TRUST_CERTIFICATE_H

#include "base/err.h"
#include "base/object.h"
#include <Security/SecProtocolTypes.h>
#include <gnutls/x509-ext.h>
#include <time.h>

struct sec_certificate {
    struct nwi_object base;
    gnutls_x509_crt_t crt;
    gnutls_datum_t der;             /* from GnuTLS's allocator */
    gnutls_datum_t subject, issuer; /* encoded names; the same */
    /* The Subject Alternative Name; without entries when there is none or it cannot be read. */
    gnutls_subject_alt_names_t names;
    time_t begin, end;  /* valid from and until, both included; -1: unreadable */
    int path_length;    /* -1: any */
    unsigned key_usage; /* GNUTLS_KEY_*; all when the extension is missing */
    bool is_ca, self_issued;
};

/* Takes one DER certificate. +1 or NULL: not a certificate, or memory ran out. */
sec_certificate_t nwi_certificate_create(const void *der, size_t size);
bool nwi_certificate_equal(sec_certificate_t a, sec_certificate_t b);
/* Whether the list has one that is equal to it. */
bool nwi_certificate_is_among(const sec_certificate_t *list, size_t count,
                              sec_certificate_t certificate);
/* Whether the names fit: the subject of `issuer` is the issuer of `certificate`, octet by octet. */
bool nwi_certificate_names(sec_certificate_t certificate, sec_certificate_t issuer);
/* Whether the key of `issuer` made the signature. Costs a public key operation. */
bool nwi_certificate_signed_by(sec_certificate_t certificate, sec_certificate_t issuer);
/* Whether the signature of `certificate` is one over these octets by the key of `issuer`. */
bool nwi_certificate_signature_holds(sec_certificate_t certificate, sec_certificate_t issuer,
                                     const gnutls_datum_t *part);
/* The subject as text, cut to fit, with nothing that a terminal or a log would obey. */
void nwi_certificate_name(sec_certificate_t certificate, char *text, size_t size);

#endif
