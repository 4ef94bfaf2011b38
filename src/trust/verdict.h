/*
 * verdict.h - how a rule says no.
 */
#ifndef NWI_TRUST_VERDICT_H
#define NWI_TRUST_VERDICT_H

#include "trust/rules.h"

/* Fills the verdict; returns false, so that a rule reads `holds || nwi_trust_wrong(...)`. */
bool nwi_trust_wrong(struct nwi_trust_verdict *verdict, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A time for people and machines alike, in UTC. */
void nwi_trust_time_text(time_t when, char text[32]);

#endif
