/*
 * test_concurrent.c - concurrent and global queues, barriers, apply.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "fake/await.h"
#include <dispatch/dispatch.h>
#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

static sem_t done, go;
static dispatch_queue_t queue;

static int set_up(void **state) {
    (void)state;
    event_init(&done);
    event_init(&go);
    queue = dispatch_queue_create("concurrent", DISPATCH_QUEUE_CONCURRENT);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    dispatch_release(queue);
    return 0;
}

static void post(void *event) {
    sem_post(event);
}
static void do_nothing(void *context) {
    (void)context;
}

/* Enters, says so, waits for `go`: only ends if as many run at once as the test wants. */
static void meet(void *entered) {
    sem_post(entered);
    await(&go);
    sem_post(&done);
}

static void items_overlap(dispatch_queue_t tested, int count) {
    sem_t entered;
    event_init(&entered);
    for (int i = 0; i < count; i++)
        dispatch_async_f(tested, &entered, meet);
    for (int i = 0; i < count; i++)
        await(&entered); /* all of them are inside now, though there are fewer loops */
    for (int i = 0; i < count; i++)
        sem_post(&go);
    for (int i = 0; i < count; i++)
        await(&done);
}

static void concurrent_items_overlap(void **state) {
    (void)state;
    items_overlap(queue, 20);
}

static void global_items_overlap(void **state) {
    (void)state;
    items_overlap(dispatch_get_global_queue(QOS_CLASS_DEFAULT, 0), 20);
}

static void concurrent_over_concurrent_overlaps(void **state) {
    (void)state;
    dispatch_queue_t over =
        dispatch_queue_create_with_target("over", DISPATCH_QUEUE_CONCURRENT, queue);
    items_overlap(over, 10);
    dispatch_release(over);
}

/* --- barriers --- */

enum { READERS = 4, ROUNDS = 1500 };

static _Atomic int readers, writers, most_readers;
static int guarded; /* plain: barriers write, others read (TSan looks on) */

static void read_guarded(void *context) {
    (void)context;
    int now = atomic_fetch_add(&readers, 1) + 1;
    if (now > atomic_load(&most_readers))
        atomic_store(&most_readers, now);
    assert_int_equal(atomic_load(&writers), 0);
    assert_true(guarded >= 0);
    dispatch_assert_queue(queue);
    atomic_fetch_sub(&readers, 1);
}

static void write_guarded(void *context) {
    (void)context;
    assert_int_equal(atomic_fetch_add(&writers, 1), 0);
    assert_int_equal(atomic_load(&readers), 0);
    guarded++;
    dispatch_assert_queue_barrier(queue);
    atomic_fetch_sub(&writers, 1);
}

static void *read_and_write(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        dispatch_async_f(queue, NULL, read_guarded);
        dispatch_sync_f(queue, NULL, read_guarded);
        if (i % 5 == 0)
            dispatch_barrier_async_f(queue, NULL, write_guarded);
        if (i % 7 == 0)
            dispatch_barrier_sync_f(queue, NULL, write_guarded);
        if (i % 11 == 0)
            dispatch_async_and_wait_f(queue, NULL, read_guarded);
        if (i % 13 == 0)
            dispatch_barrier_async_and_wait_f(queue, NULL, write_guarded);
    }
    return unused;
}

static void read_write(void) {
    pthread_t threads[READERS];
    guarded = 0;
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_and_write, NULL), 0);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    dispatch_barrier_sync_f(queue, NULL, do_nothing);
    assert_int_equal(guarded, READERS * (300 + 215 + 116));
}

static void barriers_run_alone(void **state) {
    (void)state;
    read_write();
}

static void barriers_run_alone_over_a_serial_target(void **state) {
    (void)state;
    dispatch_queue_t serial = dispatch_queue_create("serial", NULL);
    dispatch_set_target_queue(queue, serial);
    dispatch_barrier_sync_f(queue, NULL, do_nothing); /* from here on it is in force */
    atomic_store(&most_readers, 0);
    read_write();
    assert_int_equal(atomic_load(&most_readers), 1);
    dispatch_release(serial);
}

