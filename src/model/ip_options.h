/* ip_options.h - the options of IP, as the transports read them. */
#ifndef NWI_MODEL_IP_OPTIONS_H
#define NWI_MODEL_IP_OPTIONS_H

#include "model/protocol.h"
#include <Network/ip_options.h>

extern struct nw_protocol_definition nwi_ip_definition;

struct nwi_ip_options {
    struct nw_protocol_options base;
    nw_ip_version_t version;
    nw_ip_local_address_preference_t local_address_preference;
    uint8_t hop_limit;       /* 0 = the system's default */
    uint8_t custom_protocol; /* number of a protocol straight over IP; 0 = none. A stack
                                with it has no transport */
    bool use_minimum_mtu;
    bool disable_fragmentation, fragmentation_set; /* set: the caller decided */
    bool calculate_receive_time;
    bool disable_multicast_loopback;
};

/* New options with all defaults; +1 or NULL. */
nw_protocol_options_t nwi_ip_options_create(void);
/* The same object, or NULL when the options are not IP's. */
struct nwi_ip_options *nwi_ip_options(nw_protocol_options_t options);

#endif
