/*
 * SecProtocolMetadata.h - what a TLS handshake agreed on.
 * Metadata comes from nw_tls_copy_sec_protocol_metadata() and from the handlers of
 * SecProtocolOptions.h.
 */
#ifndef SECURITY_SEC_PROTOCOL_METADATA_H
#define SECURITY_SEC_PROTOCOL_METADATA_H

#include <Security/SecProtocolObject.h>
#include <Security/SecProtocolTypes.h>

SEC_EXTERN_C_BEGIN

SEC_OBJECT_DECL(sec_protocol_metadata);

SEC_EXTERN_C_END

#endif
