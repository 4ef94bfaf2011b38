/*
 * tcp.h - TCP as the bottom layer of a chain.
 * What:   one stream socket: connects or is adopted from a listener, reads only what was granted,
 *         writes what it is given with one system call for many pieces. AF_UNIX stream sockets
 *         behave the same.
 * Source: RFC 9293; tcp(7), unix(7).
 */
#ifndef NWI_PROTOCOL_TCP_H
#define NWI_PROTOCOL_TCP_H

#include "stack/early.h"
#include "stack/layer.h"

struct nwi_tcp_request {
    const struct sockaddr *remote; /* borrowed */
    socklen_t remote_length;
    const struct sockaddr *local; /* to bind to, or NULL */
    socklen_t local_length;
    unsigned interface_index; /* the only one allowed; 0 = any */
    nw_parameters_t
        parameters; /* retained until connected: options are read when the socket is made */
    struct nwi_early *early; /* lent until connected; NULL: nothing may go early */
    bool speaks_first;       /* the layer above does, so its first octets may go with the SYN */
};

/* A layer that will connect; NULL when memory ran out. */
struct nwi_layer *nwi_tcp_create(const struct nwi_tcp_request *request);
/* A layer over a connected descriptor, which it takes over (on failure too: NULL when memory ran
 * out). */
struct nwi_layer *nwi_tcp_adopt(int fd);

/* --- tcp_open.c, for tcp.c and acceptor.c --- */
/* A stream socket; of Multipath TCP when the parameters ask and the kernel can. */
nwi_err nwi_tcp_socket(int family, nw_parameters_t parameters, int *ret_fd);
/* The same, tuned and bound. *ret_fd is the caller's on failure too, unless it is untouched. */
nwi_err nwi_tcp_open(const struct nwi_tcp_request *request, int *ret_fd);
/* Begins to connect, with early content if there is any; *ret_pending as nwi_socket_connect. */
nwi_err nwi_tcp_begin(int fd, const struct nwi_tcp_request *request, bool *ret_pending);
/* For a listening socket: takes early content of peers when the parameters ask. */
void nwi_tcp_accept_early(int fd, nw_parameters_t parameters);
/* Logs whether the several paths that were asked for are there. */
void nwi_tcp_report_multipath(int fd, nw_parameters_t parameters);

/* One TCP option; a refusal is logged with its name. */
void nwi_tcp_tune(int fd, int name, int value, const char *what);
/* tcp_options.c: sets what the options ask for on a socket. Options that the kernel refuses are
 * logged and passed over, except a binding to address or interface. */
nwi_err nwi_tcp_apply_options(int fd, int family, nw_parameters_t parameters);

#endif
