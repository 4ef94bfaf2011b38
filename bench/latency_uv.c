/*
 * latency_uv.c - the server on one libuv loop.
 */
#include "latency.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

struct peer {
    uv_tcp_t handle; /* first: uv's pointer is ours */
    char kind;       /* 0 until its first octet has come */
};

static uv_loop_t loop;

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer) {
    static char room[LATENCY_READ]; /* handled before the next read */
    struct peer *peer = (struct peer *)handle;
    (void)suggested;
    *ret_buffer = uv_buf_init(room, peer->kind == 0 ? 1 : sizeof room);
}

static void closed(uv_handle_t *handle) {
    free(handle);
}

static void received(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
    struct peer *peer = (struct peer *)stream;
    uv_buf_t answer = uv_buf_init(buffer->base, size > 0 ? (unsigned)size : 0);
    if (size < 0)
        uv_close((uv_handle_t *)stream, closed);
    else if (size > 0 && peer->kind == 0)
        peer->kind = buffer->base[0];
    else if (size > 0 && peer->kind == LATENCY_BLOCK)
        bench_pause(LATENCY_BLOCK_MS / 1e3);
    else if (size > 0 && peer->kind == LATENCY_ECHO)
        uv_try_write(stream, &answer, 1); /* a few octets at a time: there is room */
}

static void accepted(uv_stream_t *listener, int status) {
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL || status != 0)
        bench_die("accept", status != 0 ? -status : ENOMEM);
    uv_tcp_init(&loop, &peer->handle);
    if (uv_accept(listener, (uv_stream_t *)&peer->handle) != 0)
        bench_die("uv_accept", EIO);
    uv_tcp_nodelay(&peer->handle, 1);
    uv_read_start((uv_stream_t *)&peer->handle, give_room, received);
}

void latency_serve_uv(const char *name) {
    static uv_tcp_t listener;
    struct sockaddr_in address;
    int size = sizeof address;
    (void)name;
    uv_ip4_addr("127.0.0.1", 0, &address);
    if (uv_loop_init(&loop) != 0 || uv_tcp_init(&loop, &listener) != 0 ||
        uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&listener, 128, accepted) != 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size) != 0)
        bench_die("listener", EIO);
    run_serving(ntohs(address.sin_port), NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
}
