/*
 * ready_bare.c - from socket() over connect() to epoll's word that it is writable; and the server
 * of every make.
 * Runs:   one thread.
 */
#include "ready.h"
#include "tcp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_waiting(int poller, uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event;
    int err = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof err;
    if (fd < 0 ||
        (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS))
        bench_die("connect", errno);
    bench_tcp_watch(poller, fd, EPOLLOUT);
    while (epoll_wait(poller, &event, 1, -1) != 1)
        ;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) != 0 || err != 0)
        bench_die("connect", err);
    return fd;
}

void ready_run_bare(const struct run_order *order, double ret_values[]) {
    static struct ready_samples samples;
    int poller = epoll_create1(EPOLL_CLOEXEC);
    bool more = true;
    ready_begin(&samples, order->seconds);
    while (more) {
        double begun = bench_now();
        int fd = connect_waiting(poller, order->port);
        more = ready_add(&samples, begun);
        bench_tcp_reset(fd);
    }
    ready_fill(&samples, ret_values);
}

/* Whatever happens to a connection is its end: the drivers send nothing. */
void ready_serve(const char *name) {
    uint16_t port;
    struct epoll_event event;
    int listener = bench_tcp_listen(&port), poller = epoll_create1(EPOLL_CLOEXEC);
    (void)name;
    bench_tcp_watch(poller, listener, EPOLLIN);
    run_serving(port, NULL, NULL);
    for (;;) {
        if (epoll_wait(poller, &event, 1, -1) != 1)
            continue;
        if (event.data.fd != listener) {
            close(event.data.fd);
            continue;
        }
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            bench_tcp_watch(poller, fd, EPOLLIN);
    }
}
