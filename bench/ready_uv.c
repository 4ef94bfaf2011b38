/*
 * ready_uv.c - from uv_tcp_connect to its callback.
 * Runs:   one loop on the main thread.
 */
#include "ready.h"
#include <errno.h>
#include <uv.h>

static uv_loop_t loop;
static uv_tcp_t handle;
static uv_connect_t request;
static struct sockaddr_in address;
static double begun;
static bool more;
static struct ready_samples samples;

static void start_one(void);

static void closed(uv_handle_t *closed_handle) {
    (void)closed_handle;
    if (more)
        start_one();
}

static void connected(uv_connect_t *connected_request, int status) {
    (void)connected_request;
    if (status != 0)
        bench_die("uv_tcp_connect", -status);
    more = ready_add(&samples, begun);
    uv_tcp_close_reset(&handle, closed);
}

static void start_one(void) {
    begun = bench_now();
    if (uv_tcp_init(&loop, &handle) != 0 ||
        uv_tcp_connect(&request, &handle, (struct sockaddr *)&address, connected) != 0)
        bench_die("uv_tcp_connect", EIO);
}

void ready_run_uv(const struct run_order *order, double ret_values[]) {
    uv_ip4_addr("127.0.0.1", order->port, &address);
    if (uv_loop_init(&loop) != 0)
        bench_die("libuv", ENOMEM);
    ready_begin(&samples, order->seconds);
    start_one();
    uv_run(&loop, UV_RUN_DEFAULT);
    ready_fill(&samples, ret_values);
}
