/*
 * udp.c - UDP over a connected socket; see udp.h.
 * Runs:   in the protocol context of the chain, every function.
 * Owns:   the descriptor; sends until their message is complete and handed to the kernel; at most
 *         one batch of datagrams that nobody has asked for yet.
 * Rules:  an error of one datagram (EMSGSIZE, an ICMP answer) belongs to that datagram and ends
 *         nothing.
 */
#include "protocol/udp/udp.h"
#include "base/alloc.h"
#include "dispatch/watch.h"
#include "model/endpoint.h"
#include "model/ip_options.h"
#include "model/parameters.h"
#include "protocol/udp/inbox.h"
#include "protocol/udp/message.h"
#include "stack/chain.h"
#include "sys/sockets.h"

enum { BATCH_AFTER = 2 }; /* datagrams in a row: then more are fetched with each system call */

struct udp {
    struct nwi_layer base;
    struct nwi_udp_request request;
    struct sockaddr_storage remote, local;
    nw_parameters_t parameters; /* owned */
    void *context_owner_held;   /* owned: the context outlives the watch */
    struct nwi_watch watch;
    struct nwi_udp_outbox outbox;
    struct nwi_udp_inbox inbox; /* the rest of the last batch */
    char *room;                 /* for batches, while a streak lasts */
    unsigned streak;            /* datagrams since the socket was last found empty */
    size_t window;
    int fd;
    bool readable, reading;
};

static void keep(void *udp_object, const struct nwi_datagram *datagram) {
    struct udp *udp = udp_object;
    struct nwi_input input;
    if (nwi_udp_make_input(datagram, &input) == 0 &&
        !nwi_udp_inbox_add(&udp->inbox, &input, SIZE_MAX)) /* a batch is bound enough */
        nwi_input_drop(&input); /* no memory: as if the kernel had lost it */
}

static void end_streak(struct udp *udp) {
    udp->readable = false;
    udp->streak = 0;
    nwi_free(udp->room);
    udp->room = NULL;
}

/* One datagram while they come one by one; when more are there, as many as a batch holds. */
static nwi_err read_next(struct udp *udp, struct nwi_input *ret_input) {
    nwi_err err = 0;
    if (nwi_udp_inbox_take(&udp->inbox, ret_input))
        return 0;
    if (udp->streak++ >= BATCH_AFTER && udp->room == NULL)
        udp->room = nwi_alloc_raw(NWI_UDP_BATCH_ROOM);
    if (udp->room != NULL) {
        bool empty = false;
        err = nwi_udp_receive_batch(udp->fd, udp->room, keep, udp, &empty);
        if (empty)
            end_streak(udp);
    }
    if (err != 0 || nwi_udp_inbox_take(&udp->inbox, ret_input))
        return err;
    return nwi_udp_receive(udp->fd, ret_input);
}

static void read_granted(struct udp *udp) {
    if (udp->reading)
        return; /* the loop below goes on */
    udp->reading = true;
    while (udp->window > 0 && (udp->readable || udp->inbox.count > 0) &&
           !nwi_layer_stopped(&udp->base)) {
        struct nwi_input input;
        nwi_err err = read_next(udp, &input);
        if (nwi_err_would_block(err)) {
            end_streak(udp);
            break;
        }
        udp->window = 0; /* one message, or error, was granted; the reader grants the next */
        if (err == 0)
            err = nwi_layer_deliver(&udp->base, &input);
        if (err != 0)
            nwi_layer_soft_error(&udp->base, err);
    }
    udp->reading = false;
}

static void udp_window(struct nwi_layer *layer, size_t octets) {
    struct udp *udp = (struct udp *)layer;
    udp->window = octets;
    if (layer->connected)
        read_granted(udp);
}

static nwi_err send_messages(void *owner, const struct nwi_send_list *messages, size_t count,
                             size_t *ret_sent) {
    struct udp *udp = owner;
    return nwi_udp_send_messages(udp->fd, messages, count, udp->parameters->service_class, NULL,
                                 ret_sent);
}

static void flush(struct udp *udp) {
    if (udp->outbox.blocked)
        return; /* asked for already */
    nwi_udp_outbox_flush(&udp->outbox, send_messages, udp);
    if (udp->outbox.blocked && !nwi_layer_stopped(&udp->base))
        nwi_watch_await_write(&udp->watch);
}

static void udp_output(struct nwi_layer *layer, struct nwi_send *send) {
    struct udp *udp = (struct udp *)layer;
    bool more = send->more; /* together with what follows in this turn */
    nwi_udp_outbox_add(&udp->outbox, send);
    if (layer->connected && !more)
        flush(udp);
}

static bool udp_congested(struct nwi_layer *layer) {
    return ((struct udp *)layer)->outbox.blocked;
}

