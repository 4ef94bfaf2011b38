/*
 * name.h - whether a certificate is one for this host.
 * Source: RFC 6125 section 6.4, RFC 5280 section 4.2.1.6.
 * Runs:   any thread; pure.
 */
#ifndef NWI_TRUST_NAME_H
#define NWI_TRUST_NAME_H

#include "trust/certificate.h"

/* Whether it is a host name that a certificate may hold: no address, no underscore, at most one
 * wildcard, and that the whole leftmost label, with two labels below it that are no public suffix.
 */
bool nwi_trust_is_pattern(const char *pattern, size_t length);
/* Whether a dNSName of a certificate stands for the host name; both in A-labels. */
bool nwi_trust_pattern_matches(const char *pattern, size_t length, const char *host);
/* Whether the Subject Alternative Name holds the host: a name or an address as text. The Common
 * Name never counts. */
bool nwi_trust_name_matches(sec_certificate_t certificate, const char *host);
#endif
