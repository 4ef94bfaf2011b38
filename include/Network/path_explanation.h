/*
 * path_explanation.h - why a path is as it is: a judgement on each interface of this machine, and
 * for a destination the way to each of its addresses, in the order in which a connection would try
 * them. For tools that show or explain it. It is libnw's own: the original has no such call, and
 * <Network/Network.h> does not include this header.
 *
 * An explanation is a snapshot: it never changes and may be used from any thread. What enumeration
 * lends may be kept with nw_retain().
 */
#ifndef NETWORK_PATH_EXPLANATION_H
#define NETWORK_PATH_EXPLANATION_H

#include <Network/endpoint.h>
#include <Network/error.h>
#include <Network/interface.h>
#include <Network/nw_object.h>
#include <Network/parameters.h>
#include <Network/path.h>
#include <Network/path_monitor.h>
#include <dispatch/queue.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_path_explanation);
NW_OBJECT_DECL(nw_interface_explanation);
NW_OBJECT_DECL(nw_address_explanation);

/** What becomes of an interface, or of an address. */
typedef enum {
    nw_path_verdict_used = 0,     /* the preferred interface; the address tried first */
    nw_path_verdict_next = 1,     /* allowed, but others come first */
    nw_path_verdict_refused = 2,  /* the parameters, or a policy of this machine, exclude it */
    nw_path_verdict_unusable = 3, /* nothing can be sent by it now */
} nw_path_verdict_t;

/** Why an interface is used or not. Later versions may add reasons. */
typedef enum {
    nw_path_verdict_reason_preferred = 0, /* used: no other comes before it */
    nw_path_verdict_reason_only = 1,      /* used: no other is left */
    /* next: what the interface in front of it has */
    nw_path_verdict_reason_behind_metric = 11, /* a default route with a lower metric */
    nw_path_verdict_reason_behind_type = 12,   /* a type of link that is usually preferred */
    nw_path_verdict_reason_behind_index = 13,  /* nothing but a lower number */
    /* refused */
    nw_path_verdict_reason_required_interface = 20, /* another interface is required */
    nw_path_verdict_reason_required_type = 21,      /* another type is required */
    nw_path_verdict_reason_prohibited_interface = 22,
    nw_path_verdict_reason_prohibited_type = 23,
    nw_path_verdict_reason_prohibited_expensive = 24,
    nw_path_verdict_reason_prohibited_constrained = 25,
    nw_path_verdict_reason_ultra_constrained = 27, /* very little capacity, and not allowed */
    nw_path_verdict_reason_peer_to_peer = 28,      /* a peer-to-peer link, not included */
    nw_path_verdict_reason_loopback = 26,          /* leads nowhere else, and was not asked for */
    /* unusable */
    nw_path_verdict_reason_down = 30,       /* not switched on */
    nw_path_verdict_reason_no_carrier = 31, /* on, but the link has no other end */
    nw_path_verdict_reason_no_address = 32,
    nw_path_verdict_reason_tentative = 33, /* all addresses still in duplicate detection */
    nw_path_verdict_reason_duplicate = 34, /* all addresses found in use by others */
    nw_path_verdict_reason_no_route = 36,  /* no way from here to anywhere else */
} nw_path_verdict_reason_t;

/** The state of an interface's address. */
typedef enum {
    nw_address_state_usable = 0,
    nw_address_state_tentative = 1,  /* duplicate detection has not ended: RFC 4862 */
    nw_address_state_duplicate = 2,  /* duplicate detection found another */
    nw_address_state_deprecated = 3, /* past its preferred lifetime */
} nw_address_state_t;

/** What the kernel's routing says to an address. */
typedef enum {
    nw_route_kind_none = 0,    /* no route */
    nw_route_kind_unicast = 1, /* on the link, or by way of a gateway */
    nw_route_kind_local = 2,   /* the address is this machine's */
    nw_route_kind_broadcast = 3,
    nw_route_kind_multicast = 4,
    nw_route_kind_unreachable = 5, /* a route that answers "unreachable" */
    nw_route_kind_prohibit = 6,    /* a route that answers "prohibited" */
    nw_route_kind_blackhole = 7,   /* a route that drops silently */
} nw_route_kind_t;

/**
 * What puts an address behind the one before it: a rule of RFC 6724 section 6 by its number, which
 * the kernel's source addresses and the policy table (gai.conf) decide, or that the families take
 * turns (RFC 8305 section 4).
 */
typedef enum {
    nw_address_order_first = 0,
    nw_address_order_unusable_destination = 1,
    nw_address_order_scope = 2,
    nw_address_order_deprecated_source = 3,
    nw_address_order_home_address = 4,
    nw_address_order_label = 5,
    nw_address_order_precedence = 6,
    nw_address_order_transport = 7,
    nw_address_order_smaller_scope = 8,
    nw_address_order_longest_prefix = 9,
    nw_address_order_as_answered = 10, /* no rule tells them apart */
    nw_address_order_family_turn = 11, /* RFC 8305: the other family's turn */
} nw_address_order_t;

