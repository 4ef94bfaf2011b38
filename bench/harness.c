/*
 * harness.c - options, turns and medians; see harness.h.
 * Runs:   one thread.
 */
#include "harness.h"
#include "report.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

double bench_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double bench_cpu(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void bench_pause(double seconds) {
    struct timespec left = {.tv_sec = (time_t)seconds,
                            .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* --- statistics --- */
static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Linear between neighbours; `values` is sorted. */
static double quantile(const double *values, unsigned count, double at) {
    double place = at * (count - 1);
    unsigned below = (unsigned)place;
    double rest = place - below;
    return below + 1 < count ? values[below] * (1 - rest) + values[below + 1] * rest
                             : values[count - 1];
}

double bench_median(double *values, unsigned count) {
    qsort(values, count, sizeof *values, compare_doubles);
    return count == 0 ? 0 : quantile(values, count, 0.5);
}

double bench_spread(double *values, unsigned count) {
    double median = bench_median(values, count);
    return median == 0
               ? 0
               : (quantile(values, count, 0.75) - quantile(values, count, 0.25)) / 2 / median;
}

/* --- options --- */
static void usage(const struct bench_program *program, FILE *out) {
    fprintf(out,
            "Usage: %s [--rounds N] [--seconds S] [--only TEXT] [--full] [--markdown | --json]\n"
            "  --rounds N   how often each side of a row is measured (default 5)\n"
            "  --seconds S  length of one measurement (default %g)\n"
            "  --only TEXT  only the rows whose name contains TEXT\n"
            "  --full       also the rows that take long\n"
            "  --markdown   the table with a heading, for a document\n"
            "  --json       JSON instead of the table\n",
            program->name, program->seconds > 0 ? program->seconds : BENCH_SECONDS);
}

/* Options without a value. False: `word` is none of them. */
static bool parse_switch(const char *word, struct bench_options *options) {
    if (strcmp(word, "--json") == 0)
        options->form = BENCH_JSON;
    else if (strcmp(word, "--markdown") == 0)
        options->form = BENCH_MARKDOWN;
    else if (strcmp(word, "--full") == 0)
        options->full = true;
    else
        return false;
    return true;
}

/* Options with a value. False: `word` is none of them, or the value is missing. */
static bool parse_value(const char *word, const char *value, struct bench_options *options) {
    if (value == NULL)
        return false;
    if (strcmp(word, "--rounds") == 0)
        options->rounds = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(word, "--seconds") == 0)
        options->seconds = strtod(value, NULL);
    else if (strcmp(word, "--only") == 0)
        options->only = value;
    else
        return false;
    return true;
}

bool bench_parse(int argc, char **argv, const struct bench_program *program,
                 struct bench_options *ret_options, int *ret_status) {
    struct bench_options options = {
        .rounds = 5, .seconds = program->seconds > 0 ? program->seconds : BENCH_SECONDS};
    bool good = true;
    for (int i = 1; i < argc && good; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            usage(program, stdout);
            *ret_status = 0;
            return false;
        }
        if (!parse_switch(argv[i], &options)) {
            good = parse_value(argv[i], i + 1 < argc ? argv[i + 1] : NULL, &options);
            i++;
        }
    }
    if (!good || options.rounds < 1 || options.rounds > BENCH_ROUNDS_MAX ||
        !(options.seconds > 0)) {
        usage(program, stderr);
        *ret_status = 2;
        return false;
    }
    *ret_options = options;
    *ret_status = 0;
    return true;
}

/* --- turns --- */
typedef double samples[BENCH_SIDES_MAX][BENCH_FIGURES_MAX][BENCH_ROUNDS_MAX];

static unsigned count_sides(const struct bench_row *row) {
    unsigned count = 0;
    while (count < BENCH_SIDES_MAX && row->sides[count].name != NULL)
        count++;
    return count;
}

static unsigned count_figures(const struct bench_row *row) {
    unsigned count = 0;
    while (count < BENCH_FIGURES_MAX && row->figures[count].unit != NULL)
        count++;
    return count;
}

/* One measurement into place `round` of every figure. False: failed (said on stderr). */
static bool measure_side(const struct bench_row *row, unsigned side, unsigned round, double seconds,
                         samples taken) {
    double values[BENCH_FIGURES_MAX] = {0};
    bool good = row->measure(row->sides[side].what, seconds, values);
    for (unsigned f = 0; good && f < count_figures(row); f++) {
        taken[side][f][round] = values[f];
        good = values[f] > 0;
    }
    if (!good)
        fprintf(stderr, "bench: %s: the measurement of %s failed\n", row->name,
                row->sides[side].name);
    return good;
}

static void summarize(const struct bench_row *row, unsigned rounds, samples taken,
                      struct bench_result *ret_result) {
    double ratios[BENCH_ROUNDS_MAX];
    unsigned sides = count_sides(row), figures = count_figures(row);
    for (unsigned f = 0; f < figures; f++) {
        for (unsigned s = 0; s < sides; s++) {
            for (unsigned i = 0; i < rounds; i++)
                ratios[i] = taken[0][f][i] / taken[s][f][i];
            ret_result->ratio[s][f] = bench_median(ratios, rounds);
        }
        for (unsigned s = 0; s < sides; s++) { /* sorts, so only when the pairs are done with */
            ret_result->spread[s][f] = bench_spread(taken[s][f], rounds);
            ret_result->value[s][f] = bench_median(taken[s][f], rounds);
        }
    }
}

/* False: a measurement failed. */
static bool measure_row(const struct bench_row *row, const struct bench_options *options,
                        struct bench_result *ret_result) {
    samples taken;
    unsigned sides = count_sides(row);
    for (unsigned round = 0; round < options->rounds; round++) {
        for (unsigned turn = 0; turn < sides; turn++) {
            if (!measure_side(row, (round + turn) % sides, round, options->seconds, taken))
                return false;
        }
    }
    summarize(row, options->rounds, taken, ret_result);
    return true;
}

static bool chosen(const struct bench_row *row, const struct bench_options *options) {
    return (options->full || !row->full) &&
           (options->only == NULL || strstr(row->name, options->only) != NULL);
}

int bench_run(const struct bench_program *program, const struct bench_options *options) {
    int status = EXIT_SUCCESS;
    unsigned wanted = 0, printed = 0;
    for (unsigned i = 0; i < program->count; i++)
        wanted += chosen(&program->rows[i], options);
    if (wanted == 0) {
        fprintf(stderr, "bench: %s has no row that is called '%s'%s\n", program->name,
                options->only != NULL ? options->only : "", options->full ? "" : " without --full");
        return BENCH_EXIT_NO_ROW;
    }
    bench_report_head(program, options);
    for (unsigned i = 0; i < program->count; i++) {
        struct bench_result result;
        const struct bench_row *row = &program->rows[i];
        if (!chosen(row, options))
            continue;
        if (measure_row(row, options, &result))
            bench_report_row(row, &result, options, printed++ == 0);
        else
            status = EXIT_FAILURE;
    }
    bench_report_end(options->form);
    return status;
}

int bench_main(int argc, char **argv, const struct bench_program *program) {
    struct bench_options options;
    int status;
    if (!bench_parse(argc, argv, program, &options, &status))
        return status;
    return bench_run(program, &options);
}
