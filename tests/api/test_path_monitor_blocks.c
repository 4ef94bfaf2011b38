/*
 * test_path_monitor_blocks.c - <Network/path_monitor.h>, block form.
 */
#include "fake/await.h"
#include <Network/Network.h>

static void test_loopback(void **state) {
    (void)state;
    sem_t *updated = malloc(sizeof *updated), *cancelled = malloc(sizeof *cancelled);
    event_init(updated);
    event_init(cancelled);
    nw_path_monitor_t monitor = nw_path_monitor_create_with_type(nw_interface_type_loopback);
    dispatch_queue_t queue = dispatch_queue_create("monitor", NULL);
    __block nw_path_status_t status = nw_path_status_invalid;
    nw_path_monitor_set_queue(monitor, queue);
    nw_path_monitor_set_update_handler(monitor, ^(nw_path_t path) {
        status = nw_path_get_status(path);
        sem_post(updated);
    });
    nw_path_monitor_set_cancel_handler(monitor, ^{
        sem_post(cancelled);
    });
    nw_path_monitor_start(monitor);
    await(updated);
    assert_int_equal(status, nw_path_status_satisfied);
    nw_path_monitor_cancel(monitor);
    await(cancelled);
    nw_release(monitor);
    dispatch_release(queue);
    free(updated);
    free(cancelled);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_loopback)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
