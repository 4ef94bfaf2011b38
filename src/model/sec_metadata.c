/*
 * sec_metadata.c - what a TLS handshake agreed on: the record and its plain getters.
 * What:   makes, fills and frees it, tells the agreed values and exports secrets; walking its lists
 *         and comparing it is sec_metadata_access.c's.
 * Source: semantics of sec_protocol_metadata_t; RFC 5705 section 4 (exported secrets).
 * Runs:   filled by its maker, then read on any thread; the exporter under the lock.
 * Owns:   copies of texts and octets, references to certificates and keys.
 */
#include "model/sec_metadata.h"
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/data.h"
#include <Security/session_metadata.h>
#include <string.h>

static void clear_items(struct nwi_sec_items *items) {
    for (size_t i = 0; i < items->count; i++)
        nwi_release(items->items[i]);
    nwi_free(items->items);
    *items = (struct nwi_sec_items){.count = 0};
}

static void metadata_destroy(void *object) {
    sec_protocol_metadata_t metadata = object;
    nwi_free(metadata->negotiated_protocol);
    nwi_free(metadata->server_name);
    clear_items(&metadata->shown);
    for (size_t i = 0; i < metadata->peer_chain_count; i++)
        nwi_release(metadata->peer_chain[i]);
    nwi_free(metadata->peer_chain);
    nwi_release(metadata->peer_public_key);
    clear_items(&metadata->ocsp_responses);
    clear_items(&metadata->scts);
    clear_items(&metadata->distinguished_names);
    nwi_free(metadata->signature_algorithms);
    for (size_t i = 0; i < metadata->psk_count; i++) {
        nwi_release(metadata->psks[i].key);
        nwi_release(metadata->psks[i].identity);
    }
    nwi_free(metadata->psks);
    pthread_mutex_destroy(&metadata->lock);
}

static const struct nwi_type sec_metadata_type = {
    .name = "sec_protocol_metadata",
    .size = sizeof(struct sec_protocol_metadata),
    .destroy = metadata_destroy,
};

sec_protocol_metadata_t nwi_sec_metadata_create(void) {
    sec_protocol_metadata_t metadata = nwi_object_create(&sec_metadata_type, 0);
    if (metadata != NULL) /* with default attributes this cannot fail */
        pthread_mutex_init(&metadata->lock, NULL);
    return metadata;
}

/* --- filling --- */

