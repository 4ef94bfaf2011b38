/*
 * test_harness.c - the statistics, the turn-taking and the printing that every reported ratio rests
 * on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* Ours is twice as fast as t, four times as fast as u, and all get slower with time: only the
 * ratios of one round see the 2 and the 4. The second figure is the turn. */
static bool measure(const void *what, double seconds, double *ret_values) {
    (void)seconds;
    char side = *(const char *)what;
    double slower = 1 + calls / 3;
    order[calls++] = side;
    ret_values[0] = (side == 'o' ? 4000.0 : side == 't' ? 2000.0 : 1000.0) / slower;
    ret_values[1] = calls;
    return true;
}

static bool broken(const void *what, double seconds, double *ret_values) {
    (void)what, (void)seconds;
    ret_values[0] = 0; /* no figure: a failure as well */
    return true;
}

static int run(const struct bench_row *row, const struct bench_options *options) {
    struct bench_program program = {.name = "p", .title = "t", .rows = row, .count = 1};
    return bench_run(&program, options);
}

static const struct bench_row three_sides = {
    .name = "row",
    .measure = measure,
    .figures = {{.unit = "x/s"}, {.name = "turn", .unit = "", .less = true}},
    .sides = {{"libnw", "o", {0}}, {"peer t", "t", {1.5}}, {"peer u", "u", {0}}},
};

/* Runs one row with its output in a file, and returns that. */
static const char *output_of(const struct bench_row *row, enum bench_form form) {
    static char text[8192];
    struct bench_options options = {.rounds = 3, .seconds = 1, .form = form};
    memset(order, 0, sizeof order);
    calls = 0;
    fflush(stdout);
    FILE *file = tmpfile();
    int kept = dup(STDOUT_FILENO);
    assert_non_null(file);
    assert_true(kept >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    int status = run(row, &options);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_int_equal(status, 0);
    return text;
}

static void sides_take_turns(void **state) {
    (void)state;
    const char *json = output_of(&three_sides, BENCH_JSON);
    assert_string_equal(order, "otutuouot");
    assert_non_null(strstr(json, "{\"name\": \"peer t\", \"median\": 1000, \"spread\": 0.3333, "
                                 "\"ratio\": 2.0000, \"goal\": 1.5}"));
    assert_non_null(strstr(json, "{\"name\": \"peer u\", \"median\": 500, \"spread\": 0.3333, "
                                 "\"ratio\": 4.0000, \"goal\": 0}"));
    assert_non_null(strstr(json, "\"unit\": \"\", \"better\": \"less\""));
}

static void table_has_a_line_for_each_peer_and_figure(void **state) {
    (void)state;
    const char *table = output_of(&three_sides, BENCH_TABLE);
    unsigned lines = 0;
    for (const char *at = strstr(table, "\n| row"); at != NULL; at = strstr(at + 1, "\n| row"))
        lines++;
    assert_int_equal(lines, 4);
    assert_non_null(strstr(table, "| peer t        | 2.00  | >= 1.5  |"));
    assert_non_null(strstr(table, "| row: turn "));

    struct bench_row quiet = three_sides;
    quiet.figures[1].full = true;
    assert_null(strstr(output_of(&quiet, BENCH_TABLE), "| row: turn "));
    assert_non_null(strstr(output_of(&quiet, BENCH_JSON), "\"turn\""));

    struct bench_row alone = {.name = "row",
                              .measure = measure,
                              .figures = {{.unit = "KiB", .less = true}},
                              .sides = {{"libnw", "o", {1.5}}}};
    assert_non_null(strstr(output_of(&alone, BENCH_TABLE), "|               |       | <= 1.5  |"));
}

static void failure_and_no_such_row(void **state) {
    (void)state;
    struct bench_row row = {.name = "row",
                            .measure = broken,
                            .figures = {{.unit = "x/s"}},
                            .sides = {{"libnw", "o", {0}}}};
    struct bench_options options = {.rounds = 1, .seconds = 1};
    assert_int_equal(run(&row, &options), 1);
    options.only = "other";
    assert_int_equal(run(&row, &options), BENCH_EXIT_NO_ROW);
    options.only = NULL;
    row.full = true;
    assert_int_equal(run(&row, &options), BENCH_EXIT_NO_ROW);
    options.full = true;
    assert_int_equal(run(&row, &options), 1);
}

static bool parse(char **argv, struct bench_options *ret_options, int *ret_status) {
    static const struct bench_program program = {.name = "b", .title = "t", .seconds = 2};
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    return bench_parse(argc, argv, &program, ret_options, ret_status);
}

static void arguments(void **state) {
    (void)state;
    struct bench_options options;
    int status;
    char *good[] = {(char *)"b",      (char *)"--rounds", (char *)"7",
                    (char *)"--json", (char *)"--full",   NULL};
    assert_true(parse(good, &options, &status));
    assert_int_equal(options.rounds, 7);
    assert_int_equal(options.form, BENCH_JSON);
    assert_true(options.full);
    near(options.seconds, 2);
    char *bad[] = {(char *)"b", (char *)"--rounds", (char *)"0", NULL};
    assert_false(parse(bad, &options, &status));
    assert_int_equal(status, 2);
    char *unknown[] = {(char *)"b", (char *)"--what", (char *)"3", NULL};
    assert_false(parse(unknown, &options, &status));
    char *no_value[] = {(char *)"b", (char *)"--only", NULL};
    assert_false(parse(no_value, &options, &status));
    assert_int_equal(status, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_and_spread),
        cmocka_unit_test(sides_take_turns),
        cmocka_unit_test(table_has_a_line_for_each_peer_and_figure),
        cmocka_unit_test(failure_and_no_such_row),
        cmocka_unit_test(arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
