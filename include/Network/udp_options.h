/* udp_options.h - UDP: options and per-datagram metadata. */
#ifndef NETWORK_UDP_OPTIONS_H
#define NETWORK_UDP_OPTIONS_H

#include <Network/protocol_options.h>

NW_EXTERN_C_BEGIN

/** A reference to the definition of UDP. */
NW_EXPORT nw_protocol_definition_t nw_protocol_copy_udp_definition(void);

/** New UDP options with all defaults, for nw_protocol_stack_set_transport_protocol(). NULL: no
 * memory. */
NW_EXPORT nw_protocol_options_t nw_udp_create_options(void);

/** Leaves the checksum out where the protocol allows it (IPv4, RFC 768). Default false. */
NW_EXPORT void nw_udp_options_set_prefer_no_checksum(nw_protocol_options_t options,
                                                     bool prefer_no_checksum);

/** New UDP metadata, to be set on a content context. NULL: no memory. */
NW_EXPORT nw_protocol_metadata_t nw_udp_create_metadata(void);

/** Whether the metadata is UDP's; false for NULL. */
NW_EXPORT bool nw_protocol_metadata_is_udp(nw_protocol_metadata_t metadata);

NW_EXTERN_C_END

#endif
