/*
 * listener.c - nw_listener_t: a door, and the connections that come in by it.
 * Source: nw_listener_t as documented; states go forward only, cancelled is the last callback.
 * Runs:   public calls on any thread become operations in the listener's serial context; handlers
 *         on its queue.
 * Owns:   a started listener holds itself until its end has been told. Connections that came in
 *         live on.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "establish/assemble.h"
#include "establish/door.h"
#include "front/connection.h"
#include "front/operation.h"
#include "model/endpoint.h"
#include "model/error.h"
#include "model/ip_options.h"
#include "model/parameters.h"
#include "sys/address.h"
#include <limits.h>

enum {
    UNDELIVERED_MAX = 128
}; /* connections that the client has not been told of: then peers wait in the backlog */

enum listener_handler {
    LISTENER_STATE,
    LISTENER_NEW_CONNECTION,
    LISTENER_ADVERTISED,
    LISTENER_HANDLERS
};

struct nw_listener {
    struct nwi_object base;
    unsigned id;
    nw_parameters_t parameters; /* our copy */
    struct nwi_loop *loop;
    struct nwi_serial context;
    struct nwi_outlet outlet;
    struct {
        nw_listener_state_t state; /* written by enter() alone */
        bool started, holds_itself;
        struct nwi_door *door;
        struct nwi_handler *handlers[LISTENER_HANDLERS];
        struct nwi_path_subscription *path_changes; /* owned; while waiting */
    } protocol;
    /* Relaxed, both: counts that publish nothing; the connections travel through the outlet. */
    _Atomic uint32_t limit;       /* relaxed; may still come in; UINT32_MAX = no limit */
    _Atomic uint32_t undelivered; /* relaxed; up when one comes in, down when the client was told */
    _Atomic uint16_t port;        /* host order; release in became_ready, acquire in the getter */
};

static const char *const state_name[] = {"setup", "waiting", "ready", "failed", "cancelled"};

/* --- operations --- */

static void perform(nw_listener_t listener, struct nwi_operation operation) {
    operation.object = listener;
    nwi_operation_perform(&listener->context, operation);
}

static bool refuse_null(const void *object, const char *function) {
    return nwi_refuse_null(object, function, "listener");
}

/* --- callouts --- */

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

static void apply_resume(void *object, struct nwi_operation *operation) {
    nw_listener_t listener = object;
    (void)operation;
    if (listener->protocol.door != NULL)
        nwi_door_resume(listener->protocol.door);
}

