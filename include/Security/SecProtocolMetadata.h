/*
 * SecProtocolMetadata.h - what a TLS handshake agreed on.
 * Metadata comes from nw_tls_copy_sec_protocol_metadata() and from the handlers of
 * SecProtocolOptions.h; in a handler it holds what is known at that moment of the handshake. It
 * never changes, and any thread may ask it. A call given NULL metadata is logged and answers NULL,
 * 0 or false.
 */
#ifndef SECURITY_SEC_PROTOCOL_METADATA_H
#define SECURITY_SEC_PROTOCOL_METADATA_H

#include <Security/SecProtocolObject.h>
#include <Security/SecProtocolTypes.h>
#include <dispatch/data.h>

SEC_EXTERN_C_BEGIN

SEC_OBJECT_DECL(sec_protocol_metadata);

/* --- what was agreed on --- */

/** The application protocol that both ends chose (ALPN, RFC 7301); NULL: none. It lives as long as
 * the metadata. */
SEC_EXPORT const char *
sec_protocol_metadata_get_negotiated_protocol(sec_protocol_metadata_t metadata);
/** The same as a copy that the caller frees with free(). */
SEC_EXPORT const char *
sec_protocol_metadata_copy_negotiated_protocol(sec_protocol_metadata_t metadata);

/** The name that the client asked for (SNI, RFC 6066 section 3); NULL: none, as for IP addresses.
 * It lives as long as the metadata. */
SEC_EXPORT const char *sec_protocol_metadata_get_server_name(sec_protocol_metadata_t metadata);
/** The same as a copy that the caller frees with free(). */
SEC_EXPORT const char *sec_protocol_metadata_copy_server_name(sec_protocol_metadata_t metadata);

/** The version agreed on, as it stands on the wire; 0 before. */
SEC_EXPORT tls_protocol_version_t
sec_protocol_metadata_get_negotiated_tls_protocol_version(sec_protocol_metadata_t metadata);
/** Older form, in the numbers of SSLProtocol; kSSLProtocolUnknown before. */
SEC_EXPORT SSLProtocol
sec_protocol_metadata_get_negotiated_protocol_version(sec_protocol_metadata_t metadata);

/** The cipher suite agreed on, as it stands on the wire; 0 before. */
SEC_EXPORT tls_ciphersuite_t
sec_protocol_metadata_get_negotiated_tls_ciphersuite(sec_protocol_metadata_t metadata);
/** Older name of the same, for the constants of CipherSuite.h. */
SEC_EXPORT SSLCipherSuite
sec_protocol_metadata_get_negotiated_ciphersuite(sec_protocol_metadata_t metadata);

/** Whether the server took what the client sent before the handshake was over (RFC 8446 section
 * 2.3). */
SEC_EXPORT bool sec_protocol_metadata_get_early_data_accepted(sec_protocol_metadata_t metadata);

/** A reference to the public key of the peer's certificate: its SubjectPublicKeyInfo in DER. NULL
 * when the peer showed no certificate. */
SEC_EXPORT dispatch_data_t
sec_protocol_metadata_copy_peer_public_key(sec_protocol_metadata_t metadata);

/* --- lists: the handler is called once for each member, before the call returns. They answer false
 * when there is nothing to show. What a handler is given, it retains to keep. --- */

typedef void (*sec_access_certificate_f)(void *context, sec_certificate_t certificate);
typedef void (*sec_access_data_f)(void *context, dispatch_data_t data);
typedef void (*sec_access_signature_algorithm_f)(void *context, uint16_t signature_algorithm);
typedef void (*sec_access_pre_shared_key_f)(void *context, dispatch_data_t psk,
                                            dispatch_data_t psk_identity);

#ifdef __BLOCKS__
/** The certificates that the peer sent, its own first. */
SEC_EXPORT bool
sec_protocol_metadata_access_peer_certificate_chain(sec_protocol_metadata_t metadata,
                                                    void (^handler)(sec_certificate_t certificate));
