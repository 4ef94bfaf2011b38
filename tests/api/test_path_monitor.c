/*
 * test_path_monitor.c - <Network/path_monitor.h>, function form, on whatever network this machine
 * has: only the loopback is relied upon. Changes are played in tests/lab/test_path_stories.py.
 */
#include "fake/await.h"
#include <Network/Network.h>

struct record {
    nw_path_monitor_t monitor;
    dispatch_queue_t queue;
    sem_t updated, cancelled;
    nw_path_t path;         /* the latest; owned */
    int updates, ends;      /* on the queue */
    bool cancel_in_handler; /* after the first update, and releases the monitor, too */
};

static void updated(void *context, nw_path_t path) {
    struct record *record = context;
    if (record->path != NULL) {
        assert_false(nw_path_is_equal(record->path, path));
        nw_release(record->path);
    }
    record->path = nw_retain(path);
    record->updates++;
    if (record->cancel_in_handler) {
        nw_path_monitor_cancel(record->monitor);
        nw_release(record->monitor);
        record->monitor = NULL;
    }
    sem_post(&record->updated);
}

static void cancelled(void *context) {
    struct record *record = context;
    record->ends++;
    sem_post(&record->cancelled);
}

/* Takes the reference over. */
static struct record *record_monitor(nw_path_monitor_t monitor) {
    struct record *record = calloc(1, sizeof *record);
    assert_non_null(monitor);
    record->monitor = monitor;
    event_init(&record->updated);
    event_init(&record->cancelled);
    record->queue = dispatch_queue_create("monitor", NULL);
    nw_path_monitor_set_queue(monitor, record->queue);
    nw_path_monitor_set_update_handler_f(monitor, record, updated);
    nw_path_monitor_set_cancel_handler_f(monitor, record, cancelled);
    return record;
}

static void nothing(void *context) {
    (void)context;
}

static void finish(struct record *record) {
    if (record->monitor != NULL)
        nw_path_monitor_cancel(record->monitor);
    await(&record->cancelled);
    int updates = record->updates;
    dispatch_sync_f(record->queue, NULL, nothing);
    assert_int_equal(record->ends, 1);
    assert_int_equal(record->updates, updates);
    nw_release(record->monitor);
    if (record->path != NULL)
        nw_release(record->path);
    dispatch_release(record->queue);
    free(record);
}

static bool keep_name(void *context, nw_interface_t interface) {
    snprintf(context, 16, "%s", nw_interface_get_name(interface));
    return false;
}

static void test_loopback(void **state) {
    (void)state;
    struct record *record =
        record_monitor(nw_path_monitor_create_with_type(nw_interface_type_loopback));
    char name[16] = "";
    nw_path_monitor_start(record->monitor);
    nw_path_monitor_start(record->monitor); /* ignored */
    await(&record->updated);
    assert_int_equal(nw_path_get_status(record->path), nw_path_status_satisfied);
    assert_int_equal(nw_path_get_unsatisfied_reason(record->path),
                     nw_path_unsatisfied_reason_not_available);
    assert_true(nw_path_uses_interface_type(record->path, nw_interface_type_loopback));
    assert_false(nw_path_uses_interface_type(record->path, nw_interface_type_wired));
    assert_true(nw_path_has_ipv4(record->path));
    assert_false(nw_path_is_expensive(record->path));
    assert_null(nw_path_copy_effective_local_endpoint(record->path));
    assert_null(nw_path_copy_effective_remote_endpoint(record->path));
    nw_path_enumerate_interfaces_f(record->path, name, keep_name);
    assert_string_equal(name, "lo");
    nw_path_monitor_cancel(record->monitor);
    nw_path_monitor_start(record->monitor); /* too late */
    nw_path_monitor_cancel(record->monitor);
    finish(record);
}

static void test_prohibited(void **state) {
    (void)state;
    struct record *record =
        record_monitor(nw_path_monitor_create_with_type(nw_interface_type_loopback));
    nw_path_monitor_prohibit_interface_type(record->monitor, nw_interface_type_loopback);
    nw_path_monitor_start(record->monitor);
    await(&record->updated);
    assert_int_equal(nw_path_get_status(record->path), nw_path_status_unsatisfied);
    assert_false(nw_path_has_ipv4(record->path));
    assert_false(nw_path_has_dns(record->path));
    finish(record);
}

static bool refuse_loopback(void *context, nw_interface_t interface) {
    (void)context;
    assert_int_not_equal(nw_interface_get_type(interface), nw_interface_type_loopback);
    return true;
}

static void test_any(void **state) {
    (void)state;
    struct record *record = record_monitor(nw_path_monitor_create());
    nw_path_monitor_start(record->monitor);
    await(&record->updated);
    assert_int_not_equal(nw_path_get_status(record->path), nw_path_status_invalid);
    nw_path_enumerate_interfaces_f(record->path, NULL, refuse_loopback);
    finish(record);
    record = record_monitor(nw_path_monitor_create_for_ethernet_channel());
    nw_path_monitor_start(record->monitor);
    await(&record->updated);
    nw_path_enumerate_interfaces_f(record->path, NULL, refuse_loopback);
    assert_false(nw_path_uses_interface_type(record->path, nw_interface_type_other));
    finish(record);
}

/* The handler ends its monitor and gives it up: nothing but the cancel handler follows. */
static void test_ends_inside(void **state) {
    (void)state;
    struct record *record = record_monitor(nw_path_monitor_create());
    record->cancel_in_handler = true;
    nw_path_monitor_start(record->monitor);
    await(&record->updated);
    finish(record);
}

/* Given up by its maker it goes on; cancelled before it began it tells so. */
static void test_lives_by_itself(void **state) {
    (void)state;
    struct record *record = record_monitor(nw_path_monitor_create());
    nw_path_monitor_t borrowed = nw_retain(record->monitor);
    nw_release(record->monitor);
    nw_path_monitor_start(record->monitor);
    await(&record->updated);
    record->monitor = borrowed;
    finish(record);
    record = record_monitor(nw_path_monitor_create());
    finish(record);
    record = record_monitor(nw_path_monitor_create());
    nw_path_monitor_set_update_handler_f(record->monitor, NULL, NULL);
    nw_path_monitor_start(record->monitor);
    dispatch_sync_f(record->queue, NULL, nothing);
    finish(record);
}

static void test_misuse(void **state) {
    (void)state;
    assert_null(nw_path_monitor_create_with_type((nw_interface_type_t)99));
    nw_path_monitor_t monitor = nw_path_monitor_create();
    nw_path_monitor_start(monitor); /* no queue */
    nw_path_monitor_set_queue(monitor, NULL);
    nw_path_monitor_prohibit_interface_type(monitor, (nw_interface_type_t)99);
    nw_path_monitor_cancel(monitor);
    nw_release(monitor);
    nw_path_monitor_start(NULL);
    nw_path_monitor_cancel(NULL);
    nw_path_monitor_set_queue(NULL, dispatch_get_main_queue());
    nw_path_monitor_prohibit_interface_type(NULL, nw_interface_type_wifi);
    nw_path_monitor_set_update_handler_f(NULL, NULL, updated);
    nw_path_monitor_set_cancel_handler_f(NULL, NULL, cancelled);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_prohibited),
        cmocka_unit_test(test_any),
        cmocka_unit_test(test_ends_inside),
        cmocka_unit_test(test_lives_by_itself),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
