/*
 * path.h - a snapshot of the network, and how to make one.
 * Runs:   any thread: a path never changes.
 * Owns:   references to its interfaces and endpoints.
 */
#ifndef NWI_MODEL_PATH_H
#define NWI_MODEL_PATH_H

#include "base/object.h"
#include <Network/path.h>

/* Everything a path says. Zero = unknown or false. */
struct nwi_path_facts {
    nw_path_status_t status;
    nw_path_unsatisfied_reason_t reason;
    nw_link_quality_t quality;
    bool expensive, constrained, ultra_constrained;
    bool has_ipv4, has_ipv6, has_dns;
    nw_interface_t *interfaces; /* most preferred first */
    size_t interface_count;
    nw_endpoint_t *gateways; /* address endpoints */
    size_t gateway_count;
    nw_endpoint_t local, remote; /* of a connection; NULL for a monitor */
};

struct nw_path {
    struct nwi_object base;
    struct nwi_path_facts facts; /* arrays owned, members retained */
};

/* Copies the facts, retaining all objects in them; +1 or NULL when memory ran out. */
nw_path_t nwi_path_create(const struct nwi_path_facts *facts);

#endif
