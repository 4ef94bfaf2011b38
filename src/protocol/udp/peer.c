/*
 * peer.c - one peer of a listener's datagram socket, as the bottom layer of its own chain.
 * What:   the port's context puts datagrams into the inbox; the protocol context takes them as the
 *         reader asks.
 * Runs:   layer operations in the protocol context; take() and writable() in the port's.
 */
#include "model/endpoint.h"
#include "model/parameters.h"
#include "protocol/udp/port.h"
#include "stack/chain.h"
#include "sys/address.h"
#include "sys/sockets.h"

enum { INBOX_OCTETS = 256 * 1024 };

/* Called with the lock held. */
static void send_news(struct nwi_udp_peer *peer) {
    if (peer->shared.context == NULL || peer->shared.travelling)
        return;
    peer->shared.travelling = true;
    nwi_retain(peer);
    nwi_serial_push(peer->shared.context, &peer->news);
}

void nwi_udp_peer_take(struct nwi_udp_peer *peer, const struct nwi_datagram *datagram) {
    struct nwi_input input;
    if (nwi_udp_make_input(datagram, &input) != 0)
        return;
    pthread_mutex_lock(&peer->shared.lock);
    bool taken =
        !peer->shared.closed && nwi_udp_inbox_add(&peer->shared.inbox, &input, INBOX_OCTETS);
    if (taken)
        send_news(peer);
    pthread_mutex_unlock(&peer->shared.lock);
    if (!taken)
        nwi_input_drop(&input);
}

void nwi_udp_peer_writable(struct nwi_udp_peer *peer) {
    pthread_mutex_lock(&peer->shared.lock);
    peer->shared.writable = true;
    send_news(peer);
    pthread_mutex_unlock(&peer->shared.lock);
}

void nwi_udp_peer_supersede(struct nwi_udp_peer *peer) {
    pthread_mutex_lock(&peer->shared.lock);
    peer->shared.superseded = true;
    send_news(peer);
    pthread_mutex_unlock(&peer->shared.lock);
}

static bool take_input(struct nwi_udp_peer *peer, struct nwi_input *ret_input) {
    pthread_mutex_lock(&peer->shared.lock);
    bool taken = nwi_udp_inbox_take(&peer->shared.inbox, ret_input);
    pthread_mutex_unlock(&peer->shared.lock);
    return taken;
}

static void deliver_granted(struct nwi_udp_peer *peer) {
    struct nwi_input input;
    if (peer->protocol.delivering)
        return; /* the loop below goes on */
    peer->protocol.delivering = true;
    while (peer->protocol.window > 0 && !nwi_layer_stopped(&peer->base) &&
           take_input(peer, &input)) {
        peer->protocol.window = 0; /* one message was granted */
        nwi_err err = nwi_layer_deliver(&peer->base, &input);
        if (err != 0)
            nwi_layer_soft_error(&peer->base, err);
    }
    peer->protocol.delivering = false;
}

static nwi_err send_messages(void *owner, const struct nwi_send_list *messages, size_t count,
                             size_t *ret_sent) {
    struct nwi_udp_peer *peer = owner;
    struct nwi_datagram_to to =
        nwi_udp_back_to(&peer->address, peer->address_length, &peer->local, peer->interface_index);
    return nwi_udp_send_messages(peer->port->fd, messages, count, peer->port->service_class, &to,
                                 ret_sent);
}

static void flush(struct nwi_udp_peer *peer) {
    nwi_udp_outbox_flush(&peer->protocol.outbox, send_messages, peer);
    if (!peer->protocol.outbox.blocked)
        return;
    /* The socket may have become writable before the port knew that somebody waits for it, and the
     * edge is told once: look again, now that the next one will find the peer. */
    nwi_udp_port_block(peer->port, peer);
    peer->protocol.outbox.blocked = false;
    nwi_udp_outbox_flush(&peer->protocol.outbox, send_messages, peer);
}

static void news_arrived(struct nwi_task *task) {
    struct nwi_udp_peer *peer = nwi_container_of(task, struct nwi_udp_peer, news);
    pthread_mutex_lock(&peer->shared.lock);
    peer->shared.travelling = false;
    bool writable = peer->shared.writable, superseded = peer->shared.superseded;
    peer->shared.writable = false;
    pthread_mutex_unlock(&peer->shared.lock);
    if (superseded && !nwi_layer_stopped(&peer->base)) {
        nwi_layer_failed(&peer->base, nwi_posix(ECONNRESET));
        nwi_release(peer);
        return;
    }
    if (writable && !nwi_layer_stopped(&peer->base)) {
        peer->protocol.outbox.blocked = false;
        flush(peer);
        if (!nwi_layer_stopped(&peer->base) && !peer->protocol.outbox.blocked)
            nwi_layer_writable(&peer->base);
    }
    if (!nwi_layer_stopped(&peer->base))
        deliver_granted(peer);
    nwi_release(peer);
}

