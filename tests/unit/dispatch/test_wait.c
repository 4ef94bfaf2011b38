/*
 * test_wait.c - groups, semaphores, once, time and after.
 */
#include "base/clock.h"
#include "base/log.h"
#include "dispatch/dispatch.h"
#include "fake/await.h"
#include "fake/misuses.h"
#include "loop/loop.h"
#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

enum { THREADS = 6 };

static sem_t done, go;

static int set_up(void **state) {
    (void)state;
    event_init(&done);
    event_init(&go);
    misuses = 0;
    return 0;
}

static void post(void *event) {
    sem_post(event);
}
static void wait_for_go(void *event) {
    await(event);
}

static void run_threads(void *(*body)(void *), void *context) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, body, context), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static dispatch_time_t in_milliseconds(int64_t ms) {
    return dispatch_time(DISPATCH_TIME_NOW, ms * (int64_t)NSEC_PER_MSEC);
}

/* --- groups --- */

static _Atomic int members_run;
static void run_member(void *context) {
    (void)context;
    atomic_fetch_add(&members_run, 1);
}

static void check_all_ran(void *event) {
    assert_int_equal(atomic_load(&members_run), 500);
    sem_post(event);
}

static void group_tells_when_it_is_empty(void **state) {
    (void)state;
    dispatch_group_t group = dispatch_group_create();
    dispatch_queue_t queue = dispatch_queue_create("members", DISPATCH_QUEUE_CONCURRENT);
    dispatch_queue_t serial = dispatch_queue_create("notified", NULL);
    assert_int_equal(dispatch_group_wait(group, DISPATCH_TIME_NOW), 0);
    dispatch_group_notify_f(group, serial, &done, post); /* empty: at once */
    await(&done);
    atomic_store(&members_run, 0);
    dispatch_group_enter(group);
    dispatch_group_notify_f(group, serial, &done, check_all_ran);
    dispatch_group_notify_f(group, queue, &done, check_all_ran);
    for (int i = 0; i < 500; i++)
        dispatch_group_async_f(group, queue, NULL, run_member);
    assert_int_not_equal(dispatch_group_wait(group, in_milliseconds(1)), 0);
    assert_int_equal(posted(&done), 0);
    dispatch_group_async_f(group, queue, &go, wait_for_go);
    dispatch_group_leave(group);
    assert_int_not_equal(dispatch_group_wait(group, DISPATCH_TIME_NOW), 0);
    dispatch_barrier_sync_f(dispatch_get_global_queue(0, 0), &go, post);
    assert_int_equal(dispatch_group_wait(group, DISPATCH_TIME_FOREVER), 0);
    assert_int_equal(atomic_load(&members_run), 500);
    await(&done);
    await(&done);
    dispatch_release(group);
    dispatch_release(queue);
    dispatch_release(serial);
}

static void *enter_and_leave(void *group) {
    for (int i = 0; i < 5000; i++) {
        dispatch_group_enter(group);
        dispatch_group_async_f(group, dispatch_get_global_queue(0, 0), NULL, run_member);
        dispatch_group_leave(group);
        if (i % 500 == 0)
            assert_int_equal(dispatch_group_wait(group, in_milliseconds(AWAIT_SECONDS * 1000)), 0);
    }
    return NULL;
}

static void group_counts_from_many_threads(void **state) {
    (void)state;
    dispatch_group_t group = dispatch_group_create();
    atomic_store(&members_run, 0);
    run_threads(enter_and_leave, group);
    assert_int_equal(dispatch_group_wait(group, DISPATCH_TIME_FOREVER), 0);
    assert_int_equal(atomic_load(&members_run), THREADS * 5000);
    dispatch_release(group);
}

static void group_lives_while_it_is_not_empty(void **state) {
    (void)state;
    sem_t finalized;
    event_init(&finalized);
    dispatch_group_t group = dispatch_group_create();
    dispatch_set_context(group, &finalized);
    dispatch_set_finalizer_f(group, post);
    dispatch_group_async_f(group, dispatch_get_global_queue(0, 0), &go, wait_for_go);
    dispatch_group_notify_f(group, dispatch_get_global_queue(0, 0), &done, post);
    dispatch_release(group);
    assert_int_equal(posted(&finalized), 0);
    sem_post(&go);
    await(&done);
    await(&finalized);
}

/* --- semaphores --- */

