/*
 * test_queue.c - serial queues by their public calls: order, sync, suspension, targets, specifics,
 * life and misuse.
 */
#include "base/log.h"
#include "base/object.h"
#include "fake/await.h"
#include "fake/misuses.h"
#include "loop/loop.h"
#include <dispatch/dispatch.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static sem_t done;

static int set_up(void **state) {
    (void)state;
    event_init(&done);
    misuses = 0;
    return 0;
}

static void post(void *event) {
    sem_post(event);
}
static void do_nothing(void *context) {
    (void)context;
}
static void set_flag(void *flag) {
    *(int *)flag = 1;
}

/* --- order and exclusion --- */

enum { ITEMS = 20000 };
static dispatch_queue_t tested;
static int next_number;

static void check_number(void *context) {
    dispatch_assert_queue(tested);
    assert_int_equal((intptr_t)context, next_number);
    if (++next_number == ITEMS)
        sem_post(&done);
}

static void async_keeps_order(void **state) {
    (void)state;
    tested = dispatch_queue_create("order", DISPATCH_QUEUE_SERIAL);
    next_number = 0;
    for (intptr_t i = 0; i < ITEMS; i++)
        dispatch_async_f(tested, (void *)i, check_number);
    await(&done);
    dispatch_release(tested);
}

static int unprotected; /* plain on purpose: the queue is its lock (TSan looks on) */

static void increment(void *context) {
    (void)context;
    unprotected++;
}

static void *sync_many(void *queue) {
    for (int i = 0; i < 2000; i++) {
        dispatch_sync_f(queue, NULL, increment);
        if (i % 3 == 0)
            dispatch_async_f(queue, NULL, increment);
        if (i % 5 == 0)
            dispatch_async_and_wait_f(queue, NULL, increment);
        if (i % 7 == 0)
            dispatch_barrier_sync_f(queue, NULL, increment);
    }
    return NULL;
}

static void exclude_over(dispatch_queue_t target) {
    dispatch_queue_t queue = dispatch_queue_create_with_target("exclusion", NULL, target);
    pthread_t threads[6];
    unprotected = 0;
    for (int i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sync_many, queue), 0);
    for (int i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    dispatch_sync_f(queue, &done, post); /* behind the last async */
    await(&done);
    assert_int_equal(unprotected, 6 * (2000 + 667 + 400 + 286));
    dispatch_release(queue);
}

static void sync_excludes(void **state) {
    (void)state;
    exclude_over(NULL);
}

static void sync_excludes_over_a_serial_target(void **state) {
    (void)state;
    dispatch_queue_t target = dispatch_queue_create("target", NULL);
    exclude_over(target);
    dispatch_release(target);
}

static void sync_excludes_over_a_concurrent_target(void **state) {
    (void)state;
    dispatch_queue_t target = dispatch_queue_create("target", DISPATCH_QUEUE_CONCURRENT);
    exclude_over(target);
    dispatch_release(target);
}

static void sync_excludes_over_a_chain(void **state) {
    (void)state;
    dispatch_queue_t bottom = dispatch_queue_create("bottom", DISPATCH_QUEUE_CONCURRENT);
    dispatch_queue_t middle = dispatch_queue_create_with_target("middle", NULL, bottom);
    exclude_over(middle);
    dispatch_release(middle);
    dispatch_release(bottom);
}

/* Two queues over one serial queue never overlap. */
static void *sync_siblings(void *queue) {
    for (int i = 0; i < 2000; i++)
        dispatch_sync_f(queue, NULL, increment);
    return NULL;
}

