/*
 * port.c - a listener's datagram socket: reads it and gives each datagram to its peer.
 * Runs:   in the port's own serial context, but for what udp.h says may be called on any thread.
 * Owns:   the descriptor; the table holds each peer until the peer has gone.
 */
#include "protocol/udp/port.h"
#include "base/alloc.h"
#include "base/log.h"
#include "model/parameters.h"
#include "stack/socket_options.h"
#include "sys/address.h"
#include "sys/sockets.h"

enum {
    BUCKETS_FIRST = 64,
    BATCHES_A_TURN = 8, /* of NWI_DATAGRAM_BATCH datagrams, then others get their turn */
};

static size_t hash_address(const struct nwi_udp_port *port,
                           const struct sockaddr_storage *address) {
    return (size_t)nwi_address_hash(&port->key, (const struct sockaddr *)address);
}

static struct nwi_udp_peer *find_peer(struct nwi_udp_port *port,
                                      const struct sockaddr_storage *address) {
    struct nwi_udp_peer *peer;
    LIST_FOREACH (peer, &port->buckets[hash_address(port, address) % port->bucket_count], bucket)
        if (nwi_address_equal((struct sockaddr *)&peer->address, (const struct sockaddr *)address))
            return peer;
    return NULL;
}

/* Doubles the table; when memory is short the old one goes on, only slower. */
static void grow(struct nwi_udp_port *port) {
    size_t count = port->bucket_count * 2;
    struct nwi_udp_peer_list *buckets = nwi_alloc(count * sizeof *buckets);
    if (buckets == NULL)
        return;
    for (size_t i = 0; i < port->bucket_count; i++) {
        struct nwi_udp_peer *peer;
        while ((peer = LIST_FIRST(&port->buckets[i])) != NULL) {
            LIST_REMOVE(peer, bucket);
            LIST_INSERT_HEAD(&buckets[hash_address(port, &peer->address) % count], peer, bucket);
        }
    }
    nwi_free(port->buckets);
    port->buckets = buckets;
    port->bucket_count = count;
}

void nwi_udp_port_insert(struct nwi_udp_port *port, struct nwi_udp_peer *peer) {
    if (port->peer_count >= port->bucket_count)
        grow(port);
    nwi_retain(peer);
    LIST_INSERT_HEAD(&port->buckets[hash_address(port, &peer->address) % port->bucket_count], peer,
                     bucket);
    peer->in_table = true;
    port->peer_count++;
}

static void take_from_table(struct nwi_udp_port *port, struct nwi_udp_peer *peer) {
    if (!peer->in_table)
        return;
    LIST_REMOVE(peer, bucket);
    peer->in_table = false;
    port->peer_count--;
    nwi_release(peer);
}

void nwi_udp_port_remove(struct nwi_udp_port *port, struct nwi_udp_peer *peer) {
    pthread_mutex_lock(&port->shared.lock);
    bool was_blocked = peer->is_blocked;
    if (was_blocked)
        LIST_REMOVE(peer, blocked);
    peer->is_blocked = false;
    pthread_mutex_unlock(&port->shared.lock);
    take_from_table(port, peer);
    if (was_blocked)
        nwi_release(peer);
}

/* --- reading --- */

/* *ret_owner is +1; both are NULL once the listener is gone. */
static const struct nwi_udp_port_events *hold_owner(struct nwi_udp_port *port, void **ret_owner) {
    pthread_mutex_lock(&port->shared.lock);
    const struct nwi_udp_port_events *events = port->shared.events;
    *ret_owner = events != NULL ? nwi_retain(port->shared.owner) : NULL;
    pthread_mutex_unlock(&port->shared.lock);
    return events;
}

/* To where the datagram came from, by the way it came. What cannot be sent at once is lost. */
static void answer_stranger(struct nwi_udp_port *port, const struct nwi_datagram *datagram,
                            const struct iovec *answer) {
    struct nwi_datagram_to to = nwi_udp_back_to(&datagram->peer, datagram->peer_length,
                                                &datagram->local, datagram->interface_index);
    (void)nwi_datagram_send(port->fd, answer, 1, &to);
}

/* Whether the owner wants to hear of that stranger. */
static bool pass_screen(struct nwi_udp_port *port, const struct nwi_datagram *datagram) {
    uint8_t octets[NWI_UDP_ANSWER_MAX];
    struct iovec answer = {octets,
                           datagram->length < sizeof octets ? datagram->length : sizeof octets};
    void *owner;
    const struct nwi_udp_port_events *events = hold_owner(port, &owner);
    if (events == NULL)
        return false;
    bool passed = events->screen(owner, datagram, &answer);
    nwi_release(owner);
    if (!passed && answer.iov_len > 0)
        answer_stranger(port, datagram, &answer);
    return passed;
}

/* False: the owner cannot take the peer now. Without an owner the datagram is dropped: UDP promises
 * no delivery. */
static bool introduce(struct nwi_udp_port *port, const struct nwi_datagram *datagram) {
    void *owner;
    const struct nwi_udp_port_events *events = hold_owner(port, &owner);
    bool done = events == NULL || events->new_peer(owner, port, datagram);
    nwi_release(owner);
    return done;
}