static void semaphore_counts(void **state) {
    (void)state;
    dispatch_semaphore_t semaphore = dispatch_semaphore_create(2);
    assert_int_equal(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
    assert_int_equal(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_FOREVER), 0);
    assert_int_not_equal(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
    nwi_ns before = nwi_now();
    assert_int_not_equal(dispatch_semaphore_wait(semaphore, in_milliseconds(20)), 0);
    assert_true(nwi_now() - before >= 20 * NWI_MS);
    before = nwi_now();
    assert_int_not_equal(
        dispatch_semaphore_wait(semaphore, dispatch_walltime(NULL, 20 * (int64_t)NSEC_PER_MSEC)),
        0);
    assert_true(nwi_now() - before >= 19 * NWI_MS); /* two clocks: a little less is rounding */
    assert_int_equal(dispatch_semaphore_signal(semaphore), 0);
    assert_int_equal(dispatch_semaphore_signal(semaphore), 0);
    dispatch_release(semaphore);
}

/* A semaphore as a lock; some waits give up. */
static int guarded;
static void *take_and_give(void *semaphore) {
    for (int i = 0; i < 5000; i++) {
        dispatch_time_t timeout =
            i % 3 == 0 ? dispatch_time(DISPATCH_TIME_NOW, 1000) : DISPATCH_TIME_FOREVER;
        while (dispatch_semaphore_wait(semaphore, timeout) != 0) {
        }
        guarded++;
        dispatch_semaphore_signal(semaphore);
    }
    return NULL;
}

static void semaphore_excludes(void **state) {
    (void)state;
    dispatch_semaphore_t semaphore = dispatch_semaphore_create(1);
    guarded = 0;
    run_threads(take_and_give, semaphore);
    assert_int_equal(guarded, THREADS * 5000);
    assert_int_equal(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
    assert_int_not_equal(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
    dispatch_semaphore_signal(semaphore);
    dispatch_release(semaphore);
}

static void *wait_once(void *semaphore) {
    sem_post(&go);
    assert_int_equal(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_FOREVER), 0);
    return NULL;
}

static void signal_says_whether_it_woke_somebody(void **state) {
    (void)state;
    dispatch_semaphore_t semaphore = dispatch_semaphore_create(0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_once, semaphore), 0);
    await(&go);
    /* It is about to wait; signals before that go to nobody, and are taken back. */
    while (dispatch_semaphore_signal(semaphore) == 0)
        if (dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW) != 0)
            break; /* the thread has taken it without sleeping */
    pthread_join(thread, NULL);
    dispatch_release(semaphore);
}

/* A handler that waits for work behind it on its loop: the loop is given away at once. */
static void signal_semaphore(void *semaphore) {
    dispatch_semaphore_signal(semaphore);
}

static void wait_inside(void *queue) {
    dispatch_semaphore_t semaphore = dispatch_semaphore_create(0);
    dispatch_group_t group = dispatch_group_create();
    for (int i = 0; i < 50; i++) {
        dispatch_async_f(queue, semaphore, signal_semaphore);
        assert_int_equal(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_FOREVER), 0);
        dispatch_group_async_f(group, queue, semaphore, signal_semaphore);
        assert_int_equal(dispatch_group_wait(group, DISPATCH_TIME_FOREVER), 0);
        assert_int_equal(dispatch_semaphore_wait(semaphore, DISPATCH_TIME_NOW), 0);
    }
    dispatch_release(semaphore);
    dispatch_release(group);
    sem_post(&done);
}

static void waits_give_the_loop_away(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("waits", NULL);
    dispatch_queue_t other = dispatch_queue_create("other", NULL);
    nwi_loop_set_patience(NWI_NEVER);
    dispatch_async_f(queue, other, wait_inside);
    await(&done);
    nwi_loop_set_patience(4 * NWI_MS);
    dispatch_release(queue);
    dispatch_release(other);
}

/* --- once --- */

static dispatch_once_t predicates[1000];
static int once_runs[1000]; /* plain: once orders them */

static void run_slot(void *context) {
    ++*(int *)context;
}

static void *once_each(void *unused) {
    for (int i = 0; i < 1000; i++) {
        dispatch_once_f(&predicates[i], &once_runs[i], run_slot);
        assert_int_equal(once_runs[i], 1);
    }
    return unused;
}

static dispatch_once_t slow_predicate;
static int slow_done;

static void run_slow(void *context) {
    sem_post(context);
    await(&go);
    slow_done = 1;
}

static void *once_slow(void *entered) {
    dispatch_once_f(&slow_predicate, entered, run_slow);
    assert_int_equal(slow_done, 1);
    return NULL;
}

