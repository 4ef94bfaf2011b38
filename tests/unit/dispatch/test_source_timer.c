/* test_source_timer.c - timers on both clocks: first fire, intervals, missed fires, setting anew.
 */
#include "base/clock.h"
#include "latch.h"
#include <dispatch/dispatch.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h> /* needed by cmocka, like stdarg, stddef and stdint */

#include <cmocka.h>

struct seen {
    dispatch_source_t source;
    struct latch events, cancels;
    struct latch *hold;
    _Atomic uintptr_t data, total;
    _Atomic uint64_t first;
};

static void on_event(void *context) {
    struct seen *seen = context;
    uintptr_t data = dispatch_source_get_data(seen->source);
    uint64_t none = 0;
    atomic_compare_exchange_strong(&seen->first, &none, nwi_now());
    atomic_store(&seen->data, data);
    atomic_fetch_add(&seen->total, data);
    latch_hit(&seen->events);
    if (seen->hold != NULL)
        latch_wait(seen->hold, 1, SOON);
}
static void on_cancel(void *context) {
    latch_hit(&((struct seen *)context)->cancels);
}

static dispatch_source_t make(struct seen *seen) {
    *seen = (struct seen){.events = LATCH_INIT, .cancels = LATCH_INIT};
    seen->source =
        dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, DISPATCH_TIMER_STRICT, NULL);
    assert_non_null(seen->source);
    dispatch_set_context(seen->source, seen);
    dispatch_source_set_event_handler_f(seen->source, on_event);
    dispatch_source_set_cancel_handler_f(seen->source, on_cancel);
    return seen->source;
}

static void finish(struct seen *seen) {
    dispatch_source_cancel(seen->source);
    assert_true(latch_wait(&seen->cancels, 1, SOON));
    unsigned events = latch_count(&seen->events);
    assert_false(latch_wait(&seen->events, events + 1, 20)); /* silent from now on */
    dispatch_release(seen->source);
}

static void test_fires_once_not_early(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen);
    nwi_ns start = nwi_now();
    dispatch_source_set_timer(source, dispatch_time(DISPATCH_TIME_NOW, 20 * NSEC_PER_MSEC),
                              DISPATCH_TIME_FOREVER, 0);
    dispatch_activate(source);
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_true(atomic_load(&seen.first) - start >= 20 * NWI_MS);
    assert_int_equal(atomic_load(&seen.data), 1);
    assert_false(latch_wait(&seen.events, 2, 40));
    finish(&seen);
}

static void test_repeats(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen);
    nwi_ns start = nwi_now();
    dispatch_source_set_timer(source, DISPATCH_TIME_NOW, 5 * NSEC_PER_MSEC, NSEC_PER_MSEC);
    dispatch_activate(source);
    assert_true(latch_wait(&seen.events, 5, SOON));
    uint64_t elapsed = nwi_now() - start;
    /* The phase is kept: never more fires than intervals that have passed. */
    assert_true(atomic_load(&seen.total) <= elapsed / (5 * NWI_MS) + 1);
    finish(&seen);
}

static void test_missed_fires_are_counted(void **state) {
    (void)state;
    struct seen seen;
    struct latch hold = LATCH_INIT;
    dispatch_source_t source = make(&seen);
    seen.hold = &hold;
    dispatch_source_set_timer(source, DISPATCH_TIME_NOW, 2 * NSEC_PER_MSEC, 0);
    dispatch_activate(source);
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_false(latch_wait(&seen.events, 2, 50)); /* the handler is busy for 25 intervals */
    latch_hit(&hold);
    assert_true(latch_wait(&seen.events, 2, SOON));
    assert_true(atomic_load(&seen.total) >= 25);
    finish(&seen);
}

static void test_suspended_timer_fires_once_when_resumed(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen);
    dispatch_source_set_timer(source, DISPATCH_TIME_NOW, DISPATCH_TIME_FOREVER, 0);
    dispatch_suspend(source);
    dispatch_activate(source);
    assert_false(latch_wait(&seen.events, 1, 30));
    dispatch_resume(source);
    assert_true(latch_wait(&seen.events, 1, SOON));
    finish(&seen);
}

