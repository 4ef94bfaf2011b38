/*
 * connection_report.h - two reports on a connection: how it was established, and what has been
 * transferred over it. Times are in milliseconds, rounded down. The reports themselves may be asked
 * from any thread.
 */
#ifndef NETWORK_CONNECTION_REPORT_H
#define NETWORK_CONNECTION_REPORT_H

#include <Network/connection.h>
#include <Network/endpoint.h>
#include <Network/interface.h>
#include <Network/nw_object.h>
#include <Network/protocol_options.h>

NW_EXTERN_C_BEGIN

/* --- how a connection was established --- */

NW_OBJECT_DECL(nw_establishment_report);
NW_OBJECT_DECL(nw_resolution_report);

/** Gets the report, lent; NULL when the connection was not ready yet, or memory ran out. */
typedef void (*nw_establishment_report_access_f)(void *context, nw_establishment_report_t report);
#ifdef __BLOCKS__
typedef void (^nw_establishment_report_access_block_t)(nw_establishment_report_t report);
/**
 * Makes the report and calls the block once on `queue`, later, never inside this call. A connection
 * that has been ready once has a report, also after its end.
 */
NW_EXPORT void
nw_connection_access_establishment_report(nw_connection_t connection, dispatch_queue_t queue,
                                          nw_establishment_report_access_block_t access_block);
#endif
/** Function form of the same. */
NW_EXPORT void nw_connection_access_establishment_report_f(nw_connection_t connection,
                                                           dispatch_queue_t queue, void *context,
                                                           nw_establishment_report_access_f access);

/**
 * How long the attempt that succeeded took, from preparing to ready; 0 for NULL, and for a
 * connection that a listener accepted: its handshake was over before it was known here.
 */
NW_EXPORT uint64_t
nw_establishment_report_get_duration_milliseconds(nw_establishment_report_t report);

/** From the start of the connection to that of the attempt that succeeded: 0 when the first one
 * did, more when the connection had to wait. 0 for NULL. */
NW_EXPORT uint64_t
nw_establishment_report_get_attempt_started_after_milliseconds(nw_establishment_report_t report);

/** How many attempts ended in the waiting state before the one that succeeded; 0 for NULL. */
NW_EXPORT uint32_t
nw_establishment_report_get_previous_attempt_count(nw_establishment_report_t report);

/** Whether the connection goes through a proxy. Proxies come with a later version: false. */
NW_EXPORT bool nw_establishment_report_get_used_proxy(nw_establishment_report_t report);

/** Whether a proxy was set up for the connection, used or not. As above: false. */
NW_EXPORT bool nw_establishment_report_get_proxy_configured(nw_establishment_report_t report);

/** A reference to the proxy's endpoint; NULL when none was used. */
NW_EXPORT nw_endpoint_t
nw_establishment_report_copy_proxy_endpoint(nw_establishment_report_t report);

/** Where the addresses of a name came from. */
typedef enum {
    nw_report_resolution_source_query = 1, /**< a server was asked */
    /** an earlier answer within its time to live, or what this host knows by itself (hosts file,
     * localhost) */
    nw_report_resolution_source_cache = 2,
    nw_report_resolution_source_expired_cache = 3, /**< an earlier answer past its time to live */
} nw_report_resolution_source_t;

/** How the server that answered was asked. */
typedef enum {
    nw_report_resolution_protocol_unknown = 0, /**< also when nobody was asked */
    nw_report_resolution_protocol_udp = 1,
    nw_report_resolution_protocol_tcp = 2,
    nw_report_resolution_protocol_tls = 3,
    nw_report_resolution_protocol_https = 4,
} nw_report_resolution_protocol_t;

/**
 * Where the answer came from: of the two questions asked for a name (A and AAAA) the one whose
 * answer held the address that was connected to. 0 for NULL.
 */
NW_EXPORT nw_report_resolution_source_t
nw_resolution_report_get_source(nw_resolution_report_t resolution_report);

/** From the question to that answer; 0 for NULL. */
NW_EXPORT uint64_t nw_resolution_report_get_milliseconds(nw_resolution_report_t resolution_report);

/** How many addresses were known when the connection became ready; 0 for NULL. */
NW_EXPORT uint32_t
nw_resolution_report_get_endpoint_count(nw_resolution_report_t resolution_report);

/** A reference to the address that was connected to; NULL for NULL. */
NW_EXPORT nw_endpoint_t
nw_resolution_report_copy_successful_endpoint(nw_resolution_report_t resolution_report);

