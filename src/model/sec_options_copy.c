/*
 * sec_options_copy.c - copies and compares the settings of TLS.
 * What:   the copy that a connection keeps, and sec_protocol_options_are_equal.
 * Source: semantics of sec_protocol_options_t.
 * Runs:   unsynchronised, as the public calls say.
 */
#include "base/alloc.h"
#include "dispatch/data.h"
#include "model/sec_options.h"
#include <string.h>

static bool copy_list(const tls_ciphersuite_t *from, size_t count, tls_ciphersuite_t **to,
                      size_t *to_count) {
    if (count == 0)
        return true;
    *to = nwi_alloc_raw(count * sizeof from[0]);
    if (*to == NULL)
        return false;
    memcpy(*to, from, count * sizeof from[0]);
    *to_count = count;
    return true;
}

static bool copy_suites(const struct sec_protocol_options *from, struct sec_protocol_options *to) {
    return copy_list(from->ciphersuites, from->ciphersuite_count, &to->ciphersuites,
                     &to->ciphersuite_count) &&
           copy_list(from->exact_ciphersuites, from->exact_ciphersuite_count,
                     &to->exact_ciphersuites, &to->exact_ciphersuite_count);
}

static bool copy_protocols(const struct sec_protocol_options *from,
                           struct sec_protocol_options *to) {
    if (from->application_protocol_count == 0)
        return true;
    to->application_protocols =
        nwi_alloc(from->application_protocol_count * sizeof to->application_protocols[0]);
    if (to->application_protocols == NULL)
        return false;
    for (size_t i = 0; i < from->application_protocol_count; i++) {
        to->application_protocols[i] = nwi_strdup(from->application_protocols[i]);
        if (to->application_protocols[i] == NULL)
            return false;
        to->application_protocol_count = i + 1;
    }
    return true;
}

static bool copy_psks(const struct sec_protocol_options *from, struct sec_protocol_options *to) {
    if (from->psk_count == 0)
        return true;
    to->psks = nwi_alloc(from->psk_count * sizeof to->psks[0]);
    if (to->psks == NULL)
        return false;
    for (size_t i = 0; i < from->psk_count; i++) {
        to->psks[i].key = nwi_retain(from->psks[i].key);
        to->psks[i].identity = nwi_retain(from->psks[i].identity);
    }
    to->psk_count = from->psk_count;
    return true;
}

sec_protocol_options_t nwi_sec_options_copy(sec_protocol_options_t options) {
    sec_protocol_options_t copy = nwi_sec_options_create();
    if (copy == NULL)
        return NULL;
    copy->server_name = nwi_strdup(options->server_name);
    if ((options->server_name != NULL && copy->server_name == NULL) ||
        !copy_suites(options, copy) || !copy_protocols(options, copy) || !copy_psks(options, copy))
        return nwi_release(copy);
    copy->local_identity = nwi_retain(options->local_identity);
    copy->ciphersuite_groups = options->ciphersuite_groups;
    copy->min_version = options->min_version;
    copy->max_version = options->max_version;
    copy->dh_parameters = nwi_retain(options->dh_parameters);
    copy->psk_identity_hint = nwi_retain(options->psk_identity_hint);
    copy->local_status = nwi_retain(options->local_status);
    copy->tickets_enabled = options->tickets_enabled;
    copy->is_fallback_attempt = options->is_fallback_attempt;
    copy->resumption_enabled = options->resumption_enabled;
    copy->false_start_enabled = options->false_start_enabled;
    copy->ocsp_enabled = options->ocsp_enabled;
    copy->sct_enabled = options->sct_enabled;
    copy->renegotiation_enabled = options->renegotiation_enabled;
    copy->enable_encrypted_client_hello = options->enable_encrypted_client_hello;
    copy->quic_use_legacy_codepoint = options->quic_use_legacy_codepoint;
    copy->peer_authentication_required = options->peer_authentication_required;
    copy->peer_authentication_optional = options->peer_authentication_optional;
    copy->trust = nwi_retain(options->trust);
    copy->psk_selection = nwi_retain(options->psk_selection);
    copy->key_update = nwi_retain(options->key_update);
    copy->challenge = nwi_retain(options->challenge);
    copy->verify = nwi_retain(options->verify);
    return copy;
}

/* --- comparison --- */

static bool same_handler(const struct nwi_sec_handler *a, const struct nwi_sec_handler *b) {
    if (a == NULL || b == NULL)
        return a == b;
    return a->callback.context == b->callback.context && a->callback.fn == b->callback.fn &&
           a->queue == b->queue;
}

static bool same_suites(const tls_ciphersuite_t *a, size_t a_count, const tls_ciphersuite_t *b,
                        size_t b_count) {
    return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * sizeof a[0]) == 0);
}

static bool same_lists(const struct sec_protocol_options *a, const struct sec_protocol_options *b) {
    if (a->psk_count != b->psk_count ||
        a->application_protocol_count != b->application_protocol_count ||
        !same_suites(a->ciphersuites, a->ciphersuite_count, b->ciphersuites,
                     b->ciphersuite_count) ||
        !same_suites(a->exact_ciphersuites, a->exact_ciphersuite_count, b->exact_ciphersuites,
                     b->exact_ciphersuite_count))
        return false;
    for (size_t i = 0; i < a->application_protocol_count; i++)
        if (strcmp(a->application_protocols[i], b->application_protocols[i]) != 0)
            return false;
    for (size_t i = 0; i < a->psk_count; i++)
        if (!nwi_data_equal(a->psks[i].key, b->psks[i].key) ||
            !nwi_data_equal(a->psks[i].identity, b->psks[i].identity))
            return false;
    return true;
}

static bool same_switches(const struct sec_protocol_options *a,
                          const struct sec_protocol_options *b) {
    return a->tickets_enabled == b->tickets_enabled &&
           a->is_fallback_attempt == b->is_fallback_attempt &&
           a->resumption_enabled == b->resumption_enabled &&
           a->false_start_enabled == b->false_start_enabled && a->ocsp_enabled == b->ocsp_enabled &&
           a->sct_enabled == b->sct_enabled &&
           a->renegotiation_enabled == b->renegotiation_enabled &&
           a->enable_encrypted_client_hello == b->enable_encrypted_client_hello &&
           a->quic_use_legacy_codepoint == b->quic_use_legacy_codepoint &&
           a->peer_authentication_required == b->peer_authentication_required &&
           a->peer_authentication_optional == b->peer_authentication_optional;
}

SEC_EXPORT bool sec_protocol_options_are_equal(sec_protocol_options_t optionsA,
                                               sec_protocol_options_t optionsB) {
    const struct sec_protocol_options *a = optionsA, *b = optionsB;
    if (a == b || a == NULL || b == NULL)
        return a == b;
    return nwi_object_equal(a->local_identity, b->local_identity) &&
           nwi_sec_same_text(a->server_name, b->server_name) &&
           a->ciphersuite_groups == b->ciphersuite_groups && a->min_version == b->min_version &&
           a->max_version == b->max_version && nwi_data_equal(a->dh_parameters, b->dh_parameters) &&
           nwi_data_equal(a->psk_identity_hint, b->psk_identity_hint) &&
           nwi_data_equal(a->local_status, b->local_status) && same_lists(a, b) &&
           same_switches(a, b) && nwi_trust_settings_equal(a->trust, b->trust) &&
           same_handler(a->psk_selection, b->psk_selection) &&
           same_handler(a->key_update, b->key_update) && same_handler(a->challenge, b->challenge) &&
           same_handler(a->verify, b->verify);
}
