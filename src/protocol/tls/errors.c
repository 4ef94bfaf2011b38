/*
 * errors.c - GnuTLS's codes and TLS alerts to errSSL codes, and refusals to alerts.
 * What:   three tables. A code that says what the peer did keeps that meaning; what went wrong
 *         inside GnuTLS is errSSLCrypto or errSSLInternal; what the settings made impossible is
 *         errSSLBadConfiguration.
 * Source: errSSL codes of Secure Transport, in which "Peer" marks what came as an alert; alerts:
 *         RFC 8446 section 6, RFC 5246 section 7.2, RFC 6066 section 9, RFC 7301 section 3.2;
 *         codes: gnutls.h of GnuTLS 3.7.9. docs/tls.md has the tables with reasons.
 * Runs:   any thread.
 */
#include "protocol/tls/errors.h"
#include <Security/SecureTransport.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

struct pair {
    int from, to;
};

/* Alerts without a name in GnuTLS. */
enum {
    ALERT_BAD_CERTIFICATE_STATUS_RESPONSE = 113, /* RFC 6066 section 8 */
    ALERT_BAD_CERTIFICATE_HASH_VALUE = 114,      /* RFC 6066 section 5 */
};

/* What the peer told us. */
static const struct pair received[] = {
    {GNUTLS_A_CLOSE_NOTIFY, errSSLClosedGraceful},
    {GNUTLS_A_UNEXPECTED_MESSAGE, errSSLPeerUnexpectedMsg},
    {GNUTLS_A_BAD_RECORD_MAC, errSSLPeerBadRecordMac},
    {GNUTLS_A_DECRYPTION_FAILED, errSSLPeerDecryptionFail},
    {GNUTLS_A_RECORD_OVERFLOW, errSSLPeerRecordOverflow},
    {GNUTLS_A_DECOMPRESSION_FAILURE, errSSLPeerDecompressFail},
    {GNUTLS_A_HANDSHAKE_FAILURE, errSSLPeerHandshakeFail},
    {GNUTLS_A_SSL3_NO_CERTIFICATE, errSSLPeerBadCert},
    {GNUTLS_A_BAD_CERTIFICATE, errSSLPeerBadCert},
    {GNUTLS_A_UNSUPPORTED_CERTIFICATE, errSSLPeerUnsupportedCert},
    {GNUTLS_A_CERTIFICATE_REVOKED, errSSLPeerCertRevoked},
    {GNUTLS_A_CERTIFICATE_EXPIRED, errSSLPeerCertExpired},
    {GNUTLS_A_CERTIFICATE_UNKNOWN, errSSLPeerCertUnknown},
    {GNUTLS_A_ILLEGAL_PARAMETER, errSSLIllegalParam},
    {GNUTLS_A_UNKNOWN_CA, errSSLPeerUnknownCA},
    {GNUTLS_A_ACCESS_DENIED, errSSLPeerAccessDenied},
    {GNUTLS_A_DECODE_ERROR, errSSLPeerDecodeError},
    {GNUTLS_A_DECRYPT_ERROR, errSSLPeerDecryptError},
    {GNUTLS_A_EXPORT_RESTRICTION, errSSLPeerExportRestriction},
    {GNUTLS_A_PROTOCOL_VERSION, errSSLPeerProtocolVersion},
    {GNUTLS_A_INSUFFICIENT_SECURITY, errSSLPeerInsufficientSecurity},
    {GNUTLS_A_INTERNAL_ERROR, errSSLPeerInternalError},
    {GNUTLS_A_INAPPROPRIATE_FALLBACK, errSSLInappropriateFallback},
    {GNUTLS_A_USER_CANCELED, errSSLPeerUserCancelled},
    {GNUTLS_A_NO_RENEGOTIATION, errSSLPeerNoRenegotiation},
    {GNUTLS_A_MISSING_EXTENSION, errSSLMissingExtension},
    {GNUTLS_A_UNSUPPORTED_EXTENSION, errSSLUnsupportedExtension},
    {GNUTLS_A_CERTIFICATE_UNOBTAINABLE, errSSLPeerCertUnknown},
    {GNUTLS_A_UNRECOGNIZED_NAME, errSSLUnrecognizedName},
    {ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, errSSLBadCertificateStatusResponse},
    {ALERT_BAD_CERTIFICATE_HASH_VALUE, errSSLPeerBadCert},
    {GNUTLS_A_UNKNOWN_PSK_IDENTITY, errSSLUnknownPSKIdentity},
    {GNUTLS_A_CERTIFICATE_REQUIRED, errSSLCertificateRequired},
    {GNUTLS_A_NO_APPLICATION_PROTOCOL, errSSLPeerHandshakeFail}, /* Apple has no code of its own */
};

