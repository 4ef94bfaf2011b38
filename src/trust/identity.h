/*
 * identity.h - sec_identity_t: a private key and the certificates that are shown with it.
 * Runs:   any thread: it never changes.
 * Owns:   references to its certificates; its key; URL and PIN of a key in a token.
 */
#ifndef NWI_TRUST_IDENTITY_H
#define NWI_TRUST_IDENTITY_H

#include "base/object.h"
#include "trust/certificate.h"
#include <gnutls/abstract.h>

enum { NWI_IDENTITY_CHAIN_MAX = 16 };

struct sec_identity {
    struct nwi_object base;
    sec_certificate_t *chain; /* leaf first; at least one */
    size_t count;
    gnutls_privkey_t key;
    gnutls_pcert_st *shown; /* the chain once more, as GnuTLS's handshake takes it */
    char *url;              /* where the key is, when it is in a token; else NULL */
    char *pin;              /* NULL: none; lent to GnuTLS for as long as the key lives */
};

/* A key on its way into an identity; what is consumed is emptied. */
struct nwi_identity_key {
    gnutls_privkey_t key;
    char *url, *pin; /* as above */
};

/* Makes one of a chain, sorted, and the key that belongs to chain[0]. Retains the certificates;
 * consumes the key, on error too. +1 or NULL: memory ran out. */
sec_identity_t nwi_identity_create(const sec_certificate_t *chain, size_t count,
                                   struct nwi_identity_key *key);
/* The same key once more: *ret_key is the caller's. GnuTLS's code; 0 = done. */
int nwi_identity_copy_key(sec_identity_t identity, gnutls_privkey_t *ret_key);
/* Frees what a key on its way holds. NULL pointers are fine. */
void nwi_identity_key_clear(struct nwi_identity_key *key);

/* Gives the identity to credentials, which keep a copy of the key. A key in a token asks the
 * identity for its PIN, so it must outlive the credentials. GnuTLS's code; 0 = done. A handshake
 * that chooses late (gnutls_certificate_set_retrieve_function3) lends `shown`, `count` and `key` as
 * they are, with no flags, and holds the identity meanwhile. */
int nwi_identity_attach(sec_identity_t identity, gnutls_certificate_credentials_t credentials);
/* GnuTLS's PIN callback; userdata is the PIN. */
int nwi_identity_give_pin(void *userdata, int attempt, const char *token_url,
                          const char *token_label, unsigned flags, char *pin, size_t pin_max);

#endif
