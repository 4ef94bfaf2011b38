/*
 * parameters.h - parameters as establishing, listening and path evaluation read them.
 * Runs:   unsynchronised while the client edits them; a connection or listener holds a copy that
 *         never changes, and which others may hold as well.
 * Owns:   interfaces, local endpoint, stack, the copy given out last.
 */
#ifndef NWI_MODEL_PARAMETERS_H
#define NWI_MODEL_PARAMETERS_H

#include "base/object.h"
#include "model/protocol_stack.h"
#include <Network/parameters.h>

extern const struct nwi_type nwi_parameters_type;

struct nw_parameters {
    struct nwi_object base;
    /* What the last connection was given, or NULL. Owned. Whoever looks at it takes it out by an
     * exchange and puts it back by another (release, acquire): what is in here never changes. */
    _Atomic(nw_parameters_t) given;
    nw_protocol_stack_t stack;             /* never NULL */
    nw_interface_t *prohibited_interfaces; /* retained, no two alike */
    size_t prohibited_interface_count;
    /* From here to the end: values, and references to objects that never change. */
    nw_interface_t required_interface;
    nw_endpoint_t local_endpoint; /* type address, or NULL */
    /* path rules */
    nw_interface_type_t required_type; /* other = no rule */
    uint32_t prohibited_types;         /* bit n: type n */
    bool prohibit_expensive, prohibit_constrained, allow_ultra_constrained;
    bool include_peer_to_peer;
    /* addresses */
    bool reuse_local_address;
    bool local_only;
    /* racing: establishment_options.h */
    bool attempt_delay_set, resolution_delay_set;
    uint32_t attempt_delay_ms, resolution_delay_ms;
    /* manner */
    bool fast_open_enabled;
    bool prefer_no_proxy;
    bool requires_dnssec_validation;
    nw_parameters_attribution_t attribution;
    nw_parameters_expired_dns_behavior_t expired_dns_behavior;
    nw_service_class_t service_class;
    nw_multipath_service_t multipath_service;
};

/* A copy for a connection or listener to keep, never to be changed: the one given last while the
 * parameters have not changed since, so that many connections share it. +1 or NULL (no memory, or
 * `parameters` NULL). Any thread, beside other calls that do not change the parameters. */
nw_parameters_t nwi_parameters_copy_for_connection(nw_parameters_t parameters);
/* Whether the rules allow an interface of this identity; expense and the like are the path's
 * business. */
bool nwi_parameters_allow_interface(nw_parameters_t parameters, nw_interface_t interface);

#endif
