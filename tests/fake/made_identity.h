/*
 * made_identity.h - certificates and keys made on the spot, so that tests hold no files that
 * expire.
 * What:   a CA, intermediates and leaves by GnuTLS; valid for a day on both sides of now. A leaf is
 *         for server and client, and named "localhost", 127.0.0.1 and ::1 in its SAN.
 * Runs:   the test's thread; whatever fails ends the test.
 */
#ifndef NWI_FAKE_MADE_IDENTITY_H
#define NWI_FAKE_MADE_IDENTITY_H

#include <gnutls/x509.h>
#include <stdbool.h>
#include <stddef.h>

struct made_identity {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
    gnutls_datum_t pem, der, key_pem, key_der; /* PKCS #8 */
};

/* kind: GNUTLS_PK_ECDSA (P-256), _EDDSA_ED25519, _RSA (2048 bits). issuer NULL: signs itself. */
void made_identity_create(struct made_identity *made, gnutls_pk_algorithm_t kind, const char *name,
                          const struct made_identity *issuer, bool is_ca);
void made_identity_free(struct made_identity *made);

#endif
