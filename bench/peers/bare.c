/*
 * bare.c - the measure that libnw is held against: a loop of nothing but epoll.
 * What:   one thread, level-triggered epoll, read and write at once, nothing allocated while data moves.
 *         Also the other side of every measurement.
 * Runs:   on the thread that calls serve or drive.
 */
#include "peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 128 };

struct connection {
    int fd;
    size_t start, end; /* echo server: what of `pending` is still to be sent */
    char *pending;     /* echo server: BENCH_READ_MAX octets, made when a write stops short */
    size_t got;        /* echo driver: octets of the current answer */
    struct bench_counter *counter;
};

struct loop {
    const struct bench_load *load;
    int poller, listener;
};

/* Takes one event. False: the connection is done. */
typedef bool (*handler)(struct loop *loop, struct connection *connection, uint32_t events);

static void watch(const struct loop *loop, int operation, int fd, uint32_t events, void *pointer) {
    struct epoll_event event = {.events = events, .data.ptr = pointer};
    if (epoll_ctl(loop->poller, operation, fd, &event) != 0)
        bench_die("epoll_ctl", errno);
}

static struct connection *add(const struct loop *loop, int fd, uint32_t events) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        bench_die("calloc", errno);
    connection->fd = fd;
    connection->counter = loop->load->counters;
    watch(loop, EPOLL_CTL_ADD, fd, events, connection);
    return connection;
}

static void drop(struct connection *connection) {
    close(connection->fd);
    free(connection->pending);
    free(connection);
}

static void accept_all(struct loop *loop) {
    int fd;
    while ((fd = accept4(loop->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        bench_tcp_set_nodelay(fd);
        if (loop->load->work == BENCH_CONNECT) {
            bench_count(loop->load->counters, 1);
            close(fd);
        } else {
            add(loop, fd, EPOLLIN);
        }
    }
}

/* A NULL pointer in an event is the listener. */
static void run(struct loop *loop, handler handle) {
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int count = epoll_wait(loop->poller, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection == NULL)
                accept_all(loop);
            else if (!handle(loop, connection, events[i].events))
                drop(connection);
        }
    }
}

static struct loop open_loop(const struct bench_load *load) {
    struct loop loop = {.load = load, .poller = epoll_create1(EPOLL_CLOEXEC), .listener = -1};
    if (loop.poller < 0)
        bench_die("epoll_create1", errno);
    return loop;
}

/* --- servers --- */
/* Keeps what the socket did not take; until that is out, nothing more is read. */
static bool keep(struct loop *loop, struct connection *connection, const char *data,
                 size_t length) {
    if (connection->pending == NULL)
        connection->pending = malloc(BENCH_READ_MAX);
    if (connection->pending == NULL)
        return false;
    memcpy(connection->pending, data, length);
    connection->start = 0;
    connection->end = length;
    watch(loop, EPOLL_CTL_MOD, connection->fd, EPOLLOUT, connection);
    return true;
}

static bool flush_pending(struct loop *loop, struct connection *connection) {
    ssize_t sent = send(connection->fd, connection->pending + connection->start,
                        connection->end - connection->start, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN;
    connection->start += (size_t)sent;
    if (connection->start == connection->end)
        watch(loop, EPOLL_CTL_MOD, connection->fd, EPOLLIN, connection);
    return true;
}

static bool echo(struct loop *loop, struct connection *connection, uint32_t events) {
    static char buffer[BENCH_READ_MAX];
    if (events & EPOLLOUT)
        return flush_pending(loop, connection);
    ssize_t got = recv(connection->fd, buffer, sizeof buffer, 0);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    ssize_t sent = send(connection->fd, buffer, (size_t)got, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return false;
    size_t done = sent < 0 ? 0 : (size_t)sent;
    return done == (size_t)got || keep(loop, connection, buffer + done, (size_t)got - done);
}

static bool discard(struct loop *loop, struct connection *connection, uint32_t events) {
    static char buffer[BENCH_READ_MAX];
    (void)loop, (void)events;
    ssize_t got = recv(connection->fd, buffer, sizeof buffer, 0);
    if (got > 0)
        bench_count(connection->counter, (uint64_t)got);
    return got > 0 || (got < 0 && errno == EAGAIN);
}

static void serve(const struct bench_load *load) {
    struct loop loop = open_loop(load);
    loop.listener = bench_listen();
    watch(&loop, EPOLL_CTL_ADD, loop.listener, EPOLLIN, NULL);
    run(&loop, load->work == BENCH_ECHO ? echo : discard);
}

/* --- drivers --- */
static const char message[BENCH_READ_MAX]; /* what drivers send; all zero */

/* Blocking for the rare full buffer: the driver has nothing else to do for this connection. */
static void send_message(struct connection *connection, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t sent = send(connection->fd, message + done, size - done, MSG_NOSIGNAL);
        if (sent < 0)
            bench_die("send", errno);
        done += (size_t)sent;
    }
}

static bool answered(struct loop *loop, struct connection *connection, uint32_t events) {
    static char buffer[BENCH_READ_MAX];
    (void)events;
    ssize_t got = recv(connection->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0)
        bench_die("recv", got < 0 ? errno : 0);
    connection->got += (size_t)got;
    if (connection->got < loop->load->size)
        return true;
    connection->got = 0;
    bench_count(connection->counter, 1);
    send_message(connection, loop->load->size);
    return true;
}

static void drive_echo(struct loop *loop) {
    for (unsigned i = 0; i < loop->load->connections; i++) {
        struct connection *connection = add(loop, bench_tcp_connect(1, loop->load->port), EPOLLIN);
        connection->counter = &loop->load->counters[i];
        send_message(connection, loop->load->size);
    }
    run(loop, answered);
}

/* Writes what fits, one message a call, then waits until there is room again. */
static bool pour(struct loop *loop, struct connection *connection, uint32_t events) {
    (void)events;
    ssize_t sent = send(connection->fd, message, loop->load->size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0)
        bench_count(connection->counter, (uint64_t)sent);
    else if (errno != EAGAIN)
        bench_die("send", errno);
    return true;
}

static void drive_stream(struct loop *loop) {
    for (unsigned i = 0; i < loop->load->connections; i++)
        add(loop, bench_tcp_connect(1, loop->load->port), EPOLLOUT)->counter =
            &loop->load->counters[i];
    run(loop, pour);
}

static void begin_connect(struct loop *loop, struct bench_counter *counter) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(loop->load->port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        bench_die("socket", errno);
    bench_tcp_set_nodelay(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS)
        bench_die("connect", errno);
    add(loop, fd, EPOLLIN)->counter = counter;
}

static bool connected(struct loop *loop, struct connection *connection, uint32_t events) {
    char octet;
    (void)events;
    ssize_t got = recv(connection->fd, &octet, 1, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return true;
    if (got != 0)
        bench_die("connect", got < 0 ? errno : 0);
    bench_count(connection->counter, 1);
    begin_connect(loop, connection->counter);
    return false;
}

static void drive_connect(struct loop *loop) {
    for (unsigned i = 0; i < loop->load->connections; i++)
        begin_connect(loop, &loop->load->counters[i]);
    run(loop, connected);
}

static void drive(const struct bench_load *load) {
    static void (*const works[BENCH_WORK_COUNT])(struct loop *) = {
        [BENCH_ECHO] = drive_echo, [BENCH_STREAM] = drive_stream, [BENCH_CONNECT] = drive_connect};
    struct loop loop = open_loop(load);
    works[load->work](&loop);
}

const struct bench_peer bench_peer_bare = {.name = "bare epoll", .serve = serve, .drive = drive};
