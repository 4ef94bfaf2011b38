/*
 * session_metadata.h - what else a TLS handshake tells. It is libnw's own: the original keeps these
 * facts to itself. <Security/Security.h> does not include this header.
 */
#ifndef SECURITY_SESSION_METADATA_H
#define SECURITY_SESSION_METADATA_H

#include <Security/SecProtocolMetadata.h>

SEC_EXTERN_C_BEGIN

/** Whether the session continues an earlier one, by ticket or session identifier: then the peer
 * sent no certificates again. */
SEC_EXPORT bool sec_protocol_metadata_get_session_resumed(sec_protocol_metadata_t metadata);

#ifdef __BLOCKS__
/** The signed certificate timestamps that came with the handshake, each a SerializedSCT (RFC 6962
 * section 3.3). Called once for each, before the call returns; false: there are none. */
SEC_EXPORT bool sec_protocol_metadata_access_signed_certificate_timestamps(
    sec_protocol_metadata_t metadata, void (^handler)(dispatch_data_t timestamp));
#endif
/** Function form of sec_protocol_metadata_access_signed_certificate_timestamps(). */
SEC_EXPORT bool sec_protocol_metadata_access_signed_certificate_timestamps_f(
    sec_protocol_metadata_t metadata, void *context, sec_access_data_f handler);

SEC_EXTERN_C_END

#endif
