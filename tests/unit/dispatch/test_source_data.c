/* test_source_data.c - sources with data of the program's own, and what all sources share. */
#include "base/alloc.h"
#include "base/object.h"
#include "dispatch/dispatch.h"
#include "latch.h"
#include <dispatch/dispatch.h>
#include <stdarg.h>
#include <stdint.h>

#include <setjmp.h> /* needed by cmocka, like stdarg, stddef and stdint */

#include <cmocka.h>

struct seen {
    dispatch_source_t source;
    struct latch events, cancels, registrations, finalized;
    _Atomic uintptr_t data, sum;
    _Atomic int running, overlaps;
    struct latch *hold; /* the handler waits for a hit, when set */
};

static void init(struct seen *seen) {
    *seen = (struct seen){.events = LATCH_INIT,
                          .cancels = LATCH_INIT,
                          .registrations = LATCH_INIT,
                          .finalized = LATCH_INIT};
}

static void on_event(void *context) {
    struct seen *seen = context;
    if (atomic_fetch_add(&seen->running, 1) != 0)
        atomic_fetch_add(&seen->overlaps, 1);
    uintptr_t data = dispatch_source_get_data(seen->source);
    atomic_store(&seen->data, data);
    atomic_fetch_add(&seen->sum, data);
    if (seen->hold != NULL)
        latch_wait(seen->hold, 1, SOON);
    atomic_fetch_sub(&seen->running, 1);
    latch_hit(&seen->events);
}
static void on_cancel(void *context) {
    latch_hit(&((struct seen *)context)->cancels);
}
static void on_register(void *context) {
    latch_hit(&((struct seen *)context)->registrations);
}
static void on_finalize(void *context) {
    latch_hit(&((struct seen *)context)->finalized);
}

static dispatch_source_t make(struct seen *seen, dispatch_source_type_t type,
                              dispatch_queue_t queue) {
    init(seen);
    seen->source = dispatch_source_create(type, 0, 0, queue);
    assert_non_null(seen->source);
    dispatch_set_context(seen->source, seen);
    dispatch_set_finalizer_f(seen->source, on_finalize);
    dispatch_source_set_event_handler_f(seen->source, on_event);
    dispatch_source_set_cancel_handler_f(seen->source, on_cancel);
    dispatch_source_set_registration_handler_f(seen->source, on_register);
    return seen->source;
}

static void finish(struct seen *seen) {
    dispatch_source_cancel(seen->source);
    assert_true(latch_wait(&seen->cancels, 1, SOON));
    dispatch_release(seen->source);
    assert_true(latch_wait(&seen->finalized, 1, SOON));
    assert_int_equal(latch_count(&seen->cancels), 1);
    assert_int_equal(latch_count(&seen->finalized), 1);
    assert_int_equal(atomic_load(&seen->overlaps), 0);
}

static void test_add_coalesces(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_DATA_ADD, NULL);
    dispatch_source_merge_data(source, 1); /* inactive: kept */
    dispatch_source_merge_data(source, 2);
    assert_false(latch_wait(&seen.events, 1, 20));
    dispatch_activate(source);
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_int_equal(atomic_load(&seen.data), 3);
    assert_int_equal(latch_count(&seen.registrations), 1);
    dispatch_suspend(source);
    dispatch_source_merge_data(source, 4);
    dispatch_source_merge_data(source, 5);
    assert_false(latch_wait(&seen.events, 2, 20));
    dispatch_resume(source);
    assert_true(latch_wait(&seen.events, 2, SOON));
    assert_int_equal(atomic_load(&seen.data), 9);
    finish(&seen);
}

static void test_or_and_replace(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_DATA_OR, NULL);
    dispatch_source_merge_data(source, 1);
    dispatch_source_merge_data(source, 6);
    dispatch_resume(source); /* the first resume activates */
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_int_equal(atomic_load(&seen.data), 7);
    finish(&seen);
    source = make(&seen, DISPATCH_SOURCE_TYPE_DATA_REPLACE, NULL);
    dispatch_source_merge_data(source, 1);
    dispatch_source_merge_data(source, 6);
    dispatch_resume(source);
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_int_equal(atomic_load(&seen.data), 6);
    finish(&seen);
}