/* What we found. */
static const struct pair found[] = {
    /* not an end */
    {GNUTLS_E_AGAIN, errSSLWouldBlock},
    {GNUTLS_E_INTERRUPTED, errSSLWouldBlock},
    {GNUTLS_E_INT_CHECK_AGAIN, errSSLWouldBlock},
    /* the peer's records and messages */
    {GNUTLS_E_LARGE_PACKET, errSSLRecordOverflow},
    {GNUTLS_E_RECORD_OVERFLOW, errSSLRecordOverflow},
    {GNUTLS_E_UNSUPPORTED_VERSION_PACKET, errSSLPeerProtocolVersion},
    {GNUTLS_E_UNEXPECTED_PACKET_LENGTH, errSSLDecodeError},
    {GNUTLS_E_UNEXPECTED_EXTENSIONS_LENGTH, errSSLDecodeError},
    {GNUTLS_E_HANDSHAKE_TOO_LARGE, errSSLDecodeError},
    {GNUTLS_E_PARSING_ERROR, errSSLDecodeError},
    {GNUTLS_E_UNEXPECTED_PACKET, errSSLUnexpectedRecord},
    {GNUTLS_E_GOT_APPLICATION_DATA, errSSLUnexpectedRecord},
    {GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET, errSSLUnexpectedMessage},
    {GNUTLS_E_TOO_MANY_EMPTY_PACKETS, errSSLUnexpectedMessage},
    {GNUTLS_E_TOO_MANY_HANDSHAKE_PACKETS, errSSLUnexpectedMessage},
    {GNUTLS_E_HEARTBEAT_PING_RECEIVED, errSSLUnexpectedRecord},
    {GNUTLS_E_HEARTBEAT_PONG_RECEIVED, errSSLUnexpectedRecord},
    {GNUTLS_E_DECRYPTION_FAILED, errSSLBadRecordMac}, /* never told apart: RFC 5246 section 7.2.2 */
    {GNUTLS_E_DECOMPRESSION_FAILED, errSSLDecompressFail},
    {GNUTLS_E_ERROR_IN_FINISHED_PACKET, errSSLCrypto},
    {GNUTLS_E_PK_SIG_VERIFY_FAILED, errSSLCrypto},
    {GNUTLS_E_RECEIVED_ILLEGAL_PARAMETER, errSSLIllegalParam},
    {GNUTLS_E_ILLEGAL_PARAMETER, errSSLIllegalParam},
    {GNUTLS_E_RECEIVED_DISALLOWED_NAME, errSSLIllegalParam},
    {GNUTLS_E_UNKNOWN_COMPRESSION_ALGORITHM, errSSLIllegalParam},
    {GNUTLS_E_NO_COMPRESSION_ALGORITHMS, errSSLIllegalParam},
    {GNUTLS_E_PK_INVALID_PUBKEY, errSSLIllegalParam},
    {GNUTLS_E_PK_INVALID_PUBKEY_PARAMS, errSSLIllegalParam},
    {GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY, errSSLIllegalParam},
    {GNUTLS_E_BAD_COOKIE, errSSLIllegalParam},
    {GNUTLS_E_ILLEGAL_SRP_USERNAME, errSSLIllegalParam},
    {GNUTLS_E_RECEIVED_ILLEGAL_EXTENSION, errSSLUnsupportedExtension},
    {GNUTLS_E_MISSING_EXTENSION, errSSLMissingExtension},
    {GNUTLS_E_INAPPROPRIATE_FALLBACK, errSSLInappropriateFallback},
    {GNUTLS_E_NEED_FALLBACK, errSSLInappropriateFallback},
    {GNUTLS_E_UNRECOGNIZED_NAME, errSSLUnrecognizedName},
    {GNUTLS_E_UNKNOWN_SRP_USERNAME, errSSLUnknownPSKIdentity}, /* GnuTLS's code for PSK as well */
    {GNUTLS_E_KEYFILE_ERROR, errSSLUnknownPSKIdentity},        /* the key's callback said no */
    {GNUTLS_E_EARLY_DATA_REJECTED, errSSLEarlyDataRejected},
    {GNUTLS_E_DB_ENTRY_EXISTS, errSSLEarlyDataRejected}, /* anti-replay has seen it */
    {GNUTLS_E_REAUTH_REQUEST, errSSLClientCertRequested},
    /* nothing in common */
    {GNUTLS_E_UNKNOWN_CIPHER_SUITE, errSSLNegotiation},
    {GNUTLS_E_INSUFFICIENT_CREDENTIALS, errSSLNegotiation}, /* for the suite the peer chose */
    {GNUTLS_E_NO_CIPHER_SUITES, errSSLNegotiation},
    {GNUTLS_E_NO_COMMON_KEY_SHARE, errSSLNegotiation},
    {GNUTLS_E_ECC_NO_SUPPORTED_CURVES, errSSLNegotiation},
    {GNUTLS_E_ECC_UNSUPPORTED_CURVE, errSSLNegotiation},
    {GNUTLS_E_UNKNOWN_CIPHER_TYPE, errSSLNegotiation},
    {GNUTLS_E_UNWANTED_ALGORITHM, errSSLBadCipherSuite}, /* the peer chose what we did not offer */
    {GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM, errSSLHandshakeFail},
    {GNUTLS_E_INCOMPAT_DSA_KEY_WITH_TLS_PROTOCOL, errSSLHandshakeFail},
    {GNUTLS_E_NO_APPLICATION_PROTOCOL, errSSLHandshakeFail},
    {GNUTLS_E_INSUFFICIENT_SECURITY, errSSLHandshakeFail},
    {GNUTLS_E_SAFE_RENEGOTIATION_FAILED, errSSLHandshakeFail}, /* RFC 5746 section 3.4 */
    {GNUTLS_E_AUTH_ERROR, errSSLHandshakeFail},
    {GNUTLS_E_USER_ERROR, errSSLHandshakeFail}, /* our own callback refused */
    {GNUTLS_E_REHANDSHAKE, errSSLPeerNoRenegotiation},
    {GNUTLS_E_UNSAFE_RENEGOTIATION_DENIED, errSSLPeerNoRenegotiation},
    {GNUTLS_E_DH_PRIME_UNACCEPTABLE, errSSLWeakPeerEphemeralDHKey},
    /* the peer's certificate */
    {GNUTLS_E_NO_CERTIFICATE_FOUND, errSSLCertificateRequired},
    {GNUTLS_E_CERTIFICATE_REQUIRED, errSSLCertificateRequired},
    {GNUTLS_E_CERTIFICATE_ERROR, errSSLBadCert},
    {GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR, errSSLBadCert},
    {GNUTLS_E_CERTIFICATE_TIME_ERROR, errSSLBadCert},
    {GNUTLS_E_CERTIFICATE_LIST_UNSORTED, errSSLBadCert},
    {GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE, errSSLBadCert},
    {GNUTLS_E_KEY_USAGE_VIOLATION, errSSLBadCert},
    {GNUTLS_E_SESSION_USER_ID_CHANGED, errSSLBadCert}, /* another certificate after resumption */
    {GNUTLS_E_UNKNOWN_PK_ALGORITHM, errSSLBadCert},
    {GNUTLS_E_CONSTRAINT_ERROR, errSSLBadCert},
    {GNUTLS_E_CRL_VERIFICATION_ERROR, errSSLBadCert},
    {GNUTLS_E_X509_UNSUPPORTED_CRITICAL_EXTENSION, errSSLBadCert},
    {GNUTLS_E_X509_UNSUPPORTED_EXTENSION, errSSLBadCert},
    {GNUTLS_E_X509_UNSUPPORTED_ATTRIBUTE, errSSLBadCert},
    {GNUTLS_E_X509_UNSUPPORTED_OID, errSSLBadCert},
    {GNUTLS_E_X509_UNKNOWN_SAN, errSSLBadCert},
    {GNUTLS_E_X509_DUPLICATE_EXTENSION, errSSLBadCert},
    {GNUTLS_E_ASN1_ELEMENT_NOT_FOUND, errSSLBadCert},
    {GNUTLS_E_ASN1_IDENTIFIER_NOT_FOUND, errSSLBadCert},
    {GNUTLS_E_ASN1_DER_ERROR, errSSLBadCert},
    {GNUTLS_E_ASN1_VALUE_NOT_FOUND, errSSLBadCert},
    {GNUTLS_E_ASN1_GENERIC_ERROR, errSSLBadCert},
    {GNUTLS_E_ASN1_VALUE_NOT_VALID, errSSLBadCert},
    {GNUTLS_E_ASN1_TAG_ERROR, errSSLBadCert},
    {GNUTLS_E_ASN1_TAG_IMPLICIT, errSSLBadCert},
    {GNUTLS_E_ASN1_TYPE_ANY_ERROR, errSSLBadCert},
    {GNUTLS_E_ASN1_SYNTAX_ERROR, errSSLBadCert},
    {GNUTLS_E_ASN1_DER_OVERFLOW, errSSLBadCert},
    {GNUTLS_E_ASN1_EMBEDDED_NULL_IN_STRING, errSSLBadCert},
    {GNUTLS_E_ASN1_TIME_ERROR, errSSLBadCert},
    {GNUTLS_E_NO_CERTIFICATE_STATUS, errSSLBadCertificateStatusResponse},
    {GNUTLS_E_OCSP_RESPONSE_ERROR, errSSLBadCertificateStatusResponse},
    {GNUTLS_E_OCSP_MISMATCH_WITH_CERTS, errSSLBadCertificateStatusResponse},
    /* the transport */
    {GNUTLS_E_PREMATURE_TERMINATION, errSSLClosedNoNotify},
    {GNUTLS_E_SESSION_EOF, errSSLClosedNoNotify},
    {GNUTLS_E_PUSH_ERROR, errSSLClosedAbort},
    {GNUTLS_E_PULL_ERROR, errSSLClosedAbort},
    {GNUTLS_E_INVALID_SESSION, errSSLClosedAbort}, /* used after a fatal error */
    {GNUTLS_E_TIMEDOUT, errSSLNetworkTimeout},
    /* sessions kept */
    {GNUTLS_E_EXPIRED, errSSLSessionNotFound},
    {GNUTLS_E_DB_ERROR, errSSLSessionNotFound},
    /* our own settings */
    {GNUTLS_E_INVALID_REQUEST, errSSLBadConfiguration},
    {GNUTLS_E_NO_PRIORITIES_WERE_SET, errSSLBadConfiguration},
    {GNUTLS_E_CERTIFICATE_KEY_MISMATCH, errSSLBadConfiguration},
    {GNUTLS_E_NO_TEMPORARY_DH_PARAMS, errSSLBadConfiguration},
    {GNUTLS_E_NO_TEMPORARY_RSA_PARAMS, errSSLBadConfiguration},
    {GNUTLS_E_KEYFILE_PARSING_ERROR, errSSLBadConfiguration},
    {GNUTLS_E_KEY_IMPORT_FAILED, errSSLBadConfiguration},
    {GNUTLS_E_PK_INVALID_PRIVKEY, errSSLBadConfiguration},
    {GNUTLS_E_PRIVKEY_VERIFICATION_ERROR, errSSLBadConfiguration},
    {GNUTLS_E_FILE_ERROR, errSSLBadConfiguration},
    {GNUTLS_E_SHORT_MEMORY_BUFFER, errSSLBufferOverflow},
    /* cryptography */
    {GNUTLS_E_HASH_FAILED, errSSLCrypto},
    {GNUTLS_E_ENCRYPTION_FAILED, errSSLCrypto},
    {GNUTLS_E_PK_ENCRYPTION_FAILED, errSSLCrypto},
    {GNUTLS_E_PK_DECRYPTION_FAILED, errSSLCrypto},
    {GNUTLS_E_PK_SIGN_FAILED, errSSLCrypto},
    {GNUTLS_E_PK_GENERATION_ERROR, errSSLCrypto},
    {GNUTLS_E_PK_NO_VALIDATION_PARAMS, errSSLCrypto},
    {GNUTLS_E_PKCS1_WRONG_PAD, errSSLCrypto},
    {GNUTLS_E_MPI_SCAN_FAILED, errSSLCrypto},
    {GNUTLS_E_MPI_PRINT_FAILED, errSSLCrypto},
    {GNUTLS_E_MAC_VERIFY_FAILED, errSSLCrypto},
    {GNUTLS_E_RANDOM_FAILED, errSSLCrypto},
    {GNUTLS_E_RANDOM_DEVICE_ERROR, errSSLCrypto},
    {GNUTLS_E_CRYPTO_INIT_FAILED, errSSLCrypto},
    {GNUTLS_E_SELF_TEST_ERROR, errSSLCrypto},
    {GNUTLS_E_LIB_IN_ERROR_STATE, errSSLCrypto},
    {GNUTLS_E_CRYPTODEV_IOCTL_ERROR, errSSLCrypto},
    {GNUTLS_E_CRYPTODEV_DEVICE_ERROR, errSSLCrypto},
    {GNUTLS_E_PKCS11_LOAD_ERROR, errSSLModuleAttach},
    {GNUTLS_E_TPM_NO_LIB, errSSLModuleAttach},
};