static void watch_ready(struct nwi_watch *watch, unsigned events) {
    struct udp *udp = nwi_container_of(watch, struct udp, watch);
    if (nwi_layer_stopped(&udp->base))
        return;
    if (events & NWI_IO_WRITE && udp->outbox.blocked) {
        udp->outbox.blocked = false;
        flush(udp);
        if (!nwi_layer_stopped(&udp->base) && !udp->outbox.blocked)
            nwi_layer_writable(&udp->base);
    }
    if (events & (NWI_IO_READ | NWI_IO_ERROR | NWI_IO_HANGUP))
        udp->readable = true; /* an ICMP error is told by the next receive, as recvmsg does */
    if (!nwi_layer_stopped(&udp->base))
        read_granted(udp);
}

static nwi_err udp_connect(struct nwi_layer *layer) {
    struct udp *udp = (struct udp *)layer;
    const struct nwi_udp_request *request = &udp->request;
    int family = request->remote->sa_family;
    udp->context_owner_held = nwi_retain(layer->chain->context_owner);
    bool pending = false;
    nwi_err err = nwi_socket_open(family, SOCK_DGRAM, 0, &udp->fd);
    if (err == 0)
        err = nwi_udp_apply_options(udp->fd, family, udp->parameters);
    if (err == 0 && request->interface_index != 0)
        err = nwi_socket_bind_interface(udp->fd, request->interface_index);
    if (err == 0 && request->local != NULL)
        err = nwi_socket_bind(udp->fd, request->local, request->local_length);
    if (err == 0)
        err = nwi_socket_connect(udp->fd, request->remote, request->remote_length, &pending);
    if (err == 0)
        err = nwi_watch_start_reading(&udp->watch, layer->chain->context, layer->chain->loop,
                                      udp->fd, udp, watch_ready);
    if (err == 0)
        nwi_layer_connected(layer);
    return err;
}

static void udp_disconnect(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why) {
    (void)how; /* a datagram socket has nothing to say at its end */
    struct udp *udp = (struct udp *)layer;
    nwi_watch_stop(&udp->watch);
    nwi_socket_close(udp->fd);
    udp->fd = -1;
    nwi_udp_outbox_fail(&udp->outbox, why);
    nwi_udp_inbox_clear(&udp->inbox);
    end_streak(udp);
}

static void udp_free(struct nwi_layer *layer) {
    struct udp *udp = (struct udp *)layer;
    nwi_socket_close(udp->fd);
    nwi_release(udp->parameters);
    nwi_release(udp->context_owner_held);
}

static void udp_facts(struct nwi_layer *layer, struct nwi_layer_facts *facts) {
    struct udp *udp = (struct udp *)layer;
    struct sockaddr_storage address;
    socklen_t length;
    facts->fd = udp->fd;
    if (facts->fd_only)
        return;
    const struct nwi_ip_options *ip = nwi_ip_options(udp->parameters->stack->internet);
    facts->maximum_datagram =
        nwi_udp_maximum_size(udp->fd, udp->remote.ss_family, ip != NULL && ip->use_minimum_mtu);
    if (nwi_socket_local(udp->fd, &address, &length) == 0)
        facts->local = nwi_endpoint_from_sockaddr((struct sockaddr *)&address, length);
    facts->remote =
        nwi_endpoint_from_sockaddr((struct sockaddr *)&udp->remote, udp->request.remote_length);
}

static nw_protocol_metadata_t copy_metadata(struct nwi_layer *layer,
                                            nw_protocol_definition_t definition) {
    (void)layer;
    return nwi_udp_copy_metadata(definition);
}

static const struct nwi_layer_ops udp_ops = {
    .name = "udp",
    .size = sizeof(struct udp),
    .connect = udp_connect,
    .disconnect = udp_disconnect,
    .output = udp_output,
    .congested = udp_congested,
    .window = udp_window,
    .facts = udp_facts,
    .copy_metadata = copy_metadata,
    .free = udp_free,
};

struct nwi_layer *nwi_udp_create(const struct nwi_udp_request *request) {
    struct udp *udp = (struct udp *)nwi_layer_create(&udp_ops);
    if (udp == NULL)
        return NULL;
    udp->fd = -1;
    nwi_udp_outbox_init(&udp->outbox);
    udp->parameters = nwi_retain(request->parameters);
    udp->request = *request;
    memcpy(&udp->remote, request->remote, request->remote_length);
    udp->request.remote = (struct sockaddr *)&udp->remote;
    if (request->local != NULL) {
        memcpy(&udp->local, request->local, request->local_length);
        udp->request.local = (struct sockaddr *)&udp->local;
    }
    return &udp->base;
}