/* --- a change of target --- */

enum { MOVES = 1500, LATEST_SPIN = 4000 };

static atomic_bool occupied;

/* Holds the target for longer than the change of target takes. */
static void occupy(void *entered) {
    const struct timespec while_it_moves = {.tv_nsec = 100000};
    atomic_store(&occupied, true);
    sem_post(entered);
    nanosleep(&while_it_moves, NULL);
    atomic_store(&occupied, false);
}

static void note_if_occupied(void *count) {
    *(int *)count += atomic_load(&occupied);
}

/* The change takes its turn on a loop while the caller finds the queue idle, at each distance. */
static void sync_runs_under_the_target_set_before(void **state) {
    (void)state;
    dispatch_queue_t serial = dispatch_queue_create("serial", NULL);
    sem_t entered;
    int overlaps = 0;
    event_init(&entered);
    for (int round = 0; round < MOVES; round++) {
        dispatch_async_f(serial, &entered, occupy);
        await(&entered);
        dispatch_set_target_queue(queue, serial);
        for (volatile int spin = round * 37 % LATEST_SPIN; spin > 0; spin--) {
        }
        if (round % 2 == 0)
            dispatch_sync_f(queue, &overlaps, note_if_occupied);
        else
            dispatch_barrier_sync_f(queue, &overlaps, note_if_occupied);
        dispatch_set_target_queue(queue, NULL);
        dispatch_barrier_sync_f(queue, NULL, do_nothing); /* from here on it has none */
    }
    assert_int_equal(overlaps, 0);
    dispatch_release(serial);
}

static void note_order(void *slot) {
    static _Atomic int clock;
    *(int *)slot = atomic_fetch_add(&clock, 1);
}

static void barriers_keep_their_place(void **state) {
    (void)state;
    int before[10], barrier, after[10];
    for (int i = 0; i < 10; i++)
        dispatch_async_f(queue, &before[i], note_order);
    dispatch_barrier_async_f(queue, &barrier, note_order);
    for (int i = 0; i < 10; i++)
        dispatch_async_f(queue, &after[i], note_order);
    dispatch_barrier_sync_f(queue, NULL, do_nothing);
    for (int i = 0; i < 10; i++) {
        assert_true(before[i] < barrier);
        assert_true(barrier < after[i]);
    }
}

/* --- suspension, life --- */

static void suspended_and_inactive_wait(void **state) {
    (void)state;
    dispatch_suspend(queue);
    dispatch_async_f(queue, &done, post);
    dispatch_queue_t inactive =
        dispatch_queue_create("inactive", DISPATCH_QUEUE_CONCURRENT_INACTIVE);
    dispatch_async_f(inactive, &done, post);
    dispatch_sync_f(dispatch_get_global_queue(0, 0), NULL, do_nothing);
    assert_int_equal(posted(&done), 0);
    dispatch_resume(queue);
    await(&done);
    dispatch_activate(inactive);
    await(&done);
    dispatch_release(inactive);
}

static void lives_until_its_work_has_run(void **state) {
    (void)state;
    sem_t finalized, entered;
    event_init(&finalized);
    event_init(&entered);
    dispatch_queue_t other = dispatch_queue_create("short", DISPATCH_QUEUE_CONCURRENT);
    dispatch_set_context(other, &finalized);
    dispatch_set_finalizer_f(other, post);
    dispatch_async_f(other, &entered, meet);
    dispatch_barrier_async_f(other, &done, post);
    dispatch_release(other);
    await(&entered);
    assert_int_equal(posted(&finalized), 0);
    sem_post(&go);
    await(&done);
    await(&done);
    await(&finalized);
}

