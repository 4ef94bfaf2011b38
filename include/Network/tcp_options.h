/*
 * tcp_options.h - TCP: options set before the connection starts, and what a live connection can
 * tell. A setter given NULL, or the options of another protocol, is logged and has no effect.
 */
#ifndef NETWORK_TCP_OPTIONS_H
#define NETWORK_TCP_OPTIONS_H

#include <Network/protocol_options.h>

NW_EXTERN_C_BEGIN

/** A reference to the definition of TCP. */
NW_EXPORT nw_protocol_definition_t nw_protocol_copy_tcp_definition(void);

/** New TCP options with all defaults, for nw_protocol_stack_set_transport_protocol(). NULL: no
 * memory. */
NW_EXPORT nw_protocol_options_t nw_tcp_create_options(void);

/** Sends small segments at once instead of gathering them (Nagle's algorithm off). Default false.
 */
NW_EXPORT void nw_tcp_options_set_no_delay(nw_protocol_options_t options, bool no_delay);

/** Lets the kernel hold back a partial last segment until more is written. Default false. */
NW_EXPORT void nw_tcp_options_set_no_push(nw_protocol_options_t options, bool no_push);

/** Asks for segments without TCP options. Default false. */
NW_EXPORT void nw_tcp_options_set_no_options(nw_protocol_options_t options, bool no_options);

/** Sends keepalive probes on an idle connection. Default false. */
NW_EXPORT void nw_tcp_options_set_enable_keepalive(nw_protocol_options_t options,
                                                   bool enable_keepalive);

/** Probes without answer after which the connection fails; 0 = the system's default. */
NW_EXPORT void nw_tcp_options_set_keepalive_count(nw_protocol_options_t options,
                                                  uint32_t keepalive_count);

/** Idle seconds before the first keepalive probe; 0 = the system's default. */
NW_EXPORT void nw_tcp_options_set_keepalive_idle_time(nw_protocol_options_t options,
                                                      uint32_t keepalive_idle_time);

/** Seconds between keepalive probes; 0 = the system's default. */
NW_EXPORT void nw_tcp_options_set_keepalive_interval(nw_protocol_options_t options,
                                                     uint32_t keepalive_interval);

/** Largest segment to send, in octets; 0 = the system's default. */
NW_EXPORT void nw_tcp_options_set_maximum_segment_size(nw_protocol_options_t options,
                                                       uint32_t maximum_segment_size);

/** Seconds that one attempt to connect may take; 0 = the system's default. */
NW_EXPORT void nw_tcp_options_set_connection_timeout(nw_protocol_options_t options,
                                                     uint32_t connection_timeout);

/** Seconds that a peer may keep its window closed before the connection fails; 0 = the default. */
NW_EXPORT void nw_tcp_options_set_persist_timeout(nw_protocol_options_t options,
                                                  uint32_t persist_timeout);

/** Seconds of retransmission without an answer after which the connection fails; 0 = the default.
 */
NW_EXPORT void
nw_tcp_options_set_retransmit_connection_drop_time(nw_protocol_options_t options,
                                                   uint32_t retransmit_connection_drop_time);

/** Gives up on a connection whose FIN is not acknowledged after retransmission. Default false. */
NW_EXPORT void nw_tcp_options_set_retransmit_fin_drop(nw_protocol_options_t options,
                                                      bool retransmit_fin_drop);

/** Acknowledges each segment instead of stretching acknowledgements over several. Default false. */
NW_EXPORT void nw_tcp_options_set_disable_ack_stretching(nw_protocol_options_t options,
                                                         bool disable_ack_stretching);

/**
 * Carries the first octets in the SYN (TCP Fast Open, RFC 7413). With TCP as the top protocol
 * nw_parameters_set_fast_open_enabled() is needed as well. Default false.
 */
NW_EXPORT void nw_tcp_options_set_enable_fast_open(nw_protocol_options_t options,
                                                   bool enable_fast_open);

/** Does not negotiate explicit congestion notification (RFC 3168). Default false. */
NW_EXPORT void nw_tcp_options_set_disable_ecn(nw_protocol_options_t options, bool disable_ecn);

/** Version of Multipath TCP. */
typedef enum {
    nw_multipath_version_unspecified = -1,
    nw_multipath_version_0 = 0,
    nw_multipath_version_1 = 1,
} nw_multipath_version_t;

/** Insists on a version of Multipath TCP. Linux speaks version 1 (RFC 8684). Default unspecified.
 */
NW_EXPORT void
nw_tcp_options_set_multipath_force_version(nw_protocol_options_t options,
                                           nw_multipath_version_t multipath_force_version);

/** Whether the metadata is TCP's; false for NULL. */
NW_EXPORT bool nw_protocol_metadata_is_tcp(nw_protocol_metadata_t metadata);

/**
 * Octets that have arrived for the connection and were not read yet. 0 when the metadata is not
 * TCP's, and once the connection has ended.
 */
NW_EXPORT uint32_t nw_tcp_get_available_receive_buffer(nw_protocol_metadata_t metadata);

/** Octets that were sent and are not acknowledged yet; 0 as above. */
NW_EXPORT uint32_t nw_tcp_get_available_send_buffer(nw_protocol_metadata_t metadata);

/**
 * Limits the rate at which the connection sends, in octets a second. 0 and UINT64_MAX take the
 * limit off; values under 12500 are raised to it. Returns 0, or an errno value: EINVAL when the
 * metadata is not TCP's, ENOTCONN when it belongs to no live connection, or what the kernel
 * answers.
 */
NW_EXPORT int nw_tcp_set_max_pacing_rate(nw_protocol_metadata_t metadata, uint64_t max_pacing_rate);

NW_EXTERN_C_END

#endif
