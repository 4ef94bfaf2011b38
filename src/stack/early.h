/*
 * early.h - content that may be sent before a handshake has ended.
 * What:   lent to the layers of one attempt. Each attempt may send it anew, so it must be content
 *         that the peer can take twice.
 * Source: RFC 7413 section 4.2 (TCP Fast Open); nw_parameters_set_fast_open_enabled.
 * Runs:   in the protocol context of the attempt.
 */
#ifndef NWI_STACK_EARLY_H
#define NWI_STACK_EARLY_H

#include <dispatch/dispatch.h>
#include <stddef.h>

struct nwi_early {
    dispatch_data_t content; /* borrowed; NULL: the handshake may ask for a cookie all the same */
    size_t sent;             /* out: octets of it that the transport has taken */
};

#endif
