/*
 * harness.h - measures libnw and its peers in turn and says how they compare.
 * What:   a row is one workload with its sides: libnw first, then the peers. Each round measures every
 *         side once, and each round begins with another one, so that a busy minute of the machine
 *         hits all of them. The result is the median of each side with its spread, and per peer the
 *         median of the ratios libnw / peer, taken round by round.
 * Runs:   one thread.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>

enum {
    BENCH_ROUNDS_MAX = 99,
    BENCH_SIDES_MAX = 8,
    BENCH_FIGURES_MAX = 4, /* what one measurement can yield */
};

/* One measurement of one side. Fills as many values as the row has figures; all must be positive.
 * False: it failed, and stderr says why. */
typedef bool (*bench_measure)(const void *what, double seconds, double *ret_values);

struct bench_figure {
    const char *name; /* follows the row's name in the table; NULL when it is the only figure */
    const char *unit; /* "round trips/s"; NULL ends the list */
    bool less;        /* less is better: a goal is an upper bound */
    bool full;        /* the table shows it with --full only; JSON always */
};

struct bench_side {
    const char *name; /* "bare epoll"; NULL ends the list */
    const void *what; /* handed to measure */
    /* The ratio libnw / this side to reach, figure by figure; 0 = none set. A row with one side
     * only has its goals there, for the values themselves. */
    double goals[BENCH_FIGURES_MAX];
};

struct bench_row {
    const char *name; /* "echo server, 64 x 16 KiB" */
    bench_measure measure;
    struct bench_figure figures[BENCH_FIGURES_MAX];
    struct bench_side sides[BENCH_SIDES_MAX];
    bool full; /* runs with --full only */
};

struct bench_program {
    const char *name;         /* "echo" */
    const char *title;        /* "TCP echo over 127.0.0.1" */
    const char *subject;      /* what the first side of each row is; NULL = "libnw" */
    const char *const *notes; /* lines under the title up to NULL, or NULL: missing peers */
    const struct bench_row *rows;
    unsigned count;
    double seconds; /* length of one measurement by default; 0 = BENCH_SECONDS */
};

enum bench_form { BENCH_TABLE, BENCH_MARKDOWN, BENCH_JSON };

struct bench_options {
    unsigned rounds;  /* odd makes the median a measured value */
    double seconds;   /* how long one measurement lasts */
    const char *only; /* substring of the rows to run; NULL = all */
    bool full;
    enum bench_form form;
};

/* Medians over the rounds. */
struct bench_result {
    double value[BENCH_SIDES_MAX][BENCH_FIGURES_MAX];
    double spread[BENCH_SIDES_MAX][BENCH_FIGURES_MAX]; /* half the quartile distance / the median */
    double ratio[BENCH_SIDES_MAX][BENCH_FIGURES_MAX];  /* side 0 / this side */
};

enum { BENCH_EXIT_NO_ROW = 3 };
#define BENCH_SECONDS 0.4

/* The whole of a program's main: reads --rounds N, --seconds S, --only TEXT, --full, --markdown,
 * --json,
 * --help, runs the rows and prints them. Returns an exit status: 1 when a measurement failed, 2 for
 * wrong use, BENCH_EXIT_NO_ROW when --only names none. A goal that was missed is shown and fails
 * nothing: a busy machine is no defect. */
int bench_main(int argc, char **argv, const struct bench_program *program);

/* The two halves of bench_main. bench_parse false: the program should end with *ret_status. */
bool bench_parse(int argc, char **argv, const struct bench_program *program,
                 struct bench_options *ret_options, int *ret_status);
int bench_run(const struct bench_program *program, const struct bench_options *options);

/* The statistics. Both sort the values. */
double bench_median(double *values, unsigned count);
double bench_spread(double *values, unsigned count);

/* Seconds: of the monotonic clock; of processor time that this process has used, all threads. */
double bench_now(void);
double bench_cpu(void);
void bench_pause(double seconds);

#endif
