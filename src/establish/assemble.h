/*
 * assemble.h - from parameters to a chain of layers.
 * What:   the one place that knows every protocol. Everybody else sees a chain.
 * Runs:   in the protocol context the chain is for, except nwi_assemble_check (any thread).
 */
#ifndef NWI_ESTABLISH_ASSEMBLE_H
#define NWI_ESTABLISH_ASSEMBLE_H

#include "base/err.h"
#include "stack/chain.h"
#include "stack/early.h"

struct nwi_assemble_target {
    const struct sockaddr *remote; /* borrowed */
    socklen_t remote_length;
    unsigned interface_index; /* 0 = any */
    struct nwi_early *early;  /* lent until connected, or NULL */
};

/* Whether a stack of these parameters can be built at all. Errors: ENOTSUP (a protocol that this
 * build does not have; the log names it), EINVAL (no transport). */
nwi_err nwi_assemble_check(nw_parameters_t parameters);
/* Pushes the layers for a connection to `target` onto an empty chain. Errors: NWI_ERR_NOMEM,
 * EINVAL. */
nwi_err nwi_assemble_client(struct nwi_chain *chain, nw_parameters_t parameters,
                            const struct nwi_assemble_target *target);

#endif