/* One connection fewer that the client has not been told of. */
static void delivered(nw_listener_t listener) {
    /* relaxed: only the count matters, wants() is asked again in the context */
    if (atomic_fetch_sub_explicit(&listener->undelivered, 1, memory_order_relaxed) ==
        UNDELIVERED_MAX)
        perform(listener, (struct nwi_operation){.apply = apply_resume});
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
        delivered(listener);
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

/* --- peers --- */

struct arrival { /* a new connection on its way into the listener's context */
    struct nwi_task task;
    nw_listener_t listener;     /* borrowed */
    nw_connection_t connection; /* owned */
};

static void give_back_limit(nw_listener_t listener) {
    if (atomic_load_explicit(&listener->limit, memory_order_relaxed) != UINT32_MAX)
        atomic_fetch_add_explicit(&listener->limit, 1, memory_order_relaxed);
}

static void arrived(struct nwi_task *task) {
    struct arrival *arrival = nwi_container_of(task, struct arrival, task);
    nw_listener_t listener = arrival->listener;
    struct nwi_handler *handler = listener->protocol.handlers[LISTENER_NEW_CONNECTION];
    if (listener->protocol.state == nw_listener_state_ready && handler != NULL) {
        tell(listener,
             (struct notice){.handler = nwi_retain(handler), .connection = arrival->connection});
    } else {
        delivered(listener);
        nwi_release(arrival->connection); /* nobody will start it: closed */
    }
    nwi_free(arrival);
}

/* In any context: the atomics decide. */
static bool wants(void *owner) {
    nw_listener_t listener = owner;
    return atomic_load_explicit(&listener->limit, memory_order_relaxed) > 0 &&
           atomic_load_explicit(&listener->undelivered, memory_order_relaxed) < UNDELIVERED_MAX;
}

/* Peers on the local links only, when the parameters say so. */
static bool allows(void *owner, const struct sockaddr *remote) {
    nw_listener_t listener = owner;
    return !listener->parameters->local_only || remote->sa_family == AF_UNIX ||
           nwi_address_is_loopback(remote) || nwi_address_is_link_local(remote);
}

/* Takes one off the limit; false when there is none left. */
static bool take_from_limit(nw_listener_t listener) {
    uint32_t limit = atomic_load_explicit(&listener->limit, memory_order_relaxed);
    do {
        if (limit == UINT32_MAX)
            return true;
        if (limit == 0)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&listener->limit, &limit, limit - 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static struct nwi_chain *begin(void *owner, const struct sockaddr *remote, socklen_t length,
                               void **ret_token) {
    nw_listener_t listener = owner;
    if (!wants(listener) || !take_from_limit(listener))
        return NULL;
    struct sockaddr_storage plain;
    memcpy(&plain, remote, length);
    nwi_address_unmap(&plain, &length);
    NWI_AUTO_RELEASE
    nw_endpoint_t endpoint = nwi_endpoint_from_sockaddr((struct sockaddr *)&plain, length);
    if (endpoint == NULL &&
        remote->sa_family == AF_UNIX) /* a local peer seldom has a name: the listener's own path */
        endpoint = nwi_retain(listener->parameters->local_endpoint);
    struct arrival *arrival = nwi_alloc(sizeof *arrival);
    nw_connection_t connection =
        endpoint != NULL ? nwi_connection_create_accepted(endpoint, listener->parameters) : NULL;
    struct nwi_chain *chain = connection != NULL ? nwi_connection_chain(connection) : NULL;
    if (arrival == NULL || chain == NULL) {
        nwi_log(NWI_LOG_ERROR, "listener", "accept", "a peer was turned away: out of memory");
        nwi_free(arrival);
        nwi_release(connection);
        give_back_limit(listener);
        return NULL;
    }
    arrival->task.run = arrived;
    arrival->listener = listener;
    arrival->connection = connection;
    *ret_token = arrival;
    return chain;
}

static void ready(void *owner, void *token, nwi_err err) {
    nw_listener_t listener = owner;
    struct arrival *arrival = token;
    if (err != 0) {
        nwi_release(arrival->connection);
        nwi_free(arrival);
        give_back_limit(listener);
        return;
    }
    atomic_fetch_add_explicit(&listener->undelivered, 1, memory_order_relaxed);
    nwi_serial_push(&listener->context, &arrival->task);
}

static const struct nwi_door_events door_events = {
    .allows = allows, .wants = wants, .begin = begin, .ready = ready};

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
            .events = &door_events,
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
    nwi_err err = open_door(listener);
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

static void apply_start(void *object, struct nwi_operation *operation) {
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
    nwi_err err = nwi_assemble_check(listener->parameters);
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

static void apply_cancel(void *object, struct nwi_operation *operation) {
    nw_listener_t listener = object;
    (void)operation;
    listener->protocol.door = nwi_door_close(listener->protocol.door);
    listener->protocol.path_changes = nwi_path_unsubscribe(listener->protocol.path_changes);
    enter(listener, nw_listener_state_cancelled, 0);
}

/* --- the calls --- */

static void destroy_listener(void *object) {
    nw_listener_t listener = object;
    for (int i = 0; i < LISTENER_HANDLERS; i++)
        nwi_release(listener->protocol.handlers[i]);
    nwi_outlet_clear(&listener->outlet);
    nwi_release(listener->parameters);
}

static const struct nwi_type listener_type = {
    .name = "nw_listener",
    .size = sizeof(struct nw_listener),
    .destroy = destroy_listener,
};

static _Atomic unsigned last_id; /* relaxed: only uniqueness matters */

static nw_listener_t create_listener(uint16_t port, nw_parameters_t parameters) {
    NWI_AUTO_RELEASE
    nw_parameters_t copy = nwi_parameters_copy_for_connection(parameters);
    nw_listener_t listener = copy != NULL ? nwi_object_create(&listener_type, 0) : NULL;
    if (listener == NULL)
        return NULL;
    listener->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    listener->parameters = nwi_retain(copy);
    listener->loop = nwi_loop_pick();
    nwi_serial_init(&listener->context, listener->loop, listener);
    nwi_outlet_init(&listener->outlet, listener);
    atomic_init(&listener->limit, UINT32_MAX);
    atomic_init(&listener->port, port);
    return listener;
}

nw_listener_t nw_listener_create_with_port(const char *port, nw_parameters_t parameters) {
    uint16_t number = 0;
    if (port == NULL || parameters == NULL) {
        nwi_log_misuse(__func__, port == NULL ? "port is NULL" : "parameters is NULL");
        return NULL;
    }
    if (!nwi_port_parse(port, &number)) {
        nwi_log(NWI_LOG_ERROR, "listener", "misuse",
                "%s: \"%s\" is neither a port number nor a service name", __func__, port);
        return NULL;
    }
    uint16_t local = nw_endpoint_get_port(parameters->local_endpoint);
    if (parameters->local_endpoint != NULL && local != 0 && number != 0 && local != number) {
        nwi_log(NWI_LOG_ERROR, "listener", "misuse",
                "%s: port %u is not that of the local endpoint (%u)", __func__, number, local);
        return NULL;
    }
    return create_listener(number != 0 ? number : local, parameters);
}

nw_listener_t nw_listener_create(nw_parameters_t parameters) {
    if (parameters == NULL) {
        nwi_log_misuse(__func__, "parameters is NULL");
        return NULL;
    }
    return create_listener(
        parameters->local_endpoint != NULL ? nw_endpoint_get_port(parameters->local_endpoint) : 0,
        parameters);
}

static void apply_queue(void *object, struct nwi_operation *operation) {
    nw_listener_t listener = object;
    if (listener->protocol.started)
        nwi_log_misuse("nw_listener_set_queue", "the listener has been started: the queue stays");
    else
        nwi_outlet_set_queue(&listener->outlet, operation->queue);
    dispatch_release(operation->queue);
}

void nw_listener_set_queue(nw_listener_t listener, dispatch_queue_t queue) {
    if (refuse_null(listener, __func__))
        return;
    if (queue == NULL) {
        nwi_log_misuse(__func__, "queue is NULL");
        return;
    }
    dispatch_retain(queue);
    perform(listener, (struct nwi_operation){.apply = apply_queue, .queue = queue});
}

static void apply_handler(void *object, struct nwi_operation *operation) {
    nw_listener_t listener = object;
    if (listener->protocol.state == nw_listener_state_cancelled) {
        nwi_callback_clear(&operation->callback);
        return;
    }
    struct nwi_handler **slot = &listener->protocol.handlers[operation->number];
    nwi_release(*slot);
    *slot = nwi_handler_create(operation->callback);
}

static void set_handler(nw_listener_t listener, const char *function, enum listener_handler which,
                        struct nwi_callback callback) {
    if (refuse_null(listener, function))
        nwi_callback_clear(&callback);
    else
        perform(listener, (struct nwi_operation){
                              .apply = apply_handler, .callback = callback, .number = (int)which});
}

void nw_listener_set_state_changed_handler_f(nw_listener_t listener, void *context,
                                             nw_listener_state_changed_handler_f handler) {
    set_handler(listener, __func__, LISTENER_STATE, nwi_callback_f(context, (nwi_fn)handler));
}
NW_EXPORT void nw_listener_set_state_changed_handler(nw_listener_t listener, const void *handler) {
    set_handler(listener, __func__, LISTENER_STATE, nwi_callback_block(handler));
}
void nw_listener_set_new_connection_handler_f(nw_listener_t listener, void *context,
                                              nw_listener_new_connection_handler_f handler) {
    set_handler(listener, __func__, LISTENER_NEW_CONNECTION,
                nwi_callback_f(context, (nwi_fn)handler));
}
NW_EXPORT void nw_listener_set_new_connection_handler(nw_listener_t listener, const void *handler) {
    set_handler(listener, __func__, LISTENER_NEW_CONNECTION, nwi_callback_block(handler));
}
void nw_listener_set_advertised_endpoint_changed_handler_f(
    nw_listener_t listener, void *context,
    nw_listener_advertised_endpoint_changed_handler_f handler) {
    set_handler(listener, __func__, LISTENER_ADVERTISED, nwi_callback_f(context, (nwi_fn)handler));
}
NW_EXPORT void nw_listener_set_advertised_endpoint_changed_handler(nw_listener_t listener,
                                                                   const void *handler) {
    set_handler(listener, __func__, LISTENER_ADVERTISED, nwi_callback_block(handler));
}

void nw_listener_set_advertise_descriptor(nw_listener_t listener,
                                          nw_advertise_descriptor_t advertise_descriptor) {
    if (refuse_null(listener, __func__) || advertise_descriptor == NULL)
        return; /* NULL ends advertising: nothing is advertised */
    nwi_log(NWI_LOG_ERROR, "listener", "unsupported",
            "%s: Bonjour is not part of this build yet: the service will not be advertised",
            __func__);
}

uint32_t nw_listener_get_new_connection_limit(nw_listener_t listener) {
    return refuse_null(listener, __func__)
               ? 0
               : atomic_load_explicit(&listener->limit, memory_order_relaxed);
}

void nw_listener_set_new_connection_limit(nw_listener_t listener, uint32_t new_connection_limit) {
    if (refuse_null(listener, __func__))
        return;
    atomic_store_explicit(&listener->limit, new_connection_limit, memory_order_relaxed);
    perform(listener, (struct nwi_operation){.apply = apply_resume});
}

uint16_t nw_listener_get_port(nw_listener_t listener) {
    return refuse_null(listener, __func__)
               ? 0
               : atomic_load_explicit(&listener->port, memory_order_acquire);
}

void nw_listener_start(nw_listener_t listener) {
    if (!refuse_null(listener, __func__))
        perform(listener, (struct nwi_operation){.apply = apply_start});
}

void nw_listener_cancel(nw_listener_t listener) {
    if (!refuse_null(listener, __func__))
        perform(listener, (struct nwi_operation){.apply = apply_cancel});
}
