/*
 * test_main_queue.c - the main queue inside a program's own loop, and under dispatch_main() in a
 * process of its own.
 */
#include "base/log.h"
#include "fake/await.h"
#include "fake/misuses.h"
#include <dispatch/dispatch.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

static dispatch_queue_t main_queue;

/* What a program's own loop does. */
static void serve_main_queue(void) {
    struct pollfd entry = {.fd = dispatch_get_main_queue_handle_np(), .events = POLLIN};
    assert_true(entry.fd >= 0);
    assert_int_equal(poll(&entry, 1, AWAIT_SECONDS * 1000), 1);
    dispatch_main_queue_drain_np();
}

static bool is_readable(void) {
    struct pollfd entry = {.fd = dispatch_get_main_queue_handle_np(), .events = POLLIN};
    return poll(&entry, 1, 0) == 1;
}

static int ran;

static void count_on_main(void *context) {
    (void)context;
    assert_int_equal(gettid(), getpid());
    dispatch_assert_queue(main_queue);
    ran++;
}

static void *submit_to_main(void *unused) {
    for (int i = 0; i < 1000; i++)
        dispatch_async_f(main_queue, NULL, count_on_main);
    dispatch_sync_f(main_queue, NULL, count_on_main);
    dispatch_queue_t over = dispatch_queue_create_with_target("over main", NULL, main_queue);
    for (int i = 0; i < 100; i++)
        dispatch_async_f(over, NULL, count_on_main);
    dispatch_sync_f(over, NULL, count_on_main);
    dispatch_async_and_wait_f(over, NULL, count_on_main);
    dispatch_release(over);
    return unused;
}

static void runs_in_the_programs_own_loop(void **state) {
    (void)state;
    pthread_t thread;
    ran = 0;
    assert_int_equal(pthread_create(&thread, NULL, submit_to_main, NULL), 0);
    while (ran < 1000 + 1 + 100 + 2)
        serve_main_queue();
    pthread_join(thread, NULL);
    assert_int_equal(ran, 1103);
}

static void submit_again(void *context) {
    ran++;
    if (ran < 10)
        dispatch_async_f(main_queue, context, submit_again);
}

static void drain_leaves_what_comes_during_it(void **state) {
    (void)state;
    ran = 0;
    dispatch_main_queue_drain_np();
    assert_false(is_readable());
    dispatch_async_f(main_queue, NULL, submit_again);
    for (int i = 1; i <= 10; i++) {
        assert_true(is_readable());
        dispatch_main_queue_drain_np();
        assert_int_equal(ran, i);
    }
    assert_false(is_readable());
    dispatch_main_queue_drain_np(); /* nothing to do */
    assert_int_equal(ran, 10);
}

static void can_be_suspended(void **state) {
    (void)state;
    ran = 0;
    dispatch_suspend(main_queue);
    dispatch_async_f(main_queue, NULL, count_on_main);
    assert_false(is_readable());
    dispatch_main_queue_drain_np();
    assert_int_equal(ran, 0);
    dispatch_resume(main_queue);
    serve_main_queue();
    assert_int_equal(ran, 1);
    dispatch_release(main_queue); /* not counted */
    dispatch_release(main_queue);
}

static void *drain_elsewhere(void *unused) {
    dispatch_main_queue_drain_np();
    return unused;
}

static void drain_inside(void *context) {
    (void)context;
    dispatch_main_queue_drain_np();
}

static void drain_is_the_main_threads(void **state) {
    (void)state;
    pthread_t thread;
    misuses = 0;
    nwi_log_set_sink(count_misuse);
    assert_int_equal(pthread_create(&thread, NULL, drain_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    dispatch_async_f(main_queue, NULL, drain_inside);
    serve_main_queue();
    dispatch_set_target_queue(main_queue, dispatch_get_global_queue(0, 0));
    nwi_log_set_sink(NULL);
    assert_int_equal(misuses, 3);
}

/* --- dispatch_main, in a process of its own --- */

static void say_and_exit(void *text) {
    if (gettid() != getpid())
        exit(3);
    fputs(text, stderr);
    exit(42);
}

static void go_on_on_main(void *text) {
    dispatch_async_f(dispatch_get_main_queue(), text, say_and_exit);
}

static void dispatch_main_runs_the_main_queue(void **state) {
    (void)state;
    char text[256];
    int status = run_again("main", text, sizeof(text));
    assert_string_equal(text, "from the main queue");
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void *call_dispatch_main(void *unused) {
    (void)unused;
    dispatch_main();
}

static void dispatch_main_is_the_main_threads(void **state) {
    (void)state;
    assert_aborts("elsewhere",
                  "BUG IN CLIENT: dispatch_main: called on another thread than the main one");
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "elsewhere") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, call_dispatch_main, NULL);
        pthread_join(thread, NULL);
        return 0;
    }
    if (argc > 1) {
        dispatch_after_f(dispatch_time(DISPATCH_TIME_NOW, 1000000), dispatch_get_global_queue(0, 0),
                         "from the main queue", go_on_on_main);
        dispatch_main();
    }
    main_queue = dispatch_get_main_queue();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_in_the_programs_own_loop),
        cmocka_unit_test(drain_leaves_what_comes_during_it),
        cmocka_unit_test(can_be_suspended),
        cmocka_unit_test(drain_is_the_main_threads),
        cmocka_unit_test(dispatch_main_runs_the_main_queue),
        cmocka_unit_test(dispatch_main_is_the_main_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
