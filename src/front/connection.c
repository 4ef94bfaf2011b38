/*
 * connection.c - nw_connection_t: creation, set-up and control calls.
 * Runs:   public calls on any thread; each becomes an operation in the connection's protocol
 *         context, at once when that is idle. Operations of one thread keep their order, since a
 *         busy context queues them all.
 */
#include "front/connection.h"
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/dispatch.h"
#include "establish/timeline.h"
#include "front/operation.h"
#include "model/parameters.h"

static void perform(nw_connection_t connection, struct nwi_operation operation) {
    operation.object = connection;
    nwi_operation_perform(&connection->context, operation);
}

static bool refuse_null(const void *object, const char *function) {
    return nwi_refuse_null(object, function, "connection");
}

static void destroy_connection(void *object) {
    nw_connection_t connection = object;
    if (connection->protocol.chain != NULL) { /* accepted, and nobody started it */
        nwi_chain_stop(connection->protocol.chain, NWI_DISCONNECT_GRACEFUL, NWI_ERR_CANCELED);
        nwi_release(connection->protocol.chain);
    }
    for (int i = 0; i < HANDLER_COUNT; i++)
        nwi_release(connection->protocol.handlers[i]);
    nwi_outlet_end(&connection->outlet); /* queued on a connection that nobody started: told so */
    nwi_connection_fail_sends(connection, NWI_ERR_CANCELED);
    nwi_connection_fail_receives(connection, NWI_ERR_CANCELED);
    nwi_connection_drop_pieces(connection);
    nwi_outlet_clear(&connection->outlet);
    nwi_free(connection->protocol.expiry);
    nwi_free(connection->protocol.again);
    nwi_release(connection->protocol.open_context);
    nwi_release(connection->protocol.stream_context);
    nwi_release(connection->shared.timeline);
    nwi_release(connection->endpoint);
    nwi_release(connection->parameters);
    pthread_mutex_destroy(&connection->shared.lock);
}

static const struct nwi_type connection_type = {
    .name = "nw_connection",
    .size = sizeof(struct nw_connection),
    .destroy = destroy_connection,
};

static _Atomic unsigned last_id; /* relaxed: only uniqueness matters */

static nw_connection_t create_connection(nw_endpoint_t endpoint, nw_parameters_t parameters,
                                         struct nwi_loop *loop) {
    nw_connection_t connection = nwi_object_create(&connection_type, 0);
    if (connection == NULL)
        return NULL;
    connection->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    connection->endpoint = nwi_retain(endpoint);
    connection->parameters = nwi_retain(parameters);
    connection->loop = loop;
    nwi_serial_init(&connection->context, loop, connection);
    nwi_outlet_init(&connection->outlet, connection);
    TAILQ_INIT(&connection->protocol.sends);
    STAILQ_INIT(&connection->protocol.receives);
    STAILQ_INIT(&connection->protocol.pieces);
    pthread_mutex_init(&connection->shared.lock, NULL);
    return connection;
}

nw_connection_t nwi_connection_create_accepted(nw_endpoint_t remote, nw_parameters_t parameters) {
    nw_connection_t connection = create_connection(remote, parameters, nwi_loop_pick_for_io());
    if (connection == NULL)
        return NULL;
    connection->protocol.accepted = true;
    /* No owner of the context is named: a chain that nobody started must not keep its connection
     * alive. */
    connection->protocol.chain = nwi_chain_create(&connection->context, connection->loop, NULL);
    return connection->protocol.chain != NULL ? connection : nwi_release(connection);
}

struct nwi_chain *nwi_connection_chain(nw_connection_t connection) {
    return connection->protocol.chain;
}

void nwi_connection_name(nw_connection_t connection, char name[16]) {
    snprintf(name, 16, "C%u", connection->id);
}

nw_connection_t nw_connection_create(nw_endpoint_t endpoint, nw_parameters_t parameters) {
    if (endpoint == NULL || parameters == NULL) {
        nwi_log_misuse(__func__, endpoint == NULL ? "endpoint is NULL" : "parameters is NULL");
        return NULL;
    }
    NWI_AUTO_RELEASE
    nw_parameters_t copy = nwi_parameters_copy_for_connection(parameters);
    return copy != NULL ? create_connection(endpoint, copy, nwi_loop_pick()) : NULL;
}

nw_endpoint_t nw_connection_copy_endpoint(nw_connection_t connection) {
    return refuse_null(connection, __func__) ? NULL : nwi_retain(connection->endpoint);
}

nw_parameters_t nw_connection_copy_parameters(nw_connection_t connection) {
    return refuse_null(connection, __func__) ? NULL : nw_parameters_copy(connection->parameters);
}

static void apply_queue(void *object, struct nwi_operation *operation) {
    nw_connection_t connection = object;
    if (connection->protocol.started)
        nwi_log_misuse("nw_connection_set_queue",
                       "the connection has been started: the queue stays");
    else
        nwi_outlet_set_queue(&connection->outlet, operation->queue);
    dispatch_release(operation->queue);
}

void nw_connection_set_queue(nw_connection_t connection, dispatch_queue_t queue) {
    if (refuse_null(connection, __func__))
        return;
    if (queue == NULL) {
        nwi_log_misuse(__func__, "queue is NULL");
        return;
    }
    dispatch_retain(queue);
    perform(connection, (struct nwi_operation){.apply = apply_queue, .queue = queue});
}

static void apply_handler(void *object, struct nwi_operation *operation) {
    nw_connection_t connection = object;
    struct nwi_handler **slot = &connection->protocol.handlers[operation->number];
    if (connection->protocol.state == nw_connection_state_cancelled) {
        nwi_callback_clear(&operation->callback); /* it would never be called, nor released */
        return;
    }
    nwi_release(*slot);
    *slot = nwi_handler_create(operation->callback);
    if (connection->protocol.state == nw_connection_state_ready &&
        nwi_connection_wants_path(connection))
        nwi_connection_watch_path(connection);
}

