/* tcp_options.h - the options of TCP, as the protocol reads them. Times in seconds; 0 = the
 * system's default. */
#ifndef NWI_MODEL_TCP_OPTIONS_H
#define NWI_MODEL_TCP_OPTIONS_H

#include "model/protocol.h"
#include <Network/tcp_options.h>

extern struct nw_protocol_definition nwi_tcp_definition;

struct nwi_tcp_options {
    struct nw_protocol_options base;
    bool no_delay, no_push, no_options;
    bool enable_keepalive;
    bool retransmit_fin_drop;
    bool disable_ack_stretching;
    bool enable_fast_open;
    bool disable_ecn;
    uint32_t keepalive_count; /* probes */
    uint32_t keepalive_idle_time;
    uint32_t keepalive_interval;
    uint32_t maximum_segment_size; /* octets */
    uint32_t connection_timeout;
    uint32_t persist_timeout;
    uint32_t retransmit_connection_drop_time;
    nw_multipath_version_t multipath_force_version;
};

/* The same object, or NULL when the options are not TCP's. */
struct nwi_tcp_options *nwi_tcp_options(nw_protocol_options_t options);

#endif
