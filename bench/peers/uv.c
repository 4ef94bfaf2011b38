/*
 * uv.c - libuv, as a program would use its streams.
 * What:   writes are tried at once (uv_try_write), its fastest way; what does not fit is queued.
 * Runs:   one loop, on the thread that calls serve or drive.
 */
#include "peer.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct connection {
    uv_tcp_t tcp; /* first, so that a handle converts */
    const struct bench_load *load;
    struct bench_counter *counter;
    size_t got; /* echo driver: octets of the current answer */
    uv_connect_t connect;
    uv_write_t write; /* stream driver: the one under way */
};

/* A write that did not fit at once, with its own copy of the rest. */
struct rest {
    uv_write_t write;
    char data[];
};

static const char message[BENCH_READ_MAX]; /* what drivers send; all zero */

static void must(const char *what, int result) {
    if (result < 0)
        bench_die(what, -result);
}

static struct connection *add(uv_loop_t *loop, const struct bench_load *load,
                              struct bench_counter *counter) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        bench_die("no memory", 0);
    connection->load = load;
    connection->counter = counter;
    must("uv_tcp_init", uv_tcp_init(loop, &connection->tcp));
    return connection;
}

static void closed(uv_handle_t *handle) {
    free(handle);
}

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer) {
    static char buffer[BENCH_READ_MAX];
    (void)handle, (void)suggested;
    *ret_buffer = uv_buf_init(buffer, sizeof buffer);
}

static void rest_written(uv_write_t *write, int status) {
    (void)status; /* a broken connection shows in its reads */
    free(write);
}

static void write_all(struct connection *connection, const char *data, size_t length) {
    uv_buf_t whole = uv_buf_init((char *)(uintptr_t)data, (unsigned)length);
    int done = uv_try_write((uv_stream_t *)&connection->tcp, &whole, 1);
    size_t sent = done > 0 ? (size_t)done : 0;
    if (sent == length || (done < 0 && done != UV_EAGAIN))
        return;
    struct rest *rest = malloc(sizeof *rest + length - sent);
    if (rest == NULL)
        bench_die("no memory", 0);
    memcpy(rest->data, data + sent, length - sent);
    uv_buf_t left = uv_buf_init(rest->data, (unsigned)(length - sent));
    if (uv_write(&rest->write, (uv_stream_t *)&connection->tcp, &left, 1, rest_written) != 0)
        free(rest);
}

/* --- servers --- */
static void served(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
    struct connection *connection = (struct connection *)stream;
    if (got < 0)
        uv_close((uv_handle_t *)stream, closed);
    else if (got > 0 && connection->load->work == BENCH_ECHO)
        write_all(connection, buffer->base, (size_t)got);
    else if (got > 0)
        bench_count(connection->counter, (uint64_t)got);
}

static void client_waits(uv_stream_t *listener, int status) {
    const struct bench_load *load = listener->data;
    must("accept", status);
    struct connection *connection = add(listener->loop, load, load->counters);
    must("uv_accept", uv_accept(listener, (uv_stream_t *)&connection->tcp));
    must("uv_tcp_nodelay", uv_tcp_nodelay(&connection->tcp, 1));
    if (load->work == BENCH_CONNECT) {
        bench_count(load->counters, 1);
        uv_close((uv_handle_t *)&connection->tcp, closed);
        return;
    }
    must("uv_read_start", uv_read_start((uv_stream_t *)&connection->tcp, lend_buffer, served));
}

static void serve(const struct bench_load *load) {
    uv_loop_t loop;
    uv_tcp_t listener;
    struct sockaddr_in address;
    int length = sizeof address;
    must("uv_loop_init", uv_loop_init(&loop));
    must("uv_tcp_init", uv_tcp_init(&loop, &listener));
    listener.data = (void *)(uintptr_t)load;
    must("uv_ip4_addr", uv_ip4_addr("127.0.0.1", 0, &address));
    must("uv_tcp_bind", uv_tcp_bind(&listener, (struct sockaddr *)&address, 0));
    must("uv_listen", uv_listen((uv_stream_t *)&listener, BENCH_BACKLOG, client_waits));
    must("getsockname", uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length));
    bench_listening(ntohs(address.sin_port));
    uv_run(&loop, UV_RUN_DEFAULT);
}

/* --- drivers --- */
static void answered(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
    struct connection *connection = (struct connection *)stream;
    (void)buffer;
    if (got < 0)
        bench_die("read", (int)-got);
    connection->got += (size_t)got;
    if (connection->got < connection->load->size)
        return;
    connection->got = 0;
    bench_count(connection->counter, 1);
    write_all(connection, message, connection->load->size);
}

static void poured(uv_write_t *write, int status);

static void pour(struct connection *connection) {
    uv_buf_t whole = uv_buf_init((char *)(uintptr_t)message, (unsigned)connection->load->size);
    must("uv_write",
         uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &whole, 1, poured));
}

static void poured(uv_write_t *write, int status) {
    struct connection *connection = (struct connection *)write->handle;
    must("write", status);
    bench_count(connection->counter, connection->load->size);
    pour(connection);
}

static void begin(uv_loop_t *loop, const struct bench_load *load, struct bench_counter *counter);

static void at_end(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
    struct connection *connection = (struct connection *)stream;
    (void)buffer;
    if (got == 0) /* nothing yet */
        return;
    if (got != UV_EOF)
        bench_die("read", got < 0 ? (int)-got : 0);
    bench_count(connection->counter, 1);
    begin(stream->loop, connection->load, connection->counter);
    uv_close((uv_handle_t *)stream, closed);
}

static void connected(uv_connect_t *connect, int status) {
    struct connection *connection = (struct connection *)connect->handle;
    uv_stream_t *stream = connect->handle;
    must("connect", status);
    if (connection->load->work == BENCH_CONNECT) {
        must("uv_read_start", uv_read_start(stream, lend_buffer, at_end));
    } else if (connection->load->work == BENCH_STREAM) {
        pour(connection);
    } else {
        must("uv_read_start", uv_read_start(stream, lend_buffer, answered));
        write_all(connection, message, connection->load->size);
    }
}

static void begin(uv_loop_t *loop, const struct bench_load *load, struct bench_counter *counter) {
    struct sockaddr_in address;
    struct connection *connection = add(loop, load, counter);
    must("uv_ip4_addr", uv_ip4_addr("127.0.0.1", load->port, &address));
    must("uv_tcp_nodelay", uv_tcp_nodelay(&connection->tcp, 1));
    must("uv_tcp_connect", uv_tcp_connect(&connection->connect, &connection->tcp,
                                          (struct sockaddr *)&address, connected));
}

static void drive(const struct bench_load *load) {
    uv_loop_t loop;
    must("uv_loop_init", uv_loop_init(&loop));
    for (unsigned i = 0; i < load->connections; i++)
        begin(&loop, load, &load->counters[i]);
    uv_run(&loop, UV_RUN_DEFAULT);
}

const struct bench_peer bench_peer_uv = {.name = "libuv", .serve = serve, .drive = drive};