static void once_runs_once_and_all_wait_for_it(void **state) {
    (void)state;
    run_threads(once_each, NULL);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, once_slow, &done), 0);
    await(&done);
    sem_post(&go);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(posted(&done), 0);
}

/* --- time --- */

static void time_arithmetic(void **state) {
    (void)state;
    nwi_ns before = nwi_now();
    dispatch_time_t now = dispatch_time(DISPATCH_TIME_NOW, 0),
                    second = (dispatch_time_t)NSEC_PER_SEC;
    assert_true(now >= before && now <= nwi_now());
    assert_true(dispatch_time(now, 5) == now + 5);
    assert_true(dispatch_time(now, -5) == now - 5);
    assert_true(dispatch_time(now, INT64_MAX) == DISPATCH_TIME_FOREVER);
    assert_true(dispatch_time(now, INT64_MIN) == 1);
    assert_true(dispatch_time(DISPATCH_TIME_FOREVER, -5) == DISPATCH_TIME_FOREVER);
    assert_true(dispatch_time(DISPATCH_TIME_FOREVER, INT64_MIN) == DISPATCH_TIME_FOREVER);
    /* Wall clock: minus the nanoseconds since 1970. */
    struct timespec when = {.tv_sec = 1000, .tv_nsec = 7};
    dispatch_time_t wall = dispatch_walltime(&when, 3);
    assert_true(-(int64_t)wall == 1000 * (int64_t)second + 10);
    assert_true(-(int64_t)dispatch_time(wall, 5) == 1000 * (int64_t)second + 15);
    assert_true(-(int64_t)dispatch_time(wall, -5) == 1000 * (int64_t)second + 5);
    assert_true(dispatch_time(wall, INT64_MAX) == DISPATCH_TIME_FOREVER);
    assert_true(dispatch_time(wall, INT64_MIN) ==
                DISPATCH_WALLTIME_NOW); /* the earliest there is */
    when.tv_sec = INT64_MAX;
    assert_true(dispatch_walltime(&when, 0) == DISPATCH_TIME_FOREVER);
    when.tv_sec = INT64_MIN;
    assert_true(dispatch_walltime(&when, 0) == DISPATCH_WALLTIME_NOW);
    when = (struct timespec){.tv_sec = -5};
    assert_true(-(int64_t)dispatch_walltime(&when, 6 * (int64_t)second) == (int64_t)second);
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    int64_t difference = -(int64_t)dispatch_time(DISPATCH_WALLTIME_NOW, 0) -
                         (real.tv_sec * (int64_t)second + real.tv_nsec);
    assert_true(difference >= 0 && difference < 10 * (int64_t)second);
}

static void time_to_deadline(void **state) {
    (void)state;
    assert_true(nwi_dispatch_deadline(DISPATCH_TIME_FOREVER) == NWI_NEVER);
    assert_true(nwi_dispatch_deadline(12345) == 12345);
    nwi_ns before = nwi_now();
    nwi_ns now = nwi_dispatch_deadline(DISPATCH_TIME_NOW);
    assert_true(now >= before && now <= nwi_now());
    nwi_ns later = nwi_dispatch_deadline(dispatch_walltime(NULL, 100 * (int64_t)NSEC_PER_SEC));
    assert_true(later > before + 99 * NWI_SEC && later < before + 110 * NWI_SEC);
    struct timespec past = {.tv_sec = 1};
    assert_true(nwi_dispatch_deadline(dispatch_walltime(&past, 0)) <= nwi_now());
}

/* --- after --- */

static nwi_ns due;
static void check_due(void *event) {
    assert_true(nwi_now() >= due);
    sem_post(event);
}

static _Atomic int order;
static void check_place(void *place) {
    assert_int_equal(atomic_fetch_add(&order, 1), (intptr_t)place);
    sem_post(&done);
}

static void after_comes_in_time(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("after", NULL);
    due = nwi_now() + 20 * NWI_MS;
    dispatch_after_f(due, queue, &done, check_due);
    await(&done);
    due = nwi_now() + 10 * NWI_MS;
    dispatch_after_f(dispatch_walltime(NULL, 11 * (int64_t)NSEC_PER_MSEC), queue, &done, check_due);
    await(&done);
    due = 0;
    dispatch_after_f(DISPATCH_TIME_NOW, queue, &done, check_due);
    dispatch_after_f(1, queue, &done, check_due); /* long ago */
    await(&done);
    await(&done);
    dispatch_after_f(DISPATCH_TIME_FOREVER, queue, &done, check_due); /* never */
    /* The queue stays alive for it. */
    dispatch_after_f(in_milliseconds(5), queue, &done, check_due);
    dispatch_release(queue);
    await(&done);
    assert_int_equal(posted(&done), 0);
}

