/*
 * sec_options.c - sec_protocol_options_t: the settings of TLS, as plain records.
 * What:   credentials, names, suites, versions, keys and switches; the handlers are
 *         sec_options_handlers.c's, copying and comparing sec_options_copy.c's.
 * Source: semantics of sec_protocol_options_t; RFC 7301 section 3.1 (names of application
 *         protocols).
 * Runs:   unsynchronised, as the public calls say.
 * Owns:   everything it was given, by copy or by reference.
 */
#include "model/sec_options.h"
#include "base/alloc.h"
#include "base/log.h"
#include <string.h>

static void options_destroy(void *object) {
    sec_protocol_options_t options = object;
    nwi_release(options->local_identity);
    nwi_free(options->server_name);
    for (size_t i = 0; i < options->application_protocol_count; i++)
        nwi_free(options->application_protocols[i]);
    nwi_free(options->application_protocols);
    nwi_free(options->ciphersuites);
    nwi_free(options->exact_ciphersuites);
    nwi_release(options->dh_parameters);
    for (size_t i = 0; i < options->psk_count; i++) {
        nwi_release(options->psks[i].key);
        nwi_release(options->psks[i].identity);
    }
    nwi_free(options->psks);
    nwi_release(options->psk_identity_hint);
    nwi_release(options->local_status);
    nwi_release(options->trust);
    nwi_release(options->psk_selection);
    nwi_release(options->key_update);
    nwi_release(options->challenge);
    nwi_release(options->verify);
}

static const struct nwi_type sec_options_type = {
    .name = "sec_protocol_options",
    .size = sizeof(struct sec_protocol_options),
    .destroy = options_destroy,
};

sec_protocol_options_t nwi_sec_options_create(void) {
    sec_protocol_options_t options = nwi_object_create(&sec_options_type, 0);
    if (options == NULL)
        return NULL;
    options->tickets_enabled = true;
    options->resumption_enabled = true;
    options->renegotiation_enabled = true;
    return options;
}

static bool checked(sec_protocol_options_t options, const char *function) {
    if (options == NULL)
        nwi_log_misuse(function, "options are NULL");
    return options != NULL;
}

static bool checked_with(sec_protocol_options_t options, const void *value, const char *function) {
    if (!checked(options, function))
        return false;
    if (value == NULL)
        nwi_log_misuse(function, "an argument is NULL");
    return value != NULL;
}

/* --- who we are, whom we ask --- */

SEC_EXPORT void sec_protocol_options_set_local_identity(sec_protocol_options_t options,
                                                        sec_identity_t identity) {
    if (!checked_with(options, identity, __func__))
        return;
    sec_identity_t old = options->local_identity;
    options->local_identity = nwi_retain(identity);
    nwi_release(old);
}

SEC_EXPORT void sec_protocol_options_set_tls_server_name(sec_protocol_options_t options,
                                                         const char *server_name) {
    if (!checked_with(options, server_name, __func__))
        return;
    if (server_name[0] == '\0') {
        nwi_log_misuse(__func__, "the server name is empty");
        return;
    }
    char *copy = nwi_strdup(server_name);
    if (copy == NULL) {
        nwi_log_misuse(__func__, "out of memory: the server name was not set");
        return;
    }
    nwi_free(options->server_name);
    options->server_name = copy;
}

SEC_EXPORT void
sec_protocol_options_add_tls_application_protocol(sec_protocol_options_t options,
                                                  const char *application_protocol) {
    if (!checked_with(options, application_protocol, __func__))
        return;
    size_t length = strlen(application_protocol);
    if (length == 0 || length > UINT8_MAX) { /* its length has one octet on the wire */
        nwi_log_misuse(__func__, "an application protocol has 1 to 255 octets");
        return;
    }
    size_t count = options->application_protocol_count;
    char *copy = nwi_strdup(application_protocol);
    char **grown = copy == NULL
                       ? NULL
                       : nwi_realloc(options->application_protocols, (count + 1) * sizeof grown[0]);
    if (grown == NULL) {
        nwi_free(copy);
        nwi_log_misuse(__func__, "out of memory: the protocol was not added");
        return;
    }
    grown[count] = copy;
    options->application_protocols = grown;
    options->application_protocol_count = count + 1;
}

/* --- cipher suites and versions --- */

static void append_suite(sec_protocol_options_t options, tls_ciphersuite_t suite,
                         const char *function) {
    if (!checked(options, function))
        return;
    size_t count = options->ciphersuite_count;
    if (nwi_sec_suites_hold(options->ciphersuites, count, suite))
        return;
    tls_ciphersuite_t *grown =
        nwi_realloc(options->ciphersuites, (count + 1) * sizeof options->ciphersuites[0]);
    if (grown == NULL) {
        nwi_log_misuse(function, "out of memory: the suite was not added");
        return;
    }
    grown[count] = suite;
    options->ciphersuites = grown;
    options->ciphersuite_count = count + 1;
}

