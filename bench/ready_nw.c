/*
 * ready_nw.c - from nw_connection_start to the state ready.
 * Runs:   handlers on one serial queue.
 */
#include "ready.h"
#include <Network/Network.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct {
    nw_endpoint_t endpoint;
    nw_parameters_t parameters;
    dispatch_queue_t queue;
    dispatch_semaphore_t cancelled; /* signalled for each, or for the last only */
    bool on_queue, more;
    double begun;
    struct ready_samples samples;
} run;

static void changed(void *context, nw_connection_state_t state, nw_error_t error);

static void start_one(void) {
    nw_connection_t connection = nw_connection_create(run.endpoint, run.parameters);
    if (connection == NULL)
        bench_die("nw_connection_create", ENOMEM);
    nw_connection_set_queue(connection, run.queue);
    nw_connection_set_state_changed_handler_f(connection, connection, changed);
    run.begun = bench_now();
    nw_connection_start(connection);
}

static void changed(void *context, nw_connection_state_t state, nw_error_t error) {
    nw_connection_t connection = context;
    if (state == nw_connection_state_ready) {
        run.more = ready_add(&run.samples, run.begun);
        nw_connection_force_cancel(connection);
    } else if (state == nw_connection_state_cancelled) {
        nw_release(connection);
        if (run.on_queue && run.more)
            start_one();
        else
            dispatch_semaphore_signal(run.cancelled);
    } else if (state == nw_connection_state_waiting || state == nw_connection_state_failed) {
        bench_die("connection", error != NULL ? nw_error_get_error_code(error) : EIO);
    }
}

void ready_run_nw(const struct run_order *order, double ret_values[]) {
    char port[8];
    snprintf(port, sizeof port, "%u", order->port);
    run.endpoint = nw_endpoint_create_host("127.0.0.1", port);
    run.parameters = nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                                       NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    run.queue = dispatch_queue_create("ready", DISPATCH_QUEUE_SERIAL);
    run.cancelled = dispatch_semaphore_create(0);
    run.on_queue = strcmp(order->name, "queue") == 0;
    ready_begin(&run.samples, order->seconds);
    do {
        start_one();
        dispatch_semaphore_wait(run.cancelled, DISPATCH_TIME_FOREVER);
    } while (run.more);
    ready_fill(&run.samples, ret_values);
}
