/*
 * event.c - libevent, as a program would use its buffered events.
 * What:   bufferevents and evconnlistener; the limits on one read and one write are raised to what the
 *         others do, although libevent 2.1 reads 4 KiB at a time whatever is asked for.
 * Runs:   one base, on the thread that calls serve or drive.
 */
#include "peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <stdlib.h>

struct driver {
    const struct bench_load *load;
    struct bench_counter *counter;
    struct event_base *base;
    struct bufferevent *connection;
};

static const char message[BENCH_READ_MAX]; /* what drivers send; all zero */

static struct event_base *open_base(void) {
    struct event_base *base = event_base_new();
    if (base == NULL)
        bench_die("event_base_new", 0);
    return base;
}

/* fd is taken over; -1: not connected yet. */
static struct bufferevent *add(struct event_base *base, int fd) {
    struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (connection == NULL)
        bench_die("bufferevent_socket_new", 0);
    bufferevent_set_max_single_read(connection, BENCH_READ_MAX);
    bufferevent_set_max_single_write(connection, BENCH_READ_MAX);
    return connection;
}

/* --- servers --- */
static void served(struct bufferevent *connection, void *context) {
    const struct bench_load *load = context;
    struct evbuffer *input = bufferevent_get_input(connection);
    if (load->work == BENCH_ECHO) {
        bufferevent_write_buffer(connection, input);
        return;
    }
    bench_count(load->counters, evbuffer_get_length(input));
    evbuffer_drain(input, evbuffer_get_length(input));
}

static void ended(struct bufferevent *connection, short what, void *context) {
    (void)context;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        bufferevent_free(connection);
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                     int length, void *context) {
    const struct bench_load *load = context;
    (void)address, (void)length;
    bench_tcp_set_nodelay(fd);
    struct bufferevent *connection = add(evconnlistener_get_base(listener), fd);
    if (load->work == BENCH_CONNECT) {
        bench_count(load->counters, 1);
        bufferevent_free(connection);
        return;
    }
    bufferevent_setcb(connection, served, NULL, ended, context);
    bufferevent_enable(connection, EV_READ | EV_WRITE);
}

static void serve(const struct bench_load *load) {
    struct event_base *base = open_base();
    if (evconnlistener_new(base, accepted, (void *)(uintptr_t)load, LEV_OPT_CLOSE_ON_EXEC, 0,
                           bench_listen()) == NULL)
        bench_die("evconnlistener_new", 0);
    event_base_dispatch(base);
}

/* --- drivers --- */
static void broken(struct bufferevent *connection, short what, void *context) {
    (void)connection, (void)what, (void)context;
    bench_die("libevent: connection lost", 0);
}

static void answered(struct bufferevent *connection, void *context) {
    struct driver *driver = context;
    struct evbuffer *input = bufferevent_get_input(connection);
    if (evbuffer_get_length(input) < driver->load->size)
        return;
    evbuffer_drain(input, driver->load->size);
    bench_count(driver->counter, 1);
    bufferevent_write(connection, message, driver->load->size);
}

static void pour(struct driver *driver) {
    evbuffer_add_reference(bufferevent_get_output(driver->connection), message, driver->load->size,
                           NULL, NULL);
}

/* The output has run empty. */
static void poured(struct bufferevent *connection, void *context) {
    struct driver *driver = context;
    (void)connection;
    bench_count(driver->counter, driver->load->size);
    pour(driver);
}

static void begin_connect(struct driver *driver);

static void connected(struct bufferevent *connection, short what, void *context) {
    struct driver *driver = context;
    if (what & BEV_EVENT_CONNECTED) {
        bufferevent_enable(connection, EV_READ);
        return;
    }
    if ((what & BEV_EVENT_EOF) == 0)
        bench_die("connect", EVUTIL_SOCKET_ERROR());
    bench_count(driver->counter, 1);
    begin_connect(driver);
    bufferevent_free(connection);
}

static void begin_connect(struct driver *driver) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(driver->load->port)};
    driver->connection = add(driver->base, -1);
    bufferevent_setcb(driver->connection, NULL, NULL, connected, driver);
    if (bufferevent_socket_connect(driver->connection, (struct sockaddr *)&address,
                                   sizeof address) != 0)
        bench_die("connect", errno);
    bench_tcp_set_nodelay(bufferevent_getfd(driver->connection));
}

static void begin_data(struct driver *driver) {
    int fd = bench_tcp_connect(1, driver->load->port);
    evutil_make_socket_nonblocking(fd);
    driver->connection = add(driver->base, fd);
    if (driver->load->work == BENCH_ECHO) {
        bufferevent_setcb(driver->connection, answered, NULL, broken, driver);
        bufferevent_write(driver->connection, message, driver->load->size);
    } else {
        bufferevent_setcb(driver->connection, NULL, poured, broken, driver);
        pour(driver);
    }
    bufferevent_enable(driver->connection, EV_READ | EV_WRITE);
}

static void drive(const struct bench_load *load) {
    struct event_base *base = open_base();
    for (unsigned i = 0; i < load->connections; i++) {
        struct driver *driver = calloc(1, sizeof *driver);
        if (driver == NULL)
            bench_die("no memory", 0);
        *driver = (struct driver){.load = load, .counter = &load->counters[i], .base = base};
        if (load->work == BENCH_CONNECT)
            begin_connect(driver);
        else
            begin_data(driver);
    }
    event_base_dispatch(base);
}

const struct bench_peer bench_peer_event = {.name = "libevent", .serve = serve, .drive = drive};