SEC_EXPORT void sec_protocol_options_append_tls_ciphersuite(sec_protocol_options_t options,
                                                            tls_ciphersuite_t ciphersuite) {
    append_suite(options, ciphersuite, __func__);
}

SEC_EXPORT void sec_protocol_options_add_tls_ciphersuite(sec_protocol_options_t options,
                                                         SSLCipherSuite ciphersuite) {
    append_suite(options, ciphersuite, __func__);
}

static void append_group(sec_protocol_options_t options, unsigned group, const char *function) {
    if (!checked(options, function))
        return;
    if (group > tls_ciphersuite_group_ats_fcp_v2_1)
        nwi_log_misuse(function, "no such group of cipher suites");
    else
        options->ciphersuite_groups |= 1u << group;
}

SEC_EXPORT void sec_protocol_options_append_tls_ciphersuite_group(sec_protocol_options_t options,
                                                                  tls_ciphersuite_group_t group) {
    append_group(options, group, __func__);
}

SEC_EXPORT void sec_protocol_options_add_tls_ciphersuite_group(sec_protocol_options_t options,
                                                               SSLCiphersuiteGroup group) {
    append_group(options, (unsigned)group, __func__);
}

static bool is_version(tls_protocol_version_t version) {
    switch (version) {
    case tls_protocol_version_TLSv10:
    case tls_protocol_version_TLSv11:
    case tls_protocol_version_TLSv12:
    case tls_protocol_version_TLSv13:
    case tls_protocol_version_DTLSv10:
    case tls_protocol_version_DTLSv12:
        return true;
    default:
        return false;
    }
}

/* The number on the wire of a version in the older numbering; 0 when we do not speak it. */
static tls_protocol_version_t version_of(SSLProtocol protocol) {
    switch (protocol) {
    case kTLSProtocol1:
        return tls_protocol_version_TLSv10;
    case kTLSProtocol11:
        return tls_protocol_version_TLSv11;
    case kTLSProtocol12:
        return tls_protocol_version_TLSv12;
    case kTLSProtocol13:
    case kTLSProtocolMaxSupported:
        return tls_protocol_version_TLSv13;
    case kDTLSProtocol1:
        return tls_protocol_version_DTLSv10;
    case kDTLSProtocol12:
        return tls_protocol_version_DTLSv12;
    default:
        return 0;
    }
}

static void set_version(sec_protocol_options_t options, bool maximum,
                        tls_protocol_version_t version, const char *function) {
    if (!checked(options, function))
        return;
    if (!is_version(version))
        nwi_log_misuse(function, "no version of TLS or DTLS that can be used");
    else if (maximum)
        options->max_version = version;
    else
        options->min_version = version;
}

SEC_EXPORT void sec_protocol_options_set_min_tls_protocol_version(sec_protocol_options_t options,
                                                                  tls_protocol_version_t version) {
    set_version(options, false, version, __func__);
}

SEC_EXPORT void sec_protocol_options_set_max_tls_protocol_version(sec_protocol_options_t options,
                                                                  tls_protocol_version_t version) {
    set_version(options, true, version, __func__);
}

SEC_EXPORT void sec_protocol_options_set_tls_min_version(sec_protocol_options_t options,
                                                         SSLProtocol version) {
    set_version(options, false, version_of(version), __func__);
}

SEC_EXPORT void sec_protocol_options_set_tls_max_version(sec_protocol_options_t options,
                                                         SSLProtocol version) {
    set_version(options, true, version_of(version), __func__);
}

SEC_EXPORT tls_protocol_version_t sec_protocol_options_get_default_min_tls_protocol_version(void) {
    return tls_protocol_version_TLSv12;
}

SEC_EXPORT tls_protocol_version_t sec_protocol_options_get_default_max_tls_protocol_version(void) {
    return tls_protocol_version_TLSv13;
}

SEC_EXPORT tls_protocol_version_t sec_protocol_options_get_default_min_dtls_protocol_version(void) {
    return tls_protocol_version_DTLSv12;
}

SEC_EXPORT tls_protocol_version_t sec_protocol_options_get_default_max_dtls_protocol_version(void) {
    return tls_protocol_version_DTLSv12;
}

/* --- keys --- */

SEC_EXPORT void
sec_protocol_options_set_tls_diffie_hellman_parameters(sec_protocol_options_t options,
                                                       dispatch_data_t params) {
    if (!checked_with(options, params, __func__))
        return;
    dispatch_data_t old = options->dh_parameters;
    options->dh_parameters = nwi_retain(params);
    nwi_release(old);
}

