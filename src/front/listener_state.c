/*
 * listener_state.c - the states of a listener: what it tells its client, and when it listens.
 * Source: nw_listener_t as documented; states go forward only, cancelled is the last callback.
 * Runs:   in the listener's serial context; handlers on its queue.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "establish/assemble.h"
#include "front/listener.h"
#include "model/endpoint.h"
#include "model/error.h"
#include "model/ip_options.h"
#include "model/parameters.h"
#include "path/rules.h"
#include "sys/address.h"

static const char *const state_name[] = {"setup", "waiting", "ready", "failed", "cancelled"};

struct notice {
    struct nwi_task task;
    nw_listener_t listener;      /* borrowed: the outlet holds it */
    struct nwi_handler *handler; /* owned */
    nw_listener_state_t state;
    nw_error_t error; /* owned */
    nw_connection_t
        connection; /* owned: given up after the handler, so what it does not keep is closed */
    bool last;
};

void nwi_listener_delivered(nw_listener_t listener) {
    /* relaxed: only the count matters, wants() is asked again in the context */
    if (atomic_fetch_sub_explicit(&listener->undelivered, 1, memory_order_relaxed) ==
        NWI_LISTENER_UNDELIVERED_MAX)
        nwi_listener_perform(listener, (struct nwi_operation){.apply = nwi_listener_resume});
}

static void call_out(struct nwi_task *task) {
    struct notice *notice = nwi_container_of(task, struct notice, task);
    nw_listener_t listener = notice->listener;
    if (notice->handler != NULL && notice->connection != NULL)
        NWI_CALL(notice->handler->callback, void, (nw_connection_t), notice->connection);
    else if (notice->handler != NULL)
        NWI_CALL(notice->handler->callback, void, (nw_listener_state_t, nw_error_t), notice->state,
                 notice->error);
    if (notice->connection != NULL)
        nwi_listener_delivered(listener);
    nwi_release(notice->handler);
    nwi_release(notice->error);
    nwi_release(notice->connection);
    if (notice->last)
        nwi_release(listener);
    nwi_free(notice);
}

static void tell(nw_listener_t listener, struct notice notice) {
    struct notice *queued = nwi_alloc_certain(sizeof *queued);
    *queued = notice;
    queued->task.run = call_out;
    queued->listener = listener;
    nwi_outlet_push(&listener->outlet, &queued->task);
}

void nwi_listener_tell_connection(nw_listener_t listener, nw_connection_t connection) {
    struct nwi_handler *handler = listener->protocol.handlers[LISTENER_NEW_CONNECTION];
    tell(listener, (struct notice){.handler = nwi_retain(handler), .connection = connection});
}

static bool is_end(nw_listener_state_t state) {
    return state == nw_listener_state_failed || state == nw_listener_state_cancelled;
}

/* The only writer of the state. Forward only: a failed listener may still be cancelled. */
static void enter(nw_listener_t listener, nw_listener_state_t next, nwi_err err) {
    nw_listener_state_t from = listener->protocol.state;
    char name[16], text[160];
    if (next <= from)
        return;
    snprintf(name, sizeof name, "L%u", listener->id);
    if (nwi_log_enabled(NWI_LOG_DEBUG))
        nwi_log(NWI_LOG_DEBUG, name, "state", "%s -> %s%s%s", state_name[from], state_name[next],
                err != 0 ? ", " : "", err != 0 ? nwi_err_format(err, text, sizeof text) : "");
    listener->protocol.state = next;
    bool last = is_end(next) && listener->protocol.holds_itself;
    if (last)
        listener->protocol.holds_itself = false;
    struct nwi_handler *handler = listener->protocol.handlers[LISTENER_STATE];
    if (listener->outlet.queue != NULL && (handler != NULL || last))
        tell(listener, (struct notice){.handler = nwi_retain(handler),
                                       .state = next,
                                       .error = err != 0 ? nwi_error_create(err) : NULL,
                                       .last = last});
    if (next == nw_listener_state_cancelled)
        for (int i = 0; i < LISTENER_HANDLERS; i++)
            listener->protocol.handlers[i] = nwi_release(listener->protocol.handlers[i]);
}

/* --- listening --- */

/* No such address or interface now; it may come. */
static bool may_come(nwi_err err) {
    return err == nwi_posix(EADDRNOTAVAIL) || err == nwi_posix(ENETDOWN) ||
           err == nwi_posix(ENODEV) || err == nwi_posix(ENETUNREACH);
}

static nwi_err open_at(nw_listener_t listener, const struct sockaddr *local, socklen_t length) {
    return nwi_door_open(
        &(struct nwi_door_request){
            .local = local,
            .length = length,
            .parameters = listener->parameters,
            .context = &listener->context,
            .loop = listener->loop,
            .owner = listener,
            .events = &nwi_listener_door_events,
        },
        &listener->protocol.door);
}

