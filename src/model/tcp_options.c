/*
 * tcp_options.c - TCP's definition and options.
 * What:   records what the setters are told; src/protocol/tcp reads it.
 * Source: semantics of nw_tcp_options: seconds, octets, 0 = the system's default.
 * Runs:   unsynchronised, as the public calls say.
 */
#include "model/tcp_options.h"
#include "base/log.h"

static const struct nwi_type tcp_options_type = {
    .name = "nw_tcp_options",
    .size = sizeof(struct nwi_tcp_options),
};

struct nw_protocol_definition nwi_tcp_definition =
    NWI_PROTOCOL_DEFINITION(.name = "tcp", .transport = true);

NW_EXPORT nw_protocol_definition_t nw_protocol_copy_tcp_definition(void) {
    return nwi_retain(&nwi_tcp_definition);
}

NW_EXPORT nw_protocol_options_t nw_tcp_create_options(void) {
    struct nwi_tcp_options *options =
        nwi_protocol_options_create(&tcp_options_type, &nwi_tcp_definition);
    if (options == NULL)
        return NULL;
    options->multipath_force_version = nw_multipath_version_unspecified;
    return &options->base;
}

struct nwi_tcp_options *nwi_tcp_options(nw_protocol_options_t options) {
    return nwi_protocol_options_are(options, &nwi_tcp_definition)
               ? (struct nwi_tcp_options *)options
               : NULL;
}

/* For the setters: the options, or NULL after having said what is wrong with them. */
static struct nwi_tcp_options *checked(nw_protocol_options_t options, const char *function) {
    struct nwi_tcp_options *tcp = nwi_tcp_options(options);
    if (tcp == NULL)
        nwi_log_misuse(function, options == NULL ? "options are NULL" : "options are not TCP's");
    return tcp;
}

NW_EXPORT void nw_tcp_options_set_no_delay(nw_protocol_options_t options, bool no_delay) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->no_delay = no_delay;
}

NW_EXPORT void nw_tcp_options_set_no_push(nw_protocol_options_t options, bool no_push) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->no_push = no_push;
}

NW_EXPORT void nw_tcp_options_set_no_options(nw_protocol_options_t options, bool no_options) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->no_options = no_options;
}

NW_EXPORT void nw_tcp_options_set_enable_keepalive(nw_protocol_options_t options,
                                                   bool enable_keepalive) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->enable_keepalive = enable_keepalive;
}

NW_EXPORT void nw_tcp_options_set_keepalive_count(nw_protocol_options_t options,
                                                  uint32_t keepalive_count) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->keepalive_count = keepalive_count;
}

NW_EXPORT void nw_tcp_options_set_keepalive_idle_time(nw_protocol_options_t options,
                                                      uint32_t keepalive_idle_time) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->keepalive_idle_time = keepalive_idle_time;
}

NW_EXPORT void nw_tcp_options_set_keepalive_interval(nw_protocol_options_t options,
                                                     uint32_t keepalive_interval) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->keepalive_interval = keepalive_interval;
}

NW_EXPORT void nw_tcp_options_set_maximum_segment_size(nw_protocol_options_t options,
                                                       uint32_t maximum_segment_size) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->maximum_segment_size = maximum_segment_size;
}

NW_EXPORT void nw_tcp_options_set_connection_timeout(nw_protocol_options_t options,
                                                     uint32_t connection_timeout) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->connection_timeout = connection_timeout;
}

NW_EXPORT void nw_tcp_options_set_persist_timeout(nw_protocol_options_t options,
                                                  uint32_t persist_timeout) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->persist_timeout = persist_timeout;
}

NW_EXPORT void
nw_tcp_options_set_retransmit_connection_drop_time(nw_protocol_options_t options,
                                                   uint32_t retransmit_connection_drop_time) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->retransmit_connection_drop_time = retransmit_connection_drop_time;
}

NW_EXPORT void nw_tcp_options_set_retransmit_fin_drop(nw_protocol_options_t options,
                                                      bool retransmit_fin_drop) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->retransmit_fin_drop = retransmit_fin_drop;
}

NW_EXPORT void nw_tcp_options_set_disable_ack_stretching(nw_protocol_options_t options,
                                                         bool disable_ack_stretching) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->disable_ack_stretching = disable_ack_stretching;
}

NW_EXPORT void nw_tcp_options_set_enable_fast_open(nw_protocol_options_t options,
                                                   bool enable_fast_open) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->enable_fast_open = enable_fast_open;
}

NW_EXPORT void nw_tcp_options_set_disable_ecn(nw_protocol_options_t options, bool disable_ecn) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp != NULL)
        tcp->disable_ecn = disable_ecn;
}

NW_EXPORT void
nw_tcp_options_set_multipath_force_version(nw_protocol_options_t options,
                                           nw_multipath_version_t multipath_force_version) {
    struct nwi_tcp_options *tcp = checked(options, __func__);
    if (tcp == NULL)
        return;
    if (multipath_force_version < nw_multipath_version_unspecified ||
        multipath_force_version > nw_multipath_version_1) {
        nwi_log_misuse(__func__, "no such version of Multipath TCP");
        return;
    }
    tcp->multipath_force_version = multipath_force_version;
}
