/*
 * test_resolver_ends.c - src/resolver: cancelling at any moment, closing, asking anew, every system
 * call and every allocation failing.
 */
#include "scene.h"

#include "base/alloc.h"
#include "fake/fake_sys.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* --- cancel --- */
static void cancel_at_once_is_quick(void **state) {
    (void)state;
    static const char *const hosts[] = {"silent.test", "both.test",    "192.0.2.1",
                                        "localhost",   "inhosts.test", "www"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct probe *probe = calloc(1, sizeof *probe);
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        start(probe, hosts[i]);
        cancel_in_context(probe);
        clock_gettime(CLOCK_MONOTONIC, &after);
        double ms = (double)(after.tv_sec - before.tv_sec) * 1e3 +
                    (double)(after.tv_nsec - before.tv_nsec) / 1e6;
        if (getenv("NW_TEST_SLOW") == NULL)
            assert_true(ms < 50);
        pass_through(probe);
        assert_int_equal(probe->after_cancel, 0);
        free(probe);
    }
}

static void cancel_inside_the_handler(void **state) {
    (void)state;
    struct probe probe = {.cancel_inside = true};
    start(&probe, "both.test");
    wait_until(NULL, &probe.answers, 1);
    struct probe other; /* its answers come after what the first one might still have had */
    resolve(&other, "both.test", 0);
    pass_through(&probe);
    assert_int_equal(probe.answers, 1);
    assert_int_equal(probe.after_cancel, 0);
}

static void cancel_between_the_answers(void **state) {
    (void)state;
    struct probe probe = {0};
    start(&probe, "slow6.test");
    wait_until(NULL, &probe.answers, 1);
    cancel_in_context(&probe);
    struct probe other;
    resolve(&other, "slow6.test", 0);
    assert_int_equal(probe.answers, 1);
}

/* At many moments of a lookup: after as many turns of the context as the loop has made. */
static void cancel_at_every_point(void **state) {
    (void)state;
    for (unsigned turns = 0; turns < 60; turns++) {
        struct probe probe = {0};
        char host[32];
        snprintf(host, sizeof host, turns % 3 != 0 ? "zero.test" : "zero%u.test", turns);
        start(&probe, host);
        for (unsigned i = 0; i < turns; i++)
            pass_through(&probe);
        cancel_in_context(&probe);
        pass_through(&probe);
        assert_int_equal(probe.after_cancel, 0);
    }
    struct probe last;
    resolve(&last, "zero.test", 0);
    assert_int_equal(last.got[0].err, 0);
}

/* --- closing, flushing, failing --- */
static void close_ends_what_waits(void **state) {
    (void)state;
    struct probe probe = {0};
    start(&probe, "silent.test");
    pass_through(&probe);
    resolver = nwi_resolver_close(resolver);
    wait_until(NULL, &probe.answers, 2);
    assert_int_equal(probe.got[0].err, NWI_ERR_CANCELED);
    finish(&probe);
}

/* The patient fixture would wait a minute for its lost packet: only asking anew can answer in time.
 */
static void flush_asks_anew(void **state) {
    (void)state;
    struct probe probe = {0};
    start(&probe, "silent.test");
    struct probe other;
    resolve(&other, "both.test", 0); /* by now the first has asked */
    assert_true(fake_dns_questions(server, "silent.test", A) == 1);
    write_file(resolv_path, "nameserver 127.0.0.1\n# changed\n");
    resolve(&other, "both.test", 0);
    resolve(&other, "only4.test", 0); /* its questions follow those asked anew */
    assert_true(fake_dns_questions(server, "silent.test", A) == 2);
    cancel_in_context(&probe);
    assert_int_equal(probe.answers, 0);
}

static void failing_system_calls(void **state) {
    (void)state;
    static const struct {
        enum fake_sys_call call;
        int code;
    } faults[] = {{FAKE_SOCKET, EMFILE},
                  {FAKE_CONNECT, ENETUNREACH},
                  {FAKE_SENDMSG, ENOBUFS},
                  {FAKE_RECVMSG, ECONNREFUSED}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        fake_sys_install();
        struct probe probe;
        fake_sys_fail(faults[i].call, 1, 1, faults[i].code); /* once: a second try succeeds */
        resolve(&probe, "zero.test", 0);
        fake_sys_fail(faults[i].call, 1, 1000, faults[i].code); /* always */
        resolve(&probe, "zero.test", 0);
        assert_int_not_equal(probe.got[0].err, 0);
        assert_int_not_equal(probe.got[1].err, 0);
        fake_sys_remove();
        resolve(&probe, "zero.test", 0); /* recovered */
        assert_int_equal(probe.got[0].err, 0);
    }
}

/* Each allocation failing in turn, whichever thread makes it: either no resolution, or both
 * answers; and the next one works. */
static void memory_runs_out(void **state) {
    (void)state;
    unsigned missed = 0;
    for (unsigned long n = 1; n < 200 && missed < 3; n++) {
        struct probe probe = {.context = &context, .options = {.resolver = resolver}};
        nwi_alloc_fail_at(n);
        pthread_mutex_lock(&lock);
        probe.resolution =
            nwi_resolve_start("zero.test", &probe.options, &context, on_answer, &probe);
        bool started = probe.resolution != NULL;
        pthread_mutex_unlock(&lock);
        if (started) {
            wait_until(NULL, &probe.answers, 2);
            finish(&probe);
        }
        missed += !nwi_alloc_fault_hit(); /* three in a row beyond the last allocation: all have had
                                             their turn */
        nwi_alloc_fail_at(0);
        struct probe after;
        resolve(&after, "zero.test", 0);
        assert_int_equal(after.got[0].err, 0);
        assert_int_equal(after.got[1].err, 0);
    }
    assert_int_equal(missed, 3);
}

int main(void) {
    scene_init();
    const struct CMUnitTest tests[] = {
        PATIENT(cancel_at_once_is_quick), T(cancel_inside_the_handler),
        T(cancel_between_the_answers),    T(cancel_at_every_point),
        PATIENT(close_ends_what_waits),   PATIENT(flush_asks_anew),
        T(failing_system_calls),          T(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
