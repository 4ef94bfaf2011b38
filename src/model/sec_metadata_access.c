/*
 * sec_metadata_access.c - walks the lists of what a TLS handshake agreed on, and compares them.
 * What:   the access calls in both forms; whether two handshakes met the same peer, and whether
 *         they asked us the same question.
 * Source: semantics of sec_protocol_metadata_t.
 * Runs:   any thread: the record no longer changes. Handlers are called before the call returns.
 */
#include "base/callback.h"
#include "dispatch/data.h"
#include "model/sec_metadata.h"
#include <Security/session_metadata.h>
#include <Security/trust_evaluation.h>
#include <string.h>

/* Each walk holds the metadata: a handler may give back the caller's reference. */

static bool access_chain(sec_protocol_metadata_t metadata, struct nwi_callback callback,
                         const char *function) {
    if (!nwi_callback_can_walk(metadata, callback, function))
        return false;
    NWI_AUTO_RELEASE
    sec_protocol_metadata_t held = nwi_retain(metadata);
    nwi_sec_metadata_need_peer(held);
    if (held->peer_chain_count == 0)
        return false;
    for (size_t i = 0; i < held->peer_chain_count; i++)
        NWI_CALL(callback, void, (sec_certificate_t), held->peer_chain[i]);
    return true;
}

SEC_EXPORT bool
sec_protocol_metadata_access_peer_certificate_chain(sec_protocol_metadata_t metadata,
                                                    const void *block) {
    return access_chain(metadata, nwi_callback_block_noescape(block), __func__);
}

SEC_EXPORT bool sec_protocol_metadata_access_peer_certificate_chain_f(
    sec_protocol_metadata_t metadata, void *context, sec_access_certificate_f handler) {
    return access_chain(metadata, nwi_callback_f(context, (nwi_fn)handler), __func__);
}

/* `offset`: where in the metadata the list stands. */
static bool access_items(sec_protocol_metadata_t metadata, size_t offset,
                         struct nwi_callback callback, const char *function) {
    if (!nwi_callback_can_walk(metadata, callback, function))
        return false;
    NWI_AUTO_RELEASE
    sec_protocol_metadata_t held = nwi_retain(metadata);
    nwi_sec_metadata_need_peer(held);
    const struct nwi_sec_items *items = (const void *)((const char *)held + offset);
    for (size_t i = 0; i < items->count; i++)
        NWI_CALL(callback, void, (dispatch_data_t), items->items[i]);
    return items->count > 0;
}
#define ACCESS_ITEMS(field, callback)                                                              \
    access_items(metadata, offsetof(struct sec_protocol_metadata, field), callback, __func__)

SEC_EXPORT bool sec_protocol_metadata_access_ocsp_response(sec_protocol_metadata_t metadata,
                                                           const void *block) {
    return ACCESS_ITEMS(ocsp_responses, nwi_callback_block_noescape(block));
}

SEC_EXPORT bool sec_protocol_metadata_access_ocsp_response_f(sec_protocol_metadata_t metadata,
                                                             void *context,
                                                             sec_access_data_f handler) {
    return ACCESS_ITEMS(ocsp_responses, nwi_callback_f(context, (nwi_fn)handler));
}

SEC_EXPORT bool sec_protocol_metadata_access_distinguished_names(sec_protocol_metadata_t metadata,
                                                                 const void *block) {
    return ACCESS_ITEMS(distinguished_names, nwi_callback_block_noescape(block));
}

SEC_EXPORT bool sec_protocol_metadata_access_distinguished_names_f(sec_protocol_metadata_t metadata,
                                                                   void *context,
                                                                   sec_access_data_f handler) {
    return ACCESS_ITEMS(distinguished_names, nwi_callback_f(context, (nwi_fn)handler));
}

SEC_EXPORT bool
sec_protocol_metadata_access_signed_certificate_timestamps(sec_protocol_metadata_t metadata,
                                                           const void *block) {
    return ACCESS_ITEMS(scts, nwi_callback_block_noescape(block));
}

SEC_EXPORT bool sec_protocol_metadata_access_signed_certificate_timestamps_f(
    sec_protocol_metadata_t metadata, void *context, sec_access_data_f handler) {
    return ACCESS_ITEMS(scts, nwi_callback_f(context, (nwi_fn)handler));
}

