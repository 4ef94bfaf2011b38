/*
 * test_handlers.c - how handlers are called: one at a time, on the client's queue, safe for objects
 * released inside them; replaced and removed handlers; NULL in every place.
 * Runs:   loopback only.
 */
#include "support.h"
#include <netinet/in.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

static void await(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    if (sem_timedwait(semaphore, &until) != 0)
        fail_msg("it did not come");
}

/* On a concurrent queue the handlers of one connection still run one at a time, in order. */
static void test_one_at_a_time(void **state) {
    (void)state;
    enum { MESSAGES = 200 };
    uint16_t port;
    char text[8];
    int listening = peer_listen(AF_INET, &port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port_text(port, text));
    nw_parameters_t parameters = tcp_parameters();
    dispatch_queue_t queue = dispatch_queue_create("concurrent", DISPATCH_QUEUE_CONCURRENT);
    struct recorder *recorder = record_on(nw_connection_create(endpoint, parameters), queue);
    dispatch_release(queue);
    nw_release(endpoint);
    nw_release(parameters);
    int receives[MESSAGES], sends[MESSAGES];
    for (int i = 0; i < MESSAGES; i++) {
        receives[i] = record_receive(recorder, 1, 1);
        sends[i] = record_send_text(recorder, "x");
    }
    nw_connection_start(recorder->connection);
    int fd = peer_accept(listening);
    char bytes[MESSAGES];
    fill_pattern(bytes, sizeof bytes, 0);
    peer_write(fd, bytes, sizeof bytes);
    int last = -1, last_send = -1;
    for (int i = 0; i < MESSAGES; i++) {
        const struct event *event = await_tag(recorder, receives[i]);
        assert_int_equal(event->size, 1);
        assert_int_equal(event->bytes[0], bytes[i]);
        assert_true(event->index > last);
        last = event->index;
        const struct event *sent = await_tag(recorder, sends[i]);
        assert_no_error(sent);
        assert_true(sent->index > last_send);
        last_send = sent->index;
    }
    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    settle(recorder);
    assert_int_equal(recorder->overlaps, 0);
    discard(recorder);
    close(fd);
    close(listening);
}

/* --- released inside its own handler --- */

struct plain {
    nw_connection_t connection;
    dispatch_queue_t queue;
    int listening, fd;
    sem_t done, ended;
};

static void prepare(struct plain *plain) {
    uint16_t port;
    char text[8];
    sem_init(&plain->done, 0, 0);
    sem_init(&plain->ended, 0, 0);
    plain->listening = peer_listen(AF_INET, &port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port_text(port, text));
    nw_parameters_t parameters = tcp_parameters();
    plain->connection = nw_connection_create(endpoint, parameters);
    plain->queue = dispatch_queue_create("plain", NULL);
    nw_connection_set_queue(plain->connection, plain->queue);
    nw_release(endpoint);
    nw_release(parameters);
}

static void nothing(void *context) {
    (void)context;
}

static void clean(struct plain *plain) {
    dispatch_sync_f(plain->queue, NULL, nothing);
    dispatch_release(plain->queue);
    sem_destroy(&plain->done);
    sem_destroy(&plain->ended);
    close(plain->listening);
}

static void released_in_state(void *context, nw_connection_state_t state, nw_error_t error) {
    struct plain *plain = context;
    (void)error;
    if (state == nw_connection_state_ready) {
        nw_connection_cancel(plain->connection);
        nw_release(plain->connection);
        plain->connection = NULL;
    }
    if (state == nw_connection_state_cancelled)
        sem_post(&plain->ended);
}

static void test_released_in_state_handler(void **state) {
    (void)state;
    struct plain plain = {.fd = -1};
    prepare(&plain);
    nw_connection_set_state_changed_handler_f(plain.connection, &plain, released_in_state);
    nw_connection_start(plain.connection);
    await(&plain.ended);
    clean(&plain);
}

static void end_told(void *context, nw_connection_state_t state, nw_error_t error) {
    struct plain *plain = context;
    (void)error;
    if (state == nw_connection_state_cancelled)
        sem_post(&plain->ended);
}

static void released_in_receive(void *context, dispatch_data_t content,
                                nw_content_context_t content_context, bool complete,
                                nw_error_t error) {
    struct plain *plain = context;
    (void)content_context, (void)complete;
    if (content != NULL && error == NULL) {
        nw_connection_cancel(plain->connection);
        nw_release(plain->connection);
        plain->connection = NULL;
        if (dispatch_data_get_size(content) == 4) /* the arguments outlive the connection */
            sem_post(&plain->done);
    }
}

