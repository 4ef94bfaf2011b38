/*
 * tcp.h - TCP as the bottom layer of a chain.
 * What:   one stream socket: connects or is adopted from a listener, reads only what was granted,
 *         writes what it is given with one system call for many pieces. AF_UNIX stream sockets
 *         behave the same.
 * Source: RFC 9293; tcp(7), unix(7).
 */
#ifndef NWI_PROTOCOL_TCP_H
#define NWI_PROTOCOL_TCP_H

#include "stack/layer.h"

struct nwi_tcp_request {
    const struct sockaddr *remote; /* borrowed */
    socklen_t remote_length;
    const struct sockaddr *local; /* to bind to, or NULL */
    socklen_t local_length;
    unsigned interface_index; /* the only one allowed; 0 = any */
    nw_parameters_t
        parameters; /* retained until connected: options are read when the socket is made */
};

/* A layer that will connect; NULL when memory ran out. */
struct nwi_layer *nwi_tcp_create(const struct nwi_tcp_request *request);
/* A layer over a connected descriptor, which it takes over (on failure too: NULL when memory ran
 * out). */
struct nwi_layer *nwi_tcp_adopt(int fd);

/* tcp_options.c: sets what the options ask for on a socket. Options that the kernel refuses are
 * logged and passed over, except a binding to address or interface. */
nwi_err nwi_tcp_apply_options(int fd, int family, nw_parameters_t parameters);

#endif
