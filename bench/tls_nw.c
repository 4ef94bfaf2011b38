/*
 * tls_nw.c - TLS with libnw: a server, a client, or both in this process.
 * Runs:   handlers on serial queues, one for all clients and one for all servers.
 */
#include "listen_nw.h"
#include "tls.h"
#include <Network/Network.h>
#include <Security/identity.h>
#include <Security/session_metadata.h>
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_MAX = 65536, UNDER_WAY = 4, IDLE_LIMIT_S = 20, BULK_AHEAD = 8, CHECK_EACH = 16 };

static struct {
    char name[32];
    bool resume, bulk, idle, handshakes;
    unsigned number, started;
    nw_parameters_t client;
    nw_endpoint_t endpoint;
    dispatch_queue_t clients, servers;
    dispatch_semaphore_t done;
    struct tls_count count;
    double begun, heap; /* of the connection that is timed; of the process before */
    double micros[TLS_SAMPLES_MAX];
    unsigned samples;
    bool enough; /* on the clients' queue */
    dispatch_data_t piece;
    _Atomic unsigned accepted; /* relaxed: a count that is polled */
} run;

/* --- settings --- */

static void give_identity(void *context, nw_protocol_options_t options) {
    sec_protocol_options_t tls = nw_tls_copy_sec_protocol_options(options);
    char key[TLS_PATH_MAX];
    (void)context;
    snprintf(key, sizeof key, "%s", tls_file("server-key.pem"));
    sec_identity_t identity =
        sec_identity_create_with_files(tls_file("server.pem"), key, NULL, NULL);
    if (identity == NULL)
        bench_die("identity", EINVAL);
    sec_protocol_options_set_local_identity(tls, identity);
    sec_release(identity);
    sec_protocol_options_set_tls_resumption_enabled(tls, run.resume);
    sec_release(tls);
}

static void give_anchor(void *context, nw_protocol_options_t options) {
    sec_protocol_options_t tls = nw_tls_copy_sec_protocol_options(options);
    size_t count = 0;
    (void)context;
    sec_certificate_t *anchors =
        sec_certificates_create_with_file(tls_file("ca.pem"), &count, NULL);
    if (count == 0)
        bench_die("CA", EINVAL);
    sec_protocol_options_add_trust_anchor(tls, anchors[0]);
    sec_certificates_free(anchors, count);
    sec_protocol_options_set_tls_server_name(tls, TLS_HOST);
    sec_protocol_options_set_tls_resumption_enabled(tls, run.resume);
    sec_release(tls);
}

static void set_no_delay(void *context, nw_protocol_options_t options) {
    (void)context;
    nw_tcp_options_set_no_delay(options, true);
}

static void read_order(const char *name) {
    snprintf(run.name, sizeof run.name, "%s", name);
    run.resume = tls_is(name, "resumed");
    run.handshakes = run.resume || tls_is(name, "full");
    run.bulk = tls_is(name, "bulk");
    run.idle = tls_is(name, "idle");
    run.number = tls_number(name);
    run.servers = dispatch_queue_create("servers", DISPATCH_QUEUE_SERIAL);
    run.clients = dispatch_queue_create("clients", DISPATCH_QUEUE_SERIAL);
    run.done = dispatch_semaphore_create(0);
}

/* --- server --- */

static void served(void *context, nw_error_t error) {
    if (error != NULL)
        nw_connection_cancel(context);
}

static void serve_received(void *context, dispatch_data_t content,
                           nw_content_context_t content_context, bool complete, nw_error_t error) {
    (void)content_context;
    if (content != NULL && !run.bulk)
        nw_connection_send_f(context, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, context,
                             served);
    if (complete || error != NULL)
        nw_connection_cancel(context);
    else
        nw_connection_receive_f(context, 1, READ_MAX, context, serve_received);
}

