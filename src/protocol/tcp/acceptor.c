/*
 * acceptor.c - see acceptor.h.
 */
#include "protocol/tcp/acceptor.h"
#include "base/log.h"
#include "dispatch/alarm.h"
#include "dispatch/watch.h"
#include "model/parameters.h"
#include "protocol/tcp/tcp.h"
#include "stack/socket_options.h"
#include "sys/address.h"
#include "sys/arrival.h"
#include "sys/sockets.h"
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
    ACCEPTS_A_TURN = 64,
    FAILURES_MAX = 16, /* then a pause */
};
struct nwi_acceptor {
    struct nwi_object base;
    const struct nwi_acceptor_events *events; /* NULL once closed */
    void *owner;
    struct nwi_serial *context;
    void *context_owner; /* owned */
    struct nwi_watch watch;
    struct nwi_alarm retry;
    struct nwi_task turn;
    _Atomic bool turn_queued; /* acq_rel exchange on both sides */
    int fd;
    bool readable, paused;
    unsigned failures;                                    /* in a row */
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* to remove; "" = none */
};

/* The peer stays in the backlog. Edge-triggered readiness does not come again for it: the alarm
 * looks. */
static void pause_accepting(struct nwi_acceptor *acceptor, nwi_err err) {
    char text[160];
    if (!acceptor->paused)
        nwi_log(NWI_LOG_NOTICE, "listener", "accept", "accepting pauses: %s",
                nwi_err_format(err, text, sizeof text));
    acceptor->paused = true;
    acceptor->failures = 0;
    if (nwi_alarm_set(&acceptor->retry, nwi_now() + NWI_SHORTAGE_PAUSE) != 0)
        nwi_acceptor_resume(acceptor); /* not even memory for a timer: try again in a turn */
}

/* False: stop for now. */
static bool accept_one(struct nwi_acceptor *acceptor) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    int fd;
    nwi_err err = nwi_socket_accept(acceptor->fd, &peer, &length, &fd);
    if (nwi_err_would_block(err)) {
        acceptor->readable = acceptor->paused = false;
        return false;
    }
    /* Other errors are those of one peer, which gave up in the backlog (accept(2), Error handling):
     * the next is looked at. Nothing but errors is not to be tried in a circle. */
    if (nwi_err_is_shortage(err) ||
        (err != 0 && (acceptor->paused || ++acceptor->failures == FAILURES_MAX))) {
        pause_accepting(acceptor, err);
        return false;
    }
    if (err != 0)
        return true;
    acceptor->paused = false;
    acceptor->failures = 0;
    nwi_address_unmap(&peer, &length);
    acceptor->events->accepted(acceptor->owner, fd, (struct sockaddr *)&peer, length);
    return true;
}

static void accept_some(struct nwi_acceptor *acceptor) {
    for (int i = 0;
         acceptor->readable && acceptor->events != NULL && acceptor->events->wants(acceptor->owner);
         i++) {
        if (i == ACCEPTS_A_TURN) {
            nwi_acceptor_resume(acceptor);
            return;
        }
        if (!accept_one(acceptor))
            return;
    }
}

static void take_turn(struct nwi_task *task) {
    struct nwi_acceptor *acceptor = nwi_container_of(task, struct nwi_acceptor, turn);
    /* An exchange, not a store: whoever made room and found a turn queued has left that to us, so
     * what we look at below must not be older than its exchange. */
    atomic_exchange_explicit(&acceptor->turn_queued, false, memory_order_acq_rel);
    accept_some(acceptor);
    nwi_release(acceptor);
}

void nwi_acceptor_resume(struct nwi_acceptor *acceptor) {
    if (atomic_exchange_explicit(&acceptor->turn_queued, true, memory_order_acq_rel))
        return;
    nwi_retain(acceptor);
    nwi_serial_push(acceptor->context, &acceptor->turn);
}

static void retry(struct nwi_alarm *alarm) {
    accept_some(alarm->owner);
}

static void watch_ready(struct nwi_watch *watch, unsigned events) {
    struct nwi_acceptor *acceptor = nwi_container_of(watch, struct nwi_acceptor, watch);
    if ((events & (NWI_IO_READ | NWI_IO_ERROR | NWI_IO_HANGUP)) == 0)
        return;
    acceptor->readable = true;
    if (!acceptor->paused)
        accept_some(acceptor);
}