static void test_released_in_receive_completion(void **state) {
    (void)state;
    struct plain plain = {.fd = -1};
    prepare(&plain);
    nw_connection_set_state_changed_handler_f(plain.connection, &plain, end_told);
    nw_connection_receive_f(plain.connection, 4, 4, &plain, released_in_receive);
    nw_connection_start(plain.connection);
    plain.fd = peer_accept(plain.listening);
    peer_write(plain.fd, "last", 4);
    await(&plain.done);
    await(&plain.ended);
    close(plain.fd);
    clean(&plain);
}

static void released_in_send(void *context, nw_error_t error) {
    struct plain *plain = context;
    if (error == NULL)
        sem_post(&plain->done);
    nw_connection_force_cancel(plain->connection);
    nw_release(plain->connection);
    plain->connection = NULL;
}

static void test_released_in_send_completion(void **state) {
    (void)state;
    struct plain plain = {.fd = -1};
    prepare(&plain);
    nw_connection_set_state_changed_handler_f(plain.connection, &plain, end_told);
    dispatch_data_t content = dispatch_data_create_f("bye", 3, NULL, NULL, NULL);
    nw_connection_send_f(plain.connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                         &plain, released_in_send);
    dispatch_release(content);
    nw_connection_start(plain.connection);
    await(&plain.done);
    await(&plain.ended);
    clean(&plain);
}

struct door {
    nw_listener_t listener;
    sem_t cancelled;
};

static void listener_told(void *context, nw_listener_state_t state, nw_error_t error) {
    struct door *door = context;
    (void)error;
    if (state == nw_listener_state_cancelled)
        sem_post(&door->cancelled);
}

static void released_in_arrival(void *context, nw_connection_t connection) {
    struct door *door = context;
    (void)connection; /* left alone: closed */
    nw_listener_cancel(door->listener);
    nw_release(door->listener);
    door->listener = NULL;
}

static void test_released_in_new_connection_handler(void **state) {
    (void)state;
    uint16_t port;
    int probe = peer_bound(AF_INET, SOCK_STREAM, &port); /* a port that is free */
    close(probe);
    char text[8];
    nw_parameters_t parameters = tcp_parameters();
    struct door door = {.listener =
                            nw_listener_create_with_port(port_text(port, text), parameters)};
    nw_release(parameters);
    sem_init(&door.cancelled, 0, 0);
    dispatch_queue_t queue = dispatch_queue_create("door", NULL);
    nw_listener_set_queue(door.listener, queue);
    nw_listener_set_state_changed_handler_f(door.listener, &door, listener_told);
    nw_listener_set_new_connection_handler_f(door.listener, &door, released_in_arrival);
    nw_listener_start(door.listener);
    int fd = peer_connect(port);
    await(&door.cancelled);
    assert_int_equal(peer_read_end(fd), 0);
    close(fd);
    dispatch_sync_f(queue, NULL, nothing);
    dispatch_release(queue);
    sem_destroy(&door.cancelled);
}

/* --- other handlers --- */

static void counted_state(void *context, nw_connection_state_t state, nw_error_t error) {
    (void)state, (void)error;
    ++*(int *)context;
}

static void test_replaced_and_removed(void **state) {
    (void)state;
    struct plain plain = {.fd = -1};
    int before = 0;
    prepare(&plain);
    nw_connection_set_state_changed_handler_f(plain.connection, &before, counted_state);
    nw_connection_set_state_changed_handler_f(plain.connection, NULL, NULL);
    nw_connection_set_state_changed_handler_f(plain.connection, &plain, end_told);
    nw_connection_start(plain.connection);
    nw_connection_cancel(plain.connection);
    await(&plain.ended);
    assert_int_equal(before, 0);
    nw_release(plain.connection);
    clean(&plain);
}

struct seen {
    sem_t viable, path;
};

static void viability(void *context, bool viable) {
    struct seen *seen = context;
    if (viable)
        sem_post(&seen->viable);
}
static void better_path(void *context, bool available) {
    (void)available;
    *(bool *)context = true;
}
static void path_told(void *context, nw_path_t path) {
    struct seen *seen = context;
    if (nw_path_get_status(path) == nw_path_status_satisfied)
        sem_post(&seen->path);
}

/* Told at first: the path, and that it carries data. On loopback no path is better. */
static void test_path_handlers(void **state) {
    (void)state;
    struct plain plain = {.fd = -1};
    struct seen seen;
    bool better = false;
    sem_init(&seen.viable, 0, 0);
    sem_init(&seen.path, 0, 0);
    prepare(&plain);
    nw_connection_set_state_changed_handler_f(plain.connection, &plain, end_told);
    nw_connection_set_viability_changed_handler_f(plain.connection, &seen, viability);
    nw_connection_set_path_changed_handler_f(plain.connection, &seen, path_told);
    nw_connection_set_better_path_available_handler_f(plain.connection, &better, better_path);
    nw_connection_start(plain.connection);
    await(&seen.path);
    await(&seen.viable);
    nw_connection_cancel(plain.connection);
    await(&plain.ended);
    assert_false(better);
    nw_release(plain.connection);
    clean(&plain);
    sem_destroy(&seen.viable);
    sem_destroy(&seen.path);
}