static void serve_changed(void *connection, nw_connection_state_t state, nw_error_t error) {
    (void)error;
    if (state == nw_connection_state_ready) {
        atomic_fetch_add_explicit(&run.accepted, 1, memory_order_relaxed);
        if (run.handshakes)
            nw_connection_send_f(connection, run.piece, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                                 connection, served);
    } else if (state == nw_connection_state_failed || state == nw_connection_state_waiting) {
        nw_connection_cancel(connection);
    } else if (state == nw_connection_state_cancelled) {
        nw_release(connection);
    }
}

static void accept_one(void *context, nw_connection_t connection) {
    (void)context;
    nw_retain(connection); /* until cancelled */
    nw_connection_set_queue(connection, run.servers);
    nw_connection_set_state_changed_handler_f(connection, connection, serve_changed);
    nw_connection_start(connection);
    nw_connection_receive_f(connection, 1, READ_MAX, connection, serve_received);
}

static void listen_on(void (*told)(uint16_t port)) {
    nw_parameters_t parameters =
        nw_parameters_create_secure_tcp_f(NULL, give_identity, NULL, set_no_delay);
    run.piece = dispatch_data_create_f("x", 1, NULL, NULL, NULL);
    bench_listen_nw(parameters, run.servers, told, NULL, accept_one);
}

static void wait_accepted(void) {
    double limit = bench_now() + IDLE_LIMIT_S;
    while (atomic_load_explicit(&run.accepted, memory_order_relaxed) < run.number) {
        if (bench_now() > limit)
            bench_die("connections are missing", ETIMEDOUT);
        bench_pause(1e-3);
    }
    bench_pause(0.1); /* what is on its way to idle gets there */
}

static void note_heap(void) {
    run.heap = tls_heap();
}

static void fill_idle(double ret_values[]) {
    if (!run.idle)
        return;
    wait_accepted();
    ret_values[0] = (tls_heap() - run.heap) / run.number;
}

static void told_port(uint16_t port) {
    run_serving(port, note_heap, fill_idle);
}

void tls_serve_nw(const char *name) {
    read_order(name);
    listen_on(told_port);
    dispatch_main();
}

/* --- client --- */

static void start_one(void);

/* On the clients' queue. */
static void one_more(double amount) {
    if (!run.enough && !tls_counted(&run.count, amount)) {
        run.enough = true;
        dispatch_semaphore_signal(run.done);
    }
}

static void send_piece(nw_connection_t connection);

static void piece_sent(void *context, nw_error_t error) {
    if (error != NULL && !run.enough)
        bench_die("send", nw_error_get_error_code(error));
    if (error != NULL || run.enough)
        return;
    one_more(run.number / 1e6);
    send_piece(context);
}

static void send_piece(nw_connection_t connection) {
    nw_connection_send_f(connection, run.piece, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                         connection, piece_sent);
}

static void first_octet(void *context, dispatch_data_t content,
                        nw_content_context_t content_context, bool complete, nw_error_t error) {
    (void)content_context, (void)complete;
    if (content == NULL) {
        if (!run.idle) /* there the server ended first: the measurement is over */
            bench_die("receive", error != NULL ? nw_error_get_error_code(error) : EPIPE);
        return;
    }
    if (!run.handshakes && !run.enough && run.samples < TLS_SAMPLES_MAX)
        run.micros[run.samples++] = (bench_now() - run.begun) * 1e6;
    one_more(1);
    nw_connection_cancel(context);
}

/* Handshakes that should have been short and were not would measure something else. */
static void check_resumed(nw_connection_t connection) {
    nw_protocol_definition_t definition = nw_protocol_copy_tls_definition();
    nw_protocol_metadata_t metadata = nw_connection_copy_protocol_metadata(connection, definition);
    sec_protocol_metadata_t tls = nw_tls_copy_sec_protocol_metadata(metadata);
    if (run.count.warm && !sec_protocol_metadata_get_session_resumed(tls))
        bench_die("not resumed", EPROTO);
    sec_release(tls);
    nw_release(metadata);
    nw_release(definition);
}

