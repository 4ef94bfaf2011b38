/*
 * tls_options.h - TLS over TCP, and DTLS over UDP.
 * The settings themselves are those of <Security/SecProtocolOptions.h>.
 */
#ifndef NETWORK_TLS_OPTIONS_H
#define NETWORK_TLS_OPTIONS_H

#include <Network/protocol_options.h>
#include <Security/Security.h>

NW_EXTERN_C_BEGIN

/** A reference to the definition of TLS. */
NW_EXPORT nw_protocol_definition_t nw_protocol_copy_tls_definition(void);

/** New TLS options with all defaults, for nw_protocol_stack_prepend_application_protocol(). NULL:
 * no memory. */
NW_EXPORT nw_protocol_options_t nw_tls_create_options(void);

/**
 * A reference to the security settings of TLS options. It is live: changes made through it are
 * changes of those options. NULL when the options are not TLS's.
 */
NW_EXPORT sec_protocol_options_t nw_tls_copy_sec_protocol_options(nw_protocol_options_t options);

/** Whether the metadata is TLS's; false for NULL. */
NW_EXPORT bool nw_protocol_metadata_is_tls(nw_protocol_metadata_t metadata);

/** A reference to what the handshake agreed on; NULL when the metadata is not TLS's. */
NW_EXPORT sec_protocol_metadata_t
nw_tls_copy_sec_protocol_metadata(nw_protocol_metadata_t metadata);

NW_EXTERN_C_END

#endif
