/*
 * SecProtocolOptions.h - the settings of TLS and DTLS.
 * The options come from nw_tls_copy_sec_protocol_options(). They are read when a connection that
 * uses them starts. A setter given NULL options is logged and has no effect. Setters may not run on
 * one object from two threads at once.
 */
#ifndef SECURITY_SEC_PROTOCOL_OPTIONS_H
#define SECURITY_SEC_PROTOCOL_OPTIONS_H

#include <Security/SecProtocolMetadata.h>
#include <Security/SecProtocolObject.h>
#include <Security/SecProtocolTypes.h>
#include <dispatch/dispatch.h>

SEC_EXTERN_C_BEGIN

SEC_OBJECT_DECL(sec_protocol_options);

/** Whether both hold the same settings; handlers are the same when they are the same block or
 * function. */
SEC_EXPORT bool sec_protocol_options_are_equal(sec_protocol_options_t optionsA,
                                               sec_protocol_options_t optionsB);

/* --- who we are --- */

/** The certificate and key shown to the peer; retained. NULL is refused. */
SEC_EXPORT void sec_protocol_options_set_local_identity(sec_protocol_options_t options,
                                                        sec_identity_t identity);

/**
 * The peer's name, for SNI (RFC 6066 section 3) and for the check of its certificate, in place of
 * the endpoint's host name. Copied. NULL or "" is refused.
 */
SEC_EXPORT void sec_protocol_options_set_tls_server_name(sec_protocol_options_t options,
                                                         const char *server_name);

/** Offers an application protocol (ALPN, RFC 7301) after those added before: 1 to 255 octets.
 * Copied. */
SEC_EXPORT void sec_protocol_options_add_tls_application_protocol(sec_protocol_options_t options,
                                                                  const char *application_protocol);

/* --- cipher suites and versions --- */

/**
 * Offers (a server: takes) this suite besides the default ones and those appended before, after
 * them in the order of preference. Appending one twice counts once. A suite that cannot be offered
 * is named in the log as an error when the connection starts. To replace the default suites:
 * sec_protocol_options_set_exact_tls_ciphersuites() of <Security/protocol_settings.h>.
 */
SEC_EXPORT void sec_protocol_options_append_tls_ciphersuite(sec_protocol_options_t options,
                                                            tls_ciphersuite_t ciphersuite);
/** Older name of the same, with the constants of CipherSuite.h. */
SEC_EXPORT void sec_protocol_options_add_tls_ciphersuite(sec_protocol_options_t options,
                                                         SSLCipherSuite ciphersuite);
/** Appends all suites of a group (docs/tls.md lists them); a group that does not exist is refused.
 */
SEC_EXPORT void sec_protocol_options_append_tls_ciphersuite_group(sec_protocol_options_t options,
                                                                  tls_ciphersuite_group_t group);
/** Older name of the same. */
SEC_EXPORT void sec_protocol_options_add_tls_ciphersuite_group(sec_protocol_options_t options,
                                                               SSLCiphersuiteGroup group);

/** The lowest version to accept; a number that is no version is refused. */
SEC_EXPORT void sec_protocol_options_set_min_tls_protocol_version(sec_protocol_options_t options,
                                                                  tls_protocol_version_t version);
/** The highest version to offer; a number that is no version is refused. */
SEC_EXPORT void sec_protocol_options_set_max_tls_protocol_version(sec_protocol_options_t options,
                                                                  tls_protocol_version_t version);
/** Older name, with the numbers of SSLProtocol. SSL 2 and 3 are refused. */
SEC_EXPORT void sec_protocol_options_set_tls_min_version(sec_protocol_options_t options,
                                                         SSLProtocol version);
/** Older name, with the numbers of SSLProtocol. SSL 2 and 3 are refused. */
SEC_EXPORT void sec_protocol_options_set_tls_max_version(sec_protocol_options_t options,
                                                         SSLProtocol version);

/** The lowest version accepted when none is set: TLS 1.2. */
SEC_EXPORT tls_protocol_version_t sec_protocol_options_get_default_min_tls_protocol_version(void);
/** The highest version offered when none is set: TLS 1.3. */
SEC_EXPORT tls_protocol_version_t sec_protocol_options_get_default_max_tls_protocol_version(void);
/** The lowest version of DTLS accepted when none is set: DTLS 1.2. */
SEC_EXPORT tls_protocol_version_t sec_protocol_options_get_default_min_dtls_protocol_version(void);
/** The highest version of DTLS offered when none is set: DTLS 1.2. */
SEC_EXPORT tls_protocol_version_t sec_protocol_options_get_default_max_dtls_protocol_version(void);

