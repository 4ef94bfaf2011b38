/*
 * session_key.c - which connections may share a session.
 * What:   SHA-256 over the endpoint, the privacy context and all settings that decide what is
 *         negotiated and who is trusted. Certificates and keys go in by value: an address could be
 *         another's later. Handlers cannot, so each has a number of its own.
 * Source: RFC 8446 section 4.2.11 ("the same SNI"), 4.6.1; RFC 5077 section 5.4.
 * Runs:   any thread.
 */
#include "dispatch/data.h"
#include "model/trust_settings.h"
#include "protocol/tls/sessions.h"
#include "trust/identity.h"
#include <gnutls/crypto.h>
#include <string.h>

/* GnuTLS's hash, and whether all went into it. */
struct digest {
    gnutls_hash_hd_t hash;
    bool failed;
};

static void add(struct digest *d, const void *octets, size_t size) {
    if (!d->failed && size > 0 && gnutls_hash(d->hash, octets, size) < 0)
        d->failed = true;
}

static void add_number(struct digest *d, uint64_t number) {
    add(d, &number, sizeof number);
}

/* With its length, so that no two lists of things read alike. */
static void add_octets(struct digest *d, const void *octets, size_t size) {
    add_number(d, size);
    add(d, octets, size);
}

static void add_text(struct digest *d, const char *text) {
    add_octets(d, text, text == NULL ? 0 : strlen(text));
}

static void add_name(struct digest *d, const char *name) {
    add_number(d, name == NULL ? 0 : strlen(name));
    for (; name != NULL && *name != '\0'; name++) {
        char c = *name >= 'A' && *name <= 'Z' ? (char)(*name + ('a' - 'A')) : *name;
        add(d, &c, 1);
    }
}

static void add_data(struct digest *d, dispatch_data_t data) {
    unsigned char part[256];
    size_t size = data == NULL ? 0 : dispatch_data_get_size(data), length;
    add_number(d, size);
    for (size_t offset = 0; offset < size; offset += length) {
        length = nwi_data_copy_out(data, offset, part, sizeof part);
        add(d, part, length);
    }
    gnutls_memset(part, 0, sizeof part); /* it may be a key */
}

static void add_certificates(struct digest *d, const sec_certificate_t *list, size_t count) {
    add_number(d, count);
    for (size_t i = 0; i < count; i++)
        add_octets(d, list[i]->der.data, list[i]->der.size);
}

static void add_handler(struct digest *d, const struct nwi_sec_handler *handler) {
    add_number(d, handler == NULL ? 0 : handler->number);
}

static void add_trust(struct digest *d, const struct nwi_trust_settings *trust) {
    add_number(d, trust != NULL);
    if (trust == NULL)
        return;
    add_certificates(d, trust->anchors.items, trust->anchors.count);
    add_certificates(d, trust->accepted.items, trust->accepted.count);
    add_certificates(d, trust->pinned.items, trust->pinned.count);
    add_octets(d, trust->pins, trust->pin_count * sizeof trust->pins[0]);
    add_number(d, trust->system);
    add_number(d, trust->staple_required);
}

static void add_suites(struct digest *d, const struct sec_protocol_options *options) {
    add_number(d, options->min_version);
    add_number(d, options->max_version);
    add_number(d, options->ciphersuite_groups);
    add_octets(d, options->ciphersuites,
               options->ciphersuite_count * sizeof options->ciphersuites[0]);
    add_octets(d, options->exact_ciphersuites,
               options->exact_ciphersuite_count * sizeof options->exact_ciphersuites[0]);
}

static void add_options(struct digest *d, const struct sec_protocol_options *options) {
    add_name(d, options->server_name);
    add_suites(d, options);
    add_number(d, options->application_protocol_count);
    for (size_t i = 0; i < options->application_protocol_count; i++)
        add_text(d, options->application_protocols[i]);
    add_number(d, options->psk_count);
    for (size_t i = 0; i < options->psk_count; i++) {
        add_data(d, options->psks[i].identity);
        add_data(d, options->psks[i].key);
    }
    add_number(d, options->local_identity != NULL);
    if (options->local_identity != NULL)
        add_certificates(d, options->local_identity->chain, options->local_identity->count);
    add_number(d, options->peer_authentication_required);
    add_number(d, options->peer_authentication_optional);
    add_number(d, options->ocsp_enabled);
    add_trust(d, options->trust);
    add_handler(d, options->verify);
    add_handler(d, options->challenge);
    add_handler(d, options->psk_selection);
}

bool nwi_tls_session_key_make(const struct nwi_tls_session_of *of,
                              struct nwi_tls_session_key *ret) {
    struct digest d = {.failed = false};
    if (gnutls_hash_init(&d.hash, GNUTLS_DIG_SHA256) < 0)
        return false;
    add_name(&d, of->host);
    add_number(&d, of->port);
    add_number(&d, of->is_datagram);
    add_number(&d, of->privacy_context);
    add_options(&d, of->options);
    gnutls_hash_deinit(d.hash, ret->digest);
    return !d.failed;
}