static bool deliver(struct nwi_udp_port *port, const struct nwi_datagram *datagram) {
    struct nwi_udp_peer *peer = find_peer(port, &datagram->peer);
    if (peer != NULL)
        nwi_udp_peer_take(peer, datagram);
    return peer != NULL || introduce(port, datagram);
}

/* Who waits longest comes in first. */
static void admit_strangers(struct nwi_udp_port *port) {
    const struct nwi_datagram *first;
    while ((first = nwi_udp_strangers_first(&port->strangers)) != NULL && deliver(port, first))
        nwi_udp_strangers_drop_first(&port->strangers);
}

static void admission(struct nwi_task *task) {
    struct nwi_udp_port *port = nwi_container_of(task, struct nwi_udp_port, admission);
    pthread_mutex_lock(&port->shared.lock);
    port->shared.admission_queued = false;
    pthread_mutex_unlock(&port->shared.lock);
    admit_strangers(port);
}

void nwi_udp_port_resume(struct nwi_udp_port *port) {
    pthread_mutex_lock(&port->shared.lock);
    bool queued = port->shared.admission_queued;
    port->shared.admission_queued = true;
    pthread_mutex_unlock(&port->shared.lock);
    if (!queued)
        nwi_serial_push(&port->context, &port->admission);
}

/* Whether the peer begins anew, as after a restart of his program (RFC 6347 section 4.2.8). */
static bool begins_anew(struct nwi_udp_port *port, const struct nwi_udp_peer *peer,
                        const struct nwi_datagram *datagram) {
    uint64_t beginning = port->beginning != NULL ? port->beginning(datagram) : 0;
    return beginning != 0 && beginning != peer->beginning;
}

static void give(void *port_object, const struct nwi_datagram *datagram) {
    struct nwi_udp_port *port = port_object;
    struct nwi_udp_peer *peer = find_peer(port, &datagram->peer);
    if (peer != NULL && !begins_anew(port, peer, datagram)) {
        nwi_udp_peer_take(peer, datagram);
        return;
    }
    if (port->screens && !pass_screen(port, datagram))
        return;
    if (peer != NULL) {
        nwi_udp_peer_supersede(peer);
        take_from_table(port, peer);
    }
    admit_strangers(port);
    if (nwi_udp_strangers_first(&port->strangers) != NULL || !deliver(port, datagram))
        nwi_udp_strangers_add(&port->strangers, datagram);
}

static void queue_turn(struct nwi_udp_port *port) {
    if (port->turn_queued)
        return;
    port->turn_queued = true;
    nwi_serial_push(&port->context, &port->turn);
}

static void read_some(struct nwi_udp_port *port) {
    bool got_some = false;
    nwi_err err = 0;
    for (int i = 0;
         i < BATCHES_A_TURN && port->readable && port->fd >= 0 && !nwi_err_is_shortage(err); i++) {
        bool empty = false;
        err = nwi_udp_receive_batch(port->fd, port->room, give, port, &empty);
        /* An error is an ICMP answer to one of our sends: that send's peer is not told. */
        port->readable = !empty;
        got_some = got_some || err == 0;
    }
    if (!port->readable || port->fd < 0)
        return;
    /* Nothing but errors, or no memory, is not to be tried in a circle. */
    if ((got_some && !nwi_err_is_shortage(err)) ||
        nwi_alarm_set(&port->retry, nwi_now() + NWI_SHORTAGE_PAUSE) != 0)
        queue_turn(port);
}

static void take_turn(struct nwi_task *task) {
    struct nwi_udp_port *port = nwi_container_of(task, struct nwi_udp_port, turn);
    port->turn_queued = false;
    read_some(port);
}

static void retry(struct nwi_alarm *alarm) {
    read_some(alarm->owner);
}

static void wake_blocked(struct nwi_udp_port *port) {
    struct nwi_udp_peer *peer;
    pthread_mutex_lock(&port->shared.lock);
    while ((peer = LIST_FIRST(&port->shared.blocked)) != NULL) {
        LIST_REMOVE(peer, blocked);
        peer->is_blocked = false;
        nwi_udp_peer_writable(peer);
        nwi_release(peer); /* not the last: the table holds it until nwi_udp_port_remove */
    }
    pthread_mutex_unlock(&port->shared.lock);
}

void nwi_udp_port_block(struct nwi_udp_port *port, struct nwi_udp_peer *peer) {
    pthread_mutex_lock(&port->shared.lock);
    bool more = !peer->is_blocked;
    if (more) {
        peer->is_blocked = true;
        nwi_retain(peer); /* not inside the macro, which names its argument several times */
        LIST_INSERT_HEAD(&port->shared.blocked, peer, blocked);
    }
    pthread_mutex_unlock(&port->shared.lock);
    if (more) /* after the list: whoever takes the news finds the peer in it */
        nwi_watch_await_write(&port->watch);
}