/* What we tell the peer. Not in the list: internal_error, the fault is not the peer's. */
static const struct pair refusal[] = {
    {errSSLUnknownRootCert, GNUTLS_A_UNKNOWN_CA},
    {errSSLNoRootCert, GNUTLS_A_UNKNOWN_CA},
    {errSSLPeerUnknownCA, GNUTLS_A_UNKNOWN_CA},
    {errSSLXCertChainInvalid, GNUTLS_A_BAD_CERTIFICATE},
    {errSSLBadCert, GNUTLS_A_BAD_CERTIFICATE},
    {errSSLPeerBadCert, GNUTLS_A_BAD_CERTIFICATE},
    {errSSLCertExpired, GNUTLS_A_CERTIFICATE_EXPIRED}, /* "or is not currently valid" */
    {errSSLCertNotYetValid, GNUTLS_A_CERTIFICATE_EXPIRED},
    {errSSLPeerCertExpired, GNUTLS_A_CERTIFICATE_EXPIRED},
    {errSSLPeerCertRevoked, GNUTLS_A_CERTIFICATE_REVOKED},
    {errSSLPeerUnsupportedCert, GNUTLS_A_UNSUPPORTED_CERTIFICATE},
    {errSSLHostNameMismatch, GNUTLS_A_CERTIFICATE_UNKNOWN}, /* "some other issue": RFC 8446 6.2 */
    {errSSLPeerCertUnknown, GNUTLS_A_CERTIFICATE_UNKNOWN},
    {errSSLBadCertificateStatusResponse, ALERT_BAD_CERTIFICATE_STATUS_RESPONSE},
    {errSSLCertificateRequired, GNUTLS_A_CERTIFICATE_REQUIRED},
    {errSSLUnknownPSKIdentity, GNUTLS_A_UNKNOWN_PSK_IDENTITY},
    {errSSLUnrecognizedName, GNUTLS_A_UNRECOGNIZED_NAME},
    {errSSLNegotiation, GNUTLS_A_HANDSHAKE_FAILURE},
    {errSSLHandshakeFail, GNUTLS_A_HANDSHAKE_FAILURE},
    {errSSLPeerHandshakeFail, GNUTLS_A_HANDSHAKE_FAILURE},
    {errSSLBadCipherSuite, GNUTLS_A_ILLEGAL_PARAMETER}, /* RFC 8446 section 4.1.3 */
    {errSSLIllegalParam, GNUTLS_A_ILLEGAL_PARAMETER},
    {errSSLPeerProtocolVersion, GNUTLS_A_PROTOCOL_VERSION},
    {errSSLWeakPeerEphemeralDHKey, GNUTLS_A_INSUFFICIENT_SECURITY},
    {errSSLPeerInsufficientSecurity, GNUTLS_A_INSUFFICIENT_SECURITY},
    {errSSLATSViolation, GNUTLS_A_INSUFFICIENT_SECURITY},
    {errSSLATSMinimumVersionViolation, GNUTLS_A_INSUFFICIENT_SECURITY},
    {errSSLATSCiphersuiteViolation, GNUTLS_A_INSUFFICIENT_SECURITY},
    {errSSLATSMinimumKeySizeViolation, GNUTLS_A_BAD_CERTIFICATE},
    {errSSLATSLeafCertificateHashAlgorithmViolation, GNUTLS_A_BAD_CERTIFICATE},
    {errSSLATSCertificateHashAlgorithmViolation, GNUTLS_A_BAD_CERTIFICATE},
    {errSSLATSCertificateTrustViolation, GNUTLS_A_BAD_CERTIFICATE},
    {errSSLInappropriateFallback, GNUTLS_A_INAPPROPRIATE_FALLBACK},
    {errSSLMissingExtension, GNUTLS_A_MISSING_EXTENSION},
    {errSSLUnsupportedExtension, GNUTLS_A_UNSUPPORTED_EXTENSION},
    {errSSLUnexpectedMessage, GNUTLS_A_UNEXPECTED_MESSAGE},
    {errSSLUnexpectedRecord, GNUTLS_A_UNEXPECTED_MESSAGE},
    {errSSLDecodeError, GNUTLS_A_DECODE_ERROR},
    {errSSLRecordOverflow, GNUTLS_A_RECORD_OVERFLOW},
    {errSSLBadRecordMac, GNUTLS_A_BAD_RECORD_MAC},
    {errSSLDecryptionFail, GNUTLS_A_BAD_RECORD_MAC},
    {errSSLPeerAccessDenied, GNUTLS_A_ACCESS_DENIED},
    {errSSLPeerUserCancelled, GNUTLS_A_USER_CANCELED},
    {errSSLPeerNoRenegotiation, GNUTLS_A_NO_RENEGOTIATION},
};

