/*
 * keys.c - pre-shared keys: GnuTLS's questions for them, answered from the options.
 * Source: RFC 4279 (TLS 1.2), RFC 8446 section 4.2.11 (TLS 1.3).
 * Runs:   in the protocol context, inside a step of the handshake.
 */
#include "dispatch/data.h"
#include "protocol/tls/ask.h"
#include <Security/SecureTransport.h>
#include <string.h>

/* In GnuTLS's memory, which wipes keys. False: no memory. */
static bool copy_out(dispatch_data_t data, gnutls_datum_t *ret_datum) {
    size_t size = dispatch_data_get_size(data);
    unsigned char *bytes = gnutls_malloc(size + 1); /* names of GnuTLS's own are terminated */
    if (bytes == NULL)
        return false;
    bytes[nwi_data_copy_out(data, 0, bytes, size)] = 0;
    *ret_datum = (gnutls_datum_t){.data = bytes, .size = (unsigned)size};
    return true;
}

static bool is_named(dispatch_data_t name, const gnutls_datum_t *wanted) {
    unsigned char bytes[256];
    if (dispatch_data_get_size(name) != wanted->size)
        return false;
    for (size_t offset = 0; offset < wanted->size;) {
        size_t got = nwi_data_copy_out(name, offset, bytes, sizeof bytes);
        if (memcmp(bytes, wanted->data + offset, got) != 0)
            return false;
        offset += got;
    }
    return true;
}

/* The key of a name that the program chose; the first without a choice; NULL: none. */
static const struct nwi_sec_psk *choice(const struct nwi_tls_dialogue *dialogue) {
    const struct sec_protocol_options *sec = dialogue->config->sec;
    if (!dialogue->config->chooses_key)
        return sec->psks;
    for (size_t i = 0; i < sec->psk_count && dialogue->key_name != NULL; i++)
        if (nwi_data_equal(sec->psks[i].identity, dialogue->key_name))
            return &sec->psks[i];
    return NULL;
}

int nwi_tls_choose_key(gnutls_session_t session, gnutls_datum_t *ret_name,
                       gnutls_datum_t *ret_key) {
    struct nwi_tls_dialogue *dialogue = gnutls_session_get_ptr(session);
    const struct nwi_sec_psk *psk = choice(dialogue);
    gnutls_datum_t name;
    if (psk == NULL) {
        dialogue->verdict = errSSLUnknownPSKIdentity;
        return GNUTLS_E_INSUFFICIENT_CREDENTIALS;
    }
    if (!copy_out(psk->identity, &name))
        return GNUTLS_E_MEMORY_ERROR;
    if (!copy_out(psk->key, ret_key)) {
        gnutls_free(name.data);
        return GNUTLS_E_MEMORY_ERROR;
    }
    *ret_name = name;
    return 0;
}

int nwi_tls_find_key(gnutls_session_t session, const gnutls_datum_t *name,
                     gnutls_datum_t *ret_key) {
    struct nwi_tls_dialogue *dialogue = gnutls_session_get_ptr(session);
    const struct sec_protocol_options *sec = dialogue->config->sec;
    for (size_t i = 0; i < sec->psk_count; i++)
        if (is_named(sec->psks[i].identity, name))
            return copy_out(sec->psks[i].key, ret_key) ? 0 : GNUTLS_E_MEMORY_ERROR;
    dialogue->verdict = errSSLUnknownPSKIdentity;
    return -1;
}