/** Parameters of finite-field Diffie-Hellman for a server, in DER (PKCS #3); retained. */
SEC_EXPORT void
sec_protocol_options_set_tls_diffie_hellman_parameters(sec_protocol_options_t options,
                                                       dispatch_data_t params);

/* --- pre-shared keys --- */

/** Adds a key and the identity that names it; both retained. May be called for several. */
SEC_EXPORT void sec_protocol_options_add_pre_shared_key(sec_protocol_options_t options,
                                                        dispatch_data_t psk,
                                                        dispatch_data_t psk_identity);
/** What a server tells clients so that they choose the right identity (RFC 4279); retained. */
SEC_EXPORT void
sec_protocol_options_set_tls_pre_shared_key_identity_hint(sec_protocol_options_t options,
                                                          dispatch_data_t psk_identity_hint);

/* --- switches --- */

/** Uses session tickets (RFC 5077). Default true. */
SEC_EXPORT void sec_protocol_options_set_tls_tickets_enabled(sec_protocol_options_t options,
                                                             bool tickets_enabled);
/** Tells the server that an attempt with a higher version failed before (RFC 7507). Default false.
 */
SEC_EXPORT void sec_protocol_options_set_tls_is_fallback_attempt(sec_protocol_options_t options,
                                                                 bool is_fallback_attempt);
/** Resumes earlier sessions. Default true. */
SEC_EXPORT void sec_protocol_options_set_tls_resumption_enabled(sec_protocol_options_t options,
                                                                bool resumption_enabled);
/** Sends before the peer's Finished (RFC 7918). Default false. */
SEC_EXPORT void sec_protocol_options_set_tls_false_start_enabled(sec_protocol_options_t options,
                                                                 bool false_start_enabled);
/** Asks for a stapled OCSP answer (RFC 6066 section 8). Default false. */
SEC_EXPORT void sec_protocol_options_set_tls_ocsp_enabled(sec_protocol_options_t options,
                                                          bool ocsp_enabled);
/** Asks for signed certificate timestamps (RFC 6962). Default false. */
SEC_EXPORT void sec_protocol_options_set_tls_sct_enabled(sec_protocol_options_t options,
                                                         bool sct_enabled);
/** Allows renegotiation in TLS 1.2. Default true. */
SEC_EXPORT void sec_protocol_options_set_tls_renegotiation_enabled(sec_protocol_options_t options,
                                                                   bool renegotiation_enabled);
/** Insists on a valid certificate of the peer. Default: a client does, a server does not ask. */
SEC_EXPORT void
sec_protocol_options_set_peer_authentication_required(sec_protocol_options_t options,
                                                      bool peer_authentication_required);
/** Asks the peer for a certificate, and goes on without one. Default false. */
SEC_EXPORT void
sec_protocol_options_set_peer_authentication_optional(sec_protocol_options_t options,
                                                      bool peer_authentication_optional);
/** Encrypts the ClientHello where the server's name record has a key for it. Default false. */
SEC_EXPORT void
sec_protocol_options_set_enable_encrypted_client_hello(sec_protocol_options_t options,
                                                       bool enable_encrypted_client_hello);
SEC_EXPORT bool
sec_protocol_options_get_enable_encrypted_client_hello(sec_protocol_options_t options);
/** Uses the draft number of QUIC's transport parameters extension. Default false. */
SEC_EXPORT void sec_protocol_options_set_quic_use_legacy_codepoint(sec_protocol_options_t options,
                                                                   bool quic_use_legacy_codepoint);
SEC_EXPORT bool sec_protocol_options_get_quic_use_legacy_codepoint(sec_protocol_options_t options);

/* --- handlers ---
 * Each runs on the queue given with it; the handshake waits for its answer, which is given once, by
 * calling `complete`, inside the handler or later, on any thread. In the function form the answer
 * is given by calling complete(complete_context, ...). NULL removes a handler. */

typedef void (*sec_protocol_pre_shared_key_selection_complete_f)(void *complete_context,
                                                                 dispatch_data_t psk_identity);
/** Chooses a pre-shared key by the server's hint (NULL when it gave none); NULL chooses none. */
typedef void (*sec_protocol_pre_shared_key_selection_f)(
    void *context, sec_protocol_metadata_t metadata, dispatch_data_t psk_identity_hint,
    sec_protocol_pre_shared_key_selection_complete_f complete, void *complete_context);