/* --- making one --- */

/**
 * Explains the path under the parameters (NULL: without rules), and the way to an address.
 * endpoint: NULL, or of the type address; names need nw_path_explain(). Reads the kernel's tables
 * inside the call and sends nothing. Returns a reference, or NULL for another endpoint and when
 * memory ran out.
 */
NW_EXPORT nw_path_explanation_t nw_path_explanation_create(nw_parameters_t parameters,
                                                           nw_endpoint_t endpoint);

/** Gets the explanation, lent for the call; NULL when memory ran out. */
typedef void (*nw_path_explain_handler_f)(void *context, nw_path_explanation_t explanation);
#ifdef __BLOCKS__
typedef void (^nw_path_explain_block_t)(nw_path_explanation_t explanation);
/**
 * The same for an endpoint of any type: a name is looked up first, both families as the parameters
 * allow, and nothing is sent to its addresses. The block is called once, on the queue. parameters
 * may be NULL; nothing is done when another argument is NULL.
 */
NW_EXPORT void nw_path_explain(nw_parameters_t parameters, nw_endpoint_t endpoint,
                               dispatch_queue_t queue, nw_path_explain_block_t handler);
#endif
/** Function form of the same. */
NW_EXPORT void nw_path_explain_f(nw_parameters_t parameters, nw_endpoint_t endpoint,
                                 dispatch_queue_t queue, void *context,
                                 nw_path_explain_handler_f handler);

/**
 * Creates a path monitor (path_monitor.h) whose path is that of new connections with these
 * parameters; NULL: as nw_path_monitor_create(). The parameters are copied. Returns a reference, or
 * NULL when memory ran out.
 */
NW_EXPORT nw_path_monitor_t nw_path_monitor_create_with_rules(nw_parameters_t parameters);

/* --- reading it: NULL is fine everywhere, and gives NULL, 0 or nothing --- */

/** The path that results, as a monitor with the same rules would show it. A reference. */
NW_EXPORT nw_path_t nw_path_explanation_copy_path(nw_path_explanation_t explanation);
/** Why there are no addresses to connect to: the name's lookup failed, or the rules leave no
 * interface (POSIX ENETDOWN). A reference; NULL when there are some, or no endpoint was given. */
NW_EXPORT nw_error_t nw_path_explanation_copy_error(nw_path_explanation_t explanation);

/** Gets the judgement on one interface, lent; returns true to go on, false to stop. */
typedef bool (*nw_path_explanation_interface_enumerator_f)(void *context,
                                                           nw_interface_explanation_t interface);
/** Gets one address, lent; returns true to go on, false to stop. */
typedef bool (*nw_path_explanation_address_enumerator_f)(void *context,
                                                         nw_address_explanation_t address);
#ifdef __BLOCKS__
typedef bool (^nw_path_explanation_enumerate_interfaces_block_t)(
    nw_interface_explanation_t interface);
typedef bool (^nw_path_explanation_enumerate_addresses_block_t)(nw_address_explanation_t address);
/** Calls the block for each interface of the machine, the most preferred first. */
NW_EXPORT void
nw_path_explanation_enumerate_interfaces(nw_path_explanation_t explanation,
                                         nw_path_explanation_enumerate_interfaces_block_t block);
/** Calls the block for each address of the endpoint, in the order of trying, as when the answers
 * for both families come together. */
NW_EXPORT void
nw_path_explanation_enumerate_addresses(nw_path_explanation_t explanation,
                                        nw_path_explanation_enumerate_addresses_block_t block);
#endif
/** Function forms of the same. */
NW_EXPORT void
nw_path_explanation_enumerate_interfaces_f(nw_path_explanation_t explanation, void *context,
                                           nw_path_explanation_interface_enumerator_f enumerate);
NW_EXPORT void
nw_path_explanation_enumerate_addresses_f(nw_path_explanation_t explanation, void *context,
                                          nw_path_explanation_address_enumerator_f enumerate);

/* --- one interface --- */

/** The interface, a reference. */
NW_EXPORT nw_interface_t
nw_interface_explanation_copy_interface(nw_interface_explanation_t explanation);
/** What becomes of it; nw_path_verdict_unusable for NULL. */
NW_EXPORT nw_path_verdict_t
nw_interface_explanation_get_verdict(nw_interface_explanation_t explanation);
NW_EXPORT nw_path_verdict_reason_t
nw_interface_explanation_get_reason(nw_interface_explanation_t explanation);
/** The reason in words, with the names and figures that decided ("behind eth0: its metric 100 is
 * lower than 600"). Lent. */
NW_EXPORT const char *nw_interface_explanation_get_text(nw_interface_explanation_t explanation);
/** True when it has a default route; *metric (may be NULL) is that of the best. */
NW_EXPORT bool nw_interface_explanation_get_metric(nw_interface_explanation_t explanation,
                                                   uint32_t *metric);
