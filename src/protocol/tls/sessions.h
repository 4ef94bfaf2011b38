/*
 * sessions.h - what is kept so that a later handshake can be short.
 * What:   a client's cache of sessions, in memory and bounded, each entry for one endpoint, set of
 *         parameters and privacy context; a server's ticket key and its memory of early data.
 * Source: RFC 5077, RFC 8446 sections 2.2, 4.6.1, 8 and C.4 (a ticket is used once).
 * Runs:   any thread.
 * Owns:   copies of session data, wiped when they go.
 */
#ifndef NWI_PROTOCOL_TLS_SESSIONS_H
#define NWI_PROTOCOL_TLS_SESSIONS_H

#include "base/clock.h"
#include "base/err.h"
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    NWI_TLS_SESSIONS_MOST = 1024,              /* entries of the whole process */
    NWI_TLS_SESSIONS_OCTETS = 4 * 1024 * 1024, /* of session data in all */
    NWI_TLS_SESSIONS_OF_KEY = 4, /* entries of one key: TLS 1.3 gives several tickets */
};

/* Whose session it is. Two connections share sessions when all of it is the same. */
struct nwi_tls_session_key {
    const char *host; /* the name that was verified */
    uint16_t port;
    bool is_datagram;
    const void *privacy_context; /* its address, only compared */
    const void *parameters;      /* what says "same parameters": octets, only compared by value */
    size_t parameters_size;
};

/* Keeps a copy. Session data that cannot be kept is not: a handshake in full is what it costs.
 * expires: on nwi_now()'s clock. single_use: nwi_tls_sessions_take() gives it once (TLS 1.3). */
void nwi_tls_sessions_put(const struct nwi_tls_session_key *key, const void *data, size_t size,
                          nwi_ns expires, bool single_use);
/* The newest that has not expired: true and a copy, which the caller gives to
 * nwi_tls_sessions_wipe(). */
bool nwi_tls_sessions_take(const struct nwi_tls_session_key *key, void **ret_data,
                           size_t *ret_size);
/* Wipes and frees what nwi_tls_sessions_take() gave. NULL is fine. */
void nwi_tls_sessions_wipe(void *data, size_t size);
/* Forgets the sessions of a key, after a resumed one has failed; NULL: of all. */
void nwi_tls_sessions_forget(const struct nwi_tls_session_key *key);
/* Entries now, for tests. */
size_t nwi_tls_sessions_count(void);

/* What the peers of one listener share. */
struct nwi_tls_tickets;
struct nwi_tls_tickets *nwi_tls_tickets_create(nwi_err *ret_err); /* +1 by nwi_release(), or NULL */
/* The session issues tickets under the shared key. GnuTLS derives a fresh key from it every few
 * hours (the "totp" of lib/stek.c), so it need not be changed. early: it also takes early data,
 * each ClientHello once. The session lives within the life of the tickets. */
nwi_err nwi_tls_tickets_attach(struct nwi_tls_tickets *tickets, gnutls_session_t session,
                               bool early);

#endif
