/*
 * latency_nw.c - the server with connections, each on a serial queue of its own.
 */
#include "latency.h"
#include "listen_nw.h"
#include "parameters_nw.h"
#include <Network/Network.h>
#include <errno.h>
#include <stdlib.h>

struct peer {
    nw_connection_t connection;
    char kind; /* 0 until its first octet has come */
};

static void sent(void *context, nw_error_t error) {
    struct peer *peer = context;
    if (error != NULL)
        nw_connection_cancel(peer->connection);
}

static void handle(struct peer *peer, dispatch_data_t content) {
    if (peer->kind == 0) {
        size_t size;
        const void *octets;
        dispatch_data_t map = dispatch_data_create_map(content, &octets, &size);
        peer->kind = *(const char *)octets;
        dispatch_release(map);
    } else if (peer->kind == LATENCY_BLOCK) {
        bench_pause(LATENCY_BLOCK_MS / 1e3);
    } else if (peer->kind == LATENCY_ECHO) {
        nw_connection_send_f(peer->connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                             peer, sent);
    }
}

static void received(void *context, dispatch_data_t content, nw_content_context_t content_context,
                     bool complete, nw_error_t error) {
    struct peer *peer = context;
    (void)content_context;
    if (content != NULL)
        handle(peer, content);
    if (complete || error != NULL)
        nw_connection_cancel(peer->connection);
    else
        nw_connection_receive_f(peer->connection, 1, LATENCY_READ, peer, received);
}

static void changed(void *context, nw_connection_state_t state, nw_error_t error) {
    struct peer *peer = context;
    (void)error;
    if (state == nw_connection_state_failed)
        nw_connection_cancel(peer->connection);
    if (state == nw_connection_state_cancelled) {
        nw_release(peer->connection);
        free(peer);
    }
}

static void accepted(void *context, nw_connection_t connection) {
    struct peer *peer = calloc(1, sizeof *peer);
    dispatch_queue_t queue = dispatch_queue_create("peer", DISPATCH_QUEUE_SERIAL);
    (void)context;
    if (peer == NULL || queue == NULL)
        bench_die("peer", ENOMEM);
    peer->connection = nw_retain(connection);
    nw_connection_set_queue(connection, queue);
    dispatch_release(queue);
    nw_connection_set_state_changed_handler_f(connection, peer, changed);
    nw_connection_start(connection);
    nw_connection_receive_f(connection, 1, 1, peer, received);
}

static void listening(uint16_t port) {
    run_serving(port, NULL, NULL);
}

void latency_serve_nw(const char *name) {
    dispatch_queue_t queue = dispatch_queue_create("listener", DISPATCH_QUEUE_SERIAL);
    (void)name;
    bench_listen_nw(bench_tcp_parameters(), queue, listening, NULL, accepted);
    dispatch_main();
}
