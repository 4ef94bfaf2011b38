/*
 * harness.c - pairs, medians, table and JSON.
 * What:   see harness.h.
 * Runs:   one thread.
 */
#include "harness.h"
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

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

static void usage(const char *program, FILE *out) {
    fprintf(out,
            "Usage: %s [--rounds N] [--seconds S] [--only TEXT] [--json]\n"
            "  --rounds N   pairs a row (default 5)\n"
            "  --seconds S  length of one measurement (default 0.6)\n"
            "  --only TEXT  only the rows whose name contains TEXT\n"
            "  --json       JSON instead of the table\n",
            program);
}

bool bench_parse(int argc, char **argv, struct bench_options *ret_options, int *ret_status) {
    struct bench_options options = {.rounds = 5, .seconds = 0.6};
    *ret_status = 2;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--json") == 0) {
            options.json = true;
        } else if (strcmp(argv[i], "--help") == 0) {
            usage(argv[0], stdout);
            *ret_status = 0;
            return false;
        } else if (strcmp(argv[i], "--rounds") == 0 && value != NULL) {
            options.rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seconds") == 0 && value != NULL) {
            options.seconds = strtod(argv[++i], NULL);
        } else if (strcmp(argv[i], "--only") == 0 && value != NULL) {
            options.only = argv[++i];
        } else {
            usage(argv[0], stderr);
            return false;
        }
    }
    if (options.rounds < 1 || options.rounds > BENCH_ROUNDS_MAX || !(options.seconds > 0)) {
        usage(argv[0], stderr);
        return false;
    }
    *ret_options = options;
    *ret_status = 0;
    return true;
}

/* Runs one row. False when a measurement failed (said on stderr). */
static bool measure_row(const struct bench_row *row, const struct bench_options *options,
                        struct bench_result *ret_result) {
    double ours[BENCH_ROUNDS_MAX], theirs[BENCH_ROUNDS_MAX], ratios[BENCH_ROUNDS_MAX];
    for (unsigned i = 0; i < options->rounds; i++) {
        bool ours_first = i % 2 == 0;
        for (unsigned turn = 0; turn < 2; turn++) {
            bool mine = (turn == 0) == ours_first;
            double *slot = mine ? &ours[i] : &theirs[i];
            *slot = row->measure(mine ? row->ours : row->theirs, options->seconds);
            if (!(*slot > 0)) {
                fprintf(stderr, "bench: %s: the measurement of %s failed\n", row->name,
                        mine ? "libnw" : row->peer);
                return false;
            }
        }
        ratios[i] = ours[i] / theirs[i];
    }
    ret_result->ratio = bench_median(ratios, options->rounds);
    ret_result->ours_spread = bench_spread(ours, options->rounds);
    ret_result->theirs_spread = bench_spread(theirs, options->rounds);
    ret_result->ours = bench_median(ours, options->rounds);
    ret_result->theirs = bench_median(theirs, options->rounds);
    return true;
}

static void print_head(const char *title, const struct bench_options *options) {
    struct utsname system = {0};
    uname(&system);
    if (options->json) {
        printf("{\"title\": \"%s\", \"kernel\": \"%s\", \"processors\": %ld, \"rounds\": %u, "
               "\"seconds\": %g,\n"
               " \"rows\": [",
               title, system.release, sysconf(_SC_NPROCESSORS_ONLN), options->rounds,
               options->seconds);
        return;
    }
    printf("%s\nLinux %s, %ld processors; %u pairs of %g s each, medians, +- half the quartile "
           "distance\n\n",
           title, system.release, sysconf(_SC_NPROCESSORS_ONLN), options->rounds, options->seconds);
    printf("| %-44s | %-16s | %-16s | %-12s | %-6s | %-5s |\n", "work", "libnw", "peer", "peer is",
           "ratio", "goal");
    printf("|%s|%s|%s|%s|%s|%s|\n", "---", "---", "---", "---", "---", "---");
}

static void print_row(const struct bench_row *row, const struct bench_result *result, bool json,
                      bool first) {
    if (json) {
        printf("%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"peer\": \"%s\", \"libnw\": %.1f, "
               "\"libnw_spread\": "
               "%.4f, \"other\": %.1f, \"other_spread\": %.4f, \"ratio\": %.4f, \"goal\": %.2f}",
               first ? "" : ",", row->name, row->unit, row->peer, result->ours, result->ours_spread,
               result->theirs, result->theirs_spread, result->ratio, row->goal);
    } else {
        char ours[32], theirs[32], goal[16] = "";
        snprintf(ours, sizeof ours, "%.0f +-%.0f%%", result->ours, result->ours_spread * 100);
        snprintf(theirs, sizeof theirs, "%.0f +-%.0f%%", result->theirs,
                 result->theirs_spread * 100);
        if (row->goal > 0)
            snprintf(goal, sizeof goal, "%.2f", row->goal);
        printf("| %-44s | %-16s | %-16s | %-12s | %-6.2f | %-5s |\n", row->name, ours, theirs,
               row->peer, result->ratio, goal);
    }
    fflush(stdout);
}

int bench_run(const char *title, const struct bench_row *rows, unsigned count,
              const struct bench_options *options) {
    int status = EXIT_SUCCESS;
    unsigned printed = 0;
    print_head(title, options);
    for (unsigned i = 0; i < count; i++) {
        struct bench_result result;
        if (options->only != NULL && strstr(rows[i].name, options->only) == NULL)
            continue;
        if (measure_row(&rows[i], options, &result))
            print_row(&rows[i], &result, options->json, printed++ == 0);
        else
            status = EXIT_FAILURE;
    }
    if (options->json)
        printf("\n]}\n");
    if (printed == 0 && status == EXIT_SUCCESS) {
        fprintf(stderr, "bench: no row is called that\n");
        status = 2;
    }
    return status;
}
