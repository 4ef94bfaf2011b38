/*
 * idle_event.c - idle connections with libevent: one event each, no buffers.
 * Runs:   one base; a driver's never turns, since nothing comes.
 */
#include "idle.h"
#include "tcp.h"
#include <errno.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

static struct event_base *base;

static void received(evutil_socket_t fd, short what, void *context) {
    char octets[IDLE_ECHO_MAX];
    ssize_t size = recv(fd, octets, sizeof octets, 0);
    struct event *peer = context;
    (void)what;
    if (size > 0) {
        send(fd, octets, (size_t)size, MSG_NOSIGNAL);
    } else if (size == 0 || errno != EAGAIN) {
        event_free(peer);
        close(fd);
    }
}

static void watch_peer(int fd) {
    struct event *peer = event_new(base, fd, EV_READ | EV_PERSIST, received, event_self_cbarg());
    if (peer == NULL || event_add(peer, NULL) != 0)
        bench_die("event_new", ENOMEM);
    idle_one_more();
}

static void accepted(evutil_socket_t listener, short what, void *context) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void)what;
    (void)context;
    if (fd >= 0)
        watch_peer(fd);
}

static void make_base(const char *name) {
    base = event_base_new();
    if (base == NULL)
        bench_die("libevent", ENOMEM);
    idle_raise_limit();
    idle_expect(idle_count(name));
}

void idle_serve_event(const char *name) {
    uint16_t port;
    make_base(name);
    struct event *listener =
        event_new(base, bench_tcp_listen(&port), EV_READ | EV_PERSIST, accepted, NULL);
    if (listener == NULL || event_add(listener, NULL) != 0)
        bench_die("event_new", ENOMEM);
    run_serving(port, idle_begin, idle_fill);
    event_base_dispatch(base);
}

void idle_run_event(const struct run_order *order, double ret_values[]) {
    unsigned count = idle_count(order->name);
    make_base(order->name);
    idle_begin();
    for (unsigned i = 0; i < count; i++)
        watch_peer(bench_tcp_connect(idle_host(i), order->port));
    idle_fill(ret_values);
}