/** A reference to the address that was tried first; NULL for NULL. */
NW_EXPORT nw_endpoint_t
nw_resolution_report_copy_preferred_endpoint(nw_resolution_report_t resolution_report);

/** How the server was asked; unknown for NULL. */
NW_EXPORT nw_report_resolution_protocol_t
nw_resolution_report_get_protocol(nw_resolution_report_t resolution_report);

/** Gets one resolution, the endpoints lent; returns true to go on, false to stop. */
typedef bool (*nw_report_resolution_enumerator_f)(void *context,
                                                  nw_report_resolution_source_t source,
                                                  uint64_t milliseconds, uint32_t endpoint_count,
                                                  nw_endpoint_t successful_endpoint,
                                                  nw_endpoint_t preferred_endpoint);
/** The same as an object, lent. */
typedef bool (*nw_report_resolution_report_enumerator_f)(void *context,
                                                         nw_resolution_report_t resolution_report);
/**
 * Gets one protocol that had a handshake, lent, with the time of its handshake and the round-trip
 * time measured in it (0: not known); returns true to go on, false to stop.
 */
typedef bool (*nw_report_protocol_enumerator_f)(void *context, nw_protocol_definition_t protocol,
                                                uint64_t handshake_milliseconds,
                                                uint64_t handshake_rtt_milliseconds);
#ifdef __BLOCKS__
typedef bool (^nw_report_resolution_enumerator_t)(nw_report_resolution_source_t source,
                                                  uint64_t milliseconds, uint32_t endpoint_count,
                                                  nw_endpoint_t successful_endpoint,
                                                  nw_endpoint_t preferred_endpoint);
/** Calls the block for each resolution, in order, before the call returns; for none when the
 * connection was made to an address. */
NW_EXPORT void
nw_establishment_report_enumerate_resolutions(nw_establishment_report_t report,
                                              nw_report_resolution_enumerator_t enumerate_block);

typedef bool (^nw_report_resolution_report_enumerator_t)(nw_resolution_report_t resolution_report);
/** The same with the resolutions as objects. */
NW_EXPORT void nw_establishment_report_enumerate_resolution_reports(
    nw_establishment_report_t report, nw_report_resolution_report_enumerator_t enumerate_block);

typedef bool (^nw_report_protocol_enumerator_t)(nw_protocol_definition_t protocol,
                                                uint64_t handshake_milliseconds,
                                                uint64_t handshake_rtt_milliseconds);
/** Calls the block for each protocol that had a handshake, the first one that completed first,
 * before the call returns. UDP has none. */
NW_EXPORT void
nw_establishment_report_enumerate_protocols(nw_establishment_report_t report,
                                            nw_report_protocol_enumerator_t enumerate_block);
#endif
/** Function form of nw_establishment_report_enumerate_resolutions(). */
NW_EXPORT void
nw_establishment_report_enumerate_resolutions_f(nw_establishment_report_t report, void *context,
                                                nw_report_resolution_enumerator_f enumerate);
/** Function form of nw_establishment_report_enumerate_resolution_reports(). */
NW_EXPORT void nw_establishment_report_enumerate_resolution_reports_f(
    nw_establishment_report_t report, void *context,
    nw_report_resolution_report_enumerator_f enumerate);
/** Function form of nw_establishment_report_enumerate_protocols(). */
NW_EXPORT void
nw_establishment_report_enumerate_protocols_f(nw_establishment_report_t report, void *context,
                                              nw_report_protocol_enumerator_f enumerate);

/* --- what has been transferred --- */

NW_OBJECT_DECL(nw_data_transfer_report);

/**
 * Begins to measure: from now on, or from `ready` on when the connection is not ready yet, until
 * the report is collected or the connection fails or is cancelled. Several reports may run at once,
 * each with its own beginning. Returns a reference, or NULL for NULL and when memory ran out.
 */
NW_EXPORT nw_data_transfer_report_t
nw_connection_create_new_data_transfer_report(nw_connection_t connection);

typedef enum {
    nw_data_transfer_report_state_collecting = 1,
    nw_data_transfer_report_state_collected = 2,
} nw_data_transfer_report_state_t;

/** Whether the report still measures. Collected for NULL. */
NW_EXPORT nw_data_transfer_report_state_t
nw_data_transfer_report_get_state(nw_data_transfer_report_t report);

/** Gets the report, collected, lent. */
typedef void (*nw_data_transfer_report_collected_f)(void *context,
                                                    nw_data_transfer_report_t report);