static bool access_algorithms(sec_protocol_metadata_t metadata, struct nwi_callback callback,
                              const char *function) {
    if (!nwi_callback_can_walk(metadata, callback, function))
        return false;
    NWI_AUTO_RELEASE
    sec_protocol_metadata_t held = nwi_retain(metadata);
    for (size_t i = 0; i < held->signature_algorithm_count; i++)
        NWI_CALL(callback, void, (uint16_t), held->signature_algorithms[i]);
    return held->signature_algorithm_count > 0;
}

SEC_EXPORT bool
sec_protocol_metadata_access_supported_signature_algorithms(sec_protocol_metadata_t metadata,
                                                            const void *block) {
    return access_algorithms(metadata, nwi_callback_block_noescape(block), __func__);
}

SEC_EXPORT bool sec_protocol_metadata_access_supported_signature_algorithms_f(
    sec_protocol_metadata_t metadata, void *context, sec_access_signature_algorithm_f handler) {
    return access_algorithms(metadata, nwi_callback_f(context, (nwi_fn)handler), __func__);
}

static bool access_keys(sec_protocol_metadata_t metadata, struct nwi_callback callback,
                        const char *function) {
    if (!nwi_callback_can_walk(metadata, callback, function))
        return false;
    NWI_AUTO_RELEASE
    sec_protocol_metadata_t held = nwi_retain(metadata);
    for (size_t i = 0; i < held->psk_count; i++)
        NWI_CALL(callback, void, (dispatch_data_t, dispatch_data_t), held->psks[i].key,
                 held->psks[i].identity);
    return held->psk_count > 0;
}

SEC_EXPORT bool sec_protocol_metadata_access_pre_shared_keys(sec_protocol_metadata_t metadata,
                                                             const void *block) {
    return access_keys(metadata, nwi_callback_block_noescape(block), __func__);
}

SEC_EXPORT bool
sec_protocol_metadata_access_pre_shared_keys_f(sec_protocol_metadata_t metadata, void *context,
                                               sec_access_pre_shared_key_f handler) {
    return access_keys(metadata, nwi_callback_f(context, (nwi_fn)handler), __func__);
}

/* --- comparison --- */

static bool same_items(const struct nwi_sec_items *a, const struct nwi_sec_items *b) {
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = nwi_data_equal(a->items[i], b->items[i]);
    return same;
}

/* Each handshake makes objects of its own of the same certificates, so their octets count. */
static bool same_chain(const struct sec_protocol_metadata *a,
                       const struct sec_protocol_metadata *b) {
    bool same = a->peer_chain_count == b->peer_chain_count;
    for (size_t i = 0; same && i < a->peer_chain_count; i++)
        same = sec_certificate_are_equal(a->peer_chain[i], b->peer_chain[i]);
    return same;
}

SEC_EXPORT bool sec_protocol_metadata_peers_are_equal(sec_protocol_metadata_t metadataA,
                                                      sec_protocol_metadata_t metadataB) {
    const struct sec_protocol_metadata *a = metadataA, *b = metadataB;
    if (a == b || a == NULL || b == NULL)
        return a == b;
    nwi_sec_metadata_need_peer(metadataA);
    nwi_sec_metadata_need_peer(metadataB);
    return nwi_sec_same_text(a->server_name, b->server_name) &&
           nwi_data_equal(a->peer_public_key, b->peer_public_key) && same_chain(a, b);
}

SEC_EXPORT bool
sec_protocol_metadata_challenge_parameters_are_equal(sec_protocol_metadata_t metadataA,
                                                     sec_protocol_metadata_t metadataB) {
    const struct sec_protocol_metadata *a = metadataA, *b = metadataB;
    if (a == b || a == NULL || b == NULL)
        return a == b;
    size_t count = a->signature_algorithm_count;
    return same_items(&a->distinguished_names, &b->distinguished_names) &&
           count == b->signature_algorithm_count &&
           (count == 0 || memcmp(a->signature_algorithms, b->signature_algorithms,
                                 count * sizeof a->signature_algorithms[0]) == 0);
}
