/*
 * trust.h - sec_trust_t: one evaluation, with what it leans on and what came of it.
 * Runs:   one thread at a time.
 * Owns:   references to its certificates, its settings and the stapled response; its host.
 */
#ifndef NWI_TRUST_TRUST_H
#define NWI_TRUST_TRUST_H

#include "trust/path.h"
#include <dispatch/data.h>

struct sec_trust {
    struct nwi_object base;
    sec_certificate_t *chain;
    size_t chain_count;
    struct nwi_trust_settings *settings; /* NULL: nothing was said; shared with the options */
    dispatch_data_t staple;              /* the OCSP response; NULL: none */
    char *host;                          /* NULL: none */
    time_t time;                         /* -1: that of the evaluation */
    enum nwi_trust_purpose purpose;
    bool staple_asked; /* so that a certificate may demand one */
    bool evaluated;
    struct nwi_trust_path path;
    struct nwi_trust_verdict verdict;
};

/* Whether roots of the system may end its path. */
bool nwi_trust_asks_system(sec_trust_t trust);

#endif
