/*
 * trust.c - see trust.h and <Security/trust_evaluation.h>.
 * Runs:   one thread at a time.
 */
#include "trust/trust.h"
#include "base/alloc.h"
#include "base/log.h"
#include <Security/trust_evaluation.h>
#include <string.h>

static void destroy(void *object) {
    sec_trust_t trust = object;
    for (size_t i = 0; i < trust->chain_count; i++)
        nwi_release(trust->chain[i]);
    nwi_free(trust->chain);
    nwi_release(trust->settings);
    nwi_release(trust->staple);
    nwi_trust_path_clear(&trust->path);
    nwi_free(trust->host);
}

static const struct nwi_type trust_type = {
    .name = "sec_trust",
    .size = sizeof(struct sec_trust),
    .destroy = destroy,
};

SEC_EXPORT sec_trust_t sec_trust_create_with_chain(const sec_certificate_t *chain, size_t count,
                                                   const char *host) {
    if (chain == NULL || count == 0) {
        nwi_log_misuse(__func__, "the chain is empty");
        return NULL;
    }
    sec_trust_t trust = nwi_object_create(&trust_type, 0);
    if (trust == NULL)
        return NULL;
    trust->time = -1;
    trust->chain = nwi_alloc(count * sizeof trust->chain[0]);
    trust->host = nwi_strdup(host);
    if (trust->chain == NULL || (host != NULL && trust->host == NULL))
        return nwi_release(trust);
    for (size_t i = 0; i < count; i++) {
        if (chain[i] == NULL) {
            nwi_log_misuse(__func__, "a certificate of the chain is NULL");
            return nwi_release(trust);
        }
        trust->chain[trust->chain_count++] = nwi_retain(chain[i]);
    }
    return trust;
}

static bool checked(sec_trust_t trust, bool good, const char *function) {
    if (trust == NULL || !good)
        nwi_log_misuse(function,
                       trust == NULL ? "trust is NULL" : "the value is not one of its kind");
    return trust != NULL && good;
}

SEC_EXPORT void sec_trust_set_purpose(sec_trust_t trust, sec_trust_purpose_t purpose) {
    if (checked(trust, purpose == sec_trust_purpose_server || purpose == sec_trust_purpose_client,
                __func__))
        trust->purpose = purpose == sec_trust_purpose_server ? NWI_TRUST_SERVER : NWI_TRUST_CLIENT;
}

SEC_EXPORT void sec_trust_add_anchor(sec_trust_t trust, sec_certificate_t anchor) {
    if (checked(trust, anchor != NULL, __func__))
        nwi_trust_settings_add(&trust->settings, NWI_TRUST_ANCHOR, anchor);
}

SEC_EXPORT void sec_trust_add_accepted_certificate(sec_trust_t trust, sec_certificate_t accepted) {
    if (checked(trust, accepted != NULL, __func__))
        nwi_trust_settings_add(&trust->settings, NWI_TRUST_ACCEPTED, accepted);
}

SEC_EXPORT void sec_trust_set_system_anchors_enabled(sec_trust_t trust, bool enabled) {
    if (checked(trust, true, __func__))
        nwi_trust_settings_set_system(&trust->settings, enabled);
}

SEC_EXPORT void sec_trust_add_pin(sec_trust_t trust, const uint8_t *sha256) {
    if (checked(trust, sha256 != NULL, __func__))
        nwi_trust_settings_add_pin(&trust->settings, sha256);
}

SEC_EXPORT void sec_trust_add_pinned_certificate(sec_trust_t trust, sec_certificate_t pinned) {
    if (checked(trust, pinned != NULL, __func__))
        nwi_trust_settings_add(&trust->settings, NWI_TRUST_PINNED, pinned);
}

SEC_EXPORT void sec_trust_set_stapled_status_required(sec_trust_t trust, bool required) {
    if (checked(trust, true, __func__))
        nwi_trust_settings_require_staple(&trust->settings, required);
}

SEC_EXPORT void sec_trust_set_stapled_status(sec_trust_t trust, dispatch_data_t response) {
    if (!checked(trust, true, __func__))
        return;
    dispatch_data_t old = trust->staple;
    trust->staple = nwi_retain(response);
    nwi_release(old);
}

SEC_EXPORT void sec_trust_set_verify_time(sec_trust_t trust, int64_t seconds) {
    if (checked(trust, seconds >= 0, __func__))
        trust->time = (time_t)seconds;
}

SEC_EXPORT char *sec_trust_copy_reason(sec_trust_t trust) {
    return trust != NULL && trust->evaluated ? strdup(trust->verdict.reason) : NULL;
}

SEC_EXPORT size_t sec_trust_get_path_count(sec_trust_t trust) {
    return trust != NULL ? trust->path.count : 0;
}

SEC_EXPORT sec_certificate_t sec_trust_copy_path_certificate(sec_trust_t trust, size_t index) {
    if (trust == NULL || index >= trust->path.count)
        return NULL;
    return nwi_retain(trust->path.certificates[index]);
}
