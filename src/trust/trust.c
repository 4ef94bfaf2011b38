/*
 * trust.c - see trust.h and <Security/trust_evaluation.h>.
 * Runs:   one thread at a time.
 */
#include "trust/trust.h"
#include "base/alloc.h"
#include "base/log.h"
#include "trust/anchors.h"
#include <Security/trust_evaluation.h>
#include <stdio.h>
#include <string.h>

static void release_list(sec_certificate_t *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        nwi_release(list[i]);
    nwi_free(list);
}

static void destroy(void *object) {
    sec_trust_t trust = object;
    release_list(trust->chain, trust->chain_count);
    release_list(trust->anchors, trust->anchor_count);
    nwi_trust_path_clear(&trust->path);
    nwi_free(trust->pins);
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
    if (!checked(trust, anchor != NULL, __func__))
        return;
    sec_certificate_t *grown =
        nwi_realloc(trust->anchors, (trust->anchor_count + 1) * sizeof grown[0]);
    if (grown == NULL) {
        nwi_log(NWI_LOG_ERROR, "trust", "anchor", "out of memory: this one is not trusted");
        return;
    }
    trust->anchors = grown;
    trust->anchors[trust->anchor_count++] = nwi_retain(anchor);
}

SEC_EXPORT void sec_trust_set_system_anchors_enabled(sec_trust_t trust, bool enabled) {
    if (checked(trust, true, __func__))
        trust->without_system = !enabled;
}

SEC_EXPORT void sec_trust_set_verify_time(sec_trust_t trust, int64_t seconds) {
    if (checked(trust, seconds >= 0, __func__))
        trust->time = (time_t)seconds;
}

/* A pin that is lost would loosen, so there is memory for it or the program waits. */
SEC_EXPORT void sec_trust_add_pin(sec_trust_t trust, const uint8_t *sha256) {
    if (!checked(trust, sha256 != NULL, __func__))
        return;
    void *grown;
    while ((grown = nwi_realloc(trust->pins, (trust->pin_count + 1) * sizeof trust->pins[0])) ==
           NULL)
        nwi_alloc_wait("a pin");
    trust->pins = grown;
    memcpy(trust->pins[trust->pin_count++], sha256, sizeof trust->pins[0]);
}

static bool fits(sec_trust_t trust, sec_certificate_t certificate) {
    uint8_t digest[NWI_TRUST_PIN_SIZE];
    size_t size = sizeof digest;
    if (gnutls_x509_crt_get_key_id(certificate->crt, GNUTLS_KEYID_USE_SHA256, digest, &size) < 0 ||
        size != sizeof digest)
        return false;
    for (size_t i = 0; i < trust->pin_count; i++)
        if (memcmp(trust->pins[i], digest, sizeof digest) == 0)
            return true;
    return false;
}

static bool check_pins(sec_trust_t trust) {
    for (size_t i = 0; i < trust->path.count; i++)
        if (fits(trust, trust->path.certificates[i]))
            return true;
    if (trust->pin_count == 0)
        return true;
    nwi_trust_path_clear(&trust->path);
    trust->verdict.status = errSSLBadCert;
    snprintf(trust->verdict.reason, sizeof trust->verdict.reason,
             "no certificate of the path has a public key that is pinned");
    return false;
}

SEC_EXPORT int32_t sec_trust_evaluate(sec_trust_t trust) {
    if (!checked(trust, true, __func__))
        return errSSLBadCert;
    const struct nwi_trust_request request = {
        .chain = trust->chain,
        .chain_count = trust->chain_count,
        .anchors = trust->anchors,
        .anchor_count = trust->anchor_count,
        .system_issuer = trust->without_system ? NULL : nwi_trust_system_issuer,
        .policy = {.purpose = trust->purpose,
                   .now = trust->time != -1 ? trust->time : time(NULL),
                   .host = trust->host},
    };
    char name[100];
    nwi_trust_path_clear(&trust->path);
    trust->evaluated = true;
    if (nwi_trust_build(&request, &trust->path, &trust->verdict) != 0 || !check_pins(trust))
        return trust->verdict.status;
    nwi_certificate_name(trust->path.certificates[trust->path.count - 1], name, sizeof name);
    snprintf(trust->verdict.reason, sizeof trust->verdict.reason, "trusted, by %s%s",
             trust->path.system ? "the system's root " : "the anchor ", name);
    return 0;
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
