/*
 * path.h - the network as it is for one connection or monitor, at one moment.
 * A path is a snapshot: it never changes and may be used from any thread.
 */
#ifndef NETWORK_PATH_H
#define NETWORK_PATH_H

#include <Network/endpoint.h>
#include <Network/interface.h>
#include <Network/nw_object.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_path);

/** Whether the path can be used. */
typedef enum {
    nw_path_status_invalid = 0,     /* not a path (NULL) */
    nw_path_status_satisfied = 1,   /* usable */
    nw_path_status_unsatisfied = 2, /* no interface fits */
    nw_path_status_satisfiable = 3, /* not usable now; a connection attempt may bring it up */
} nw_path_status_t;

/** Why a path is not satisfied. */
typedef enum {
    nw_path_unsatisfied_reason_not_available = 0, /* no special reason */
    nw_path_unsatisfied_reason_cellular_denied = 1,
    nw_path_unsatisfied_reason_wifi_denied = 2,
    nw_path_unsatisfied_reason_local_network_denied = 3,
    nw_path_unsatisfied_reason_vpn_inactive = 4,
} nw_path_unsatisfied_reason_t;

/** How good the link is, as far as the system knows. */
typedef enum {
    nw_link_quality_unknown = 0,
    nw_link_quality_minimal = 10,
    nw_link_quality_moderate = 20,
    nw_link_quality_good = 30,
} nw_link_quality_t;

/** The path's status; nw_path_status_invalid for NULL. */
NW_EXPORT nw_path_status_t nw_path_get_status(nw_path_t path);

/** Why the path is not satisfied; nw_path_unsatisfied_reason_not_available when there is no special
 * reason. */
NW_EXPORT nw_path_unsatisfied_reason_t nw_path_get_unsatisfied_reason(nw_path_t path);

/** Gets one interface, lent; returns true to go on, false to stop. */
typedef bool (*nw_path_interface_enumerator_f)(void *context, nw_interface_t interface);
#ifdef __BLOCKS__
typedef bool (^nw_path_enumerate_interfaces_block_t)(nw_interface_t interface);
/** Calls the block for each interface of the path, the preferred one first, before the call
 * returns. */
NW_EXPORT void nw_path_enumerate_interfaces(nw_path_t path,
                                            nw_path_enumerate_interfaces_block_t enumerate_block);
#endif
/** Function form of the same. */
NW_EXPORT void nw_path_enumerate_interfaces_f(nw_path_t path, void *context,
                                              nw_path_interface_enumerator_f enumerate);

/** Whether both paths say the same. Two NULLs are not equal. */
NW_EXPORT bool nw_path_is_equal(nw_path_t path, nw_path_t other_path);

/** Whether traffic on the path costs money by volume. */
NW_EXPORT bool nw_path_is_expensive(nw_path_t path);
/** Whether the user asked to save data on the path. */
NW_EXPORT bool nw_path_is_constrained(nw_path_t path);
/** Whether the path has very little capacity. */
NW_EXPORT bool nw_path_is_ultra_constrained(nw_path_t path);
/** Whether IPv4 addresses can be reached. */
NW_EXPORT bool nw_path_has_ipv4(nw_path_t path);
/** Whether IPv6 addresses can be reached. */
NW_EXPORT bool nw_path_has_ipv6(nw_path_t path);
/** Whether a name server is configured. */
NW_EXPORT bool nw_path_has_dns(nw_path_t path);
/** The quality of the preferred link. */
NW_EXPORT nw_link_quality_t nw_path_get_link_quality(nw_path_t path);
/** Whether one of the path's interfaces is of this type. */
NW_EXPORT bool nw_path_uses_interface_type(nw_path_t path, nw_interface_type_t interface_type);

/** A reference to the local address of the connection whose path this is, or NULL. */
NW_EXPORT nw_endpoint_t nw_path_copy_effective_local_endpoint(nw_path_t path);
/** A reference to the remote address of the connection whose path this is, or NULL. */
NW_EXPORT nw_endpoint_t nw_path_copy_effective_remote_endpoint(nw_path_t path);

/** Gets the address of one gateway, lent; returns true to go on, false to stop. */
typedef bool (*nw_path_gateway_enumerator_f)(void *context, nw_endpoint_t gateway);
#ifdef __BLOCKS__
typedef bool (^nw_path_enumerate_gateways_block_t)(nw_endpoint_t gateway);
/** Calls the block for each gateway of the path, before the call returns. */
NW_EXPORT void nw_path_enumerate_gateways(nw_path_t path,
                                          nw_path_enumerate_gateways_block_t enumerate_block);
#endif
/** Function form of the same. */
NW_EXPORT void nw_path_enumerate_gateways_f(nw_path_t path, void *context,
                                            nw_path_gateway_enumerator_f enumerate);

NW_EXTERN_C_END

#endif
