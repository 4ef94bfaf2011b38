/*
 * tcp.c - see tcp.h and die.h.
 */
#include "tcp.h"
#include "die.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

void bench_die(const char *what, int err) {
    fprintf(stderr, "bench: %s%s%s\n", what, err != 0 ? ": " : "", err != 0 ? strerror(err) : "");
    _exit(EXIT_FAILURE);
}

static struct sockaddr_in loopback(unsigned host, uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host - 1)};
}

int bench_tcp_listen(uint16_t *ret_port) {
    struct sockaddr_in address = loopback(1, 0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        bench_die("listener", errno);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

int bench_tcp_connect(unsigned host, uint16_t port) {
    struct sockaddr_in from = loopback(host, 0), to = loopback(1, port);
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        bench_die("socket", errno);
    /* The port is chosen when the connection is known: the same one may serve other peers. */
    if (host != 1 && (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) != 0 ||
                      bind(fd, (struct sockaddr *)&from, sizeof from) != 0))
        bench_die("bind", errno);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        bench_die("connect", errno);
    bench_tcp_set_nodelay(fd);
    return fd;
}

void bench_tcp_set_nodelay(int fd) {
    int one = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
        bench_die("TCP_NODELAY", errno);
}

void bench_tcp_reset(int fd) {
    struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

void bench_tcp_watch(int poller, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
        bench_die("epoll_ctl", errno);
}