/* Replaces a text by a copy of `length` octets. */
static bool set_text(char **slot, const void *text, size_t length) {
    char *copy = nwi_alloc_raw(length + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    nwi_free(*slot);
    *slot = copy;
    return true;
}

bool nwi_sec_metadata_set_protocol(sec_protocol_metadata_t metadata, const void *protocol,
                                   size_t length) {
    return set_text(&metadata->negotiated_protocol, protocol, length);
}

bool nwi_sec_metadata_set_server_name(sec_protocol_metadata_t metadata, const char *name) {
    return set_text(&metadata->server_name, name, strlen(name));
}

bool nwi_sec_metadata_set_peer_chain(sec_protocol_metadata_t metadata,
                                     const sec_certificate_t *chain, size_t count) {
    sec_certificate_t *copy = count > 0 ? nwi_alloc_raw(count * sizeof copy[0]) : NULL;
    if (count > 0 && copy == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        copy[i] = nwi_retain(chain[i]);
    for (size_t i = 0; i < metadata->peer_chain_count; i++)
        nwi_release(metadata->peer_chain[i]);
    nwi_free(metadata->peer_chain);
    metadata->peer_chain = copy;
    metadata->peer_chain_count = count;
    return true;
}

bool nwi_sec_metadata_set_peer_public_key(sec_protocol_metadata_t metadata, const void *spki,
                                          size_t size) {
    dispatch_data_t copy = nwi_data_create_copy(spki, size);
    if (copy == NULL)
        return false;
    nwi_release(metadata->peer_public_key);
    metadata->peer_public_key = copy;
    return true;
}

/* After the lock was held once with nothing left to read, the four fields do not change. */
void nwi_sec_metadata_need_peer(sec_protocol_metadata_t metadata) {
    pthread_mutex_lock(&metadata->lock);
    if (metadata->read_peer != NULL && metadata->read_peer(metadata)) {
        metadata->read_peer = NULL;
        clear_items(&metadata->shown);
    } else if (metadata->read_peer != NULL) {
        clear_items(&metadata->scts); /* half a list would be added to the next time */
    }
    pthread_mutex_unlock(&metadata->lock);
}

bool nwi_sec_metadata_add_item(struct nwi_sec_items *items, const void *octets, size_t size) {
    dispatch_data_t item = nwi_data_create_copy(octets, size);
    dispatch_data_t *grown =
        item == NULL ? NULL : nwi_realloc(items->items, (items->count + 1) * sizeof grown[0]);
    if (grown == NULL) {
        nwi_release(item);
        return false;
    }
    items->items = grown;
    grown[items->count++] = item;
    return true;
}

bool nwi_sec_metadata_add_signature_algorithm(sec_protocol_metadata_t metadata,
                                              uint16_t algorithm) {
    size_t count = metadata->signature_algorithm_count;
    uint16_t *grown = nwi_realloc(metadata->signature_algorithms, (count + 1) * sizeof grown[0]);
    if (grown == NULL)
        return false;
    grown[count] = algorithm;
    metadata->signature_algorithms = grown;
    metadata->signature_algorithm_count = count + 1;
    return true;
}

bool nwi_sec_metadata_add_psk(sec_protocol_metadata_t metadata, dispatch_data_t key,
                              dispatch_data_t identity) {
    size_t count = metadata->psk_count;
    struct nwi_sec_psk *grown = nwi_realloc(metadata->psks, (count + 1) * sizeof grown[0]);
    if (grown == NULL)
        return false;
    grown[count].key = nwi_retain(key);
    grown[count].identity = nwi_retain(identity);
    metadata->psks = grown;
    metadata->psk_count = count + 1;
    return true;
}

void nwi_sec_metadata_attach(sec_protocol_metadata_t metadata,
                             const struct nwi_sec_exporter_ops *ops, void *owner) {
    metadata->ops = ops;
    metadata->owner = owner;
}

void nwi_sec_metadata_detach(sec_protocol_metadata_t metadata) {
    if (metadata == NULL)
        return;
    pthread_mutex_lock(&metadata->lock); /* waits for a question that is being answered */
    metadata->owner = NULL;
    pthread_mutex_unlock(&metadata->lock);
}

/* --- what was agreed on --- */

static bool checked(sec_protocol_metadata_t metadata, const char *function) {
    if (metadata == NULL)
        nwi_log_misuse(function, "metadata is NULL");
    return metadata != NULL;
}

SEC_EXPORT const char *
sec_protocol_metadata_get_negotiated_protocol(sec_protocol_metadata_t metadata) {
    return checked(metadata, __func__) ? metadata->negotiated_protocol : NULL;
}

SEC_EXPORT const char *
sec_protocol_metadata_copy_negotiated_protocol(sec_protocol_metadata_t metadata) {
    return checked(metadata, __func__) ? nwi_strdup(metadata->negotiated_protocol) : NULL;
}

SEC_EXPORT const char *sec_protocol_metadata_get_server_name(sec_protocol_metadata_t metadata) {
    return checked(metadata, __func__) ? metadata->server_name : NULL;
}

SEC_EXPORT const char *sec_protocol_metadata_copy_server_name(sec_protocol_metadata_t metadata) {
    return checked(metadata, __func__) ? nwi_strdup(metadata->server_name) : NULL;
}

SEC_EXPORT dispatch_data_t
sec_protocol_metadata_copy_peer_public_key(sec_protocol_metadata_t metadata) {
    if (!checked(metadata, __func__))
        return NULL;
    nwi_sec_metadata_need_peer(metadata);
    return nwi_retain(metadata->peer_public_key);
}

SEC_EXPORT tls_protocol_version_t
sec_protocol_metadata_get_negotiated_tls_protocol_version(sec_protocol_metadata_t metadata) {
    return checked(metadata, __func__) ? metadata->version : 0;
}

SEC_EXPORT SSLProtocol
sec_protocol_metadata_get_negotiated_protocol_version(sec_protocol_metadata_t metadata) {
    switch (checked(metadata, __func__) ? metadata->version : 0) {
    case tls_protocol_version_TLSv10:
        return kTLSProtocol1;
    case tls_protocol_version_TLSv11:
        return kTLSProtocol11;
    case tls_protocol_version_TLSv12:
        return kTLSProtocol12;
    case tls_protocol_version_TLSv13:
        return kTLSProtocol13;
    case tls_protocol_version_DTLSv10:
        return kDTLSProtocol1;
    case tls_protocol_version_DTLSv12:
        return kDTLSProtocol12;
    default:
        return kSSLProtocolUnknown;
    }
}

SEC_EXPORT tls_ciphersuite_t
sec_protocol_metadata_get_negotiated_tls_ciphersuite(sec_protocol_metadata_t metadata) {
    return checked(metadata, __func__) ? metadata->ciphersuite : 0;
}

SEC_EXPORT SSLCipherSuite
sec_protocol_metadata_get_negotiated_ciphersuite(sec_protocol_metadata_t metadata) {
    return checked(metadata, __func__) ? metadata->ciphersuite : 0;
}

SEC_EXPORT bool sec_protocol_metadata_get_early_data_accepted(sec_protocol_metadata_t metadata) {
    return checked(metadata, __func__) && metadata->early_data_accepted;
}

SEC_EXPORT bool sec_protocol_metadata_get_session_resumed(sec_protocol_metadata_t metadata) {
    return checked(metadata, __func__) && metadata->resumed;
}

/* --- exported secrets --- */

/* Asks the session, if it still lives. */
static bool export_secret(sec_protocol_metadata_t metadata, const char *label, size_t label_length,
                          const uint8_t *context, size_t context_length, size_t length,
                          void *ret_secret) {
    pthread_mutex_lock(&metadata->lock);
    bool done = metadata->owner != NULL &&
                metadata->ops->export_secret(metadata->owner, label, label_length, context,
                                             context_length, length, ret_secret);
    pthread_mutex_unlock(&metadata->lock);
    return done;
}

static dispatch_data_t create_secret(sec_protocol_metadata_t metadata, size_t label_length,
                                     const char *label, size_t context_length,
                                     const uint8_t *context, size_t length, const char *function) {
    void *bytes;
    if (!checked(metadata, function))
        return NULL;
    if (label == NULL || label_length == 0 || (context == NULL && context_length > 0)) {
        nwi_log_misuse(function, "the label is empty, or the context is NULL but has a length");
        return NULL;
    }
    /* Both lengths have two octets: RFC 5705 section 4, RFC 8446 section 7.1. */
    if (length == 0 || length > UINT16_MAX || context_length > UINT16_MAX) {
        nwi_log_misuse(function, "a secret has 1 to 65535 octets, a context at most 65535");
        return NULL;
    }
    dispatch_data_t secret = nwi_data_create_buffer(length, &bytes);
    if (secret == NULL ||
        export_secret(metadata, label, label_length, context, context_length, length, bytes))
        return secret;
    return nwi_release(secret);
}

SEC_EXPORT dispatch_data_t sec_protocol_metadata_create_secret(sec_protocol_metadata_t metadata,
                                                               size_t label_len, const char *label,
                                                               size_t exporter_length) {
    return create_secret(metadata, label_len, label, 0, NULL, exporter_length, __func__);
}

SEC_EXPORT dispatch_data_t sec_protocol_metadata_create_secret_with_context(
    sec_protocol_metadata_t metadata, size_t label_len, const char *label, size_t context_len,
    const uint8_t *context, size_t exporter_length) {
    return create_secret(metadata, label_len, label, context_len, context, exporter_length,
                         __func__);
}
