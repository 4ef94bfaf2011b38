/*
 * anchors.h - the roots that this system trusts.
 * Runs:   any thread. The first call reads them, which takes some ten milliseconds.
 */
#ifndef NWI_TRUST_ANCHORS_H
#define NWI_TRUST_ANCHORS_H

#include "trust/certificate.h"

/* A root whose name is that of the certificate's issuer; `at` counts those of one name from 0. +1,
 * or NULL: there is no other. */
sec_certificate_t nwi_trust_system_issuer(sec_certificate_t certificate, unsigned at);

#endif
