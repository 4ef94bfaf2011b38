/*
 * describe.c - see describe.h.
 * Source: RFC 8446 section 4.2.3 (numbers of signature schemes), RFC 5246 section 7.4.1.4.1 (those
 *         of TLS 1.2), RFC 6962 section 3.3.
 */
#include "protocol/tls/describe.h"
#include "dispatch/data.h"
#include "trust/certificate.h"
#include "trust/sct.h"
#include <gnutls/abstract.h>
#include <gnutls/ocsp.h>

static tls_protocol_version_t version_of(gnutls_session_t session) {
    switch (gnutls_protocol_get_version(session)) {
    case GNUTLS_TLS1_0:
        return tls_protocol_version_TLSv10;
    case GNUTLS_TLS1_1:
        return tls_protocol_version_TLSv11;
    case GNUTLS_TLS1_2:
        return tls_protocol_version_TLSv12;
    case GNUTLS_TLS1_3:
        return tls_protocol_version_TLSv13;
    case GNUTLS_DTLS1_0:
        return tls_protocol_version_DTLSv10;
    case GNUTLS_DTLS1_2:
        return tls_protocol_version_DTLSv12;
    default:
        return 0;
    }
}

/* --- the peer --- */

size_t nwi_tls_copy_chain(gnutls_session_t session, sec_certificate_t *chain) {
    unsigned shown = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &shown);
    size_t count = 0;
    for (; list != NULL && count < shown && count < NWI_TLS_CHAIN_MOST; count++)
        if ((chain[count] = nwi_certificate_create(list[count].data, list[count].size)) == NULL)
            break;
    return count;
}

dispatch_data_t nwi_tls_copy_staple(gnutls_session_t session) {
    gnutls_datum_t response;
    if (gnutls_ocsp_status_request_get2(session, 0, &response) < 0 || response.size == 0)
        return NULL;
    return nwi_data_create_copy(response.data, response.size);
}

static bool add_public_key(sec_protocol_metadata_t metadata, sec_certificate_t certificate) {
    gnutls_pubkey_t key;
    gnutls_datum_t spki = {0};
    if (gnutls_pubkey_init(&key) < 0)
        return false;
    bool done = gnutls_pubkey_import_x509(key, certificate->crt, 0) == 0 &&
                gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &spki) == 0 &&
                nwi_sec_metadata_set_peer_public_key(metadata, spki.data, spki.size);
    gnutls_free(spki.data);
    gnutls_pubkey_deinit(key);
    return done;
}

struct timestamps {
    sec_protocol_metadata_t metadata;
    bool lost; /* memory ran out */
};

static bool add_timestamp(void *context, const void *octets, size_t size) {
    struct timestamps *timestamps = context;
    timestamps->lost = !nwi_sec_metadata_add_item(&timestamps->metadata->scts, octets, size);
    return !timestamps->lost;
}

/* Those in the certificate and those in the stapled response (RFC 6962 section 3.3). What cannot be
 * read is left out. GnuTLS does not know the extension of TLS with the same content. */
static bool add_timestamps(sec_protocol_metadata_t metadata, sec_certificate_t certificate) {
    struct timestamps timestamps = {.metadata = metadata};
    const void *octets;
    size_t size;
    nwi_certificate_scts(certificate, &timestamps, add_timestamp);
    if (timestamps.lost || metadata->ocsp_responses.count == 0)
        return !timestamps.lost;
    dispatch_data_t map =
        dispatch_data_create_map(metadata->ocsp_responses.items[0], &octets, &size);
    if (map == NULL)
        return false;
    const gnutls_datum_t response = {.data = (unsigned char *)octets, .size = (unsigned)size};
    nwi_scts_of_staple(&response, &timestamps, add_timestamp);
    dispatch_release(map);
    return !timestamps.lost;
}

static bool add_staples(sec_protocol_metadata_t metadata, gnutls_session_t session, size_t count) {
    gnutls_datum_t response;
    for (unsigned i = 0; i < count; i++)
        if (gnutls_ocsp_status_request_get2(session, i, &response) >= 0 && response.size > 0 &&
            !nwi_sec_metadata_add_item(&metadata->ocsp_responses, response.data, response.size))
            return false;
    return true;
}

/* Turns the metadata's DER into certificates; what cannot be read ends the chain. */
static size_t read_shown(const struct nwi_sec_items *shown, sec_certificate_t *chain) {
    size_t count = 0;
    for (; count < shown->count && count < NWI_TLS_CHAIN_MOST; count++) {
        const void *der;
        size_t size;
        dispatch_data_t map = dispatch_data_create_map(shown->items[count], &der, &size);
        chain[count] = map == NULL ? NULL : nwi_certificate_create(der, size);
        nwi_release(map);
        if (chain[count] == NULL)
            break;
    }
    return count;
}

