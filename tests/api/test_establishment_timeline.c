/*
 * test_establishment_timeline.c - <Network/establishment_timeline.h> of real connections, _f form.
 */
#include "timeline_check.h"

struct watch {
    sem_t waiting, ready, cancelled;
};

static void state_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    struct watch *watch = context;
    (void)error;
    if (state == nw_connection_state_waiting)
        sem_post(&watch->waiting);
    if (state == nw_connection_state_ready)
        sem_post(&watch->ready);
    if (state == nw_connection_state_cancelled)
        sem_post(&watch->cancelled);
}

static bool tally_event(void *context, uint64_t nanoseconds, const char *name, const char *event,
                        nw_endpoint_t endpoint, nw_error_t error) {
    return count_event(context, nanoseconds, name, event, endpoint, error);
}

static nw_connection_t start(struct watch *watch, const char *host, const char *port) {
    event_init(&watch->waiting);
    event_init(&watch->ready);
    event_init(&watch->cancelled);
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, port);
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    assert_non_null(connection);
    nw_release(endpoint);
    nw_release(parameters);
    assert_null(nw_connection_copy_establishment_timeline(connection)); /* not started */
    dispatch_queue_t queue = dispatch_queue_create("timeline", NULL);
    nw_connection_set_queue(connection, queue);
    dispatch_release(queue);
    nw_connection_set_state_changed_handler_f(connection, watch, state_changed);
    nw_connection_start(connection);
    return connection;
}

static struct tally look(nw_connection_t connection) {
    struct tally tally = {.count = 0};
    nw_establishment_timeline_t timeline = nw_connection_copy_establishment_timeline(connection);
    assert_non_null(timeline);
    nw_establishment_timeline_enumerate_f(timeline, &tally, tally_event);
    assert_int_equal(nw_establishment_timeline_get_count(timeline), tally.count);
    assert_int_equal(nw_establishment_timeline_get_missing(timeline), 0);
    nw_release(timeline);
    return tally;
}

static void end(struct watch *watch, nw_connection_t connection, int fd) {
    nw_connection_cancel(connection);
    await(&watch->cancelled);
    assert_true(look(connection).count > 0); /* still to be had */
    nw_release(connection);
    close(fd);
}

static void test_refused(void **state) {
    (void)state;
    struct watch watch;
    char port[8];
    int fd = bind_port(false, port);
    nw_connection_t connection = start(&watch, "localhost", port);
    await(&watch.waiting);
    struct tally tally = look(connection);
    assert_string_equal(tally.first, "start");
    assert_int_equal(tally.starts, 1);
    assert_int_equal(tally.questions, 1);
    assert_true(tally.attempts >= 1);
    assert_int_equal(tally.attempts_failed, tally.attempts);
    assert_int_equal(tally.ready, 0);
    assert_int_equal(tally.failed, 1);
    assert_int_equal(tally.error, ECONNREFUSED);
    end(&watch, connection, fd);
}

static void test_ready(void **state) {
    (void)state;
    struct watch watch;
    char port[8];
    int fd = bind_port(true, port);
    nw_connection_t connection = start(&watch, "localhost", port);
    await(&watch.ready);
    struct tally tally = look(connection);
    assert_int_equal(tally.ready, 1);
    assert_int_equal(tally.failed, 0);
    assert_non_null(strstr(tally.winner, ".1.")); /* C8.1.1: below the resolver */
    end(&watch, connection, fd);
}

/* An address needs no resolver: one attempt, right below the connection. */
static void test_address(void **state) {
    (void)state;
    struct watch watch;
    char port[8];
    int fd = bind_port(true, port);
    nw_connection_t connection = start(&watch, "127.0.0.1", port);
    await(&watch.ready);
    struct tally tally = look(connection);
    assert_int_equal(tally.questions, 0);
    assert_int_equal(tally.attempts, 1);
    assert_int_equal(tally.ready, 1);
    assert_string_equal(strchr(tally.winner, '.'), ".1");
    end(&watch, connection, fd);
}

static void test_null(void **state) {
    (void)state;
    assert_null(nw_connection_copy_establishment_timeline(NULL));
    assert_int_equal(nw_establishment_timeline_get_count(NULL), 0);
    assert_int_equal(nw_establishment_timeline_get_missing(NULL), 0);
    nw_establishment_timeline_enumerate_f(NULL, NULL, tally_event);
    nw_establishment_timeline_enumerate_f(NULL, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_ready),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
