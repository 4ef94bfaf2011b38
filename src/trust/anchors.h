/*
 * anchors.h - the roots that this system trusts.
 * Runs:   any thread. The first call reads them, which takes some ten milliseconds.
 */
#ifndef NWI_TRUST_ANCHORS_H
#define NWI_TRUST_ANCHORS_H

#include "trust/certificate.h"

/* The root that GnuTLS finds for the certificate by its names and key identifiers. +1, or NULL:
 * there is none. */
sec_certificate_t nwi_trust_system_issuer(sec_certificate_t certificate);
/* Whether they have been read already. */
bool nwi_trust_system_is_read(void);

#endif
