/*
 * test_harness.c - the statistics and the turn-taking that every reported ratio rests on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"
#include <string.h>

static void near(double a, double b) {
    assert_true(a - b < 1e-9 && b - a < 1e-9);
}

static void median_and_spread(void **state) {
    (void)state;
    double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 2}, flat[] = {7, 7, 7},
           five[] = {10, 8, 9, 11, 12};
    near(bench_median(odd, 3), 5);
    near(bench_median(even, 4), 2.5);
    near(bench_spread(flat, 3), 0);
    near(bench_spread(five, 5), (11.0 - 9.0) / 2 / 10);
    near(bench_median(odd, 1), 1); /* sorted above: one value is its own median */
}

static char order[16];
static unsigned calls;

/* Ours is twice as fast, and both get slower with time: only pairs see the 2. */
static double measure(const void *what, double seconds) {
    (void)seconds;
    order[calls] = *(const char *)what;
    return (*(const char *)what == 'o' ? 2000.0 : 1000.0) / (double)(1 + calls++ / 2);
}

static double broken(const void *what, double seconds) {
    (void)what, (void)seconds;
    return -1;
}

static void pairs_alternate(void **state) {
    (void)state;
    struct bench_row row = {
        .name = "row", .peer = "p", .unit = "x/s", .measure = measure, .ours = "o", .theirs = "t"};
    struct bench_options options = {.rounds = 3, .seconds = 1, .json = true};
    memset(order, 0, sizeof order);
    calls = 0;
    assert_int_equal(bench_run("t", &row, 1, &options), 0);
    assert_string_equal(order, "ottoot");
}

static void failure_and_no_such_row(void **state) {
    (void)state;
    struct bench_row row = {
        .name = "row", .peer = "p", .unit = "x/s", .measure = broken, .ours = "o", .theirs = "t"};
    struct bench_options options = {.rounds = 1, .seconds = 1};
    assert_int_equal(bench_run("t", &row, 1, &options), 1);
    options.only = "other";
    assert_int_equal(bench_run("t", &row, 1, &options), 2);
}

static void arguments(void **state) {
    (void)state;
    struct bench_options options;
    int status;
    char *good[] = {(char *)"b",      (char *)"--rounds",  (char *)"7",
                    (char *)"--json", (char *)"--seconds", (char *)"0.1"};
    assert_true(bench_parse(6, good, &options, &status));
    assert_int_equal(options.rounds, 7);
    assert_true(options.json);
    char *bad[] = {(char *)"b", (char *)"--rounds", (char *)"0"};
    assert_false(bench_parse(3, bad, &options, &status));
    assert_int_equal(status, 2);
    char *unknown[] = {(char *)"b", (char *)"--what"};
    assert_false(bench_parse(2, unknown, &options, &status));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_and_spread),
        cmocka_unit_test(pairs_alternate),
        cmocka_unit_test(failure_and_no_such_row),
        cmocka_unit_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