/* The metadata's read_peer. */
static bool read_peer(sec_protocol_metadata_t metadata) {
    sec_certificate_t chain[NWI_TLS_CHAIN_MOST];
    size_t count = read_shown(&metadata->shown, chain);
    bool done =
        count == 0 || (nwi_sec_metadata_set_peer_chain(metadata, chain, count) &&
                       add_public_key(metadata, chain[0]) && add_timestamps(metadata, chain[0]));
    for (size_t i = 0; i < count; i++)
        nwi_release(chain[i]);
    return done;
}

static bool describe_peer(sec_protocol_metadata_t metadata, gnutls_session_t session) {
    unsigned count = 0;
    const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &count);
    if (list == NULL)
        return true;
    for (unsigned i = 0; i < count && i < NWI_TLS_CHAIN_MOST; i++)
        if (!nwi_sec_metadata_add_item(&metadata->shown, list[i].data, list[i].size))
            return false;
    metadata->read_peer = read_peer;
    return add_staples(metadata, session, count);
}

/* --- what was agreed on --- */

/* By the numbers on the wire. */
static const struct {
    gnutls_sign_algorithm_t algorithm;
    uint16_t number;
} schemes[] = {
    {GNUTLS_SIGN_RSA_SHA1, 0x0201},
    {GNUTLS_SIGN_ECDSA_SHA1, 0x0203},
    {GNUTLS_SIGN_RSA_SHA256, 0x0401},
    {GNUTLS_SIGN_ECDSA_SHA256, 0x0403},
    {GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, 0x0403},
    {GNUTLS_SIGN_RSA_SHA384, 0x0501},
    {GNUTLS_SIGN_ECDSA_SHA384, 0x0503},
    {GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, 0x0503},
    {GNUTLS_SIGN_RSA_SHA512, 0x0601},
    {GNUTLS_SIGN_ECDSA_SHA512, 0x0603},
    {GNUTLS_SIGN_ECDSA_SECP521R1_SHA512, 0x0603},
    {GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 0x0804},
    {GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, 0x0805},
    {GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, 0x0806},
    {GNUTLS_SIGN_EDDSA_ED25519, 0x0807},
    {GNUTLS_SIGN_EDDSA_ED448, 0x0808},
    {GNUTLS_SIGN_RSA_PSS_SHA256, 0x0809},
    {GNUTLS_SIGN_RSA_PSS_SHA384, 0x080a},
    {GNUTLS_SIGN_RSA_PSS_SHA512, 0x080b},
};

static bool add_schemes(sec_protocol_metadata_t metadata, gnutls_session_t session) {
    gnutls_sign_algorithm_t algorithm;
    for (size_t i = 0; gnutls_sign_algorithm_get_requested(session, i, &algorithm) == 0; i++)
        for (size_t k = 0; k < sizeof schemes / sizeof schemes[0]; k++)
            if (schemes[k].algorithm == algorithm &&
                !nwi_sec_metadata_add_signature_algorithm(metadata, schemes[k].number))
                return false;
    return true;
}

static bool describe_names(sec_protocol_metadata_t metadata, gnutls_session_t session,
                           const struct nwi_tls_config *config, const char *host) {
    gnutls_datum_t protocol;
    char name[256];
    size_t size = sizeof name;
    unsigned type = 0;
    if (gnutls_alpn_get_selected_protocol(session, &protocol) == 0 &&
        !nwi_sec_metadata_set_protocol(metadata, protocol.data, protocol.size))
        return false;
    if (!config->is_server)
        return host == NULL || nwi_tls_is_address(host) ||
               nwi_sec_metadata_set_server_name(metadata, host);
    return gnutls_server_name_get(session, name, &size, &type, 0) != 0 ||
           nwi_sec_metadata_set_server_name(metadata, name);
}

static bool add_keys(sec_protocol_metadata_t metadata, const struct nwi_tls_config *config) {
    for (size_t i = 0; i < config->sec->psk_count; i++)
        if (!nwi_sec_metadata_add_psk(metadata, config->sec->psks[i].key,
                                      config->sec->psks[i].identity))
            return false;
    return true;
}

sec_protocol_metadata_t nwi_tls_describe(gnutls_session_t session,
                                         const struct nwi_tls_config *config, const char *host) {
    sec_protocol_metadata_t metadata = nwi_sec_metadata_create();
    if (metadata == NULL)
        return NULL;
    metadata->version = version_of(session);

    metadata->ciphersuite = nwi_tls_suite_of(session);
    metadata->resumed = gnutls_session_is_resumed(session) != 0;
    metadata->early_data_accepted =
        (gnutls_session_get_flags(session) & GNUTLS_SFLAGS_EARLY_DATA) != 0;
    if (!describe_names(metadata, session, config, host) || !describe_peer(metadata, session) ||
        !add_schemes(metadata, session) || !add_keys(metadata, config))
        return nwi_release(metadata);
    return metadata;
}

bool nwi_tls_export(gnutls_session_t session, const char *label, size_t label_length,
                    const uint8_t *context, size_t context_length, size_t length,
                    uint8_t *ret_secret) {
    return gnutls_prf_rfc5705(session, label_length, label, context_length, (const char *)context,
                              length, (char *)ret_secret) == 0;
}