/** Octets of the largest packet. */
NW_EXPORT uint32_t nw_interface_explanation_get_mtu(nw_interface_explanation_t explanation);
NW_EXPORT bool nw_interface_explanation_is_expensive(nw_interface_explanation_t explanation);
NW_EXPORT bool nw_interface_explanation_is_constrained(nw_interface_explanation_t explanation);
NW_EXPORT bool
nw_interface_explanation_is_ultra_constrained(nw_interface_explanation_t explanation);
NW_EXPORT nw_link_quality_t
nw_interface_explanation_get_link_quality(nw_interface_explanation_t explanation);

/** Gets one address of the interface (port 0), lent, the length of its prefix in bits, and its
 * state; returns true to go on, false to stop. */
typedef bool (*nw_interface_explanation_address_enumerator_f)(void *context, nw_endpoint_t address,
                                                              uint8_t prefix_length,
                                                              nw_address_state_t state);
/** Gets one default gateway, lent (NULL: the route needs none), and the metric of its route. */
typedef bool (*nw_interface_explanation_gateway_enumerator_f)(void *context, nw_endpoint_t gateway,
                                                              uint32_t metric);
#ifdef __BLOCKS__
typedef bool (^nw_interface_explanation_enumerate_addresses_block_t)(nw_endpoint_t address,
                                                                     uint8_t prefix_length,
                                                                     nw_address_state_t state);
typedef bool (^nw_interface_explanation_enumerate_gateways_block_t)(nw_endpoint_t gateway,
                                                                    uint32_t metric);
/** Calls the block for each address, in the kernel's order. */
NW_EXPORT void nw_interface_explanation_enumerate_addresses(
    nw_interface_explanation_t explanation,
    nw_interface_explanation_enumerate_addresses_block_t block);
/** Calls the block for each default route, the best metric first. */
NW_EXPORT void nw_interface_explanation_enumerate_gateways(
    nw_interface_explanation_t explanation,
    nw_interface_explanation_enumerate_gateways_block_t block);
#endif
/** Function forms of the same. */
NW_EXPORT void nw_interface_explanation_enumerate_addresses_f(
    nw_interface_explanation_t explanation, void *context,
    nw_interface_explanation_address_enumerator_f enumerate);
NW_EXPORT void nw_interface_explanation_enumerate_gateways_f(
    nw_interface_explanation_t explanation, void *context,
    nw_interface_explanation_gateway_enumerator_f enumerate);

/* --- one address of the destination --- */

/** The address, with the port. A reference. */
NW_EXPORT nw_endpoint_t nw_address_explanation_copy_remote(nw_address_explanation_t explanation);
/** used: tried first; next: tried later; refused: by the parameters or the local-network policy;
 * unusable: tried last, and expected to fail. */
NW_EXPORT nw_path_verdict_t
nw_address_explanation_get_verdict(nw_address_explanation_t explanation);
NW_EXPORT nw_route_kind_t
nw_address_explanation_get_route_kind(nw_address_explanation_t explanation);
/** The interface by which packets leave; NULL without a route. A reference. */
NW_EXPORT nw_interface_t
nw_address_explanation_copy_interface(nw_address_explanation_t explanation);
/** The address they are sent from, port 0; NULL when there is none. A reference. */
NW_EXPORT nw_endpoint_t nw_address_explanation_copy_source(nw_address_explanation_t explanation);
/** The router; NULL when the address is on the link, or this machine's. A reference. */
NW_EXPORT nw_endpoint_t nw_address_explanation_copy_gateway(nw_address_explanation_t explanation);
/** The routing table that decided: 254 main, 255 local (which the kernel may count as main), see
 * ip-rule(8); 0 when there is none. */
NW_EXPORT uint32_t nw_address_explanation_get_table(nw_address_explanation_t explanation);
/** True when the kernel told which entry matched: *metric, and the bits of its prefix (0: the
 * default route). Both may be NULL. */
NW_EXPORT bool nw_address_explanation_get_match(nw_address_explanation_t explanation,
                                                uint32_t *metric, uint8_t *prefix_length);
/** Octets of the largest packet on this way; 0 when unknown. */
NW_EXPORT uint32_t nw_address_explanation_get_mtu(nw_address_explanation_t explanation);
/** The way in words: the route, the interface, and with rules the interfaces that are tried next.
 * What the other calls tell is of the first. Lent. */
NW_EXPORT const char *nw_address_explanation_get_text(nw_address_explanation_t explanation);
/** Why it stands where it stands. */
NW_EXPORT nw_address_order_t nw_address_explanation_get_order(nw_address_explanation_t explanation);
/** The same in words. Lent. */
NW_EXPORT const char *nw_address_explanation_get_order_text(nw_address_explanation_t explanation);

NW_EXTERN_C_END

#endif