static void client_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    nw_connection_t connection = context;
    if (state == nw_connection_state_ready) {
        if (run.resume && run.started++ % CHECK_EACH == 0)
            check_resumed(connection);
        if (run.bulk)
            for (int i = 0; i < BULK_AHEAD; i++)
                send_piece(connection);
        if (run.idle)
            dispatch_semaphore_signal(run.done);
    } else if (state == nw_connection_state_cancelled) {
        nw_release(connection);
        if (!run.enough)
            start_one();
    } else if (state == nw_connection_state_waiting || state == nw_connection_state_failed) {
        bench_die("connection", error != NULL ? nw_error_get_error_code(error) : EIO);
    }
}

static void asked(void *context, nw_error_t error) {
    (void)context, (void)error; /* first_octet says whether it went well */
}

static void start_one(void) {
    nw_connection_t connection = nw_connection_create(run.endpoint, run.client);
    if (connection == NULL)
        bench_die("nw_connection_create", ENOMEM);
    nw_connection_set_queue(connection, run.clients);
    nw_connection_set_state_changed_handler_f(connection, connection, client_changed);
    run.begun = bench_now();
    nw_connection_start(connection);
    if (!run.handshakes && !run.bulk && !run.idle)
        nw_connection_send_f(connection, run.piece, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                             NULL, asked);
    if (!run.bulk)
        nw_connection_receive_f(connection, 1, READ_MAX, connection, first_octet);
}

static void aim(uint16_t port) {
    char text[8];
    static char content[READ_MAX];
    snprintf(text, sizeof text, "%u", port);
    run.endpoint = nw_endpoint_create_host("127.0.0.1", text);
    run.client = nw_parameters_create_secure_tcp_f(NULL, give_anchor, NULL, set_no_delay);
    if (run.piece != NULL)
        dispatch_release(run.piece);
    run.piece = dispatch_data_create_f(content, run.bulk ? run.number : 1, NULL, NULL, NULL);
}

static dispatch_semaphore_t ready_to_aim;
static _Atomic uint16_t own_port; /* the semaphore orders it; relaxed */

static void told_here(uint16_t port) {
    atomic_store_explicit(&own_port, port, memory_order_relaxed);
    dispatch_semaphore_signal(ready_to_aim);
}

static void start_first(void *context) {
    unsigned parallel = run.handshakes ? UNDER_WAY : 1;
    (void)context;
    for (unsigned i = 0; i < parallel; i++)
        start_one();
}

static void open_idle(double ret_values[]) {
    double heap = tls_heap();
    for (unsigned i = 0; i < run.number; i++) {
        dispatch_async_f(run.clients, NULL, start_first);
        dispatch_semaphore_wait(run.done, DISPATCH_TIME_FOREVER);
    }
    bench_pause(0.1);
    ret_values[0] = (tls_heap() - heap) / run.number;
}

void tls_run_nw(const struct run_order *order, double ret_values[]) {
    read_order(order->name);
    run.count.seconds = order->seconds;
    if (order->port == 0) {
        ready_to_aim = dispatch_semaphore_create(0);
        listen_on(told_here);
        dispatch_semaphore_wait(ready_to_aim, DISPATCH_TIME_FOREVER);
    }
    aim(order->port != 0 ? order->port : atomic_load_explicit(&own_port, memory_order_relaxed));
    if (run.idle) {
        open_idle(ret_values);
        return;
    }
    dispatch_async_f(run.clients, NULL, start_first);
    dispatch_semaphore_wait(run.done, DISPATCH_TIME_FOREVER);
    if (run.handshakes || run.bulk) {
        tls_fill(&run.count, ret_values);
    } else {
        ret_values[0] = run_part(run.micros, run.samples, 0.5);
        ret_values[1] = run_part(run.micros, run.samples, 0.99);
    }
}
