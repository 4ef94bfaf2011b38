/*
 * path_explanation.h - the three objects of <Network/path_explanation.h>.
 * What:   plain fields, filled in by who makes them (src/path/explain.c, src/establish/ways.c)
 *         before anybody else sees them, and never changed afterwards.
 * Runs:   any thread.
 * Owns:   all that the fields point at.
 */
#ifndef NWI_MODEL_PATH_EXPLANATION_H
#define NWI_MODEL_PATH_EXPLANATION_H

#include "base/err.h"
#include "base/object.h"
#include <Network/path_explanation.h>

struct nwi_explained_address {
    nw_endpoint_t endpoint; /* port 0 */
    uint8_t prefix_length;
    nw_address_state_t state;
};
struct nwi_explained_gateway {
    nw_endpoint_t endpoint; /* NULL: the route needs none */
    uint32_t metric;
};

struct nw_interface_explanation {
    struct nwi_object base;
    nw_interface_t interface;
    nw_path_verdict_t verdict;
    nw_path_verdict_reason_t reason;
    char *text;
    bool routed;     /* metric is one */
    uint32_t metric; /* of the best default route */
    uint32_t mtu;
    bool expensive, constrained, ultra_constrained;
    nw_link_quality_t quality;
    struct nwi_explained_address *addresses;
    size_t address_count;
    struct nwi_explained_gateway *gateways; /* one a default route, best first */
    size_t gateway_count;
};

struct nw_address_explanation {
    struct nwi_object base;
    nw_endpoint_t remote, source, gateway; /* the latter two may be NULL */
    nw_interface_t interface;              /* may be NULL */
    nw_path_verdict_t verdict;
    nw_route_kind_t kind;
    uint32_t table, metric, mtu;
    bool has_match; /* metric and prefix_length are known */
    uint8_t prefix_length;
    char *text;
    nw_address_order_t order;
    char *order_text;
};

struct nw_path_explanation {
    struct nwi_object base;
    nw_path_t path;
    nwi_err err; /* why there are no addresses; 0: there are, or none were asked for */
    nw_interface_explanation_t *interfaces;
    size_t interface_count;
    nw_address_explanation_t *addresses;
    size_t address_count;
};

/* Each +1 and zero, or NULL when memory ran out. The arrays are the maker's to allocate; counts say
 * how much of them is filled. */
nw_interface_explanation_t nwi_interface_explanation_create(void);
nw_address_explanation_t nwi_address_explanation_create(void);
nw_path_explanation_t nwi_path_explanation_create(void);

#endif