#define LOOK_UP(table, from, otherwise)                                                            \
    look_up(table, sizeof(table) / sizeof((table)[0]), from, otherwise)

static int look_up(const struct pair *table, size_t count, int from, int otherwise) {
    for (size_t i = 0; i < count; i++)
        if (table[i].from == from)
            return table[i].to;
    return otherwise;
}

/* GnuTLS numbers PKCS #11 and TPM in two runs; all of them mean that the key could not be used. */
static bool is_token_trouble(int code) {
    return (code <= GNUTLS_E_PKCS11_ERROR && code >= GNUTLS_E_PKCS11_USER_ERROR) ||
           code == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE ||
           (code <= GNUTLS_E_TPM_ERROR && code >= GNUTLS_E_TPM_UNINITIALIZED);
}

nwi_err nwi_tls_error(int gnutls_code, int alert) {
    if (gnutls_code >= 0)
        return 0;
    if (gnutls_code == GNUTLS_E_MEMORY_ERROR)
        return NWI_ERR_NOMEM;
    if (gnutls_code == GNUTLS_E_FATAL_ALERT_RECEIVED ||
        gnutls_code == GNUTLS_E_WARNING_ALERT_RECEIVED)
        return nwi_tls(LOOK_UP(received, alert, errSSLFatalAlert));
    return nwi_tls(
        LOOK_UP(found, gnutls_code, is_token_trouble(gnutls_code) ? errSSLCrypto : errSSLInternal));
}

int nwi_tls_alert_for(int errssl) {
    return LOOK_UP(refusal, errssl, GNUTLS_A_INTERNAL_ERROR);
}
