/*
 * nw.c - libnw, written against the public API, function forms, as a program would be.
 * What:   a serial queue a connection; the next receive is asked for as soon as the answer is on its way.
 * Runs:   handlers on the queue of their connection.
 */
#include "../listen_nw.h"
#include "../parameters_nw.h"
#include "peer.h"
#include <Network/Network.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *what, nw_error_t error) {
    bench_die(what, error != NULL ? nw_error_get_error_code(error) : 0);
}

static void give_queue(nw_connection_t connection) {
    dispatch_queue_t queue = dispatch_queue_create("bench", DISPATCH_QUEUE_SERIAL);
    nw_connection_set_queue(connection, queue);
    dispatch_release(queue);
}

/* --- servers --- */
/* One accepted connection; lives until it is cancelled. */
struct client {
    const struct bench_load *load;
    nw_connection_t connection;
};

static void answered(void *context, nw_error_t error) {
    struct client *client = context;
    if (error != NULL)
        nw_connection_cancel(client->connection);
}

static void served(void *context, dispatch_data_t content, nw_content_context_t content_context,
                   bool complete, nw_error_t error) {
    struct client *client = context;
    (void)content_context;
    if (content != NULL && client->load->work == BENCH_ECHO)
        nw_connection_send_f(client->connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                             true, client, answered);
    else if (content != NULL)
        bench_count(client->load->counters, dispatch_data_get_size(content));
    if (complete || error != NULL)
        nw_connection_cancel(client->connection);
    else
        nw_connection_receive_f(client->connection, 1, BENCH_READ_MAX, client, served);
}

static void client_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    struct client *client = context;
    (void)error;
    if (state == nw_connection_state_failed ||
        (state == nw_connection_state_ready && client->load->work == BENCH_CONNECT)) {
        nw_connection_cancel(client->connection);
    } else if (state == nw_connection_state_cancelled) {
        nw_release(client->connection);
        free(client);
    }
}

static void serve_new(void *context, nw_connection_t connection) {
    const struct bench_load *load = context;
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        bench_die("no memory", 0);
    *client = (struct client){.load = load, .connection = nw_retain(connection)};
    if (load->work == BENCH_CONNECT)
        bench_count(load->counters, 1);
    give_queue(connection);
    nw_connection_set_state_changed_handler_f(connection, client, client_changed);
    nw_connection_start(connection);
    if (load->work != BENCH_CONNECT)
        nw_connection_receive_f(connection, 1, BENCH_READ_MAX, client, served);
}

static void serve(const struct bench_load *load) {
    dispatch_queue_t queue = dispatch_queue_create("listener", DISPATCH_QUEUE_SERIAL);
    bench_listen_nw(bench_tcp_parameters(), queue, bench_listening, (void *)(uintptr_t)load,
                    serve_new);
    dispatch_release(queue);
}

/* --- drivers --- */
struct driver {
    const struct bench_load *load;
    struct bench_counter *counter;
    nw_endpoint_t endpoint;
    nw_parameters_t parameters;
    dispatch_queue_t queue; /* connect: of every connection of this driver in turn */
    dispatch_data_t message;
    nw_connection_t connection;
};

static void sent(void *context, nw_error_t error) {
    (void)context;
    if (error != NULL)
        fail("send", error);
}

static void received(void *context, dispatch_data_t content, nw_content_context_t content_context,
                     bool complete, nw_error_t error);

static void round_trip(struct driver *driver) {
    uint32_t size = (uint32_t)driver->load->size;
    nw_connection_send_f(driver->connection, driver->message, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                         true, driver, sent);
    nw_connection_receive_f(driver->connection, size, size, driver, received);
}

static void received(void *context, dispatch_data_t content, nw_content_context_t content_context,
                     bool complete, nw_error_t error) {
    struct driver *driver = context;
    (void)content_context;
    if (error != NULL || complete || content == NULL ||
        dispatch_data_get_size(content) != driver->load->size)
        fail("receive", error);
    bench_count(driver->counter, 1);
    round_trip(driver);
}

static void poured(void *context, nw_error_t error) {
    struct driver *driver = context;
    if (error != NULL)
        fail("send", error);
    bench_count(driver->counter, driver->load->size);
    nw_connection_send_f(driver->connection, driver->message, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                         true, driver, poured);
}

static void changed(void *context, nw_connection_state_t state, nw_error_t error) {
    (void)context;
    if (state == nw_connection_state_failed || state == nw_connection_state_waiting)
        fail("connection", error);
}

static void open_and_close(struct driver *driver);

static void at_end(void *context, dispatch_data_t content, nw_content_context_t content_context,
                   bool complete, nw_error_t error) {
    struct driver *driver = context;
    (void)content, (void)content_context;
    if (!complete)
        fail("receive", error);
    bench_count(driver->counter, 1);
    nw_connection_cancel(driver->connection);
}

/* The next one begins when the last one is closed. */
static void opened(void *context, nw_connection_state_t state, nw_error_t error) {
    struct driver *driver = context;
    changed(driver, state, error);
    if (state == nw_connection_state_cancelled) {
        nw_release(driver->connection);
        open_and_close(driver);
    }
}

static void open_and_close(struct driver *driver) {
    driver->connection = nw_connection_create(driver->endpoint, driver->parameters);
    nw_connection_set_queue(driver->connection, driver->queue);
    nw_connection_set_state_changed_handler_f(driver->connection, driver, opened);
    nw_connection_start(driver->connection);
    nw_connection_receive_f(driver->connection, 1, BENCH_READ_MAX, driver, at_end);
}

static void open_for_data(struct driver *driver) {
    driver->connection = nw_connection_create(driver->endpoint, driver->parameters);
    nw_connection_set_queue(driver->connection, driver->queue);
    nw_connection_set_state_changed_handler_f(driver->connection, driver, changed);
    nw_connection_start(driver->connection);
    if (driver->load->work == BENCH_ECHO)
        round_trip(driver);
    else
        nw_connection_send_f(driver->connection, driver->message,
                             NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, driver, poured);
}

static void drive(const struct bench_load *load) {
    static const char zeros[BENCH_READ_MAX];
    char port[8];
    snprintf(port, sizeof port, "%u", load->port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port);
    nw_parameters_t parameters = bench_tcp_parameters();
    dispatch_data_t message = dispatch_data_create_f(zeros, load->size, NULL, NULL, NULL);
    for (unsigned i = 0; i < load->connections; i++) {
        struct driver *driver = calloc(1, sizeof *driver);
        if (driver == NULL)
            bench_die("no memory", 0);
        *driver = (struct driver){.load = load,
                                  .counter = &load->counters[i],
                                  .endpoint = endpoint,
                                  .parameters = parameters,
                                  .queue = dispatch_queue_create("bench", DISPATCH_QUEUE_SERIAL),
                                  .message = message};
        if (load->work == BENCH_CONNECT)
            open_and_close(driver);
        else
            open_for_data(driver);
    }
}

const struct bench_peer bench_peer_nw = {.name = "libnw", .serve = serve, .drive = drive};