static void set_handler(nw_connection_t connection, const char *function,
                        enum connection_handler which, struct nwi_callback callback) {
    if (refuse_null(connection, function))
        nwi_callback_clear(&callback);
    else
        perform(connection, (struct nwi_operation){.apply = apply_handler,
                                                   .callback = callback,
                                                   .number = (int)which});
}

void nw_connection_set_state_changed_handler_f(nw_connection_t connection, void *context,
                                               nw_connection_state_changed_handler_f handler) {
    set_handler(connection, __func__, HANDLER_STATE, nwi_callback_f(context, (nwi_fn)handler));
}
NW_EXPORT void nw_connection_set_state_changed_handler(nw_connection_t connection,
                                                       const void *handler) {
    set_handler(connection, __func__, HANDLER_STATE, nwi_callback_block(handler));
}
void nw_connection_set_viability_changed_handler_f(nw_connection_t connection, void *context,
                                                   nw_connection_boolean_event_handler_f handler) {
    set_handler(connection, __func__, HANDLER_VIABILITY, nwi_callback_f(context, (nwi_fn)handler));
}
NW_EXPORT void nw_connection_set_viability_changed_handler(nw_connection_t connection,
                                                           const void *handler) {
    set_handler(connection, __func__, HANDLER_VIABILITY, nwi_callback_block(handler));
}
void nw_connection_set_better_path_available_handler_f(
    nw_connection_t connection, void *context, nw_connection_boolean_event_handler_f handler) {
    set_handler(connection, __func__, HANDLER_BETTER_PATH,
                nwi_callback_f(context, (nwi_fn)handler));
}
NW_EXPORT void nw_connection_set_better_path_available_handler(nw_connection_t connection,
                                                               const void *handler) {
    set_handler(connection, __func__, HANDLER_BETTER_PATH, nwi_callback_block(handler));
}
void nw_connection_set_path_changed_handler_f(nw_connection_t connection, void *context,
                                              nw_connection_path_event_handler_f handler) {
    set_handler(connection, __func__, HANDLER_PATH, nwi_callback_f(context, (nwi_fn)handler));
}
NW_EXPORT void nw_connection_set_path_changed_handler(nw_connection_t connection,
                                                      const void *handler) {
    set_handler(connection, __func__, HANDLER_PATH, nwi_callback_block(handler));
}

static void apply_start(void *object, struct nwi_operation *operation) {
    nw_connection_t connection = object;
    (void)operation;
    if (connection->protocol.started)
        return; /* a second start is ignored */
    if (connection->outlet.queue == NULL) {
        nwi_log_misuse("nw_connection_start", "no queue: call nw_connection_set_queue first");
        return;
    }
    nwi_connection_begin(connection);
}

void nw_connection_start(nw_connection_t connection) {
    if (!refuse_null(connection, __func__))
        perform(connection, (struct nwi_operation){.apply = apply_start});
}

static void apply_restart(void *object, struct nwi_operation *operation) {
    nw_connection_t connection = object;
    (void)operation;
    if (connection->protocol.state == nw_connection_state_waiting)
        nwi_connection_retry(connection);
}

void nw_connection_restart(nw_connection_t connection) {
    if (!refuse_null(connection, __func__))
        perform(connection, (struct nwi_operation){.apply = apply_restart});
}

static void apply_cancel(void *object, struct nwi_operation *operation) {
    nw_connection_t connection = object;
    nwi_connection_end(connection, (enum nwi_disconnect)operation->number);
}

void nw_connection_cancel(nw_connection_t connection) {
    if (!refuse_null(connection, __func__))
        perform(connection,
                (struct nwi_operation){.apply = apply_cancel, .number = NWI_DISCONNECT_GRACEFUL});
}

void nw_connection_force_cancel(nw_connection_t connection) {
    if (!refuse_null(connection, __func__))
        perform(connection,
                (struct nwi_operation){.apply = apply_cancel, .number = NWI_DISCONNECT_ABORT});
}

static void apply_next_endpoint(void *object, struct nwi_operation *operation) {
    nw_connection_t connection = object;
    (void)operation;
    nwi_connection_next_endpoint(connection);
}

void nw_connection_cancel_current_endpoint(nw_connection_t connection) {
    if (!refuse_null(connection, __func__))
        perform(connection, (struct nwi_operation){.apply = apply_next_endpoint});
}

static void apply_batch(void *object, struct nwi_operation *operation) {
    nw_connection_t connection = object;
    connection->protocol.batch += (unsigned)operation->number;
    if (connection->protocol.batch != 0)
        return;
    nwi_connection_pump_sends(connection);
    nwi_connection_pump_receives(connection);
}

static void batch(nw_connection_t connection, const char *function, struct nwi_callback callback) {
    if (refuse_null(connection, function))
        return;
    if (callback.fn == NULL) {
        nwi_log_misuse(function, "no block to run");
        return;
    }
    perform(connection, (struct nwi_operation){.apply = apply_batch, .number = 1});
    NWI_CALL0(callback, void);
    perform(connection, (struct nwi_operation){.apply = apply_batch, .number = -1});
}

void nw_connection_batch_f(nw_connection_t connection, void *context, dispatch_function_t work) {
    batch(connection, __func__, nwi_callback_f(context, (nwi_fn)work));
}
NW_EXPORT void nw_connection_batch(nw_connection_t connection, const void *block) {
    batch(connection, __func__, nwi_callback_block_noescape(block));
}
