/*
 * der.h - one element of DER at a time, for the little that GnuTLS does not give.
 * Source: X.690 sections 8.1 and 10.1.
 * Runs:   any thread; pure.
 */
#ifndef NWI_TRUST_DER_H
#define NWI_TRUST_DER_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

enum { NWI_DER_SEQUENCE = 0x30 };

struct nwi_der {
    unsigned char tag;
    gnutls_datum_t whole, content; /* borrowed */
};

/* Takes the first element off `rest`, which must not lie in `*ret_element`. False: there is none,
 * it is cut off, or has 16 MiB or more.
 */
bool nwi_der_take(gnutls_datum_t *rest, struct nwi_der *ret_element);

#endif
