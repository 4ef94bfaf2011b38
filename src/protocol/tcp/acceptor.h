/*
 * acceptor.h - a listening stream socket.
 * What:   accepts while its owner wants more; pauses by itself when the process or the system is
 *         short of descriptors or memory, and tries again.
 * Source: RFC 9293; accept(2), listen(2), unix(7).
 * Runs:   in the serial context given, except where it says otherwise.
 */
#ifndef NWI_PROTOCOL_TCP_ACCEPTOR_H
#define NWI_PROTOCOL_TCP_ACCEPTOR_H

#include "base/err.h"
#include <Network/Network.h>

struct nwi_acceptor;
struct nwi_serial;
struct nwi_loop;

struct nwi_acceptor_events {
    bool (*wants)(void *owner); /* false: leave peers in the backlog until nwi_acceptor_resume */
    void (*accepted)(void *owner, int fd, const struct sockaddr *peer,
                     socklen_t length); /* takes fd over */
};

struct nwi_acceptor_request {
    const struct sockaddr *local; /* borrowed */
    socklen_t length;
    nw_parameters_t parameters;
    struct nwi_serial *context;
    struct nwi_loop *loop;
    void *context_owner; /* object; retained */
    bool tell_arrival;   /* accepted sockets are asked by which interface they came */
    const struct nwi_acceptor_events *events;
    void *owner;
};

/* Binds and listens. Errors: EADDRINUSE, EADDRNOTAVAIL, EACCES, EAFNOSUPPORT, EMFILE,
 * NWI_ERR_NOMEM, ... +1. */
nwi_err nwi_acceptor_open(const struct nwi_acceptor_request *request,
                          struct nwi_acceptor **ret_acceptor);
/* Closes the socket (and removes the path of a local one) and releases. No event comes afterwards.
 * Returns NULL. */
struct nwi_acceptor *nwi_acceptor_close(struct nwi_acceptor *acceptor);
/* Any thread: the owner wants more again. */
void nwi_acceptor_resume(struct nwi_acceptor *acceptor);
/* Any thread while open; 0 for a local socket. */
nwi_err nwi_acceptor_port(const struct nwi_acceptor *acceptor, uint16_t *ret_port);

#endif
