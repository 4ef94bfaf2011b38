/*
 * ocsp.h - what a stapled OCSP response says of a certificate.
 * What:   a response proves something when its issuer, or a responder that the issuer named for
 *         this, signed it, about this certificate, for this time.
 * Source: RFC 6960 sections 3.2, 4.2; RFC 6066 section 8 (a bad one ends the handshake).
 * Runs:   any thread; costs one to three public key operations.
 */
#ifndef NWI_TRUST_OCSP_H
#define NWI_TRUST_OCSP_H

#include "trust/rules.h"

/* Whether the response says that the certificate is good. The verdict says what is wrong. */
bool nwi_trust_check_status(const gnutls_datum_t *response, sec_certificate_t certificate,
                            sec_certificate_t issuer, const struct nwi_trust_policy *policy,
                            struct nwi_trust_verdict *verdict);
/* Whether the certificate demands a stapled response (RFC 7633 section 4). */
bool nwi_trust_demands_status(sec_certificate_t certificate);

#endif
