/*
 * udp_options.c - UDP's definition and options.
 * What:   records what the setter is told; src/protocol/udp reads it.
 * Runs:   unsynchronised, as the public calls say.
 */
#include "model/udp_options.h"
#include "base/log.h"

static const struct nwi_type udp_options_type = {
    .name = "nw_udp_options",
    .size = sizeof(struct nwi_udp_options),
};

struct nw_protocol_definition nwi_udp_definition =
    NWI_PROTOCOL_DEFINITION(.name = "udp", .transport = true);

NW_EXPORT nw_protocol_definition_t nw_protocol_copy_udp_definition(void) {
    return nwi_retain(&nwi_udp_definition);
}

NW_EXPORT nw_protocol_options_t nw_udp_create_options(void) {
    return nwi_protocol_options_create(&udp_options_type, &nwi_udp_definition);
}

struct nwi_udp_options *nwi_udp_options(nw_protocol_options_t options) {
    return nwi_protocol_options_are(options, &nwi_udp_definition)
               ? (struct nwi_udp_options *)options
               : NULL;
}

NW_EXPORT void nw_udp_options_set_prefer_no_checksum(nw_protocol_options_t options,
                                                     bool prefer_no_checksum) {
    struct nwi_udp_options *udp = nwi_udp_options(options);
    if (udp == NULL)
        nwi_log_misuse(__func__, options == NULL ? "options are NULL" : "options are not UDP's");
    else
        udp->prefer_no_checksum = prefer_no_checksum;
}