#ifdef __BLOCKS__
typedef void (^nw_data_transfer_report_collect_block_t)(nw_data_transfer_report_t report);
/**
 * Ends the measurement and calls the block once on `queue`, later, never inside this call. A report
 * that is collected already stays as it is, and the block is called all the same.
 */
NW_EXPORT void
nw_data_transfer_report_collect(nw_data_transfer_report_t report, dispatch_queue_t queue,
                                nw_data_transfer_report_collect_block_t collect_block);
#endif
/** Function form of the same. */
NW_EXPORT void nw_data_transfer_report_collect_f(nw_data_transfer_report_t report,
                                                 dispatch_queue_t queue, void *context,
                                                 nw_data_transfer_report_collected_f collected);

/*
 * The numbers. All are 0 before the report is collected, for NULL, and for a path that there is
 * not. `path_index` is less than the count of paths, or NW_ALL_PATHS: the sum, and where a sum
 * means nothing (times, interface, radio) what holds for path 0.
 */
NW_EXPORT extern const uint32_t _nw_data_transfer_report_all_paths;
#define NW_ALL_PATHS (_nw_data_transfer_report_all_paths)

/** How long it was measured; 0 when the connection was never ready. */
NW_EXPORT uint64_t
nw_data_transfer_report_get_duration_milliseconds(nw_data_transfer_report_t report);

/** How many paths there are numbers of: 1, or 0 when the connection was never ready. */
NW_EXPORT uint32_t nw_data_transfer_report_get_path_count(nw_data_transfer_report_t report);

/** IP packets received: segments of TCP, with and without octets in them, or datagrams of UDP. */
NW_EXPORT uint64_t nw_data_transfer_report_get_received_ip_packet_count(
    nw_data_transfer_report_t report, uint32_t path_index);
/** The same, sent. */
NW_EXPORT uint64_t nw_data_transfer_report_get_sent_ip_packet_count(
    nw_data_transfer_report_t report, uint32_t path_index);

/** Octets that the transport has received and could pass on, without headers. */
NW_EXPORT uint64_t nw_data_transfer_report_get_received_transport_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index);
/** Octets received more than once. Linux does not count them for a connection: always 0. */
NW_EXPORT uint64_t nw_data_transfer_report_get_received_transport_duplicate_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index);
/** Octets that came before others which had been sent earlier. Linux counts the segments: this is
 * their number times the size of a typical one. */
NW_EXPORT uint64_t nw_data_transfer_report_get_received_transport_out_of_order_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index);
/** Octets that the transport has sent, without headers. Those sent again count again. */
NW_EXPORT uint64_t nw_data_transfer_report_get_sent_transport_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index);
/** Of these, the octets that were sent again. */
NW_EXPORT uint64_t nw_data_transfer_report_get_sent_transport_retransmitted_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index);

/** The transport's smoothed round-trip time as the measurement ended; 0 for UDP. */
NW_EXPORT uint64_t nw_data_transfer_report_get_transport_smoothed_rtt_milliseconds(
    nw_data_transfer_report_t report, uint32_t path_index);
/** The shortest round-trip time that the kernel remembers (over some minutes); 0 for UDP. */
NW_EXPORT uint64_t nw_data_transfer_report_get_transport_minimum_rtt_milliseconds(
    nw_data_transfer_report_t report, uint32_t path_index);
/** How much the round-trip time varies: its mean deviation in milliseconds; 0 for UDP. */
NW_EXPORT uint64_t nw_data_transfer_report_get_transport_rtt_variance(
    nw_data_transfer_report_t report, uint32_t path_index);

/** Octets of content that the protocols have delivered. */
NW_EXPORT uint64_t nw_data_transfer_report_get_received_application_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index);
/** Octets of content that the protocols have taken: of sends that have completed. */
NW_EXPORT uint64_t nw_data_transfer_report_get_sent_application_byte_count(
    nw_data_transfer_report_t report, uint32_t path_index);

/** A reference to the interface of the path, or NULL when it is not known. */
NW_EXPORT nw_interface_t
nw_data_transfer_report_copy_path_interface(nw_data_transfer_report_t report, uint32_t path_index);

/** The radio technology of that interface; unknown for one that is no radio, or when it is not
 * known. */
NW_EXPORT nw_interface_radio_type_t
nw_data_transfer_report_get_path_radio_type(nw_data_transfer_report_t report, uint32_t path_index);

NW_EXTERN_C_END

#endif
