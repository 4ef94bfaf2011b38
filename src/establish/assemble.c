/*
 * assemble.c - see assemble.h. A new protocol gets one row in `applications` or one case in
 * push_transport.
 */
#include "establish/assemble.h"
#include "base/alloc.h"
#include "base/log.h"
#include "model/endpoint.h"
#include "model/parameters.h"
#include "model/tcp_options.h"
#include "model/udp_options.h"
#include "protocol/tcp/tcp.h"
#include "protocol/udp/udp.h"

nwi_err nwi_assemble_check(nw_parameters_t parameters) {
    const struct nw_protocol_stack *stack = parameters->stack;
    if (stack->application_count > 0) {
        nwi_log(
            NWI_LOG_ERROR, "stack", "unsupported",
            "protocol \"%s\" is not part of this build yet: make the parameters with it disabled",
            stack->applications[0]->definition->name);
        return nwi_posix(ENOTSUP);
    }
    if (stack->transport == NULL) {
        nwi_log(NWI_LOG_ERROR, "stack", "invalid", "the protocol stack has no transport");
        return stack->internet != NULL && stack->application_count == 0 ? nwi_posix(ENOTSUP)
                                                                        : NWI_ERR_INVAL;
    }
    if (stack->transport->definition != &nwi_tcp_definition &&
        stack->transport->definition != &nwi_udp_definition) {
        nwi_log(NWI_LOG_ERROR, "stack", "unsupported",
                "transport \"%s\" is not part of this build yet",
                stack->transport->definition->name);
        return nwi_posix(ENOTSUP);
    }
    return 0;
}

static const struct sockaddr *local_address(nw_parameters_t parameters, int family,
                                            socklen_t *ret_length) {
    const struct sockaddr *local = nwi_endpoint_sockaddr(parameters->local_endpoint, ret_length);
    return local != NULL && local->sa_family == family ? local : NULL;
}

nwi_err nwi_assemble_client(struct nwi_chain *chain, nw_parameters_t parameters,
                            const struct nwi_assemble_target *target) {
    socklen_t local_length = 0, unused;
    const struct sockaddr *local =
        local_address(parameters, target->remote->sa_family, &local_length);
    if (local == NULL && nwi_endpoint_sockaddr(parameters->local_endpoint, &unused) != NULL)
        return nwi_posix(EADDRNOTAVAIL); /* asked to come from an address of the other family */
    struct nwi_layer *layer;
    if (parameters->stack->transport->definition == &nwi_tcp_definition)
        layer = nwi_tcp_create(
            &(struct nwi_tcp_request){target->remote, target->remote_length, local, local_length,
                                      target->interface_index, parameters, target->early});
    else
        layer = nwi_udp_create(&(struct nwi_udp_request){target->remote, target->remote_length,
                                                         local, local_length,
                                                         target->interface_index, parameters});
    if (layer == NULL)
        return NWI_ERR_NOMEM;
    nwi_chain_push(chain, layer);
    return 0;
}