enum { MERGERS = 4, MERGES = 5000 };
static void *merge_many(void *source) {
    for (int i = 0; i < MERGES; i++)
        dispatch_source_merge_data(source, 1);
    return NULL;
}

static void test_merges_from_threads_never_overlap_or_get_lost(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source =
        make(&seen, DISPATCH_SOURCE_TYPE_DATA_ADD, dispatch_get_global_queue(0, 0));
    dispatch_activate(source);
    pthread_t threads[MERGERS];
    for (int i = 0; i < MERGERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, merge_many, source), 0);
    for (int i = 0; i < MERGERS; i++)
        pthread_join(threads[i], NULL);
    unsigned calls = 0;
    while (atomic_load(&seen.sum) < MERGERS * MERGES)
        assert_true(latch_wait(&seen.events, ++calls, SOON));
    assert_int_equal(atomic_load(&seen.sum), MERGERS * MERGES);
    finish(&seen);
}

static void test_cancel_waits_for_the_running_handler(void **state) {
    (void)state;
    struct seen seen;
    struct latch hold = LATCH_INIT;
    dispatch_source_t source =
        make(&seen, DISPATCH_SOURCE_TYPE_DATA_ADD, dispatch_get_global_queue(0, 0));
    seen.hold = &hold;
    dispatch_activate(source);
    dispatch_source_merge_data(source, 1);
    while (atomic_load(&seen.running) == 0)
        sched_yield();
    dispatch_source_merge_data(source, 1); /* would be the next event, but is cancelled */
    assert_int_equal(dispatch_source_testcancel(source), 0);
    dispatch_source_cancel(source);
    assert_int_not_equal(dispatch_source_testcancel(source), 0);
    assert_false(latch_wait(&seen.cancels, 1, 20));
    latch_hit(&hold);
    assert_true(latch_wait(&seen.cancels, 1, SOON));
    assert_int_equal(latch_count(&seen.events), 1);
    finish(&seen);
}

struct stuck {
    struct latch begun, hold;
};

static void begin_and_wait(void *context) {
    struct stuck *stuck = context;
    latch_hit(&stuck->begun);
    latch_wait(&stuck->hold, 1, SOON);
}

/* Without a cancel handler there is nothing to go to the queue for, stuck or not. Nobody else may
 * allocate or free meanwhile: no test with work under way may stand before this one, and the stuck
 * handler, whose item is freed before it is called, must have begun. */
static void test_cancel_without_a_handler_lets_go_at_once(void **state) {
    (void)state;
    struct stuck stuck = {LATCH_INIT, LATCH_INIT};
    dispatch_queue_t queue = dispatch_queue_create("stuck", DISPATCH_QUEUE_SERIAL);
    dispatch_async_f(queue, &stuck, begin_and_wait);
    assert_true(latch_wait(&stuck.begun, 1, SOON));
    nwi_alloc_count(true);
    long before = nwi_alloc_live();
    dispatch_source_t source = dispatch_source_create(DISPATCH_SOURCE_TYPE_DATA_ADD, 0, 0, queue);
    dispatch_source_set_event_handler_f(source, on_event);
    dispatch_activate(source);
    assert_int_equal(nwi_alloc_live(), before + 2); /* the source, the handler */
    dispatch_source_cancel(source);
    assert_int_equal(nwi_alloc_live(), before + 1);
    dispatch_source_cancel(source);
    dispatch_source_merge_data(source, 1); /* goes nowhere */
    dispatch_release(source);
    assert_int_equal(nwi_alloc_live(), before);
    nwi_alloc_count(false);
    latch_hit(&stuck.hold);
    dispatch_sync_f(queue, &stuck, begin_and_wait);
    dispatch_release(queue);
}

static void test_release_without_cancel_ends_quietly(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_DATA_ADD, NULL);
    dispatch_activate(source);
    dispatch_release(source);
    assert_true(latch_wait(&seen.finalized, 1, SOON));
    assert_int_equal(latch_count(&seen.cancels), 0);
    dispatch_release(make(&seen, DISPATCH_SOURCE_TYPE_DATA_ADD, NULL)); /* never activated */
    assert_true(latch_wait(&seen.finalized, 1, SOON));
}

