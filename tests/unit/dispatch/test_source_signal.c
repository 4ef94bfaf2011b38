/* test_source_signal.c - SIGNAL sources beside the program's own actions for the signal. */
#include "latch.h"
#include <dispatch/dispatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h> /* needed by cmocka, like stdarg, stddef and stdint */

#include <cmocka.h>

struct seen {
    dispatch_source_t source;
    struct latch events, cancels;
    _Atomic uintptr_t total;
};

static void on_event(void *context) {
    struct seen *seen = context;
    atomic_fetch_add(&seen->total, dispatch_source_get_data(seen->source));
    latch_hit(&seen->events);
}
static void on_cancel(void *context) {
    latch_hit(&((struct seen *)context)->cancels);
}

static void start(struct seen *seen, int number) {
    *seen = (struct seen){.events = LATCH_INIT, .cancels = LATCH_INIT};
    seen->source = dispatch_source_create(DISPATCH_SOURCE_TYPE_SIGNAL, (uintptr_t)number, 0, NULL);
    assert_non_null(seen->source);
    dispatch_set_context(seen->source, seen);
    dispatch_source_set_event_handler_f(seen->source, on_event);
    dispatch_source_set_cancel_handler_f(seen->source, on_cancel);
    dispatch_activate(seen->source);
}

static void stop(struct seen *seen) {
    dispatch_source_cancel(seen->source);
    assert_true(latch_wait(&seen->cancels, 1, SOON));
    dispatch_release(seen->source);
}

static void test_ignored_first_as_the_custom_is(void **state) {
    (void)state;
    struct seen seen;
    signal(SIGINT, SIG_IGN);
    start(&seen, SIGINT);
    assert_int_equal(kill(getpid(), SIGINT), 0);
    assert_true(latch_wait(&seen.events, 1, SOON));
    assert_int_equal(atomic_load(&seen.total), 1);
    stop(&seen);
    assert_int_equal(kill(getpid(), SIGINT), 0); /* ignored again: we live */
    struct sigaction now;
    assert_int_equal(sigaction(SIGINT, NULL, &now), 0);
    assert_ptr_equal(now.sa_handler, SIG_IGN);
    signal(SIGINT, SIG_DFL);
}

static void test_default_action_waits_for_the_source(void **state) {
    (void)state;
    struct seen seen;
    start(&seen, SIGUSR1);
    assert_int_equal(kill(getpid(), SIGUSR1), 0); /* would end the process otherwise */
    assert_true(latch_wait(&seen.events, 1, SOON));
    stop(&seen);
    struct sigaction now;
    assert_int_equal(sigaction(SIGUSR1, NULL, &now), 0);
    assert_ptr_equal(now.sa_handler, SIG_DFL);
}

static volatile sig_atomic_t former_calls;
static void former(int number) {
    (void)number;
    former_calls++;
}

static void test_former_handler_is_called_as_well(void **state) {
    (void)state;
    struct seen seen;
    signal(SIGUSR2, former);
    start(&seen, SIGUSR2);
    raise(SIGUSR2); /* in this very thread, so it has run when raise returns */
    assert_int_equal(former_calls, 1);
    assert_true(latch_wait(&seen.events, 1, SOON));
    stop(&seen);
    raise(SIGUSR2);
    assert_int_equal(former_calls, 2);
    signal(SIGUSR2, SIG_DFL);
}

static void test_several_sources_of_one_signal(void **state) {
    (void)state;
    enum { COUNT = 40 };
    static struct seen seen[COUNT];
    for (int i = 0; i < COUNT; i++)
        start(&seen[i], SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    for (int i = 0; i < COUNT; i++) {
        unsigned calls = 0;
        while (atomic_load(&seen[i].total) < 2)
            assert_true(latch_wait(&seen[i].events, ++calls, SOON));
        assert_int_equal(atomic_load(&seen[i].total), 2);
    }
    for (int i = 0; i < COUNT; i++)
        stop(&seen[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ignored_first_as_the_custom_is),
        cmocka_unit_test(test_default_action_waits_for_the_source),
        cmocka_unit_test(test_former_handler_is_called_as_well),
        cmocka_unit_test(test_several_sources_of_one_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
