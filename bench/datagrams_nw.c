/*
 * datagrams_nw.c - UDP with connections and a listener, as a program would use them.
 * Runs:   handlers on one serial queue.
 */
#include "datagrams.h"
#include "listen_nw.h"
#include <Network/Network.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static dispatch_queue_t queue;
static const char *work; /* its name */

static nw_parameters_t udp_parameters(void) {
    return nw_parameters_create_secure_udp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                             NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
}

static int code_of(nw_error_t error) {
    return error != NULL ? nw_error_get_error_code(error) : EIO;
}

/* --- server --- */

static void ignore_sent(void *context, nw_error_t error) {
    (void)context;
    (void)error;
}

static void serve_received(void *context, dispatch_data_t content,
                           nw_content_context_t content_context, bool complete, nw_error_t error) {
    nw_connection_t connection = context;
    (void)content_context;
    (void)complete;
    if (error != NULL) {
        nw_connection_cancel(connection);
        return;
    }
    if (content != NULL && datagrams_is(work, "echo"))
        nw_connection_send_f(connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, NULL,
                             ignore_sent);
    else if (content != NULL)
        datagrams_came(1);
    nw_connection_receive_message_f(connection, connection, serve_received);
}

static void serve_new(void *context, nw_connection_t connection) {
    (void)context;
    nw_retain(connection); /* for the receives; the process is killed in the end */
    nw_connection_set_queue(connection, queue);
    nw_connection_start(connection);
    nw_connection_receive_message_f(connection, connection, serve_received);
}

static void listening(uint16_t port) {
    run_serving(port, datagrams_begin, datagrams_fill);
}

void datagrams_serve_nw(const char *name) {
    work = name;
    queue = dispatch_queue_create("datagrams", DISPATCH_QUEUE_SERIAL);
    bench_listen_nw(udp_parameters(), queue, listening, NULL, serve_new);
    dispatch_main();
}

/* --- driver --- */

struct drive {
    nw_connection_t connection;
    dispatch_data_t message;
    dispatch_semaphore_t ended;
    bool echo;
    unsigned together, under_way;
    double done, end;
};

static void send_some(void *drive);

/* On the queue. The last of a turn begins the next. */
static void one_done(struct drive *drive) {
    drive->done++;
    if (--drive->under_way > 0)
        return;
    if (bench_now() < drive->end)
        nw_connection_batch_f(drive->connection, drive, send_some);
    else
        dispatch_semaphore_signal(drive->ended);
}

static void drive_sent(void *context, nw_error_t error) {
    struct drive *drive = context;
    if (error != NULL && nw_error_get_error_code(error) != ECONNREFUSED)
        bench_die("send", code_of(error));
    if (!drive->echo)
        one_done(drive);
}

static void drive_received(void *context, dispatch_data_t content,
                           nw_content_context_t content_context, bool complete, nw_error_t error) {
    struct drive *drive = context;
    (void)content_context;
    (void)complete;
    if (error != NULL || content == NULL)
        bench_die("receive", code_of(error));
    nw_connection_receive_message_f(drive->connection, drive, drive_received);
    one_done(drive);
}

static void send_some(void *context) {
    struct drive *drive = context;
    drive->under_way = drive->together;
    for (unsigned i = 0; i < drive->together; i++)
        nw_connection_send_f(drive->connection, drive->message,
                             NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, drive, drive_sent);
}

static void drive_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    struct drive *drive = context;
    if (state == nw_connection_state_failed || state == nw_connection_state_waiting)
        bench_die("connection", code_of(error));
    if (state != nw_connection_state_ready)
        return;
    if (drive->echo)
        nw_connection_receive_message_f(drive->connection, drive, drive_received);
    nw_connection_batch_f(drive->connection, drive, send_some);
}

void datagrams_run_nw(const struct run_order *order, double ret_values[]) {
    static struct drive drive;
    static char octets[DATAGRAM_SIZE];
    char port[8];
    snprintf(port, sizeof port, "%u", order->port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port);
    nw_parameters_t parameters = udp_parameters();
    double start = bench_now();
    queue = dispatch_queue_create("datagrams", DISPATCH_QUEUE_SERIAL);
    drive = (struct drive){.connection = nw_connection_create(endpoint, parameters),
                           .message = dispatch_data_create_f(octets, sizeof octets, NULL, NULL,
                                                             DISPATCH_DATA_DESTRUCTOR_DEFAULT),
                           .ended = dispatch_semaphore_create(0),
                           .echo = datagrams_is(order->name, "echo"),
                           .together = datagrams_together(order->name),
                           .end = start + order->seconds};
    nw_connection_set_queue(drive.connection, queue);
    nw_connection_set_state_changed_handler_f(drive.connection, &drive, drive_changed);
    nw_connection_start(drive.connection);
    dispatch_semaphore_wait(drive.ended, DISPATCH_TIME_FOREVER);
    ret_values[0] = drive.done / (bench_now() - start);
}
