/*
 * datagrams_uv.c - UDP with libuv: recvmmsg asked for, answers tried at once.
 * Runs:   one loop on the main thread.
 */
#include "datagrams.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { ROOM = DATAGRAMS_TOGETHER_MAX * 65536 }; /* libuv cuts it into pieces of 64 KiB */

static uv_loop_t loop;
static uv_udp_t socket_handle;
static char message[DATAGRAM_SIZE];
static double done;
static unsigned together, under_way;
static double end;

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer) {
    static char room[ROOM];
    (void)handle;
    (void)suggested;
    *ret_buffer = uv_buf_init(room, sizeof room);
}

static void listen_on(uv_udp_recv_cb received, uint16_t port) {
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", port, &address);
    if (uv_loop_init(&loop) != 0 ||
        uv_udp_init_ex(&loop, &socket_handle, AF_INET | UV_UDP_RECVMMSG) != 0 ||
        (port == 0 ? uv_udp_bind(&socket_handle, (struct sockaddr *)&address, 0)
                   : uv_udp_connect(&socket_handle, (struct sockaddr *)&address)) != 0 ||
        uv_udp_recv_start(&socket_handle, give_room, received) != 0)
        bench_die("libuv", EIO);
}

/* --- servers --- */

static void echo_received(uv_udp_t *handle, ssize_t size, const uv_buf_t *buffer,
                          const struct sockaddr *from, unsigned flags) {
    (void)flags;
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)size);
    if (size > 0 && from != NULL)
        uv_udp_try_send(handle, &answer, 1, from);
}

static void count_received(uv_udp_t *handle, ssize_t size, const uv_buf_t *buffer,
                           const struct sockaddr *from, unsigned flags) {
    (void)handle;
    (void)buffer;
    (void)flags;
    if (size > 0 && from != NULL)
        datagrams_came(1);
}

void datagrams_serve_uv(const char *name) {
    struct sockaddr_in address;
    int size = sizeof address;
    listen_on(datagrams_is(name, "echo") ? echo_received : count_received, 0);
    uv_udp_getsockname(&socket_handle, (struct sockaddr *)&address, &size);
    run_serving(ntohs(address.sin_port), datagrams_begin, datagrams_fill);
    uv_run(&loop, UV_RUN_DEFAULT);
}

/* --- drivers --- */

static void send_some(void);

static void one_done(void) {
    done++;
    if (--under_way == 0) {
        if (bench_now() < end)
            send_some();
        else
            uv_stop(&loop);
    }
}

static void sent(uv_udp_send_t *request, int status) {
    (void)status;
    free(request);
    one_done();
}

/* Echo: answers end the turn. Send: the completions do. */
static bool echo;

static void echo_sent(uv_udp_send_t *request, int status) {
    (void)status;
    free(request);
}

static void send_some(void) {
    under_way = together;
    for (unsigned i = 0; i < together; i++) {
        uv_buf_t buffer = uv_buf_init(message, sizeof message);
        uv_udp_send_t *request = malloc(sizeof *request);
        if (request == NULL ||
            uv_udp_send(request, &socket_handle, &buffer, 1, NULL, echo ? echo_sent : sent) != 0)
            bench_die("uv_udp_send", ENOMEM);
    }
}

static void answer_received(uv_udp_t *handle, ssize_t size, const uv_buf_t *buffer,
                            const struct sockaddr *from, unsigned flags) {
    (void)handle;
    (void)buffer;
    (void)flags;
    if (echo && size > 0 && from != NULL)
        one_done();
}

void datagrams_run_uv(const struct run_order *order, double ret_values[]) {
    echo = datagrams_is(order->name, "echo");
    together = datagrams_together(order->name);
    listen_on(answer_received, order->port);
    double start = bench_now();
    end = start + order->seconds;
    send_some();
    uv_run(&loop, UV_RUN_DEFAULT);
    ret_values[0] = done / (bench_now() - start);
}
