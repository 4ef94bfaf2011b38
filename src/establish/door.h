/*
 * door.h - where new peers come in: a listening socket of whichever transport the parameters name.
 * What:   makes the chain of each new peer over an empty chain that the owner provides.
 * Runs:   open and close in the owner's serial context. Events in any context, never two at once for
 *         one door.
 */
#ifndef NWI_ESTABLISH_DOOR_H
#define NWI_ESTABLISH_DOOR_H

#include "base/err.h"
#include "stack/chain.h"

struct nwi_door;

struct nwi_door_events {
    /* Whether that peer may ever come in. interface_index: by which it came; 0 = not known, or
     * without rules not asked. */
    bool (*allows)(void *owner, const struct sockaddr *remote, unsigned interface_index);
    /* Whether a further peer may come in now; when not, it waits where the transport has a place
     * for that. */
    bool (*wants)(void *owner);
    /* A new peer. Returns an empty chain, lent until ready(), or NULL to turn it away. */
    struct nwi_chain *(*begin)(void *owner, const struct sockaddr *remote, socklen_t length,
                               void **ret_token);
    /* That chain has its layers (err 0) or could not get them. */
    void (*ready)(void *owner, void *token, nwi_err err);
};

struct nwi_door_request {
    const struct sockaddr *local; /* borrowed */
    socklen_t length;
    nw_parameters_t parameters; /* borrowed for the call */
    struct nwi_serial *context;
    struct nwi_loop *loop;
    void *owner; /* object that embeds the context; it closes the door before it goes */
    const struct nwi_door_events *events;
};

/* Errors: EADDRINUSE, EADDRNOTAVAIL, EACCES, ... *ret_door is +1. */
nwi_err nwi_door_open(const struct nwi_door_request *request, struct nwi_door **ret_door);
/* No event begins afterwards, but one may be under way in another context. Peers that came in go
 * on. Returns NULL. */
struct nwi_door *nwi_door_close(struct nwi_door *door);
/* Any thread while open: wants() may have changed its mind. */
void nwi_door_resume(struct nwi_door *door);
/* Any thread while open. Host byte order. */
nwi_err nwi_door_port(const struct nwi_door *door, uint16_t *ret_port);

#endif
