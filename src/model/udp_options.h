/* udp_options.h - the options of UDP, as the protocol reads them. */
#ifndef NWI_MODEL_UDP_OPTIONS_H
#define NWI_MODEL_UDP_OPTIONS_H

#include "model/protocol.h"
#include <Network/udp_options.h>

extern struct nw_protocol_definition nwi_udp_definition;

struct nwi_udp_options {
    struct nw_protocol_options base;
    bool prefer_no_checksum;
};

/* The same object, or NULL when the options are not UDP's. */
struct nwi_udp_options *nwi_udp_options(nw_protocol_options_t options);

#endif
