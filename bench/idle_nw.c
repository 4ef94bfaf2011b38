/*
 * idle_nw.c - idle connections with libnw: each has a handler of states and one receive pending.
 * Runs:   handlers on one serial queue, or on one a connection.
 */
#include "idle.h"
#include "listen_nw.h"
#include "parameters_nw.h"
#include <Network/Network.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

enum { STARTING_MAX = 256 };

static dispatch_queue_t shared_queue; /* NULL: a queue each */

static void give_queue(nw_connection_t connection) {
    dispatch_queue_t queue = shared_queue != NULL
                                 ? shared_queue
                                 : dispatch_queue_create("connection", DISPATCH_QUEUE_SERIAL);
    nw_connection_set_queue(connection, queue);
    if (shared_queue == NULL)
        dispatch_release(queue);
}

/* --- server --- */

static void sent(void *connection, nw_error_t error) {
    if (error != NULL)
        nw_connection_cancel(connection);
}

static void received(void *context, dispatch_data_t content, nw_content_context_t content_context,
                     bool complete, nw_error_t error) {
    nw_connection_t connection = context;
    (void)content_context;
    if (content != NULL)
        nw_connection_send_f(connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                             connection, sent);
    if (complete || error != NULL)
        nw_connection_cancel(connection);
    else
        nw_connection_receive_f(connection, 1, IDLE_ECHO_MAX, connection, received);
}

static void accepted_changed(void *connection, nw_connection_state_t state, nw_error_t error) {
    (void)error;
    if (state == nw_connection_state_ready)
        idle_one_more();
    else if (state == nw_connection_state_failed)
        nw_connection_cancel(connection);
    else if (state == nw_connection_state_cancelled)
        nw_release(connection);
}

static void accepted(void *context, nw_connection_t connection) {
    (void)context;
    nw_retain(connection); /* until cancelled */
    give_queue(connection);
    nw_connection_set_state_changed_handler_f(connection, connection, accepted_changed);
    nw_connection_start(connection);
    nw_connection_receive_f(connection, 1, IDLE_ECHO_MAX, connection, received);
}

static void listening(uint16_t port) {
    run_serving(port, idle_begin, idle_fill);
}

void idle_serve_nw_each(const char *name) {
    dispatch_queue_t queue = dispatch_queue_create("listener", DISPATCH_QUEUE_SERIAL);
    idle_raise_limit();
    idle_expect(idle_count(name));
    bench_listen_nw(bench_tcp_parameters(), queue, listening, NULL, accepted);
    dispatch_main();
}

void idle_serve_nw(const char *name) {
    shared_queue = dispatch_queue_create("connections", DISPATCH_QUEUE_SERIAL);
    idle_serve_nw_each(name);
}

/* --- driver --- */

static dispatch_semaphore_t may_start;

static void hear_nothing(void *context, dispatch_data_t content,
                         nw_content_context_t content_context, bool complete, nw_error_t error) {
    (void)context;
    (void)content;
    (void)content_context;
    (void)complete;
    (void)error; /* the server ended first: the measurement is over */
}

static void driver_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    (void)context;
    if (state == nw_connection_state_ready) {
        idle_one_more();
        dispatch_semaphore_signal(may_start);
    } else if (state == nw_connection_state_waiting) {
        bench_die("connection", error != NULL ? nw_error_get_error_code(error) : EIO);
    }
}

/* From 127.0.0.`host`; +1. */
static nw_parameters_t parameters_from(unsigned host) {
    nw_parameters_t parameters = bench_tcp_parameters();
    char address[16];
    snprintf(address, sizeof address, "127.0.0.%u", host);
    nw_endpoint_t local = nw_endpoint_create_host(address, "0");
    if (host != 1)
        nw_parameters_set_local_endpoint(parameters, local);
    nw_release(local);
    return parameters;
}

void idle_run_nw_each(const struct run_order *order, double ret_values[]) {
    unsigned count = idle_count(order->name), last_host = 0;
    nw_parameters_t parameters = NULL;
    char port[8];
    snprintf(port, sizeof port, "%u", order->port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port);
    idle_raise_limit();
    idle_expect(count);
    idle_begin();
    may_start = dispatch_semaphore_create(STARTING_MAX);
    for (unsigned i = 0; i < count; i++) {
        if (idle_host(i) != last_host) {
            last_host = idle_host(i);
            nw_release(parameters);
            parameters = parameters_from(last_host);
        }
        dispatch_semaphore_wait(may_start, DISPATCH_TIME_FOREVER);
        nw_connection_t connection = nw_connection_create(endpoint, parameters);
        if (connection == NULL)
            bench_die("nw_connection_create", ENOMEM);
        give_queue(connection);
        nw_connection_set_state_changed_handler_f(connection, connection, driver_changed);
        nw_connection_start(connection);
        nw_connection_receive_f(connection, 1, IDLE_ECHO_MAX, connection, hear_nothing);
    }
    idle_fill(ret_values);
}

void idle_run_nw(const struct run_order *order, double ret_values[]) {
    shared_queue = dispatch_queue_create("connections", DISPATCH_QUEUE_SERIAL);
    idle_run_nw_each(order, ret_values);
}