static void release_inside(void *context) {
    struct seen *seen = context;
    dispatch_source_cancel(seen->source);
    dispatch_release(seen->source);
    latch_hit(&seen->events);
}

static void test_release_inside_the_handler(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_DATA_ADD, NULL);
    dispatch_source_set_event_handler_f(source, release_inside);
    dispatch_activate(source);
    dispatch_source_merge_data(source, 1);
    assert_true(latch_wait(&seen.cancels, 1, SOON));
    assert_true(latch_wait(&seen.finalized, 1, SOON));
}

static int key;
static void on_queue_event(void *context) {
    struct seen *seen = context;
    atomic_store(&seen->data, (uintptr_t)dispatch_get_specific(&key));
    latch_hit(&seen->events);
}

static void test_target_queue(void **state) {
    (void)state;
    struct seen seen;
    dispatch_queue_t one = dispatch_queue_create("one", NULL),
                     two = dispatch_queue_create("two", NULL);
    dispatch_queue_set_specific(one, &key, (void *)1, NULL);
    dispatch_queue_set_specific(two, &key, (void *)2, NULL);
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_DATA_ADD, one);
    dispatch_source_set_event_handler_f(source, on_queue_event);
    dispatch_activate(source);
    dispatch_source_merge_data(source, 1);
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_int_equal(atomic_load(&seen.data), 1);
    dispatch_set_target_queue(source, two);
    dispatch_source_merge_data(source, 1);
    assert_true(latch_wait(&seen.events, 2, SOON));
    assert_int_equal(atomic_load(&seen.data), 2);
    finish(&seen);
    dispatch_release(one);
    dispatch_release(two);
}

static void test_misuse_is_refused(void **state) {
    (void)state;
    assert_null(dispatch_source_create(NULL, 0, 0, NULL));
    assert_null(dispatch_source_create(DISPATCH_SOURCE_TYPE_DATA_ADD, 1, 0, NULL));
    assert_null(dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0x80, NULL));
    assert_null(dispatch_source_create(DISPATCH_SOURCE_TYPE_SIGNAL, 9, 0, NULL));
    assert_null(dispatch_source_create(DISPATCH_SOURCE_TYPE_READ, UINTPTR_MAX, 0, NULL));
    assert_null(dispatch_source_create(DISPATCH_SOURCE_TYPE_PROC, 1, 0x40000000, NULL));
    dispatch_source_cancel(NULL);
    dispatch_source_merge_data(NULL, 1);
    dispatch_source_set_event_handler_f(NULL, on_event);
    dispatch_source_set_timer(NULL, 0, 0, 0);
    assert_int_equal(dispatch_source_testcancel(NULL), 0);
    assert_int_equal(dispatch_source_get_data(NULL), 0);
    dispatch_queue_t queue = dispatch_queue_create("not a source", NULL);
    dispatch_source_cancel((dispatch_source_t)(void *)queue);
    dispatch_release(queue);
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_DATA_ADD, NULL);
    dispatch_source_set_timer(source, 0, 0, 0);
    dispatch_activate(source);
    finish(&seen);
}

static void test_handler_set_later_gets_what_waited(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen, DISPATCH_SOURCE_TYPE_DATA_ADD, NULL);
    dispatch_source_set_event_handler_f(source, NULL);
    dispatch_activate(source);
    dispatch_source_merge_data(source, 5);
    assert_true(latch_wait(&seen.registrations, 1, SOON));
    dispatch_source_set_event_handler_f(source, on_event);
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_int_equal(atomic_load(&seen.data), 5);
    finish(&seen);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel_without_a_handler_lets_go_at_once),
        cmocka_unit_test(test_add_coalesces),
        cmocka_unit_test(test_or_and_replace),
        cmocka_unit_test(test_merges_from_threads_never_overlap_or_get_lost),
        cmocka_unit_test(test_cancel_waits_for_the_running_handler),
        cmocka_unit_test(test_release_without_cancel_ends_quietly),
        cmocka_unit_test(test_release_inside_the_handler),
        cmocka_unit_test(test_target_queue),
        cmocka_unit_test(test_misuse_is_refused),
        cmocka_unit_test(test_handler_set_later_gets_what_waited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
