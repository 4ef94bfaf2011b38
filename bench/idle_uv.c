/*
 * idle_uv.c - idle connections with libuv: a uv_tcp_t each, the buffer shared.
 * Runs:   one loop; a driver's never turns, since nothing comes.
 */
#include "idle.h"
#include "tcp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

static uv_loop_t loop;

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer) {
    static char room[IDLE_ECHO_MAX];
    (void)handle;
    (void)suggested;
    *ret_buffer = uv_buf_init(room, sizeof room);
}

static void closed(uv_handle_t *handle) {
    free(handle);
}

static void received(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
    uv_buf_t answer = uv_buf_init(buffer->base, size > 0 ? (unsigned)size : 0);
    if (size > 0)
        uv_try_write(stream, &answer, 1);
    else if (size < 0)
        uv_close((uv_handle_t *)stream, closed);
}

static uv_tcp_t *make_peer(void) {
    uv_tcp_t *peer = malloc(sizeof *peer);
    if (peer == NULL || uv_tcp_init(&loop, peer) != 0)
        bench_die("peer", ENOMEM);
    return peer;
}

static void accepted(uv_stream_t *listener, int status) {
    uv_tcp_t *peer = make_peer();
    if (status != 0 || uv_accept(listener, (uv_stream_t *)peer) != 0)
        bench_die("uv_accept", EIO);
    uv_tcp_nodelay(peer, 1);
    uv_read_start((uv_stream_t *)peer, give_room, received);
    idle_one_more();
}

void idle_serve_uv(const char *name) {
    static uv_tcp_t listener;
    struct sockaddr_in address;
    int size = sizeof address;
    idle_raise_limit();
    idle_expect(idle_count(name));
    uv_ip4_addr("127.0.0.1", 0, &address);
    if (uv_loop_init(&loop) != 0 || uv_tcp_init(&loop, &listener) != 0 ||
        uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, SOMAXCONN, accepted) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size) != 0)
        bench_die("listener", EIO);
    run_serving(ntohs(address.sin_port), idle_begin, idle_fill);
    uv_run(&loop, UV_RUN_DEFAULT);
}

void idle_run_uv(const struct run_order *order, double ret_values[]) {
    unsigned count = idle_count(order->name);
    idle_raise_limit();
    idle_expect(count);
    if (uv_loop_init(&loop) != 0)
        bench_die("libuv", ENOMEM);
    idle_begin();
    for (unsigned i = 0; i < count; i++) {
        uv_tcp_t *peer = make_peer();
        if (uv_tcp_open(peer, bench_tcp_connect(idle_host(i), order->port)) != 0 ||
            uv_read_start((uv_stream_t *)peer, give_room, received) != 0)
            bench_die("uv_tcp_open", EIO);
        uv_run(&loop, UV_RUN_NOWAIT); /* so that it is in epoll */
        idle_one_more();
    }
    idle_fill(ret_values);
}