static nwi_err open_socket(struct nwi_acceptor *acceptor,
                           const struct nwi_acceptor_request *request) {
    int family = request->local->sa_family;
    nwi_err err = nwi_tcp_socket(family, request->parameters, &acceptor->fd);
    if (err == 0 && family == AF_INET6)
        err = nwi_socket_set_int(acceptor->fd, IPPROTO_IPV6, IPV6_V6ONLY,
                                 !nwi_is_dual_stack(request->parameters, request->local));
    /* Always: it lets a server restart while old connections are in TIME_WAIT, and never two listen
     * on one port. */
    if (err == 0 && family != AF_UNIX)
        err = nwi_socket_set_int(acceptor->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (err == 0 && family != AF_UNIX && request->parameters->reuse_local_address)
        err = nwi_socket_set_int(acceptor->fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (err == 0) /* accepted sockets inherit these */
        err = nwi_tcp_apply_options(acceptor->fd, family, request->parameters);
    if (err == 0 && request->parameters->required_interface != NULL && family != AF_UNIX)
        err = nwi_socket_bind_interface(
            acceptor->fd, nw_interface_get_index(request->parameters->required_interface));
    if (err == 0 && request->tell_arrival && family != AF_UNIX)
        (void)nwi_arrival_enable(acceptor->fd, family); /* else its local address tells */
    if (err == 0)
        err = nwi_socket_bind(acceptor->fd, request->local, request->length);
    if (err != 0)
        return err;
    if (family == AF_UNIX)
        memcpy(acceptor->path, ((const struct sockaddr_un *)request->local)->sun_path,
               sizeof acceptor->path);
    if (family != AF_UNIX)
        nwi_tcp_accept_early(acceptor->fd, request->parameters);
    return nwi_socket_listen(acceptor->fd, BACKLOG);
}

static void close_socket(struct nwi_acceptor *acceptor) {
    nwi_socket_close(acceptor->fd);
    acceptor->fd = -1;
    if (acceptor->path[0] != '\0')
        (void)unlink(acceptor->path); /* somebody may have removed it already */
    acceptor->path[0] = '\0';
}

static void destroy_acceptor(void *object) {
    struct nwi_acceptor *acceptor = object;
    close_socket(acceptor);
    nwi_release(acceptor->context_owner);
}

static const struct nwi_type acceptor_type = {
    .name = "nwi_acceptor",
    .size = sizeof(struct nwi_acceptor),
    .destroy = destroy_acceptor,
};

nwi_err nwi_acceptor_open(const struct nwi_acceptor_request *request,
                          struct nwi_acceptor **ret_acceptor) {
    NWI_AUTO_RELEASE
    struct nwi_acceptor *acceptor = nwi_object_create(&acceptor_type, 0);
    if (acceptor == NULL)
        return NWI_ERR_NOMEM;
    acceptor->fd = -1;
    acceptor->events = request->events;
    acceptor->owner = request->owner;
    acceptor->context = request->context;
    acceptor->context_owner = nwi_retain(request->context_owner);
    acceptor->turn.run = take_turn;
    nwi_alarm_init(&acceptor->retry, request->context, request->loop, acceptor, retry);
    nwi_err err = open_socket(acceptor, request);
    if (err == 0)
        err = nwi_watch_start(&acceptor->watch, request->context, request->loop, acceptor->fd,
                              acceptor, watch_ready);
    if (err == 0)
        *ret_acceptor = nwi_take(&acceptor);
    return err;
}

struct nwi_acceptor *nwi_acceptor_close(struct nwi_acceptor *acceptor) {
    if (acceptor == NULL)
        return NULL;
    acceptor->events = NULL;
    nwi_alarm_stop(&acceptor->retry);
    nwi_watch_stop(&acceptor->watch);
    close_socket(acceptor);
    return nwi_release(acceptor);
}

nwi_err nwi_acceptor_port(const struct nwi_acceptor *acceptor, uint16_t *ret_port) {
    struct sockaddr_storage address;
    socklen_t length;
    nwi_err err = nwi_socket_local(acceptor->fd, &address, &length);
    if (err == 0)
        *ret_port = nwi_address_port((struct sockaddr *)&address);
    return err;
}