/* --- NULL --- */

static void no_receive(void *context, dispatch_data_t content, nw_content_context_t content_context,
                       bool complete, nw_error_t error) {
    (void)context, (void)content, (void)content_context, (void)complete, (void)error;
    abort();
}
static void no_send(void *context, nw_error_t error) {
    (void)context, (void)error;
    abort();
}
static void no_arrival(void *context, nw_connection_t connection) {
    (void)context, (void)connection;
    abort();
}

static void test_null_connection(void **state) {
    (void)state;
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t parameters = tcp_parameters();
    nw_protocol_definition_t tcp = nw_protocol_copy_tcp_definition();
    dispatch_queue_t queue = dispatch_queue_create("null", NULL);
    int count = 0;
    assert_null(nw_connection_create(NULL, parameters));
    assert_null(nw_connection_create(endpoint, NULL));
    assert_null(nw_connection_copy_endpoint(NULL));
    assert_null(nw_connection_copy_parameters(NULL));
    nw_connection_set_state_changed_handler_f(NULL, &count, counted_state);
    nw_connection_set_viability_changed_handler_f(NULL, NULL, viability);
    nw_connection_set_better_path_available_handler_f(NULL, NULL, better_path);
    nw_connection_set_path_changed_handler_f(NULL, NULL, path_told);
    nw_connection_set_queue(NULL, queue);
    nw_connection_start(NULL);
    nw_connection_restart(NULL);
    nw_connection_cancel(NULL);
    nw_connection_force_cancel(NULL);
    nw_connection_cancel_current_endpoint(NULL);
    nw_connection_receive_f(NULL, 1, 1, NULL, no_receive);
    nw_connection_receive_message_f(NULL, NULL, no_receive);
    nw_connection_send_f(NULL, NULL, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, NULL, no_send);
    nw_connection_batch_f(NULL, &count, nothing);
    assert_null(nw_connection_copy_description(NULL));
    assert_null(nw_connection_copy_current_path(NULL));
    assert_null(nw_connection_copy_protocol_metadata(NULL, tcp));
    assert_int_equal(nw_connection_get_maximum_datagram_size(NULL), 0);
    assert_int_equal(count, 0);

    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_connection_set_queue(connection, NULL);
    nw_connection_receive_f(connection, 1, 1, NULL, NULL);
    nw_connection_receive_message_f(connection, NULL, NULL);
    nw_connection_send_f(connection, NULL, NULL, true, NULL, no_send);
    nw_connection_batch_f(connection, NULL, NULL);
    assert_null(nw_connection_copy_protocol_metadata(connection, NULL));
    assert_null(nw_connection_copy_protocol_metadata(connection, tcp)); /* not established */
    assert_int_equal(nw_connection_get_maximum_datagram_size(connection), 0);
    nw_release(connection);
    nw_release(tcp);
    nw_release(endpoint);
    nw_release(parameters);
    dispatch_release(queue);
}

static void test_null_listener(void **state) {
    (void)state;
    struct door door;
    dispatch_queue_t queue = dispatch_queue_create("null", NULL);
    nw_listener_set_queue(NULL, queue);
    nw_listener_set_state_changed_handler_f(NULL, &door, listener_told);
    nw_listener_set_new_connection_handler_f(NULL, NULL, no_arrival);
    nw_listener_set_advertised_endpoint_changed_handler_f(NULL, NULL, NULL);
    nw_listener_set_advertise_descriptor(NULL, NULL);
    nw_listener_set_new_connection_limit(NULL, 1);
    assert_int_equal(nw_listener_get_new_connection_limit(NULL), 0);
    assert_int_equal(nw_listener_get_port(NULL), 0);
    nw_listener_start(NULL);
    nw_listener_cancel(NULL);
    nw_parameters_t parameters = tcp_parameters();
    nw_listener_t listener = nw_listener_create_with_port("0", parameters);
    nw_listener_set_queue(listener, NULL);
    nw_listener_set_advertise_descriptor(listener, NULL);
    nw_listener_set_new_connection_handler_f(listener, NULL, no_arrival);
    nw_listener_start(listener); /* no queue: refused */
    assert_int_equal(nw_listener_get_port(listener), 0);
    nw_release(listener);
    nw_release(parameters);
    dispatch_release(queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_released_in_state_handler),
        cmocka_unit_test(test_released_in_receive_completion),
        cmocka_unit_test(test_released_in_send_completion),
        cmocka_unit_test(test_released_in_new_connection_handler),
        cmocka_unit_test(test_replaced_and_removed),
        cmocka_unit_test(test_path_handlers),
        cmocka_unit_test(test_null_connection),
        cmocka_unit_test(test_null_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
