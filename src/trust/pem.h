/*
 * pem.h - the blocks of a PEM text, one at a time.
 * Source: RFC 7468 section 2: a BEGIN line and an END line with the same label; text outside of
 *         blocks is explanation.
 * Runs:   any thread; pure.
 */
#ifndef NWI_TRUST_PEM_H
#define NWI_TRUST_PEM_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

enum { NWI_PEM_LABEL_MAX = 64 };

struct nwi_pem {
    char label[NWI_PEM_LABEL_MAX];
    gnutls_datum_t whole; /* from BEGIN to the end of the END line; borrowed */
    unsigned number;      /* 1: the first block of the text; set to 0 before the first call */
    bool cut_off;         /* there is no END line with this label */
};

/* Takes the next block off `rest`. False: there is none. */
bool nwi_pem_take(gnutls_datum_t *rest, struct nwi_pem *block);

#endif
