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
#include "protocol/tls/tls.h"
#include "protocol/udp/udp.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool has_datagrams(const struct nw_protocol_stack *stack) {
    return stack->transport->definition == &nwi_udp_definition;
}

nwi_err nwi_assemble_check(nw_parameters_t parameters, bool is_listener) {
    const struct nw_protocol_stack *stack = parameters->stack;
    struct nwi_tls_options *tls = nwi_tls_options_of_stack(stack);
    if (stack->application_count > (tls != NULL)) { /* this build has no other above a transport */
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
    return tls != NULL ? nwi_tls_check(tls, is_listener, has_datagrams(stack)) : 0;
}

static nwi_err push_tls(struct nwi_chain *chain, nw_parameters_t parameters,
                        const struct nwi_tls_request *request) {
    struct nwi_tls_request whole = *request;
    nwi_err err = 0;
    whole.options = nwi_tls_options_of_stack(parameters->stack);
    whole.parameters = parameters;
    whole.is_datagram = has_datagrams(parameters->stack);
    struct nwi_layer *layer = nwi_tls_create(&whole, &err);
    if (layer != NULL)
        nwi_chain_push(chain, layer);
    return err;
}

static const struct sockaddr *local_address(nw_parameters_t parameters, int family,
                                            socklen_t *ret_length) {
    const struct sockaddr *local = nwi_endpoint_sockaddr(parameters->local_endpoint, ret_length);
    return local != NULL && local->sa_family == family ? local : NULL;
}

/* What the peer has to prove itself to be. The zone of an address is this host's matter, and in no
 * certificate (RFC 4007 section 6). NULL: a local socket has no name. */
static const char *peer_name(const struct nwi_assemble_target *target,
                             char address[INET6_ADDRSTRLEN]) {
    const char *name = target->endpoint->hostname;
    if (target->remote->sa_family == AF_UNIX)
        return NULL;
    if (name == NULL || strchr(name, '%') == NULL)
        return name;
    snprintf(address, INET6_ADDRSTRLEN, "%.*s", (int)strcspn(name, "%"), name);
    return address;
}

nwi_err nwi_assemble_client(struct nwi_chain *chain, nw_parameters_t parameters,
                            const struct nwi_assemble_target *target) {
    socklen_t local_length = 0, unused;
    const struct sockaddr *local =
        local_address(parameters, target->remote->sa_family, &local_length);
    if (local == NULL && nwi_endpoint_sockaddr(parameters->local_endpoint, &unused) != NULL)
        return nwi_posix(EADDRNOTAVAIL); /* asked to come from an address of the other family */
    const struct nwi_tls_options *tls = nwi_tls_options_of_stack(parameters->stack);
    struct nwi_layer *layer;
    if (parameters->stack->transport->definition == &nwi_tcp_definition)
        layer = nwi_tcp_create(&(struct nwi_tcp_request){
            target->remote, target->remote_length, local, local_length, target->interface_index,
            parameters, tls == NULL ? target->early : NULL, tls != NULL});
    else
        layer = nwi_udp_create(&(struct nwi_udp_request){target->remote, target->remote_length,
                                                         local, local_length,
                                                         target->interface_index, parameters});
    if (layer == NULL)
        return NWI_ERR_NOMEM;
    nwi_chain_push(chain, layer);
    if (tls == NULL)
        return 0;
    char address[INET6_ADDRSTRLEN];
    return push_tls(chain, parameters,
                    &(struct nwi_tls_request){
                        .host = peer_name(target, address),
                        .remote = target->endpoint,
                        .early = target->early,
                    });
}

/* A peer that accepts connections, or comes in, and then says nothing must not keep us for ever. */
nwi_ns nwi_assemble_patience(nw_parameters_t parameters) {
    const struct nwi_tcp_options *tcp = nwi_tcp_options(parameters->stack->transport);
    return tcp != NULL && tcp->connection_timeout != 0 ? tcp->connection_timeout * NWI_SEC
                                                       : 60 * NWI_SEC;
}

nwi_err nwi_assemble_server(struct nwi_chain *chain, nw_parameters_t parameters) {
    if (nwi_tls_options_of_stack(parameters->stack) == NULL)
        return 0;
    return push_tls(chain, parameters, &(struct nwi_tls_request){.is_server = true});
}
