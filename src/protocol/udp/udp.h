/*
 * udp.h - UDP as the bottom layer of a chain: a connected socket of its own, or one peer of a
 * listener's socket.
 * Source: RFC 768; udp(7), ip(7), ipv6(7); RFC 3168 (ECN).
 */
#ifndef NWI_PROTOCOL_UDP_H
#define NWI_PROTOCOL_UDP_H

#include "stack/layer.h"
#include "sys/datagram.h"

struct nwi_udp_request {
    const struct sockaddr *remote; /* borrowed for the call */
    socklen_t remote_length;
    const struct sockaddr *local; /* to bind to, or NULL */
    socklen_t local_length;
    unsigned interface_index;   /* 0 = any */
    nw_parameters_t parameters; /* retained */
};
struct nwi_layer *nwi_udp_create(const struct nwi_udp_request *request);

/* --- one peer of a listener's socket --- */
struct nwi_udp_port;
struct nwi_serial;
struct nwi_loop;

enum { NWI_UDP_ANSWER_MAX = 64 };
struct nwi_udp_port_events {
    /* Optional. Looks at a datagram of a peer not seen before, in the port's context, before
     * anything is made for it or kept of it. True: it may become a peer. False: it is dropped,
     * after `answer` was sent to where it came from, when that holds anything. In: answer->iov_len
     * is the room, never more than the datagram's own octets. Out: what is to be sent; 0 = nothing.
     */
    bool (*screen)(void *owner, const struct nwi_datagram *first, struct iovec *answer);
    /* Optional, with screen. What the datagram begins, as a number that differs for what is begun
     * anew; 0: it begins nothing. A known peer that begins anew is screened as a stranger is; when
     * he passes he becomes a new peer, and what was there before ends with ECONNRESET. */
    uint64_t (*beginning)(const struct nwi_datagram *datagram);
    /* A datagram of a peer not seen before, in the port's context. The receiver makes its layer
     * with nwi_udp_peer_create, or lets the datagram go. False: not now; the port keeps it, within
     * bounds, and asks again after nwi_udp_port_resume. */
    bool (*new_peer)(void *owner, struct nwi_udp_port *port, const struct nwi_datagram *first);
};
/* Opens, binds and watches a datagram socket for `local`. The port lives until nobody holds it: the
 * listener and each peer do. *ret_port is +1. */
/* `owner` is an object, retained around each event. */
nwi_err nwi_udp_port_open(const struct sockaddr *local, socklen_t length,
                          nw_parameters_t parameters, const struct nwi_udp_port_events *events,
                          void *owner, struct nwi_udp_port **ret_port);
/* The listener is gone: no new_peer any more; existing peers go on. Any thread. */
void nwi_udp_port_detach(struct nwi_udp_port *port);
/* Peers that were refused may come in now. Any thread. */
void nwi_udp_port_resume(struct nwi_udp_port *port);
nwi_err nwi_udp_port_number(const struct nwi_udp_port *port, uint16_t *ret_port);
/* The layer of one peer, whose first datagram is queued in it. Call inside new_peer. NULL: out of
 * memory. */
struct nwi_layer *nwi_udp_peer_create(struct nwi_udp_port *port, const struct nwi_datagram *first);

#endif
