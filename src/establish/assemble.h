/*
 * assemble.h - from parameters to a chain of layers.
 * What:   the one place that knows every protocol. Everybody else sees a chain.
 * Runs:   in the protocol context the chain is for, except nwi_assemble_check (any thread).
 */
#ifndef NWI_ESTABLISH_ASSEMBLE_H
#define NWI_ESTABLISH_ASSEMBLE_H

#include "base/clock.h"
#include "base/err.h"
#include "stack/chain.h"
#include "stack/early.h"

struct nwi_assemble_target {
    nw_endpoint_t endpoint;        /* what the program named: the peer has to prove that name */
    const struct sockaddr *remote; /* borrowed */
    socklen_t remote_length;
    unsigned interface_index; /* 0 = any */
    struct nwi_early *early;  /* lent until connected, or NULL */
};

/* Whether a stack of these parameters can be built at all, for a listener or a client. Errors:
 * ENOTSUP (a protocol that this build does not have; the log names it), EINVAL (no transport),
 * errSSLBadConfiguration (settings of TLS with which no handshake can succeed; the log says why),
 * NWI_ERR_NOMEM. */
nwi_err nwi_assemble_check(nw_parameters_t parameters, bool is_listener);
/* Pushes the layers for a connection to `target` onto an empty chain. Errors: NWI_ERR_NOMEM,
 * EINVAL, errSSLBadConfiguration. */
nwi_err nwi_assemble_client(struct nwi_chain *chain, nw_parameters_t parameters,
                            const struct nwi_assemble_target *target);
/* How long a handshake above a transport may take, without the program's answers: as long as the
 * transport's when the parameters limit that, else a minute. */
nwi_ns nwi_assemble_patience(nw_parameters_t parameters);
/* Pushes what stands above the transport of a peer that came in. Errors: as above. */
nwi_err nwi_assemble_server(struct nwi_chain *chain, nw_parameters_t parameters);

#endif
