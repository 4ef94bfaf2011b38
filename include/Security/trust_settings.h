/*
 * trust_settings.h - whom TLS trusts, said on its options, one call each. It is libnw's own:
 * <Security/Security.h> does not include this header. The rules are those of docs/trust.md, which
 * has an example of each call.
 *
 * The same calls serve a client, which verifies servers, and a server that verifies clients
 * (sec_protocol_options_set_peer_authentication_required): anchors are then the CAs of its clients,
 * whose names are sent in the request, and accepted certificates the list of its clients.
 *
 * A verify block (sec_protocol_options_set_verify_block) replaces the evaluation; the sec_trust_t
 * that it is given has these settings, so that sec_trust_evaluate() says what the default would be.
 *
 * All calls are unsynchronised, as those of SecProtocolOptions.h; a started connection or listener
 * works on a copy.
 */
#ifndef SECURITY_TRUST_SETTINGS_H
#define SECURITY_TRUST_SETTINGS_H

#include <Security/SecProtocolOptions.h>
#include <dispatch/data.h>

SEC_EXTERN_C_BEGIN

/* --- loosening --- */

/**
 * Trusts one CA more (or a peer's own certificate that its owner signed): paths may end at it. It
 * is retained. Its dates, key, name constraints and path length count.
 */
SEC_EXPORT void sec_protocol_options_add_trust_anchor(sec_protocol_options_t options,
                                                      sec_certificate_t certificate);

/**
 * Accepts a peer that shows this very certificate, octet by octet, whoever issued it and whatever
 * host it names: it is the program that says who it is. Its dates and the strength of its key still
 * count, and so do pins. It is retained. Several: any of them.
 */
SEC_EXPORT void sec_protocol_options_add_accepted_certificate(sec_protocol_options_t options,
                                                              sec_certificate_t certificate);

/* --- tightening --- */

/**
 * Whether the roots of the system count. Default: for servers they do; for clients of a server they
 * do not, since whoever has a certificate from a public CA is not for that a client of yours.
 */
SEC_EXPORT void sec_protocol_options_set_system_anchors_enabled(sec_protocol_options_t options,
                                                                bool enabled);

/**
 * Pins a public key: besides all else, some certificate of the path, the peer's own or a CA above
 * it, must have a SubjectPublicKeyInfo with this SHA-256 digest, 32 octets, copied. Several pins of
 * both kinds: one must fit.
 */
SEC_EXPORT void sec_protocol_options_add_pin(sec_protocol_options_t options, const uint8_t *sha256);

/**
 * Pins a certificate, the peer's own or a CA's: besides all else, it must be in the path. It is
 * retained. A pin alone trusts nobody.
 */
SEC_EXPORT void sec_protocol_options_add_pinned_certificate(sec_protocol_options_t options,
                                                            sec_certificate_t certificate);

/**
 * Whether a server must prove by a stapled OCSP response that its certificate has not been revoked
 * (RFC 6066 section 8). Default false: a response that is sent is judged, and one is missed only
 * when the certificate itself demands it (RFC 7633) and
 * sec_protocol_options_set_tls_ocsp_enabled() was called with true.
 */
SEC_EXPORT void sec_protocol_options_set_stapled_status_required(sec_protocol_options_t options,
                                                                 bool required);

/* --- what a server shows of itself --- */

/**
 * The OCSP response in DER that a server staples to the certificate of its local identity for
 * clients that ask (RFC 6066 section 8). It is retained; NULL: none. A response that is about
 * another certificate is an error when the listener starts (errSSLBadConfiguration, the log says
 * why); once it does not hold any more it is not sent. A listener works on a copy of the options,
 * so a new response needs a new listener.
 */
SEC_EXPORT void sec_protocol_options_set_local_stapled_status(sec_protocol_options_t options,
                                                              dispatch_data_t response);

SEC_EXTERN_C_END

#endif
