/*
 * trust.h - sec_trust_t: one evaluation, with what it leans on and what came of it.
 * Runs:   one thread at a time.
 * Owns:   references to its certificates; its host.
 */
#ifndef NWI_TRUST_TRUST_H
#define NWI_TRUST_TRUST_H

#include "trust/path.h"
#include <stdint.h>

enum { NWI_TRUST_PIN_SIZE = 32 };

struct sec_trust {
    struct nwi_object base;
    sec_certificate_t *chain, *anchors;
    size_t chain_count, anchor_count;
    uint8_t (*pins)[NWI_TRUST_PIN_SIZE];
    size_t pin_count;
    char *host;  /* NULL: none */
    time_t time; /* -1: that of the evaluation */
    enum nwi_trust_purpose purpose;
    bool without_system, evaluated;
    struct nwi_trust_path path;
    struct nwi_trust_verdict verdict;
};

#endif
