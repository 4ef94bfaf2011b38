/*
 * listener.c - nw_listener_t: the object and its public calls.
 * Source: nw_listener_t as documented; states go forward only, cancelled is the last callback.
 * Runs:   public calls on any thread become operations in the listener's serial context; handlers
 *         on its queue.
 * Owns:   a started listener holds itself until its end has been told. Connections that came in
 *         live on.
 */
#include "front/listener.h"
#include "base/log.h"
#include "model/endpoint.h"
#include "model/parameters.h"

void nwi_listener_perform(nw_listener_t listener, struct nwi_operation operation) {
    operation.object = listener;
    nwi_operation_perform(&listener->context, operation);
}

static bool refuse_null(const void *object, const char *function) {
    return nwi_refuse_null(object, function, "listener");
}

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
    nwi_listener_perform(listener, (struct nwi_operation){.apply = apply_queue, .queue = queue});
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
        nwi_listener_perform(listener, (struct nwi_operation){.apply = apply_handler,
                                                              .callback = callback,
                                                              .number = (int)which});
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
    nwi_listener_perform(listener, (struct nwi_operation){.apply = nwi_listener_resume});
}

uint16_t nw_listener_get_port(nw_listener_t listener) {
    return refuse_null(listener, __func__)
               ? 0
               : atomic_load_explicit(&listener->port, memory_order_acquire);
}

void nw_listener_start(nw_listener_t listener) {
    if (!refuse_null(listener, __func__))
        nwi_listener_perform(listener, (struct nwi_operation){.apply = nwi_listener_begin});
}

void nw_listener_cancel(nw_listener_t listener) {
    if (!refuse_null(listener, __func__))
        nwi_listener_perform(listener, (struct nwi_operation){.apply = nwi_listener_end});
}
