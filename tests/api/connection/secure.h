/*
 * secure.h - what the tests of TLS share: certificates made on the spot, parameters of both ends,
 * and a peer that is GnuTLS itself over a plain socket.
 * Runs:   on the test's thread; the peer blocks it, with a deadline.
 */
#ifndef TESTS_API_CONNECTION_SECURE_H
#define TESTS_API_CONNECTION_SECURE_H

#include "fake/made_identity.h"
#include "support.h"
#include <Security/SecureTransport.h>
#include <Security/identity.h>
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <gnutls/gnutls.h>

/* P-256. `server` and `client` are signed by `ca`; `stranger` by itself. Made at first use. */
struct papers {
    struct made_identity ca, server, client, stranger;
};
const struct papers *papers(void);
sec_identity_t identity_of(const struct made_identity *made);       /* +1 */
sec_certificate_t certificate_of(const struct made_identity *made); /* +1 */

/* Sets what a test wants of one end; NULL: nothing besides the following. */
typedef void (*secure_configure)(void *context, sec_protocol_options_t options);
/* A client trusts `ca` alone, and no root of the system. */
nw_parameters_t secure_client(secure_configure configure, void *context);
/* A server shows `server`. */
nw_parameters_t secure_server(secure_configure configure, void *context);
/* No certificate and no anchor: for pre-shared keys. */
nw_parameters_t secure_plain(secure_configure configure, void *context);
/* The same of the kinds above over UDP: DTLS. */
nw_parameters_t datagram_client(secure_configure configure, void *context);
nw_parameters_t datagram_server(secure_configure configure, void *context);
nw_parameters_t datagram_plain(secure_configure configure, void *context);
void add_key(void *context, sec_protocol_options_t options); /* a pre-shared key, "us" */

/* A started recorder of a client to that port of 127.0.0.1, and one made with these parameters,
 * which it takes. */
struct recorder *record_secure(uint16_t port);
struct recorder *record_secure_with(uint16_t port, nw_parameters_t parameters);
/* A ready listener on any port that keeps what comes; takes the parameters. */
struct hearing *hear_secure(nw_parameters_t parameters);
/* A ready pair of connections, both ours. Takes the parameters. */
struct pair {
    struct hearing *hearing;
    struct recorder *client, *server;
};
struct pair pair_with(nw_parameters_t server, nw_parameters_t client);
void end_pair(struct pair *pair);
/* The metadata of a handshake, +1. */
sec_protocol_metadata_t secured_by(nw_connection_t connection);

/* --- GnuTLS over a socket --- */
struct tls_peer {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
};
/* Takes over the descriptor. `shows` NULL: no certificate. `priority` NULL: GnuTLS's usual. It
 * believes every certificate. */
struct tls_peer *tls_peer(int fd, unsigned role, const struct made_identity *shows,
                          const char *priority);
int tls_peer_shake(struct tls_peer *peer); /* GnuTLS's code */
void tls_peer_write(struct tls_peer *peer, const char *text);
/* Exactly so many octets, as text. */
void tls_peer_read(struct tls_peer *peer, char *text, size_t size);
/* The next thing that is not content: 0: close_notify; else GnuTLS's code. */
int tls_peer_end(struct tls_peer *peer);
void tls_peer_free(struct tls_peer *peer); /* closes the socket without a word */
/* A ready connection to a GnuTLS server. */
struct recorder *record_tls_pair(struct tls_peer **ret_peer);

#endif
