/*
 * test_dispatch_queue_blocks.c - the block form of every queue, group and once call.
 * What:   each block is called with the right arguments, and copied when it has to outlive the
 *         call. (That copies are released is LeakSanitizer's to see.)
 */
#include "fake/await.h"
#include <dispatch/dispatch.h>
#include <stdatomic.h>

#include <cmocka.h>

static sem_t done;
static dispatch_queue_t serial, concurrent;

static int set_up(void **state) {
    (void)state;
    event_init(&done);
    serial = dispatch_queue_create("serial", DISPATCH_QUEUE_SERIAL);
    concurrent = dispatch_queue_create("concurrent", DISPATCH_QUEUE_CONCURRENT);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    dispatch_release(serial);
    dispatch_release(concurrent);
    return 0;
}

static void async_copies_the_block(void **state) {
    (void)state;
    __block int sum = 0;
    for (int i = 1; i <= 100; i++)
        dispatch_async(serial, ^{
            sum += i; /* a copy of i each */
        });
    dispatch_barrier_async(serial, ^{
        sem_post(&done);
    });
    await(&done);
    assert_int_equal(sum, 5050);
}

static void sync_forms(void **state) {
    (void)state;
    __block int order = 0;
    unsigned int expected = 0;
    dispatch_queue_t queues[] = {serial, concurrent};
    for (int i = 0; i < 2; i++) {
        dispatch_sync(queues[i], ^{
            order = order * 10 + 1;
        });
        dispatch_barrier_sync(queues[i], ^{
            order = order * 10 + 2;
        });
        dispatch_async_and_wait(queues[i], ^{
            order = order * 10 + 3;
        });
        dispatch_barrier_async_and_wait(queues[i], ^{
            order = order * 10 + 4;
        });
        expected = expected * 10000 + 1234;
    }
    assert_int_equal(order, expected);
}

static void apply_passes_the_iteration(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    static _Atomic int seen[COUNT];
    dispatch_apply(COUNT, DISPATCH_APPLY_AUTO, ^(size_t i) {
        atomic_fetch_add(&seen[i], 1);
    });
    dispatch_apply(COUNT, serial, ^(size_t i) {
        atomic_fetch_add(&seen[i], 1);
    });
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(atomic_load(&seen[i]), 2);
}

static void after_and_groups(void **state) {
    (void)state;
    __block _Atomic int ran = 0;
    dispatch_group_t group = dispatch_group_create();
    dispatch_group_enter(group);
    dispatch_after(dispatch_time(DISPATCH_TIME_NOW, 1000000), serial, ^{
        atomic_fetch_add(&ran, 1);
        dispatch_group_leave(group);
    });
    for (int i = 0; i < 10; i++)
        dispatch_group_async(group, concurrent, ^{
            atomic_fetch_add(&ran, 1);
        });
    dispatch_group_notify(group, serial, ^{
        if (atomic_load(&ran) == 11)
            sem_post(&done);
    });
    assert_int_equal(dispatch_wait(group, DISPATCH_TIME_FOREVER), 0);
    await(&done);
    dispatch_release(group);
}

static void once_runs_once(void **state) {
    (void)state;
    static dispatch_once_t predicate;
    __block int runs = 0;
    for (int i = 0; i < 3; i++)
        dispatch_once(&predicate, ^{
            runs++;
        });
    assert_int_equal(runs, 1);
}

static void null_blocks_are_refused(void **state) {
    (void)state;
    dispatch_async(serial, NULL);
    dispatch_sync(serial, NULL);
    dispatch_apply(3, serial, NULL);
    dispatch_after(DISPATCH_TIME_NOW, serial, NULL);
    dispatch_once(&(dispatch_once_t){0}, NULL);
    dispatch_sync(serial, ^{
        sem_post(&done);
    });
    await(&done);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(async_copies_the_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sync_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apply_passes_the_iteration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(after_and_groups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(once_runs_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(null_blocks_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
