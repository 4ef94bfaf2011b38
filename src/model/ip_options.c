/*
 * ip_options.c - IP's definition and options.
 * What:   records what the setters are told; the transports read it.
 * Source: semantics of nw_ip_options.
 * Runs:   unsynchronised, as the public calls say.
 */
#include "model/ip_options.h"
#include "base/log.h"

static const struct nwi_type ip_options_type = {
    .name = "nw_ip_options",
    .size = sizeof(struct nwi_ip_options),
};

struct nw_protocol_definition nwi_ip_definition = NWI_PROTOCOL_DEFINITION(.name = "ip");

NW_EXPORT nw_protocol_definition_t nw_protocol_copy_ip_definition(void) {
    return nwi_retain(&nwi_ip_definition);
}

nw_protocol_options_t nwi_ip_options_create(void) {
    return nwi_protocol_options_create(&ip_options_type, &nwi_ip_definition);
}

struct nwi_ip_options *nwi_ip_options(nw_protocol_options_t options) {
    return nwi_protocol_options_are(options, &nwi_ip_definition) ? (struct nwi_ip_options *)options
                                                                 : NULL;
}

/* For the setters: the options, or NULL after having said what is wrong with them. */
static struct nwi_ip_options *checked(nw_protocol_options_t options, const char *function) {
    struct nwi_ip_options *ip = nwi_ip_options(options);
    if (ip == NULL)
        nwi_log_misuse(function, options == NULL ? "options are NULL" : "options are not IP's");
    return ip;
}

NW_EXPORT void nw_ip_options_set_version(nw_protocol_options_t options, nw_ip_version_t version) {
    struct nwi_ip_options *ip = checked(options, __func__);
    if (ip == NULL)
        return;
    if (version != nw_ip_version_any && version != nw_ip_version_4 && version != nw_ip_version_6) {
        nwi_log_misuse(__func__, "no such version of IP");
        return;
    }
    ip->version = version;
}

NW_EXPORT void nw_ip_options_set_disable_fragmentation(nw_protocol_options_t options,
                                                       bool disable_fragmentation) {
    struct nwi_ip_options *ip = checked(options, __func__);
    if (ip == NULL)
        return;
    ip->disable_fragmentation = disable_fragmentation;
    ip->fragmentation_set = true;
}

NW_EXPORT void
nw_ip_options_set_local_address_preference(nw_protocol_options_t options,
                                           nw_ip_local_address_preference_t preference) {
    struct nwi_ip_options *ip = checked(options, __func__);
    if (ip == NULL)
        return;
    if (preference > nw_ip_local_address_preference_stable) {
        nwi_log_misuse(__func__, "no such preference");
        return;
    }
    ip->local_address_preference = preference;
}

NW_EXPORT void nw_ip_options_set_hop_limit(nw_protocol_options_t options, uint8_t hop_limit) {
    struct nwi_ip_options *ip = checked(options, __func__);
    if (ip != NULL)
        ip->hop_limit = hop_limit;
}

NW_EXPORT void nw_ip_options_set_use_minimum_mtu(nw_protocol_options_t options,
                                                 bool use_minimum_mtu) {
    struct nwi_ip_options *ip = checked(options, __func__);
    if (ip != NULL)
        ip->use_minimum_mtu = use_minimum_mtu;
}

NW_EXPORT void nw_ip_options_set_calculate_receive_time(nw_protocol_options_t options,
                                                        bool calculate_receive_time) {
    struct nwi_ip_options *ip = checked(options, __func__);
    if (ip != NULL)
        ip->calculate_receive_time = calculate_receive_time;
}

NW_EXPORT void nw_ip_options_set_disable_multicast_loopback(nw_protocol_options_t options,
                                                            bool disable_multicast_loopback) {
    struct nwi_ip_options *ip = checked(options, __func__);
    if (ip != NULL)
        ip->disable_multicast_loopback = disable_multicast_loopback;
}