typedef void (*sec_protocol_key_update_complete_f)(void *complete_context);
/** Told when the keys have been renewed. */
typedef void (*sec_protocol_key_update_f)(void *context, sec_protocol_metadata_t metadata,
                                          sec_protocol_key_update_complete_f complete,
                                          void *complete_context);

typedef void (*sec_protocol_challenge_complete_f)(void *complete_context, sec_identity_t identity);
/** Asked when the server wants a certificate; NULL shows none. */
typedef void (*sec_protocol_challenge_f)(void *context, sec_protocol_metadata_t metadata,
                                         sec_protocol_challenge_complete_f complete,
                                         void *complete_context);

typedef void (*sec_protocol_verify_complete_f)(void *complete_context, bool result);
/** Judges the peer's certificates in place of the default evaluation; false ends the handshake. */
typedef void (*sec_protocol_verify_f)(void *context, sec_protocol_metadata_t metadata,
                                      sec_trust_t trust_ref,
                                      sec_protocol_verify_complete_f complete,
                                      void *complete_context);

#ifdef __BLOCKS__
typedef void (^sec_protocol_pre_shared_key_selection_complete_t)(dispatch_data_t psk_identity);
typedef void (^sec_protocol_pre_shared_key_selection_t)(
    sec_protocol_metadata_t metadata, dispatch_data_t psk_identity_hint,
    sec_protocol_pre_shared_key_selection_complete_t complete);
typedef void (^sec_protocol_key_update_complete_t)(void);
typedef void (^sec_protocol_key_update_t)(sec_protocol_metadata_t metadata,
                                          sec_protocol_key_update_complete_t complete);
typedef void (^sec_protocol_challenge_complete_t)(sec_identity_t identity);
typedef void (^sec_protocol_challenge_t)(sec_protocol_metadata_t metadata,
                                         sec_protocol_challenge_complete_t complete);
typedef void (^sec_protocol_verify_complete_t)(bool result);
typedef void (^sec_protocol_verify_t)(sec_protocol_metadata_t metadata, sec_trust_t trust_ref,
                                      sec_protocol_verify_complete_t complete);

/** Sets the handler that chooses a pre-shared key. */
SEC_EXPORT void sec_protocol_options_set_pre_shared_key_selection_block(
    sec_protocol_options_t options, sec_protocol_pre_shared_key_selection_t psk_selection_block,
    dispatch_queue_t psk_selection_queue);
/** Sets the handler told of renewed keys. */
SEC_EXPORT void
sec_protocol_options_set_key_update_block(sec_protocol_options_t options,
                                          sec_protocol_key_update_t key_update_block,
                                          dispatch_queue_t key_update_queue);
/** Sets the handler asked for our certificate. */
SEC_EXPORT void sec_protocol_options_set_challenge_block(sec_protocol_options_t options,
                                                         sec_protocol_challenge_t challenge_block,
                                                         dispatch_queue_t challenge_queue);
/** Sets the handler that judges the peer's certificates. */
SEC_EXPORT void sec_protocol_options_set_verify_block(sec_protocol_options_t options,
                                                      sec_protocol_verify_t verify_block,
                                                      dispatch_queue_t verify_block_queue);
#endif

/** Function form of sec_protocol_options_set_pre_shared_key_selection_block(). */
SEC_EXPORT void sec_protocol_options_set_pre_shared_key_selection_block_f(
    sec_protocol_options_t options, void *context,
    sec_protocol_pre_shared_key_selection_f psk_selection, dispatch_queue_t psk_selection_queue);
/** Function form of sec_protocol_options_set_key_update_block(). */
SEC_EXPORT void sec_protocol_options_set_key_update_block_f(sec_protocol_options_t options,
                                                            void *context,
                                                            sec_protocol_key_update_f key_update,
                                                            dispatch_queue_t key_update_queue);
/** Function form of sec_protocol_options_set_challenge_block(). */
SEC_EXPORT void sec_protocol_options_set_challenge_block_f(sec_protocol_options_t options,
                                                           void *context,
                                                           sec_protocol_challenge_f challenge,
                                                           dispatch_queue_t challenge_queue);
/** Function form of sec_protocol_options_set_verify_block(). */
SEC_EXPORT void sec_protocol_options_set_verify_block_f(sec_protocol_options_t options,
                                                        void *context, sec_protocol_verify_f verify,
                                                        dispatch_queue_t verify_block_queue);

SEC_EXTERN_C_END

#endif
