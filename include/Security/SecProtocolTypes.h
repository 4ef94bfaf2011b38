/* SecProtocolTypes.h - the versions, cipher suites and credentials that TLS settings speak of. */
#ifndef SECURITY_SEC_PROTOCOL_TYPES_H
#define SECURITY_SEC_PROTOCOL_TYPES_H

#include <Security/CipherSuite.h>
#include <Security/SecProtocolObject.h>

SEC_EXTERN_C_BEGIN

/** The evaluation of a certificate chain. */
SEC_OBJECT_DECL(sec_trust);
/** A certificate with its private key. */
SEC_OBJECT_DECL(sec_identity);
/** A certificate. */
SEC_OBJECT_DECL(sec_certificate);

/** A version of TLS or DTLS, as it stands on the wire. */
typedef uint16_t tls_protocol_version_t;
enum {
    tls_protocol_version_TLSv10 = 0x0301,
    tls_protocol_version_TLSv11 = 0x0302,
    tls_protocol_version_TLSv12 = 0x0303,
    tls_protocol_version_TLSv13 = 0x0304,
    tls_protocol_version_DTLSv10 = 0xFEFF,
    tls_protocol_version_DTLSv12 = 0xFEFD,
};

/** A cipher suite, as it stands on the wire. */
typedef uint16_t tls_ciphersuite_t;
enum {
    tls_ciphersuite_RSA_WITH_3DES_EDE_CBC_SHA = 0x000A,
    tls_ciphersuite_RSA_WITH_AES_128_CBC_SHA = 0x002F,
    tls_ciphersuite_RSA_WITH_AES_256_CBC_SHA = 0x0035,
    tls_ciphersuite_RSA_WITH_AES_128_GCM_SHA256 = 0x009C,
    tls_ciphersuite_RSA_WITH_AES_256_GCM_SHA384 = 0x009D,
    tls_ciphersuite_RSA_WITH_AES_128_CBC_SHA256 = 0x003C,
    tls_ciphersuite_RSA_WITH_AES_256_CBC_SHA256 = 0x003D,
    tls_ciphersuite_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA = 0xC008,
    tls_ciphersuite_ECDHE_ECDSA_WITH_AES_128_CBC_SHA = 0xC009,
    tls_ciphersuite_ECDHE_ECDSA_WITH_AES_256_CBC_SHA = 0xC00A,
    tls_ciphersuite_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA = 0xC012,
    tls_ciphersuite_ECDHE_RSA_WITH_AES_128_CBC_SHA = 0xC013,
    tls_ciphersuite_ECDHE_RSA_WITH_AES_256_CBC_SHA = 0xC014,
    tls_ciphersuite_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 = 0xC023,
    tls_ciphersuite_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 = 0xC024,
    tls_ciphersuite_ECDHE_RSA_WITH_AES_128_CBC_SHA256 = 0xC027,
    tls_ciphersuite_ECDHE_RSA_WITH_AES_256_CBC_SHA384 = 0xC028,
    tls_ciphersuite_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 = 0xC02B,
    tls_ciphersuite_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 = 0xC02C,
    tls_ciphersuite_ECDHE_RSA_WITH_AES_128_GCM_SHA256 = 0xC02F,
    tls_ciphersuite_ECDHE_RSA_WITH_AES_256_GCM_SHA384 = 0xC030,
    tls_ciphersuite_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 = 0xCCA8,
    tls_ciphersuite_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 = 0xCCA9,
    tls_ciphersuite_AES_128_GCM_SHA256 = 0x1301,
    tls_ciphersuite_AES_256_GCM_SHA384 = 0x1302,
    tls_ciphersuite_CHACHA20_POLY1305_SHA256 = 0x1303,
};

/** A set of cipher suites. */
typedef uint16_t tls_ciphersuite_group_t;
enum {
    tls_ciphersuite_group_default = 0,
    tls_ciphersuite_group_compatibility = 1,
    tls_ciphersuite_group_legacy = 2,
    tls_ciphersuite_group_ats = 3,
    tls_ciphersuite_group_ats_compatibility = 4,
    tls_ciphersuite_group_ats_fcp_v2_1 = 5,
};

/** A version of TLS in the numbering of older calls; not the one on the wire. */
typedef int SSLProtocol;
enum {
    kSSLProtocolUnknown = 0,
    kTLSProtocol1 = 4,
    kTLSProtocol11 = 7,
    kTLSProtocol12 = 8,
    kDTLSProtocol1 = 9,
    kTLSProtocol13 = 10,
    kDTLSProtocol12 = 11,
    kTLSProtocolMaxSupported = 999,
    kSSLProtocol2 = 1,
    kSSLProtocol3 = 2,
    kSSLProtocol3Only = 3,
    kTLSProtocol1Only = 5,
    kSSLProtocolAll = 6,
};

/**
 * Calls the handler for every certificate that an identity shows to its peer, its own first, before
 * the call returns. Returns false, and calls nobody, when identity or handler is NULL.
 */
typedef void (*sec_identity_certificate_f)(void *context, sec_certificate_t certificate);
SEC_EXPORT bool sec_identity_access_certificates_f(sec_identity_t identity, void *context,
                                                   sec_identity_certificate_f handler);
#ifdef __BLOCKS__
SEC_EXPORT bool sec_identity_access_certificates(sec_identity_t identity,
                                                 void (^handler)(sec_certificate_t certificate));
#endif

SEC_EXTERN_C_END

#endif