static void global_queues(void **state) {
    (void)state;
    dispatch_queue_t standard = dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_DEFAULT, 0);
    assert_ptr_equal(dispatch_get_global_queue(QOS_CLASS_DEFAULT, 0), standard);
    assert_ptr_equal(dispatch_get_global_queue(QOS_CLASS_UTILITY, 0),
                     dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_LOW, 0));
    assert_ptr_equal(dispatch_get_global_queue(QOS_CLASS_BACKGROUND, 0),
                     dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_BACKGROUND, 0));
    assert_ptr_equal(dispatch_get_global_queue(QOS_CLASS_USER_INITIATED, 0),
                     dispatch_get_global_queue(DISPATCH_QUEUE_PRIORITY_HIGH, 0));
    assert_ptr_not_equal(dispatch_get_global_queue(QOS_CLASS_USER_INTERACTIVE, 0), standard);
    assert_null(dispatch_get_global_queue(99, 0));
    assert_null(dispatch_get_global_queue(0, 1));
    int priority = 7;
    assert_int_equal(dispatch_queue_get_qos_class(standard, &priority), QOS_CLASS_DEFAULT);
    assert_int_equal(priority, 0);
    /* Not counted, not suspended. */
    dispatch_release(standard);
    dispatch_release(standard);
    dispatch_suspend(standard);
    dispatch_barrier_async_f(standard, &done, post);
    await(&done);
    dispatch_sync_f(standard, &done, post);
    await(&done);
}

/* --- apply --- */

enum { ITERATIONS = 10000 };
static _Atomic unsigned char seen[ITERATIONS];

static void see(void *context, size_t i) {
    (void)context;
    assert_true(i < ITERATIONS);
    atomic_fetch_add(&seen[i], 1);
}

static void check_apply(dispatch_queue_t where) {
    for (int i = 0; i < ITERATIONS; i++)
        atomic_store(&seen[i], 0);
    dispatch_apply_f(ITERATIONS, where, NULL, see);
    for (int i = 0; i < ITERATIONS; i++)
        assert_int_equal(atomic_load(&seen[i]), 1);
}

static void apply_runs_each_iteration_once(void **state) {
    (void)state;
    dispatch_queue_t serial = dispatch_queue_create("serial", NULL);
    check_apply(DISPATCH_APPLY_AUTO);
    check_apply(queue);
    check_apply(serial);
    check_apply(dispatch_get_global_queue(0, 0));
    dispatch_apply_f(0, queue, NULL, see);
    nwi_alloc_fail_at(2); /* the helper: fewer threads, the same work */
    check_apply(queue);
    nwi_alloc_fail_at(0);
    dispatch_release(serial);
}

static void check_on_queue(void *context, size_t i) {
    (void)i;
    dispatch_assert_queue(context);
}

static _Atomic int inner_runs;
static void run_inner(void *context, size_t i) {
    (void)context;
    (void)i;
    atomic_fetch_add(&inner_runs, 1);
}
static void run_outer(void *context, size_t i) {
    (void)i;
    dispatch_apply_f(20, context, NULL, run_inner);
}

static void apply_nests(void **state) {
    (void)state;
    atomic_store(&inner_runs, 0);
    dispatch_apply_f(8, queue, queue, check_on_queue);
    dispatch_apply_f(20, queue, queue, run_outer);
    assert_int_equal(atomic_load(&inner_runs), 400);
    dispatch_apply_f(20, DISPATCH_APPLY_AUTO, NULL, run_outer);
    assert_int_equal(atomic_load(&inner_runs), 800);
}

static void apply_inside(void *context) {
    (void)context;
    dispatch_apply_f(20, queue, NULL, run_inner);
    sem_post(&done);
}

static void apply_inside_its_queue_ahead_of_a_barrier(void **state) {
    (void)state;
    atomic_store(&inner_runs, 0);
    dispatch_suspend(queue);
    dispatch_async_f(queue, NULL, apply_inside);
    dispatch_barrier_async_f(queue, &done, post);
    dispatch_resume(queue);
    await(&done);
    await(&done);
    assert_int_equal(atomic_load(&inner_runs), 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(concurrent_items_overlap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(global_items_overlap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(concurrent_over_concurrent_overlaps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(barriers_run_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(barriers_run_alone_over_a_serial_target, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sync_runs_under_the_target_set_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(barriers_keep_their_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(suspended_and_inactive_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lives_until_its_work_has_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(global_queues, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apply_runs_each_iteration_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apply_nests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apply_inside_its_queue_ahead_of_a_barrier, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