/** The OCSP responses that the peer stapled to its certificates (RFC 6960), in DER. */
SEC_EXPORT bool
sec_protocol_metadata_access_ocsp_response(sec_protocol_metadata_t metadata,
                                           void (^handler)(dispatch_data_t ocsp_data));
/** The signature algorithms that the peer accepts, as they stand on the wire (RFC 8446 section
 * 4.2.3), in its order. */
SEC_EXPORT bool sec_protocol_metadata_access_supported_signature_algorithms(
    sec_protocol_metadata_t metadata, void (^handler)(uint16_t signature_algorithm));
/** The names of the CAs whose certificates the peer accepts from us, in DER. */
SEC_EXPORT bool sec_protocol_metadata_access_distinguished_names(
    sec_protocol_metadata_t metadata, void (^handler)(dispatch_data_t distinguished_name));
/** The pre-shared keys of this handshake with the identities that name them. */
SEC_EXPORT bool sec_protocol_metadata_access_pre_shared_keys(
    sec_protocol_metadata_t metadata,
    void (^handler)(dispatch_data_t psk, dispatch_data_t psk_identity));
#endif

/** Function form of sec_protocol_metadata_access_peer_certificate_chain(). */
SEC_EXPORT bool sec_protocol_metadata_access_peer_certificate_chain_f(
    sec_protocol_metadata_t metadata, void *context, sec_access_certificate_f handler);
/** Function form of sec_protocol_metadata_access_ocsp_response(). */
SEC_EXPORT bool sec_protocol_metadata_access_ocsp_response_f(sec_protocol_metadata_t metadata,
                                                             void *context,
                                                             sec_access_data_f handler);
/** Function form of sec_protocol_metadata_access_supported_signature_algorithms(). */
SEC_EXPORT bool sec_protocol_metadata_access_supported_signature_algorithms_f(
    sec_protocol_metadata_t metadata, void *context, sec_access_signature_algorithm_f handler);
/** Function form of sec_protocol_metadata_access_distinguished_names(). */
SEC_EXPORT bool sec_protocol_metadata_access_distinguished_names_f(sec_protocol_metadata_t metadata,
                                                                   void *context,
                                                                   sec_access_data_f handler);
/** Function form of sec_protocol_metadata_access_pre_shared_keys(). */
SEC_EXPORT bool sec_protocol_metadata_access_pre_shared_keys_f(sec_protocol_metadata_t metadata,
                                                               void *context,
                                                               sec_access_pre_shared_key_f handler);

/* --- comparison --- */

/** Whether both speak of the same peer: the same server name, public key and certificates. Agreed
 * values may differ. */
SEC_EXPORT bool sec_protocol_metadata_peers_are_equal(sec_protocol_metadata_t metadataA,
                                                      sec_protocol_metadata_t metadataB);
/** Whether both peers asked for the same kind of certificate: the same distinguished names and
 * signature algorithms. */
SEC_EXPORT bool
sec_protocol_metadata_challenge_parameters_are_equal(sec_protocol_metadata_t metadataA,
                                                     sec_protocol_metadata_t metadataB);

/* --- exported secrets --- */

/**
 * A secret of `exporter_length` octets, 1 to 65535, that both ends of the connection derive alike
 * from the same label (RFC 5705 section 4, RFC 8446 section 7.5). The label has `label_len` octets
 * and needs no 0 at its end. Returns a reference, or NULL: before the handshake is over, once the
 * connection has ended, and when TLS 1.3 cannot give as many octets (255 times the length of its
 * hash).
 */
SEC_EXPORT dispatch_data_t sec_protocol_metadata_create_secret(sec_protocol_metadata_t metadata,
                                                               size_t label_len, const char *label,
                                                               size_t exporter_length);
/** The same, bound to a context of at most 65535 octets as well. Both ends must give the same one;
 * an empty context differs from none in TLS 1.2. */
SEC_EXPORT dispatch_data_t sec_protocol_metadata_create_secret_with_context(
    sec_protocol_metadata_t metadata, size_t label_len, const char *label, size_t context_len,
    const uint8_t *context, size_t exporter_length);

SEC_EXTERN_C_END

#endif