static void peer_window(struct nwi_layer *layer, size_t octets) {
    struct nwi_udp_peer *peer = (struct nwi_udp_peer *)layer;
    peer->protocol.window = octets;
    if (layer->connected)
        deliver_granted(peer);
}

static void peer_output(struct nwi_layer *layer, struct nwi_send *send) {
    struct nwi_udp_peer *peer = (struct nwi_udp_peer *)layer;
    bool more = send->more; /* together with what follows in this turn */
    nwi_udp_outbox_add(&peer->protocol.outbox, send);
    if (!more)
        flush(peer);
}

static bool peer_congested(struct nwi_layer *layer) {
    return ((struct nwi_udp_peer *)layer)->protocol.outbox.blocked;
}

static nwi_err peer_connect(struct nwi_layer *layer) {
    struct nwi_udp_peer *peer = (struct nwi_udp_peer *)layer;
    pthread_mutex_lock(&peer->shared.lock);
    peer->shared.context = layer->chain->context;
    bool superseded = peer->shared.superseded;
    pthread_mutex_unlock(&peer->shared.lock);
    if (superseded)
        return nwi_posix(ECONNRESET);
    nwi_layer_connected(layer);
    return 0;
}

/* In the port's context. */
static void remove_peer(struct nwi_task *task) {
    struct nwi_udp_peer *peer = nwi_container_of(task, struct nwi_udp_peer, removal);
    nwi_udp_port_remove(peer->port, peer);
    nwi_udp_port_leave(peer->port);
    nwi_release(peer);
}

static void peer_disconnect(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why) {
    (void)how;
    struct nwi_udp_peer *peer = (struct nwi_udp_peer *)layer;
    struct nwi_udp_inbox inbox;
    pthread_mutex_lock(&peer->shared.lock);
    peer->shared.context = NULL; /* nothing is pushed to it from here on */
    peer->shared.closed = true;
    inbox = peer->shared.inbox;
    peer->shared.inbox = (struct nwi_udp_inbox){0};
    pthread_mutex_unlock(&peer->shared.lock);
    nwi_udp_inbox_clear(&inbox);
    nwi_udp_outbox_fail(&peer->protocol.outbox, why);
    nwi_retain(peer);
    nwi_serial_push(&peer->port->context, &peer->removal);
}

static void peer_free(struct nwi_layer *layer) {
    struct nwi_udp_peer *peer = (struct nwi_udp_peer *)layer;
    nwi_release(peer->port);
    pthread_mutex_destroy(&peer->shared.lock);
}

static void peer_facts(struct nwi_layer *layer, struct nwi_layer_facts *facts) {
    struct nwi_udp_peer *peer = (struct nwi_udp_peer *)layer;
    struct sockaddr_storage local = peer->local, remote = peer->address;
    socklen_t length = peer->address_length;
    if (facts->fd_only) /* the port's descriptor is not this peer's */
        return;
    facts->maximum_datagram = nwi_udp_maximum_size(peer->port->fd, peer->port->family, false);
    nwi_address_unmap(&remote, &length);
    facts->remote = nwi_endpoint_from_sockaddr((struct sockaddr *)&remote, length);
    if (local.ss_family == 0)
        return;
    uint16_t port = 0; /* unknown */
    (void)nwi_udp_port_number(peer->port, &port);
    nwi_address_set_port((struct sockaddr *)&local, port);
    length = nwi_address_length(local.ss_family);
    nwi_address_unmap(&local, &length);
    facts->local = nwi_endpoint_from_sockaddr((struct sockaddr *)&local, length);
}

static nw_protocol_metadata_t copy_metadata(struct nwi_layer *layer,
                                            nw_protocol_definition_t definition) {
    (void)layer;
    return nwi_udp_copy_metadata(definition);
}

static const struct nwi_layer_ops peer_ops = {
    .name = "udp-peer",
    .size = sizeof(struct nwi_udp_peer),
    .connect = peer_connect,
    .disconnect = peer_disconnect,
    .output = peer_output,
    .congested = peer_congested,
    .window = peer_window,
    .facts = peer_facts,
    .copy_metadata = copy_metadata,
    .free = peer_free,
};

struct nwi_layer *nwi_udp_peer_create(struct nwi_udp_port *port, const struct nwi_datagram *first) {
    struct nwi_udp_peer *peer = (struct nwi_udp_peer *)nwi_layer_create(&peer_ops);
    if (peer == NULL)
        return NULL;
    pthread_mutex_init(&peer->shared.lock, NULL);
    nwi_udp_outbox_init(&peer->protocol.outbox);
    peer->port = nwi_retain(port);
    peer->address = first->peer;
    peer->address_length = first->peer_length;
    peer->local = first->local;
    peer->interface_index = first->interface_index;
    peer->news.run = news_arrived;
    peer->removal.run = remove_peer;
    if (port->beginning != NULL)
        peer->beginning = port->beginning(first);
    nwi_udp_port_use(port);
    nwi_udp_port_insert(port, peer);
    nwi_udp_peer_take(peer, first);
    return &peer->base;
}