SEC_EXPORT void sec_protocol_options_add_pre_shared_key(sec_protocol_options_t options,
                                                        dispatch_data_t psk,
                                                        dispatch_data_t psk_identity) {
    if (!checked_with(options, psk, __func__) || !checked_with(options, psk_identity, __func__))
        return;
    size_t count = options->psk_count;
    struct nwi_sec_psk *grown = nwi_realloc(options->psks, (count + 1) * sizeof grown[0]);
    if (grown == NULL) {
        nwi_log_misuse(__func__, "out of memory: the key was not added");
        return;
    }
    grown[count] =
        (struct nwi_sec_psk){.key = nwi_retain(psk), .identity = nwi_retain(psk_identity)};
    options->psks = grown;
    options->psk_count = count + 1;
}

SEC_EXPORT void
sec_protocol_options_set_tls_pre_shared_key_identity_hint(sec_protocol_options_t options,
                                                          dispatch_data_t psk_identity_hint) {
    if (!checked_with(options, psk_identity_hint, __func__))
        return;
    dispatch_data_t old = options->psk_identity_hint;
    options->psk_identity_hint = nwi_retain(psk_identity_hint);
    nwi_release(old);
}

/* --- switches --- */

SEC_EXPORT void sec_protocol_options_set_tls_tickets_enabled(sec_protocol_options_t options,
                                                             bool tickets_enabled) {
    if (checked(options, __func__))
        options->tickets_enabled = tickets_enabled;
}

SEC_EXPORT void sec_protocol_options_set_tls_is_fallback_attempt(sec_protocol_options_t options,
                                                                 bool is_fallback_attempt) {
    if (checked(options, __func__))
        options->is_fallback_attempt = is_fallback_attempt;
}

SEC_EXPORT void sec_protocol_options_set_tls_resumption_enabled(sec_protocol_options_t options,
                                                                bool resumption_enabled) {
    if (checked(options, __func__))
        options->resumption_enabled = resumption_enabled;
}

SEC_EXPORT void sec_protocol_options_set_tls_false_start_enabled(sec_protocol_options_t options,
                                                                 bool false_start_enabled) {
    if (checked(options, __func__))
        options->false_start_enabled = false_start_enabled;
}

SEC_EXPORT void sec_protocol_options_set_tls_ocsp_enabled(sec_protocol_options_t options,
                                                          bool ocsp_enabled) {
    if (checked(options, __func__))
        options->ocsp_enabled = ocsp_enabled;
}

SEC_EXPORT void sec_protocol_options_set_tls_sct_enabled(sec_protocol_options_t options,
                                                         bool sct_enabled) {
    if (checked(options, __func__))
        options->sct_enabled = sct_enabled;
}

SEC_EXPORT void sec_protocol_options_set_tls_renegotiation_enabled(sec_protocol_options_t options,
                                                                   bool renegotiation_enabled) {
    if (checked(options, __func__))
        options->renegotiation_enabled = renegotiation_enabled;
}

SEC_EXPORT void
sec_protocol_options_set_peer_authentication_optional(sec_protocol_options_t options,
                                                      bool peer_authentication_optional) {
    if (checked(options, __func__))
        options->peer_authentication_optional = peer_authentication_optional;
}

SEC_EXPORT void
sec_protocol_options_set_enable_encrypted_client_hello(sec_protocol_options_t options,
                                                       bool enable_encrypted_client_hello) {
    if (checked(options, __func__))
        options->enable_encrypted_client_hello = enable_encrypted_client_hello;
}

SEC_EXPORT void sec_protocol_options_set_quic_use_legacy_codepoint(sec_protocol_options_t options,
                                                                   bool quic_use_legacy_codepoint) {
    if (checked(options, __func__))
        options->quic_use_legacy_codepoint = quic_use_legacy_codepoint;
}

SEC_EXPORT void
sec_protocol_options_set_peer_authentication_required(sec_protocol_options_t options,
                                                      bool peer_authentication_required) {
    if (checked(options, __func__))
        options->peer_authentication_required =
            peer_authentication_required ? NWI_SEC_YES : NWI_SEC_NO;
}

SEC_EXPORT bool
sec_protocol_options_get_enable_encrypted_client_hello(sec_protocol_options_t options) {
    return options != NULL && options->enable_encrypted_client_hello;
}

SEC_EXPORT bool sec_protocol_options_get_quic_use_legacy_codepoint(sec_protocol_options_t options) {
    return options != NULL && options->quic_use_legacy_codepoint;
}
