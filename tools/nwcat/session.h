/*
 * session.h - one connection joined to the local input and output.
 * What:   starts the connection, copies both ways with back-pressure, ends it in good order, and
 *         then tells whoever began it.
 * Runs:   on the main queue, every function.
 */
#ifndef NWCAT_SESSION_H
#define NWCAT_SESSION_H

#include "app.h"
#include "tls.h"

#include <Network/Network.h>

struct nwcat_session;

struct nwcat_session_owner {
    void *context;
    /* Called when the connection is established; NULL: not. */
    void (*ready)(void *context, struct nwcat_session *session);
    /* Called once, last; the session is freed after it. */
    void (*ended)(void *context, struct nwcat_session *session, enum nwcat_status status);
    const struct nwcat_trust *trust; /* of the parameters that the connection was made of */
};

/* Takes over the caller's reference to `connection` and starts it. `accepted`: it comes from a
 * listener. NULL when memory ran out; the connection is then cancelled. */
struct nwcat_session *nwcat_session_start(struct nwcat_app *app, nw_connection_t connection,
                                          unsigned number, bool accepted,
                                          struct nwcat_session_owner owner);
/* From now on the local input is sent over this one. Before it is ready this takes effect when it
 * is. */
void nwcat_session_take_input(struct nwcat_session *session);
/* Ends it with `status`, unless it is ending already. */
void nwcat_session_end(struct nwcat_session *session, enum nwcat_status status);
nw_connection_t nwcat_session_connection(const struct nwcat_session *session); /* lent */

#endif
