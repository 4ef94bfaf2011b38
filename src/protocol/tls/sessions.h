/*
 * sessions.h - what is kept so that a later handshake can be short.
 * What:   a client's cache of sessions, in memory and bounded, each entry for one endpoint, set of
 *         parameters and privacy context; a server's ticket key and its memory of early data.
 * Source: RFC 5077; RFC 8446 sections 2.2, 4.6.1, 8 and C.4 (a ticket is used once).
 * Runs:   any thread.
 * Owns:   copies of session data, wiped when they go.
 */
#ifndef NWI_PROTOCOL_TLS_SESSIONS_H
#define NWI_PROTOCOL_TLS_SESSIONS_H

#include "base/clock.h"
#include "base/err.h"
#include "model/sec_options.h"
#include <gnutls/gnutls.h>

/* --- clients --- */

enum {
    NWI_TLS_SESSIONS_MOST = 1024,              /* entries of the whole process */
    NWI_TLS_SESSIONS_OCTETS = 4 * 1024 * 1024, /* of session data in all */
    NWI_TLS_SESSIONS_OF_KEY = 4,               /* TLS 1.3 gives several tickets at once */
    NWI_TLS_SESSION_SIZE = 64 * 1024,          /* the longest that is kept, in octets */
};

/* Whose session it is. */
struct nwi_tls_session_of {
    sec_protocol_options_t options; /* what was negotiated and verified depends on */
    const char *host;               /* the name that is verified; any case */
    uint16_t port;
    bool is_datagram;
    uint64_t privacy_context; /* its number, never used twice; 0: the default one */
};
/* A digest of all that. A session resumed is not verified again, so whatever decides about trust is
 * in it by value, and handlers by a number that no other handler gets: different settings never
 * share. False when memory ran out. */
struct nwi_tls_session_key {
    uint8_t digest[32];
};
bool nwi_tls_session_key_make(const struct nwi_tls_session_of *of, struct nwi_tls_session_key *ret);

/* Keeps a copy; what cannot be kept is not, the next handshake is a full one. expires: on
 * nwi_now()'s clock. single_use: nwi_tls_sessions_take() gives it once (TLS 1.3). */
void nwi_tls_sessions_put(const struct nwi_tls_session_key *key, const void *data, size_t size,
                          nwi_ns now, nwi_ns expires, bool single_use);
/* The newest that has not expired: true and a copy, for nwi_tls_sessions_wipe(). */
bool nwi_tls_sessions_take(const struct nwi_tls_session_key *key, nwi_ns now, void **ret_data,
                           size_t *ret_size);
/* Wipes and frees what nwi_tls_sessions_take() gave. NULL is fine. */
void nwi_tls_sessions_wipe(void *data, size_t size);
/* Forgets the sessions of a key (one of them has failed); NULL: all there are. */
void nwi_tls_sessions_forget(const struct nwi_tls_session_key *key);
size_t nwi_tls_sessions_count(void); /* for tests */

/* --- servers --- */

enum {
    NWI_TLS_REPLAY_MOST = 16384, /* ClientHellos with early data that are remembered */
};
#define NWI_TLS_TICKET_KEY_LIFE (UINT64_C(24) * 3600 * NWI_SEC)

/* What the sessions of one listener share: the key of its tickets, renewed every day (GnuTLS
 * derives another from it every 18 hours besides), and the ClientHellos with early data since then,
 * each taken once. +1 by nwi_release(); NULL: memory ran out. */
struct nwi_tls_tickets *nwi_tls_tickets_create(nwi_ns now);
/* Lets a server's session issue and take tickets; early: and early data, for which it was made with
 * GNUTLS_ENABLE_EARLY_DATA. *ret_hold, if not NULL, is to be released after the session's end.
 * Errors: NWI_ERR_NOMEM. */
nwi_err nwi_tls_tickets_attach(struct nwi_tls_tickets *tickets, gnutls_session_t session,
                               nwi_ns now, bool early, void **ret_hold);

#endif
