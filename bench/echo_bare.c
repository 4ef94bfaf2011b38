/*
 * echo_bare.c - echo server and driver on a bare epoll loop: the measure that libnw is held
 * against.
 * What:   one thread, level-triggered epoll, read and write at once, nothing allocated in the loop.
 * Runs:   the server on the main thread, the driver on one of its own.
 */
#include "echo.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 128, BACKLOG = 1024 };

struct peer {
    int fd;
    size_t start, end; /* server: what of `pending` is still to be sent */
    char *pending;     /* server: ECHO_READ_MAX octets, made when a write stops short */
    size_t got;        /* driver: octets of the current answer */
    struct echo_counter *counter;
};

static void die(const char *what) {
    perror(what);
    _exit(EXIT_FAILURE);
}

static void watch(int poller, int operation, int fd, uint32_t events, void *pointer) {
    struct epoll_event event = {.events = events, .data.ptr = pointer};
    if (epoll_ctl(poller, operation, fd, &event) != 0)
        die("epoll_ctl");
}

static void set_nodelay(int fd) {
    int one = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0)
        die("TCP_NODELAY");
}

static void drop(struct peer *peer) {
    close(peer->fd);
    free(peer->pending);
    free(peer);
}

/* Keeps what the socket did not take; until that is out, nothing more is read. */
static bool keep(int poller, struct peer *peer, const char *data, size_t length) {
    if (peer->pending == NULL)
        peer->pending = malloc(ECHO_READ_MAX);
    if (peer->pending == NULL)
        return false;
    memcpy(peer->pending, data, length);
    peer->start = 0;
    peer->end = length;
    watch(poller, EPOLL_CTL_MOD, peer->fd, EPOLLOUT, peer);
    return true;
}

/* False: the peer is done. */
static bool flush_pending(int poller, struct peer *peer) {
    ssize_t sent =
        send(peer->fd, peer->pending + peer->start, peer->end - peer->start, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN;
    peer->start += (size_t)sent;
    if (peer->start == peer->end)
        watch(poller, EPOLL_CTL_MOD, peer->fd, EPOLLIN, peer);
    return true;
}

/* False: the peer is done. */
static bool serve_peer(int poller, struct peer *peer, uint32_t events) {
    static char buffer[ECHO_READ_MAX];
    if (events & EPOLLOUT)
        return flush_pending(poller, peer);
    ssize_t got = recv(peer->fd, buffer, sizeof buffer, 0);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    ssize_t sent = send(peer->fd, buffer, (size_t)got, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return false;
    size_t done = sent < 0 ? 0 : (size_t)sent;
    return done == (size_t)got || keep(poller, peer, buffer + done, (size_t)got - done);
}

static void accept_all(int poller, int listener) {
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct peer *peer = calloc(1, sizeof *peer);
        if (peer == NULL)
            die("calloc");
        peer->fd = fd;
        set_nodelay(fd);
        watch(poller, EPOLL_CTL_ADD, fd, EPOLLIN, peer);
    }
}

int echo_serve_bare(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || poller < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, BACKLOG) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0)
        die("listener");
    watch(poller, EPOLL_CTL_ADD, listener, EPOLLIN, NULL);
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(poller, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;
            if (peer == NULL)
                accept_all(poller, listener);
            else if (!serve_peer(poller, peer, events[i].events))
                drop(peer);
        }
    }
}

static char message[ECHO_READ_MAX]; /* what the driver sends; all zero */

/* Blocking for the rare full buffer: the driver has nothing else to do for this connection. */
static void send_message(struct peer *peer, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t sent = send(peer->fd, message + done, size - done, MSG_NOSIGNAL);
        if (sent < 0)
            die("send");
        done += (size_t)sent;
    }
}

static void *drive_thread(void *argument) {
    const struct echo_drive *drive = argument;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(drive->port)};
    static char buffer[ECHO_READ_MAX];
    int poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        die("epoll_create1");
    for (unsigned i = 0; i < drive->connections; i++) {
        struct peer *peer = calloc(1, sizeof *peer);
        if (peer == NULL || (peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0 ||
            connect(peer->fd, (struct sockaddr *)&address, sizeof address) != 0)
            die("connect");
        peer->counter = &drive->counters[i];
        set_nodelay(peer->fd);
        watch(poller, EPOLL_CTL_ADD, peer->fd, EPOLLIN, peer);
        send_message(peer, drive->size);
    }
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(poller, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;
            ssize_t got = recv(peer->fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (got <= 0)
                die("recv");
            peer->got += (size_t)got;
            if (peer->got < drive->size)
                continue;
            peer->got = 0;
            atomic_fetch_add_explicit(&peer->counter->round_trips, 1, memory_order_relaxed);
            send_message(peer, drive->size);
        }
    }
    return NULL;
}

int echo_drive_bare(const struct echo_drive *drive) {
    pthread_t thread;
    return pthread_create(&thread, NULL, drive_thread, (void *)(uintptr_t)drive);
}
