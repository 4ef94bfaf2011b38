/*
 * ip_options.h - IP: options of the internet layer under TCP or UDP, and per-datagram metadata.
 * The options come from nw_protocol_stack_copy_internet_protocol().
 */
#ifndef NETWORK_IP_OPTIONS_H
#define NETWORK_IP_OPTIONS_H

#include <Network/parameters.h>
#include <Network/protocol_options.h>

NW_EXTERN_C_BEGIN

/** A reference to the definition of IP. */
NW_EXPORT nw_protocol_definition_t nw_protocol_copy_ip_definition(void);

/** Version of IP; the values are the version numbers themselves. */
typedef enum {
    nw_ip_version_any = 0,
    nw_ip_version_4 = 4,
    nw_ip_version_6 = 6,
} nw_ip_version_t;

/** Uses addresses of one version only. Default any. */
NW_EXPORT void nw_ip_options_set_version(nw_protocol_options_t options, nw_ip_version_t version);

/** Time to live, or hop limit, of packets sent, to multicast addresses too; 0 = the system's
 * default. */
NW_EXPORT void nw_ip_options_set_hop_limit(nw_protocol_options_t options, uint8_t hop_limit);

/** Sends packets over IPv6 no larger than its minimum MTU of 1280 octets (RFC 8200 section 5). A
 * larger datagram fails with EMSGSIZE, or goes in fragments of that size when
 * nw_ip_options_set_disable_fragmentation() allowed them. Default false. */
NW_EXPORT void nw_ip_options_set_use_minimum_mtu(nw_protocol_options_t options,
                                                 bool use_minimum_mtu);

/** Never fragments packets. Without this call UDP does not fragment either. */
NW_EXPORT void nw_ip_options_set_disable_fragmentation(nw_protocol_options_t options,
                                                       bool disable_fragmentation);

/** Notes the arrival time of each packet for nw_ip_metadata_get_receive_time(). Default false. */
NW_EXPORT void nw_ip_options_set_calculate_receive_time(nw_protocol_options_t options,
                                                        bool calculate_receive_time);

/** Which kind of local IPv6 address to prefer. */
typedef enum {
    nw_ip_local_address_preference_default = 0,
    nw_ip_local_address_preference_temporary = 1, /* changing, for privacy (RFC 8981) */
    nw_ip_local_address_preference_stable = 2,
} nw_ip_local_address_preference_t;

/** Prefers temporary or stable local addresses (RFC 5014). Default: the system's choice. */
NW_EXPORT void
nw_ip_options_set_local_address_preference(nw_protocol_options_t options,
                                           nw_ip_local_address_preference_t preference);

/** Keeps multicast packets from being delivered back to this machine. Default false. */
NW_EXPORT void nw_ip_options_set_disable_multicast_loopback(nw_protocol_options_t options,
                                                            bool disable_multicast_loopback);

/** New IP metadata, to be set on a content context that is sent. NULL: no memory. */
NW_EXPORT nw_protocol_metadata_t nw_ip_create_metadata(void);

/** Whether the metadata is IP's; false for NULL. */
NW_EXPORT bool nw_protocol_metadata_is_ip(nw_protocol_metadata_t metadata);

/** The ECN field of a packet (RFC 3168 section 5); the values are the bits on the wire. */
typedef enum {
    nw_ip_ecn_flag_non_ect = 0,
    nw_ip_ecn_flag_ect_0 = 2,
    nw_ip_ecn_flag_ect_1 = 1,
    nw_ip_ecn_flag_ce = 3,
} nw_ip_ecn_flag_t;

/** Sets the ECN field of the packet that carries this message. Default non_ect. */
NW_EXPORT void nw_ip_metadata_set_ecn_flag(nw_protocol_metadata_t metadata,
                                           nw_ip_ecn_flag_t ecn_flag);

/** The ECN field that a packet arrived with, or that was set; non_ect for NULL. */
NW_EXPORT nw_ip_ecn_flag_t nw_ip_metadata_get_ecn_flag(nw_protocol_metadata_t metadata);

/** Sets the service class of one message, in place of that of the parameters. */
NW_EXPORT void nw_ip_metadata_set_service_class(nw_protocol_metadata_t metadata,
                                                nw_service_class_t service_class);

/** The service class that was set; best effort when none was. */
NW_EXPORT nw_service_class_t nw_ip_metadata_get_service_class(nw_protocol_metadata_t metadata);

/**
 * When the packet arrived, in nanoseconds of CLOCK_MONOTONIC_RAW. 0 when
 * nw_ip_options_set_calculate_receive_time() was not asked for.
 */
NW_EXPORT uint64_t nw_ip_metadata_get_receive_time(nw_protocol_metadata_t metadata);

NW_EXTERN_C_END

#endif