static void test_set_anew(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen);
    dispatch_source_set_timer(source,
                              dispatch_time(DISPATCH_TIME_NOW, (int64_t)(3600 * NSEC_PER_SEC)),
                              DISPATCH_TIME_FOREVER, 0);
    dispatch_activate(source);
    assert_false(latch_wait(&seen.events, 1, 20));
    dispatch_source_set_timer(source, DISPATCH_TIME_FOREVER, DISPATCH_TIME_FOREVER, 0);
    assert_false(latch_wait(&seen.events, 1, 20));
    dispatch_source_set_timer(source, dispatch_time(DISPATCH_TIME_NOW, NSEC_PER_MSEC),
                              DISPATCH_TIME_FOREVER, 0);
    assert_true(latch_wait(&seen.events, 1, SOON));
    finish(&seen);
}

static void test_set_anew_while_armed_takes_the_interval_too(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen);
    dispatch_activate(source);
    for (int i = 0; i < 100; i++) /* put off again and again */
        dispatch_source_set_timer(source,
                                  dispatch_time(DISPATCH_TIME_NOW, (int64_t)(900 * NSEC_PER_SEC)),
                                  DISPATCH_TIME_FOREVER, 0);
    uint64_t before = nwi_now();
    dispatch_source_set_timer(source, dispatch_time(DISPATCH_TIME_NOW, 2 * NSEC_PER_MSEC),
                              NSEC_PER_MSEC, 0);
    assert_true(latch_wait(&seen.events, 3, SOON));
    assert_true(atomic_load(&seen.first) >= before + 2 * NSEC_PER_MSEC);
    finish(&seen);
}

static void test_setting_races_with_firing(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen);
    dispatch_activate(source);
    for (int i = 0; i < 3000; i++)
        dispatch_source_set_timer(source, dispatch_time(DISPATCH_TIME_NOW, i % 50 * 1000), 10000,
                                  0);
    assert_true(latch_wait(&seen.events, 1, SOON));
    finish(&seen);
}

static void test_wall_clock(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen);
    struct timespec before, now;
    clock_gettime(CLOCK_REALTIME, &before);
    dispatch_source_set_timer(source, dispatch_walltime(NULL, 20 * NSEC_PER_MSEC),
                              10 * NSEC_PER_MSEC, 0);
    dispatch_activate(source);
    assert_true(latch_wait(&seen.events, 1, SOON));
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t elapsed =
        (now.tv_sec - before.tv_sec) * (int64_t)NSEC_PER_SEC + now.tv_nsec - before.tv_nsec;
    assert_true(elapsed >= (int64_t)(19 * NSEC_PER_MSEC)); /* the clocks are read apart */
    assert_true(latch_wait(&seen.events, 3, SOON));
    /* From the wall clock to the other one and back. */
    dispatch_source_set_timer(source, DISPATCH_TIME_NOW, 5 * NSEC_PER_MSEC, 0);
    unsigned events = latch_count(&seen.events);
    assert_true(latch_wait(&seen.events, events + 2, SOON));
    dispatch_source_set_timer(source, dispatch_walltime(NULL, 0), 5 * NSEC_PER_MSEC, 0);
    events = latch_count(&seen.events);
    assert_true(latch_wait(&seen.events, events + 2, SOON));
    finish(&seen);
}

static void test_shortest_interval_does_not_flood(void **state) {
    (void)state;
    struct seen seen;
    dispatch_source_t source = make(&seen);
    dispatch_source_set_timer(source, DISPATCH_TIME_NOW, 0, 0);
    dispatch_activate(source);
    assert_true(latch_wait(&seen.events, 3, SOON));
    assert_true(atomic_load(&seen.total) > 3); /* nanoseconds, many a call */
    finish(&seen);
}

static void test_release_while_armed(void **state) {
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct seen seen;
        dispatch_source_t source = make(&seen);
        dispatch_source_set_timer(source, dispatch_time(DISPATCH_TIME_NOW, i % 10 * 10000), 50000,
                                  0);
        dispatch_activate(source);
        dispatch_source_cancel(source);
        dispatch_release(source);
        assert_true(latch_wait(&seen.cancels, 1, SOON));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fires_once_not_early),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_missed_fires_are_counted),
        cmocka_unit_test(test_suspended_timer_fires_once_when_resumed),
        cmocka_unit_test(test_set_anew),
        cmocka_unit_test(test_set_anew_while_armed_takes_the_interval_too),
        cmocka_unit_test(test_setting_races_with_firing),
        cmocka_unit_test(test_wall_clock),
        cmocka_unit_test(test_shortest_interval_does_not_flood),
        cmocka_unit_test(test_release_while_armed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