static void set_timers(void *queue) { /* on one loop: only there is the order of two timers sure */
    dispatch_time_t base = in_milliseconds(30);
    dispatch_after_f(dispatch_time(base, 3000), queue, (void *)2, check_place);
    dispatch_after_f(dispatch_time(base, 1000), queue, (void *)0, check_place);
    dispatch_after_f(dispatch_time(base, 2000), queue, (void *)1, check_place);
    sem_post(&done);
}

static void after_keeps_the_order_of_time(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("after", NULL);
    nwi_loop_set_patience(NWI_NEVER); /* on a slow machine one timer must not overtake another */
    atomic_store(&order, 0);
    dispatch_async_f(queue, queue, set_timers);
    for (int i = 0; i < 4; i++)
        await(&done);
    nwi_loop_set_patience(4 * NWI_MS);
    dispatch_release(queue);
}

/* --- misuse --- */

static void null_arguments_are_refused(void **state) {
    (void)state;
    dispatch_group_t group = dispatch_group_create();
    dispatch_once_t predicate = 0;
    nwi_log_set_sink(count_misuse);
    dispatch_group_enter(NULL);
    dispatch_group_leave(NULL);
    assert_int_not_equal(dispatch_group_wait(NULL, DISPATCH_TIME_NOW), 0);
    dispatch_group_notify_f(NULL, dispatch_get_global_queue(0, 0), NULL, post);
    dispatch_group_notify_f(group, NULL, NULL, post);
    dispatch_group_notify_f(group, dispatch_get_global_queue(0, 0), NULL, NULL);
    dispatch_group_async_f(group, NULL, NULL, post);
    assert_null(dispatch_semaphore_create(-1));
    assert_int_not_equal(dispatch_semaphore_wait(NULL, DISPATCH_TIME_NOW), 0);
    assert_int_equal(dispatch_semaphore_signal(NULL), 0);
    dispatch_once_f(NULL, NULL, post);
    dispatch_once_f(&predicate, NULL, NULL);
    dispatch_suspend(group);
    dispatch_resume(group);
    dispatch_set_target_queue(group, NULL);
    nwi_log_set_sink(NULL);
    assert_int_equal(misuses, 15);
    dispatch_release(group);
}

static void again(void *predicate) {
    dispatch_once_f(predicate, predicate, again);
}

static void misuse_that_aborts(const char *what) {
    if (strcmp(what, "leave") == 0) {
        dispatch_group_leave(dispatch_group_create());
    } else if (strcmp(what, "semaphore") == 0) {
        dispatch_semaphore_t semaphore = dispatch_semaphore_create(1);
        dispatch_semaphore_wait(semaphore, DISPATCH_TIME_FOREVER);
        dispatch_release(semaphore);
    } else if (strcmp(what, "once") == 0) {
        static dispatch_once_t predicate;
        dispatch_once_f(&predicate, &predicate, again);
    }
}

static void bugs_of_the_caller_abort(void **state) {
    (void)state;
    assert_aborts("leave", "BUG IN CLIENT: dispatch_group_leave");
    assert_aborts("semaphore",
                  "BUG IN CLIENT: dispatch_release: last release of a semaphore that is in use");
    assert_aborts("once", "BUG IN CLIENT: dispatch_once");
}

int main(int argc, char **argv) {
    if (argc > 1) {
        misuse_that_aborts(argv[1]);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(group_tells_when_it_is_empty, set_up),
        cmocka_unit_test_setup(group_counts_from_many_threads, set_up),
        cmocka_unit_test_setup(group_lives_while_it_is_not_empty, set_up),
        cmocka_unit_test_setup(semaphore_counts, set_up),
        cmocka_unit_test_setup(semaphore_excludes, set_up),
        cmocka_unit_test_setup(signal_says_whether_it_woke_somebody, set_up),
        cmocka_unit_test_setup(waits_give_the_loop_away, set_up),
        cmocka_unit_test_setup(once_runs_once_and_all_wait_for_it, set_up),
        cmocka_unit_test_setup(time_arithmetic, set_up),
        cmocka_unit_test_setup(time_to_deadline, set_up),
        cmocka_unit_test_setup(after_comes_in_time, set_up),
        cmocka_unit_test_setup(after_keeps_the_order_of_time, set_up),
        cmocka_unit_test_setup(null_arguments_are_refused, set_up),
        cmocka_unit_test_setup(bugs_of_the_caller_abort, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
