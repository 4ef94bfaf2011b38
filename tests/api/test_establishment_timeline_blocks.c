/*
 * test_establishment_timeline_blocks.c - <Network/establishment_timeline.h>, block form.
 */
#include "timeline_check.h"

static void test_refused(void **state) {
    (void)state;
    char port[8];
    int fd = bind_port(false, port);
    sem_t *waiting = malloc(sizeof *waiting), *cancelled = malloc(sizeof *cancelled);
    event_init(waiting);
    event_init(cancelled);
    nw_endpoint_t endpoint = nw_endpoint_create_host("localhost", port);
    nw_parameters_t parameters = nw_parameters_create_secure_tcp(
        NW_PARAMETERS_DISABLE_PROTOCOL, NW_PARAMETERS_DEFAULT_CONFIGURATION);
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_release(endpoint);
    nw_release(parameters);
    dispatch_queue_t queue = dispatch_queue_create("timeline", NULL);
    nw_connection_set_queue(connection, queue);
    dispatch_release(queue);
    nw_connection_set_state_changed_handler(connection,
                                            ^(nw_connection_state_t new_state, nw_error_t error) {
                                                (void)error;
                                                if (new_state == nw_connection_state_waiting)
                                                    sem_post(waiting);
                                                if (new_state == nw_connection_state_cancelled)
                                                    sem_post(cancelled);
                                            });
    nw_connection_start(connection);
    await(waiting);

    nw_establishment_timeline_t timeline = nw_connection_copy_establishment_timeline(connection);
    __block struct tally tally = {.count = 0};
    nw_establishment_timeline_enumerate(timeline, ^bool(uint64_t nanoseconds, const char *name,
                                                        const char *event, nw_endpoint_t to,
                                                        nw_error_t error) {
        return count_event(&tally, nanoseconds, name, event, to, error);
    });
    assert_int_equal(tally.count, nw_establishment_timeline_get_count(timeline));
    assert_string_equal(tally.first, "start");
    assert_true(tally.attempts_failed >= 1);
    assert_int_equal(tally.error, ECONNREFUSED);

    __block unsigned calls = 0; /* false stops */
    nw_establishment_timeline_enumerate(timeline, ^bool(uint64_t nanoseconds, const char *name,
                                                        const char *event, nw_endpoint_t to,
                                                        nw_error_t error) {
        (void)nanoseconds, (void)name, (void)event, (void)to;
        (void)error;
        return ++calls < 2;
    });
    assert_int_equal(calls, 2);
    nw_establishment_timeline_enumerate(timeline, NULL); /* refused, logged */
    nw_release(timeline);
    nw_connection_cancel(connection);
    await(cancelled);
    nw_release(connection);
    close(fd);
    free(waiting);
    free(cancelled);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
