/*
 * bare_pair.h - a GnuTLS client and server over memory, without any of our layers.
 */
#ifndef TEST_TLS_BARE_PAIR_H
#define TEST_TLS_BARE_PAIR_H

#include <Security/SecProtocolTypes.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bare_wire {
    uint8_t octets[32768];
    size_t start, end;
};

struct bare_end {
    gnutls_session_t session;
    struct bare_wire *in, *out;
};

struct bare_pair {
    struct bare_end client, server;
    struct bare_wire to_client, to_server;
};

/* A self-signed certificate on P-256 for the server, made once; nothing is verified. */
gnutls_certificate_credentials_t bare_server_credentials(void);
/* The same with RSA of 2,048 bits. */
gnutls_certificate_credentials_t bare_server_rsa_credentials(void);
/* One of the two as an identity; +1. */
sec_identity_t bare_identity(bool rsa);

/* Two sessions over memory, with NULL for the default priorities; flags besides GNUTLS_NONBLOCK. */
void bare_pair_open(struct bare_pair *pair, const char *client_priority,
                    const char *server_priority, unsigned client_flags, unsigned server_flags);
/* Runs both handshakes until both have ended: 0, or the first error, with whose it was. */
int bare_pair_shake(struct bare_pair *pair, gnutls_session_t *ret_whose);
void bare_pair_close(struct bare_pair *pair);

#endif