static void queues_over_one_target_exclude_each_other(void **state) {
    (void)state;
    dispatch_queue_t target = dispatch_queue_create("target", NULL), queues[4];
    pthread_t threads[4];
    unprotected = 0;
    for (int i = 0; i < 4; i++) {
        queues[i] = dispatch_queue_create_with_target(
            "sibling", i == 3 ? DISPATCH_QUEUE_CONCURRENT : DISPATCH_QUEUE_SERIAL, target);
        assert_int_equal(pthread_create(&threads[i], NULL, sync_siblings, queues[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(unprotected, 4 * 2000);
    for (int i = 0; i < 4; i++)
        dispatch_release(queues[i]);
    dispatch_release(target);
}

/* --- sync runs on the calling thread --- */

static void store_thread(void *thread) {
    *(pthread_t *)thread = pthread_self();
}
static void wait_for_go(void *event) {
    await(event);
}

static void sync_runs_on_the_calling_thread(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("sync", NULL);
    pthread_t thread;
    dispatch_sync_f(queue, &thread, store_thread);
    assert_true(pthread_equal(thread, pthread_self()));
    /* Busy: the queue is handed over. */
    for (int i = 0; i < 50; i++)
        dispatch_async_f(queue, NULL, do_nothing);
    memset(&thread, 0, sizeof(thread));
    dispatch_sync_f(queue, &thread, store_thread);
    assert_true(pthread_equal(thread, pthread_self()));
    dispatch_release(queue);
}

/* A wait for work that stands behind the waiting callback on the same loop: the loop is given away
 * at once. Without that this would hang, since here nobody looks for stuck threads. */
static void wait_inside(void *other) {
    for (int i = 0; i < 100; i++) {
        dispatch_async_f(other, NULL, do_nothing);
        dispatch_sync_f(other, NULL, do_nothing);
    }
    sem_post(&done);
}

static void a_wait_gives_the_loop_away(void **state) {
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

/* --- suspension --- */

static void suspended_queue_waits(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("suspended", NULL);
    dispatch_queue_t other = dispatch_queue_create("other", NULL);
    int ran = 0;
    dispatch_suspend(queue);
    dispatch_suspend(queue);
    dispatch_async_f(queue, &ran, set_flag);
    dispatch_async_f(queue, &done, post);
    dispatch_resume(queue);
    dispatch_sync_f(other, NULL, do_nothing);
    assert_int_equal(ran, 0);
    dispatch_resume(queue);
    await(&done);
    assert_int_equal(ran, 1);
    dispatch_release(queue);
    dispatch_release(other);
}

static void inactive_queue_waits(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("inactive", DISPATCH_QUEUE_SERIAL_INACTIVE);
    dispatch_queue_t target = dispatch_queue_create("late target", NULL);
    tested = target;
    next_number = ITEMS - 1;
    dispatch_async_f(queue, (void *)(intptr_t)(ITEMS - 1), check_number);
    dispatch_set_target_queue(queue, target);
    assert_int_equal(posted(&done), 0);
    dispatch_activate(queue);
    dispatch_activate(queue); /* again: nothing */
    await(&done);
    dispatch_release(queue);
    dispatch_release(target);
}

/* --- targets --- */

struct expectation {
    dispatch_queue_t on, not_on;
};

static void check_queues(void *context) {
    struct expectation *expectation = context;
    dispatch_assert_queue(expectation->on);
    dispatch_assert_queue_not(expectation->not_on);
    sem_post(&done);
}

static void retarget_takes_effect_between_items(void **state) {
    (void)state;
    dispatch_queue_t a = dispatch_queue_create("a", NULL),
                     b = dispatch_queue_create("b", DISPATCH_QUEUE_CONCURRENT);
    dispatch_queue_t queue = dispatch_queue_create_with_target("moving", NULL, a);
    struct expectation on_a = {a, b}, on_b = {b, a};
    for (int round = 0; round < 200; round++) {
        dispatch_async_f(queue, &on_a, check_queues);
        dispatch_set_target_queue(queue, b);
        dispatch_async_f(queue, &on_b, check_queues);
        dispatch_async_f(queue, &on_b, check_queues);
        dispatch_set_target_queue(queue, a);
    }
    for (int i = 0; i < 600; i++)
        await(&done);
    dispatch_release(a);
    dispatch_release(b);
    dispatch_release(queue);
}

static void targets_in_a_circle_are_refused(void **state) {
    (void)state;
    nwi_log_set_sink(count_misuse);
    dispatch_queue_t a = dispatch_queue_create("a", NULL);
    dispatch_queue_t b = dispatch_queue_create_with_target("b", NULL, a);
    dispatch_set_target_queue(a, b);
    dispatch_set_target_queue(a, a);
    nwi_log_set_sink(NULL);
    assert_int_equal(misuses, 2);
    dispatch_sync_f(b, &done, post);
    await(&done);
    dispatch_release(b);
    dispatch_release(a);
}

/* Whoever waits for a queue looks which queues it runs in, while each of those goes with the last
 * reference to it (ASan looks on). */
static void targets_go_while_others_wait(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("moving", NULL);
    pthread_t waiter;
    assert_int_equal(pthread_create(&waiter, NULL, sync_many, queue), 0);
    for (int i = 0; i < 1000; i++) {
        dispatch_queue_t target = dispatch_queue_create("for a moment", NULL);
        dispatch_set_target_queue(queue, target);
        dispatch_release(target);
        dispatch_sync_f(queue, NULL, increment);
    }
    pthread_join(waiter, NULL);
    dispatch_set_target_queue(queue, NULL);
    dispatch_sync_f(queue, NULL, do_nothing);
    dispatch_release(queue);
}

/* --- specific data --- */

static char key_one, key_two;

static void check_specific(void *context) {
    assert_ptr_equal(dispatch_get_specific(&key_one), "inner");
    assert_ptr_equal(dispatch_get_specific(&key_two), "outer");
    assert_ptr_equal(dispatch_get_specific(context), NULL);
}

static void specific_walks_up_the_targets(void **state) {
    (void)state;
    sem_t destroyed;
    event_init(&destroyed);
    dispatch_queue_t outer = dispatch_queue_create("outer", NULL);
    dispatch_queue_t inner = dispatch_queue_create_with_target("inner", NULL, outer);
    dispatch_queue_set_specific(inner, &key_one, "inner", NULL);
    dispatch_queue_set_specific(outer, &key_one, "not seen", NULL);
    dispatch_queue_set_specific(outer, &key_two, "outer", NULL);
    dispatch_sync_f(inner, &done, check_specific);
    assert_ptr_equal(dispatch_queue_get_specific(inner, &key_two), NULL);
    assert_ptr_equal(dispatch_get_specific(&key_one), NULL);
    /* The destructor of a value that is replaced, and of one that is left at the end. */
    dispatch_queue_set_specific(inner, &key_two, &destroyed, post);
    dispatch_queue_set_specific(inner, &key_two, &destroyed, post);
    await(&destroyed);
    dispatch_release(inner);
    await(&destroyed);
    dispatch_queue_set_specific(outer, &key_two, NULL, NULL);
    assert_ptr_equal(dispatch_queue_get_specific(outer, &key_two), NULL);
    dispatch_release(outer);
}

/* --- life --- */

static void queue_lives_until_its_work_has_run(void **state) {
    (void)state;
    sem_t go, finalized;
    event_init(&go);
    event_init(&finalized);
    dispatch_queue_t queue = dispatch_queue_create("short", NULL);
    dispatch_set_context(queue, &finalized);
    assert_ptr_equal(dispatch_get_context(queue), &finalized);
    dispatch_set_finalizer_f(queue, post);
    dispatch_async_f(queue, &go, wait_for_go);
    dispatch_async_f(queue, &done, post);
    dispatch_release(queue);
    assert_int_equal(posted(&finalized), 0);
    sem_post(&go);
    await(&done);
    await(&finalized);
}

static dispatch_queue_t finalizer_target;
static void check_finalizer(void *context) {
    dispatch_assert_queue(finalizer_target);
    sem_post(context);
}

static void finalizer_runs_on_the_target(void **state) {
    (void)state;
    finalizer_target = dispatch_queue_create("target", NULL);
    dispatch_queue_t queue = dispatch_queue_create_with_target("finalized", NULL, finalizer_target);
    dispatch_set_context(queue, &done);
    dispatch_set_finalizer_f(queue, check_finalizer);
    dispatch_retain(queue);
    dispatch_release(queue);
    assert_int_equal(posted(&done), 0);
    dispatch_release(queue);
    await(&done);
    dispatch_release(finalizer_target);
}

/* --- labels, classes, current queue --- */

static void check_current(void *context) {
    assert_ptr_equal(dispatch_get_current_queue(), context);
    assert_string_equal(dispatch_queue_get_label(DISPATCH_CURRENT_QUEUE_LABEL), "label");
}

static void labels_classes_current(void **state) {
    (void)state;
    int priority = 1;
    dispatch_queue_attr_t attr =
        dispatch_queue_attr_make_with_qos_class(DISPATCH_QUEUE_SERIAL, QOS_CLASS_UTILITY, -3);
    dispatch_queue_t queue = dispatch_queue_create("label", attr);
    assert_string_equal(dispatch_queue_get_label(queue), "label");
    assert_int_equal(dispatch_queue_get_qos_class(queue, &priority), QOS_CLASS_UTILITY);
    assert_int_equal(priority, -3);
    dispatch_sync_f(queue, queue, check_current);
    dispatch_release(queue);
    queue = dispatch_queue_create(NULL, dispatch_queue_attr_make_with_autorelease_frequency(
                                            NULL, DISPATCH_AUTORELEASE_FREQUENCY_WORK_ITEM));
    assert_string_equal(dispatch_queue_get_label(queue), "");
    assert_int_equal(dispatch_queue_get_qos_class(queue, NULL), QOS_CLASS_UNSPECIFIED);
    dispatch_release(queue);
    assert_ptr_equal(dispatch_get_current_queue(),
                     dispatch_get_main_queue()); /* the test runs on it */
    assert_string_equal(dispatch_queue_get_label(dispatch_get_main_queue()),
                        "com.apple.main-thread");
    /* The attributes are constants: the same one each time. */
    assert_ptr_equal(dispatch_queue_attr_make_initially_inactive(DISPATCH_QUEUE_CONCURRENT),
                     DISPATCH_QUEUE_CONCURRENT_INACTIVE);
    assert_ptr_not_equal(DISPATCH_QUEUE_CONCURRENT_INACTIVE, DISPATCH_QUEUE_SERIAL_INACTIVE);
}

static void workloops_are_serial_queues(void **state) {
    (void)state;
    dispatch_workloop_t workloop = dispatch_workloop_create_inactive("workloop");
    dispatch_workloop_set_autorelease_frequency(workloop, DISPATCH_AUTORELEASE_FREQUENCY_NEVER);
    dispatch_async_f(workloop, &done, post);
    dispatch_activate(workloop);
    await(&done);
    dispatch_release(workloop);
    workloop = dispatch_workloop_create("workloop");
    dispatch_sync_f(workloop, &done, post);
    await(&done);
    dispatch_release(workloop);
}

/* --- misuse --- */

static void null_arguments_are_refused(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("misuse", NULL);
    nwi_log_set_sink(count_misuse);
    dispatch_async_f(NULL, NULL, do_nothing);
    dispatch_async_f(queue, NULL, NULL);
    dispatch_sync_f(NULL, NULL, do_nothing);
    dispatch_sync_f(queue, NULL, NULL);
    dispatch_barrier_async_f(NULL, NULL, do_nothing);
    dispatch_after_f(DISPATCH_TIME_NOW, NULL, NULL, do_nothing);
    dispatch_apply_f(1, queue, NULL, NULL);
    dispatch_suspend((dispatch_queue_t)NULL);
    dispatch_resume((dispatch_queue_t)NULL);
    dispatch_activate((dispatch_queue_t)NULL);
    dispatch_set_target_queue((dispatch_queue_t)NULL, NULL);
    dispatch_set_context((dispatch_queue_t)NULL, NULL);
    dispatch_set_finalizer_f((dispatch_queue_t)NULL, NULL);
    assert_null(dispatch_get_context((dispatch_queue_t)NULL));
    dispatch_queue_set_specific(NULL, &key_one, "x", NULL);
    dispatch_queue_set_specific(queue, NULL, "x", NULL);
    dispatch_assert_queue(NULL);
    dispatch_assert_queue_not(NULL);
    assert_null(dispatch_queue_create("bad", (dispatch_queue_attr_t)queue));
    assert_null(dispatch_queue_attr_make_initially_inactive((dispatch_queue_attr_t)queue));
    assert_null(dispatch_queue_attr_make_with_qos_class(NULL, 77, 0));
    assert_null(dispatch_queue_attr_make_with_qos_class(NULL, QOS_CLASS_UTILITY, 1));
    int before = misuses;
    dispatch_retain((dispatch_queue_t)NULL);
    dispatch_release((dispatch_queue_t)NULL);
    assert_int_equal(misuses, before);
    nwi_log_set_sink(NULL);
    assert_int_equal(misuses, 22);
    dispatch_release(queue);
}

static char debug_text[256];
static void keep_text(enum nwi_log_level level, const char *name, const char *event,
                      const char *message) {
    (void)level;
    (void)name;
    (void)event;
    snprintf(debug_text, sizeof(debug_text), "%s", message);
}

static void debug_with_list(dispatch_queue_t queue, const char *format, ...) {
    va_list args;
    va_start(args, format);
    dispatch_debugv(queue, format, args);
    va_end(args);
}

static void debug_describes_the_object(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("debugged", NULL);
    nwi_log_set_sink(keep_text);
    dispatch_debug(queue, "number %d", 7);
    assert_non_null(strstr(debug_text, "number 7: dispatch_queue (serial)"));
    assert_non_null(strstr(debug_text, "1 references"));
    debug_with_list(queue, "%s", "by list");
    assert_non_null(strstr(debug_text, "by list: dispatch_queue (serial)"));
    dispatch_debug((dispatch_queue_t)NULL, "none");
    assert_string_equal(debug_text, "none: NULL");
    dispatch_set_qos_class_floor(queue, QOS_CLASS_UTILITY, 0);
    assert_non_null(strstr(debug_text, "0x11"));
    nwi_log_set_sink(NULL);
    dispatch_release(queue);
}

/* --- what ends the process: each runs in a process of its own (run_again) --- */

static void sync_onto(void *queue) {
    dispatch_sync_f(queue, NULL, do_nothing);
}
static void assert_on(void *queue) {
    dispatch_assert_queue(queue);
}
static void assert_not_on(void *queue) {
    dispatch_assert_queue_not(queue);
}

static void misuse_that_aborts(const char *what) {
    dispatch_queue_t queue = dispatch_queue_create("q", NULL);
    dispatch_queue_t over = dispatch_queue_create_with_target("over q", NULL, queue);
    dispatch_queue_t concurrent = dispatch_queue_create("c", DISPATCH_QUEUE_CONCURRENT);
    if (strcmp(what, "sync-self") == 0)
        dispatch_sync_f(queue, queue, sync_onto);
    else if (strcmp(what, "sync-target") == 0)
        dispatch_sync_f(over, queue, sync_onto);
    else if (strcmp(what, "sync-main") == 0)
        dispatch_sync_f(dispatch_get_main_queue(), NULL, do_nothing);
    else if (strcmp(what, "resume") == 0)
        dispatch_resume(queue);
    else if (strcmp(what, "resume-concurrent") == 0)
        dispatch_resume(concurrent);
    else if (strcmp(what, "release-suspended") == 0)
        dispatch_suspend(concurrent), dispatch_release(concurrent);
    else if (strcmp(what, "release-inactive") == 0)
        dispatch_release(dispatch_queue_create("i", DISPATCH_QUEUE_SERIAL_INACTIVE));
    else if (strcmp(what, "assert") == 0)
        dispatch_sync_f(queue, over, assert_on);
    else if (strcmp(what, "assert-not") == 0)
        dispatch_sync_f(over, queue, assert_not_on);
    else if (strcmp(what, "assert-barrier") == 0)
        dispatch_sync_f(concurrent, concurrent, (dispatch_function_t)dispatch_assert_queue_barrier);
}

static void bugs_of_the_caller_abort(void **state) {
    (void)state;
    assert_aborts("sync-self",
                  "BUG IN CLIENT: dispatch_sync_f: called on a queue that the calling thread");
    assert_aborts("sync-target", "BUG IN CLIENT: dispatch_sync_f");
    assert_aborts("sync-main", "BUG IN CLIENT: dispatch_sync_f");
    assert_aborts("resume", "BUG IN CLIENT: dispatch_resume: queue resumed more often");
    assert_aborts("resume-concurrent", "BUG IN CLIENT: dispatch_resume");
    assert_aborts("release-suspended", "BUG IN CLIENT: dispatch_release");
    assert_aborts("release-inactive", "BUG IN CLIENT: dispatch_release");
    assert_aborts("assert", "expected to run on queue \"over q\"");
    assert_aborts("assert-not", "expected not to run on queue \"q\"");
    assert_aborts("assert-barrier", "expected to run as a barrier on queue \"c\"");
}

int main(int argc, char **argv) {
    if (argc > 1) {
        misuse_that_aborts(argv[1]);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(async_keeps_order, set_up),
        cmocka_unit_test_setup(sync_excludes, set_up),
        cmocka_unit_test_setup(sync_excludes_over_a_serial_target, set_up),
        cmocka_unit_test_setup(sync_excludes_over_a_concurrent_target, set_up),
        cmocka_unit_test_setup(sync_excludes_over_a_chain, set_up),
        cmocka_unit_test_setup(queues_over_one_target_exclude_each_other, set_up),
        cmocka_unit_test_setup(sync_runs_on_the_calling_thread, set_up),
        cmocka_unit_test_setup(a_wait_gives_the_loop_away, set_up),
        cmocka_unit_test_setup(suspended_queue_waits, set_up),
        cmocka_unit_test_setup(inactive_queue_waits, set_up),
        cmocka_unit_test_setup(retarget_takes_effect_between_items, set_up),
        cmocka_unit_test_setup(targets_in_a_circle_are_refused, set_up),
        cmocka_unit_test_setup(targets_go_while_others_wait, set_up),
        cmocka_unit_test_setup(specific_walks_up_the_targets, set_up),
        cmocka_unit_test_setup(queue_lives_until_its_work_has_run, set_up),
        cmocka_unit_test_setup(finalizer_runs_on_the_target, set_up),
        cmocka_unit_test_setup(labels_classes_current, set_up),
        cmocka_unit_test_setup(workloops_are_serial_queues, set_up),
        cmocka_unit_test_setup(null_arguments_are_refused, set_up),
        cmocka_unit_test_setup(debug_describes_the_object, set_up),
        cmocka_unit_test_setup(bugs_of_the_caller_abort, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
