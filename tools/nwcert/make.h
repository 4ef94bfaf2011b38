/*
 * make.h - keys and certificates in memory.
 * Owns:   an identity owns its key and its certificates; nwcert_identity_clear lets them go.
 */
#ifndef NWCERT_MAKE_H
#define NWCERT_MAKE_H

#include "request.h"
#include <gnutls/gnutls.h>

enum { NWCERT_CHAIN_MAX = 8 };

struct nwcert_identity {
    gnutls_x509_privkey_t key;
    /* The certificate, then those of its issuers. */
    gnutls_x509_crt_t chain[NWCERT_CHAIN_MAX];
    unsigned count;
};

/* Makes the certificate that `command` (ca, server or client) asks for, signed by `issuer`, or by
 * itself when that is NULL. The chain is what a peer has to be sent: without a self-signed root.
 * NULL, or what went wrong: static text. */
const char *nwcert_make(const struct nwcert_request *request, enum nwcert_command command,
                        const struct nwcert_identity *issuer, struct nwcert_identity *ret_identity);
void nwcert_identity_clear(struct nwcert_identity *identity);

#endif
