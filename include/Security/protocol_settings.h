/*
 * protocol_settings.h - settings of TLS and DTLS that the original has no call for. It is libnw's
 * own: <Security/Security.h> does not include it. Like the setters of SecProtocolOptions.h, these
 * are read when a connection or listener that uses the options starts; given NULL options they log
 * and have no effect; they may not run on one object from two threads at once.
 */
#ifndef SECURITY_PROTOCOL_SETTINGS_H
#define SECURITY_PROTOCOL_SETTINGS_H

#include <Security/SecProtocolOptions.h>
#include <stddef.h>

SEC_EXTERN_C_BEGIN

/**
 * Uses these cipher suites and no others: neither the default ones nor what was or will be
 * appended. The array is copied; a suite given twice counts once; earlier ones are preferred, as
 * far as GnuTLS can be told (docs/tls.md). count 0 goes back to the default suites.
 *
 * Versions of TLS for which the list has no suite are not offered. A suite that cannot be offered
 * is named in the log as an error when the connection starts; when none can, the connection fails
 * with errSSLBadConfiguration. The ClientHello may show suites besides, made of the same parts as
 * those in the list; when the server chooses one of them, the handshake ends with
 * errSSLNegotiation.
 */
SEC_EXPORT void sec_protocol_options_set_exact_tls_ciphersuites(
    sec_protocol_options_t options, const tls_ciphersuite_t *ciphersuites, size_t count);

SEC_EXTERN_C_END

#endif