static void watch_ready(struct nwi_watch *watch, unsigned events) {
    struct nwi_udp_port *port = nwi_container_of(watch, struct nwi_udp_port, watch);
    if (events & NWI_IO_WRITE)
        wake_blocked(port);
    if (events & (NWI_IO_READ | NWI_IO_ERROR)) {
        port->readable = true;
        read_some(port);
    }
}

/* --- life --- */

static void close_port(struct nwi_task *task) {
    struct nwi_udp_port *port = nwi_container_of(task, struct nwi_udp_port, close_task);
    nwi_watch_stop(&port->watch);
    nwi_alarm_stop(&port->retry);
    nwi_socket_close(port->fd);
    port->fd = -1;
}

void nwi_udp_port_use(struct nwi_udp_port *port) {
    pthread_mutex_lock(&port->shared.lock);
    port->shared.users++;
    pthread_mutex_unlock(&port->shared.lock);
}

void nwi_udp_port_leave(struct nwi_udp_port *port) {
    pthread_mutex_lock(&port->shared.lock);
    bool last = --port->shared.users == 0;
    pthread_mutex_unlock(&port->shared.lock);
    if (last)
        nwi_serial_push(&port->context, &port->close_task);
}

void nwi_udp_port_detach(struct nwi_udp_port *port) {
    pthread_mutex_lock(&port->shared.lock);
    bool attached = port->shared.events != NULL;
    port->shared.events = NULL;
    pthread_mutex_unlock(&port->shared.lock);
    if (!attached)
        return;
    nwi_udp_port_resume(port); /* nobody to wait for: lets the strangers go */
    nwi_udp_port_leave(port);
}

nwi_err nwi_udp_port_number(const struct nwi_udp_port *port, uint16_t *ret_port) {
    struct sockaddr_storage address;
    socklen_t length;
    nwi_err err = nwi_socket_local(port->fd, &address, &length);
    if (err == 0)
        *ret_port = nwi_address_port((struct sockaddr *)&address);
    return err;
}

static void destroy_port(void *object) {
    struct nwi_udp_port *port = object;
    nwi_socket_close(port->fd);
    nwi_udp_strangers_clear(&port->strangers);
    nwi_free(port->buckets);
    nwi_free(port->room);
    pthread_mutex_destroy(&port->shared.lock);
}

static const struct nwi_type port_type = {
    .name = "nwi_udp_port",
    .size = sizeof(struct nwi_udp_port),
    .destroy = destroy_port,
};

static nwi_err open_socket(struct nwi_udp_port *port, const struct sockaddr *local,
                           socklen_t length, nw_parameters_t parameters) {
    nwi_err err = nwi_socket_open(local->sa_family, SOCK_DGRAM, 0, &port->fd);
    if (err == 0 && local->sa_family == AF_INET6)
        err = nwi_socket_set_int(port->fd, IPPROTO_IPV6, IPV6_V6ONLY,
                                 !nwi_is_dual_stack(parameters, local));
    if (err == 0)
        err = nwi_udp_apply_options(port->fd, local->sa_family, parameters);
    if (err == 0)
        err = nwi_datagram_enable(port->fd, local->sa_family, NWI_DATAGRAM_LOCAL);
    if (err == 0 && parameters->required_interface != NULL)
        err = nwi_socket_bind_interface(port->fd,
                                        nw_interface_get_index(parameters->required_interface));
    return err != 0 ? err : nwi_socket_bind(port->fd, local, length);
}

nwi_err nwi_udp_port_open(const struct sockaddr *local, socklen_t length,
                          nw_parameters_t parameters, const struct nwi_udp_port_events *events,
                          void *owner, struct nwi_udp_port **ret_port) {
    NWI_AUTO_RELEASE
    struct nwi_udp_port *port = nwi_object_create(&port_type, 0);
    if (port == NULL)
        return NWI_ERR_NOMEM;
    port->fd = -1;
    port->family = local->sa_family;
    port->service_class = parameters->service_class;
    struct nwi_loop *loop = nwi_loop_pick();
    nwi_serial_init(&port->context, loop, port);
    pthread_mutex_init(&port->shared.lock, NULL);
    LIST_INIT(&port->shared.blocked);
    nwi_udp_strangers_init(&port->strangers);
    nwi_alarm_init(&port->retry, &port->context, loop, port, retry);
    port->turn.run = take_turn;
    port->close_task.run = close_port;
    port->admission.run = admission;
    port->key = nwi_siphash_key_create(); /* peers choose their addresses and ports */
    port->bucket_count = BUCKETS_FIRST;
    port->buckets = nwi_alloc(BUCKETS_FIRST * sizeof *port->buckets);
    port->room = nwi_alloc_raw(NWI_UDP_BATCH_ROOM);
    if (port->buckets == NULL || port->room == NULL)
        return NWI_ERR_NOMEM;
    port->screens = events->screen != NULL;
    port->beginning = events->beginning;
    port->shared.events = events;
    port->shared.owner = owner;
    port->shared.users = 1;
    nwi_err err = open_socket(port, local, length, parameters);
    if (err == 0)
        err = nwi_watch_start_reading(&port->watch, &port->context, loop, port->fd, port,
                                      watch_ready);
    if (err == 0)
        *ret_port = nwi_take(&port);
    return err;
}
