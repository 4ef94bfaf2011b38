/*
 * idle_bare.c - idle connections as nothing but descriptors in an epoll instance.
 * Runs:   one thread.
 */
#include "idle.h"
#include "tcp.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRIPS_MAX = 200000 };

static void serve_peer(int fd) {
    char octets[IDLE_ECHO_MAX];
    ssize_t size = recv(fd, octets, sizeof octets, 0);
    if (size > 0)
        send(fd, octets, (size_t)size, MSG_NOSIGNAL); /* so few octets always have room */
    else if (size == 0 || errno != EAGAIN)
        close(fd);
}

void idle_serve_bare(const char *name) {
    uint16_t port;
    struct epoll_event event;
    int listener = bench_tcp_listen(&port), poller = epoll_create1(EPOLL_CLOEXEC);
    idle_raise_limit();
    idle_expect(idle_count(name));
    bench_tcp_watch(poller, listener, EPOLLIN);
    run_serving(port, idle_begin, idle_fill);
    for (;;) {
        if (epoll_wait(poller, &event, 1, -1) != 1)
            continue;
        if (event.data.fd != listener) {
            serve_peer(event.data.fd);
            continue;
        }
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        bench_tcp_watch(poller, fd, EPOLLIN);
        idle_one_more();
    }
}

/* The median: what other processes do meanwhile is not the event's cost. */
static double measure_event(int fd, double seconds) {
    static double micros[TRIPS_MAX];
    char octets[IDLE_ECHO_MAX] = {0};
    unsigned count = 0;
    double now = bench_now(), end = now + seconds;
    while (now < end && count < TRIPS_MAX) {
        double begun = now;
        if (send(fd, octets, sizeof octets, MSG_NOSIGNAL) != sizeof octets ||
            recv(fd, octets, sizeof octets, MSG_WAITALL) != sizeof octets)
            bench_die("echo", errno);
        now = bench_now();
        micros[count++] = (now - begun) * 1e6;
    }
    return run_part(micros, count, 0.5);
}

void idle_run_bare(const struct run_order *order, double ret_values[]) {
    unsigned count = idle_count(order->name);
    int active = -1;
    idle_raise_limit();
    for (unsigned i = 0; i < count; i++)
        active = bench_tcp_connect(idle_host(i), order->port);
    if (strncmp(order->name, "event", strlen("event")) != 0)
        return;
    measure_event(active,
                  0.02); /* until the server has accepted all of them: the last one as well */
    ret_values[0] = measure_event(active, order->seconds);
}
