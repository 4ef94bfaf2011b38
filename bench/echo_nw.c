/*
 * echo_nw.c - echo server and driver written against the public API, function forms, as a program
 * would be.
 * What:   a serial queue a connection; the next receive is asked for as soon as the answer is on
 *         its way.
 * Runs:   handlers on the queue of their connection.
 */
#include "echo.h"
#include <Network/Network.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static nw_parameters_t tcp_parameters(void) {
    /* The peer sets TCP_NODELAY; so do we. */
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t tcp = nw_protocol_stack_copy_transport_protocol(stack);
    nw_tcp_options_set_no_delay(tcp, true);
    nw_release(tcp);
    nw_release(stack);
    return parameters;
}

static void die(const char *what, nw_error_t error) {
    fprintf(stderr, "%s: %s\n", what,
            error != NULL ? strerror(nw_error_get_error_code(error)) : "failed");
    _exit(EXIT_FAILURE);
}

static void give_queue(nw_connection_t connection) {
    dispatch_queue_t queue = dispatch_queue_create("echo", DISPATCH_QUEUE_SERIAL);
    nw_connection_set_queue(connection, queue);
    dispatch_release(queue);
}

/* --- server --- */
static void answered(void *connection, nw_error_t error) {
    if (error != NULL)
        nw_connection_cancel(connection);
}

static void serve_received(void *context, dispatch_data_t content,
                           nw_content_context_t content_context, bool complete, nw_error_t error) {
    nw_connection_t connection = context;
    (void)content_context;
    if (content != NULL)
        nw_connection_send_f(connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                             connection, answered);
    if (complete || error != NULL)
        nw_connection_cancel(connection);
    else
        nw_connection_receive_f(connection, 1, ECHO_READ_MAX, connection, serve_received);
}

static void serve_changed(void *connection, nw_connection_state_t state, nw_error_t error) {
    (void)error;
    if (state == nw_connection_state_failed)
        nw_connection_cancel(connection);
    else if (state == nw_connection_state_cancelled)
        nw_release(connection);
}

static void serve_new(void *context, nw_connection_t connection) {
    (void)context;
    nw_retain(connection); /* until cancelled */
    give_queue(connection);
    nw_connection_set_state_changed_handler_f(connection, connection, serve_changed);
    nw_connection_start(connection);
    nw_connection_receive_f(connection, 1, ECHO_READ_MAX, connection, serve_received);
}

static void listener_changed(void *listener, nw_listener_state_t state, nw_error_t error) {
    if (state == nw_listener_state_ready) {
        printf("%u\n", nw_listener_get_port(listener));
        fflush(stdout);
    } else if (state == nw_listener_state_failed) {
        die("listener", error);
    }
}

int echo_serve_nw(void) {
    nw_parameters_t parameters = tcp_parameters();
    nw_endpoint_t local = nw_endpoint_create_host("127.0.0.1", "0");
    nw_parameters_set_local_endpoint(parameters, local);
    nw_listener_t listener = nw_listener_create(parameters);
    if (listener == NULL)
        return EXIT_FAILURE;
    dispatch_queue_t queue = dispatch_queue_create("listener", DISPATCH_QUEUE_SERIAL);
    nw_listener_set_queue(listener, queue);
    nw_listener_set_state_changed_handler_f(listener, listener, listener_changed);
    nw_listener_set_new_connection_handler_f(listener, NULL, serve_new);
    nw_listener_start(listener);
    dispatch_main();
}

/* --- driver --- */
struct drive_peer {
    const struct echo_drive *drive;
    struct echo_counter *counter;
    nw_connection_t connection;
    dispatch_data_t message;
};

static void drive_sent(void *context, nw_error_t error) {
    (void)context;
    if (error != NULL)
        die("send", error);
}

static void drive_received(void *context, dispatch_data_t content,
                           nw_content_context_t content_context, bool complete, nw_error_t error);

static void round_trip(struct drive_peer *peer) {
    uint32_t size = (uint32_t)peer->drive->size;
    nw_connection_send_f(peer->connection, peer->message, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                         true, peer, drive_sent);
    nw_connection_receive_f(peer->connection, size, size, peer, drive_received);
}

static void drive_received(void *context, dispatch_data_t content,
                           nw_content_context_t content_context, bool complete, nw_error_t error) {
    struct drive_peer *peer = context;
    (void)content_context;
    if (error != NULL || complete || content == NULL ||
        dispatch_data_get_size(content) != peer->drive->size)
        die("receive", error);
    atomic_fetch_add_explicit(&peer->counter->round_trips, 1, memory_order_relaxed);
    round_trip(peer);
}

static void drive_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    (void)context;
    if (state == nw_connection_state_failed || state == nw_connection_state_waiting)
        die("connection", error);
}

int echo_drive_nw(const struct echo_drive *drive) {
    char port[8];
    char *zeros = calloc(1, drive->size);
    if (zeros == NULL)
        return ENOMEM;
    snprintf(port, sizeof port, "%u", drive->port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port);
    nw_parameters_t parameters = tcp_parameters();
    dispatch_data_t message = dispatch_data_create_f(zeros, drive->size, NULL, NULL, NULL);
    free(zeros);
    for (unsigned i = 0; i < drive->connections; i++) {
        struct drive_peer *peer = calloc(1, sizeof *peer);
        if (peer == NULL)
            return ENOMEM;
        *peer = (struct drive_peer){.drive = drive,
                                    .counter = &drive->counters[i],
                                    .connection = nw_connection_create(endpoint, parameters),
                                    .message = message};
        give_queue(peer->connection);
        nw_connection_set_state_changed_handler_f(peer->connection, peer, drive_changed);
        nw_connection_start(peer->connection);
        round_trip(peer);
    }
    return 0;
}
