/*
 * sec_options.h - the settings of TLS, recorded as they were given.
 * Runs:   unsynchronised, as the public calls say; a started connection works on a copy of its own.
 * Owns:   keys, names, credentials and handlers.
 */
#ifndef NWI_MODEL_SEC_OPTIONS_H
#define NWI_MODEL_SEC_OPTIONS_H

#include "base/callback.h"
#include "base/object.h"
#include "model/trust_settings.h"
#include <Security/SecProtocolOptions.h>
#include <string.h>

struct nwi_sec_psk {
    dispatch_data_t key, identity; /* retained */
};

/* A handler shared by copies of the options: the block is copied and released once. */
struct nwi_sec_handler {
    struct nwi_object base;
    struct nwi_callback callback;
    bool is_block;          /* then `complete` must be a block too */
    dispatch_queue_t queue; /* retained; NULL = the default global queue */
    uint64_t number;        /* no other handler of the process has had it; never 0 */
    _Atomic bool slow;      /* it took its time when it was last called; relaxed: a hint */
};

enum nwi_sec_choice { NWI_SEC_DEFAULT, NWI_SEC_NO, NWI_SEC_YES }; /* "default" differs by role */

struct sec_protocol_options {
    struct nwi_object base;
    sec_identity_t local_identity;
    char *server_name;
    char **application_protocols; /* in order of preference */
    size_t application_protocol_count;
    tls_ciphersuite_t *ciphersuites; /* appended to the defaults */
    size_t ciphersuite_count;
    tls_ciphersuite_t *exact_ciphersuites; /* these and no others, unless there are none */
    size_t exact_ciphersuite_count;
    uint32_t ciphersuite_groups;                     /* bit n: group n was appended */
    tls_protocol_version_t min_version, max_version; /* 0 = default */
    dispatch_data_t dh_parameters;
    struct nwi_sec_psk *psks;
    size_t psk_count;
    dispatch_data_t psk_identity_hint;
    bool tickets_enabled, is_fallback_attempt, resumption_enabled, false_start_enabled;
    bool ocsp_enabled, sct_enabled, renegotiation_enabled;
    bool enable_encrypted_client_hello, quic_use_legacy_codepoint;
    enum nwi_sec_choice peer_authentication_required;
    bool peer_authentication_optional;
    dispatch_data_t local_status;     /* a server's OCSP response about itself */
    struct nwi_trust_settings *trust; /* shared by copies; NULL: nothing was said */
    struct nwi_sec_handler *psk_selection, *key_update, *challenge, *verify; /* NULL = none */
};

/* Whether the list holds the suite. */
static inline bool nwi_sec_suites_hold(const tls_ciphersuite_t *suites, size_t count,
                                       tls_ciphersuite_t suite) {
    for (size_t i = 0; i < count; i++)
        if (suites[i] == suite)
            return true;
    return false;
}
/* Whether both are NULL, or the same octets. */
static inline bool nwi_sec_same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Defaults; +1 or NULL. */
sec_protocol_options_t nwi_sec_options_create(void);
/* Deep copy (handlers shared); +1 or NULL. */
sec_protocol_options_t nwi_sec_options_copy(sec_protocol_options_t options);

#endif