/* The parameters' local endpoint, else any address: of both families where the host has IPv6. */
static nwi_err open_door(nw_listener_t listener) {
    const struct nwi_ip_options *ip = nwi_ip_options(listener->parameters->stack->internet);
    struct sockaddr_storage any;
    socklen_t length;
    const struct sockaddr *local =
        nwi_endpoint_sockaddr(listener->parameters->local_endpoint, &length);
    uint16_t port = atomic_load_explicit(&listener->port, memory_order_relaxed);
    nw_ip_version_t version = ip != NULL ? ip->version : nw_ip_version_any;
    if (local != NULL && !(nwi_address_is_any(local) && version == nw_ip_version_any)) {
        memcpy(&any, local, length);
        if (nwi_address_port(local) == 0)
            nwi_address_set_port((struct sockaddr *)&any, port);
        return open_at(listener, (struct sockaddr *)&any, length);
    }
    nwi_err err = nwi_posix(EAFNOSUPPORT);
    if (version != nw_ip_version_4 && (local == NULL || local->sa_family == AF_INET6)) {
        length = nwi_address_any(AF_INET6, port, &any);
        err = open_at(listener, (struct sockaddr *)&any, length);
    }
    if (err != nwi_posix(EAFNOSUPPORT) || version == nw_ip_version_6)
        return err;
    length = nwi_address_any(AF_INET, port, &any);
    return open_at(listener, (struct sockaddr *)&any, length);
}

static void fail(nw_listener_t listener, nwi_err err) {
    enter(listener, nw_listener_state_failed, err);
}

static void listen_now(nw_listener_t listener);

static void path_changed(void *context) {
    listen_now(context);
}

static void listen_now(nw_listener_t listener) {
    if (listener->protocol.door != NULL || is_end(listener->protocol.state))
        return;
    nwi_err err = nwi_path_allows_listening(listener->parameters);
    if (err == 0)
        err = open_door(listener);
    uint16_t port = atomic_load_explicit(&listener->port, memory_order_relaxed);
    if (err == 0 && (err = nwi_door_port(listener->protocol.door, &port)) != 0 && port == 0) {
        listener->protocol.door = nwi_door_close(listener->protocol.door);
        fail(listener, err); /* nobody could learn where to connect to */
        return;
    }
    if (listener->protocol.door != NULL) {
        listener->protocol.path_changes = nwi_path_unsubscribe(listener->protocol.path_changes);
        atomic_store_explicit(&listener->port, port, memory_order_release);
        enter(listener, nw_listener_state_ready, 0);
        return;
    }
    if (!may_come(err)) {
        fail(listener, err);
        return;
    }
    if (listener->protocol.path_changes == NULL) {
        nwi_err watch_err = nwi_path_subscribe(&listener->context, listener, path_changed, listener,
                                               &listener->protocol.path_changes);
        if (watch_err != 0) {
            fail(listener, watch_err);
            return;
        }
    }
    enter(listener, nw_listener_state_waiting, err);
}

void nwi_listener_begin(void *object, struct nwi_operation *operation) {
    nw_listener_t listener = object;
    (void)operation;
    if (listener->protocol.started)
        return; /* a second start is ignored */
    if (listener->outlet.queue == NULL) {
        nwi_log_misuse("nw_listener_start", "no queue: call nw_listener_set_queue first");
        return;
    }
    listener->protocol.started = true;
    if (is_end(listener->protocol.state))
        return; /* cancelled before it began */
    nwi_retain(listener);
    listener->protocol.holds_itself = true;
    nwi_err err = nwi_assemble_check(listener->parameters, true);
    if (err == 0 && listener->protocol.handlers[LISTENER_NEW_CONNECTION] == NULL) {
        nwi_log_misuse("nw_listener_start",
                       "no new connection handler: who should take the connections?");
        err = NWI_ERR_INVAL;
    }
    if (err != 0)
        fail(listener, err);
    else
        listen_now(listener);
}

void nwi_listener_end(void *object, struct nwi_operation *operation) {
    nw_listener_t listener = object;
    (void)operation;
    listener->protocol.door = nwi_door_close(listener->protocol.door);
    listener->protocol.path_changes = nwi_path_unsubscribe(listener->protocol.path_changes);
    enter(listener, nw_listener_state_cancelled, 0);
}

void nwi_listener_resume(void *object, struct nwi_operation *operation) {
    nw_listener_t listener = object;
    (void)operation;
    if (listener->protocol.door != NULL)
        nwi_door_resume(listener->protocol.door);
}
