/*
 * run.c - see run.h.
 * Runs:   one thread; in a server also the one that answers.
 */
#include "run.h"
#include "child.h"
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROWS_MAX = 32,
    LIMIT_S = 60
}; /* for a process to begin, and beyond the length of the measurement */

const char *const run_notes[] = {
#ifndef BENCH_UV
    "libuv is not installed: left out",
#endif
#ifndef BENCH_EVENT
    "libevent is not installed: left out",
#endif
    NULL};

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double run_part(double *samples, unsigned count, double part) {
    qsort(samples, count, sizeof *samples, compare);
    unsigned place = (unsigned)ceil(part * count);
    return count == 0 ? 0 : samples[place > 0 ? place - 1 : 0];
}

/* --- the program that measures --- */

static bool ask(struct bench_child *server, double *ret_values) {
    return bench_child_tell(server) &&
           bench_child_numbers(server, LIMIT_S, BENCH_FIGURES_MAX, ret_values);
}

/* `server` is NULL when there is none. It is asked while the driver still holds what it made. */
static bool run_driver(const struct run_work *work, double seconds, double port,
                       struct bench_child *server, double *ret_values) {
    char length[32], number[16];
    struct bench_child driver;
    snprintf(length, sizeof length, "%g", seconds);
    snprintf(number, sizeof number, "%.0f", port);
    char *argv[] = {(char *)"bench",
                    (char *)"--run",
                    (char *)work->make,
                    (char *)work->name,
                    length,
                    number,
                    NULL};
    if (work->server_figures && !ask(server, ret_values))
        return false;
    if (bench_child_start(&driver, NULL, argv) != 0)
        return false;
    bool good = bench_child_numbers(&driver, seconds + LIMIT_S, BENCH_FIGURES_MAX, ret_values);
    if (good && work->server_figures)
        good = ask(server, ret_values);
    bench_child_end(&driver);
    return good;
}

bool run_measure(const void *what, double seconds, double *ret_values) {
    const struct run_work *work = what;
    struct bench_child server;
    if (work->server == NULL)
        return run_driver(work, seconds, 0, NULL, ret_values);
    char *argv[] = {(char *)"bench", (char *)"--serve", (char *)work->server, (char *)work->name,
                    NULL};
    if (bench_child_start(&server, NULL, argv) != 0)
        return false;
    double port = bench_child_number(&server, LIMIT_S);
    bool good = port > 0 && run_driver(work, seconds, port, &server, ret_values);
    bench_child_end(&server);
    return good;
}

/* --- the processes --- */

static void print_figures(const double values[]) {
    for (unsigned i = 0; i < BENCH_FIGURES_MAX; i++)
        printf("%.9g ", values[i]);
    printf("\n");
    fflush(stdout);
}

/* True: told to go on. False: nobody is there any more. */
static bool wait_told(void) {
    char octet;
    ssize_t got;
    do
        got = read(STDIN_FILENO, &octet, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
}

struct answers {
    void (*begin)(void);
    void (*fill)(double ret_values[]);
};

static void *answer(void *argument) {
    const struct answers *answers = argument;
    for (unsigned asked = 0; wait_told(); asked++) {
        double values[BENCH_FIGURES_MAX] = {0};
        if (asked == 0 && answers->begin != NULL)
            answers->begin();
        if (asked > 0 && answers->fill != NULL)
            answers->fill(values);
        print_figures(values);
    }
    _exit(EXIT_SUCCESS);
}

void run_serving(uint16_t port, void (*begin)(void), void (*fill)(double ret_values[])) {
    static struct answers answers;
    pthread_t thread;
    answers = (struct answers){begin, fill};
    int err = pthread_create(&thread, NULL, answer, &answers);
    if (err != 0)
        bench_die("pthread_create", err);
    printf("%u\n", port);
    fflush(stdout);
}

static const struct run_make *find_make(const struct run_make *makes, const char *name) {
    while (makes->name != NULL && strcmp(makes->name, name) != 0)
        makes++;
    return makes;
}

/* --run MAKE NAME SECONDS PORT. Leaves without tidying up, since loops may still run. */
static int run_here(const struct run_make *makes, char **argument) {
    double values[BENCH_FIGURES_MAX] = {0};
    const struct run_make *make = find_make(makes, argument[0]);
    struct run_order order = {argument[1], strtod(argument[2], NULL),
                              (uint16_t)strtoul(argument[3], NULL, 10)};
    if (make->run == NULL)
        return 2;
    make->run(&order, values);
    print_figures(values);
    while (wait_told())
        ;
    _exit(EXIT_SUCCESS);
}

/* --serve MAKE NAME */
static int serve_here(const struct run_make *makes, char **argument) {
    const struct run_make *make = find_make(makes, argument[0]);
    if (make->serve == NULL)
        return 2;
    make->serve(argument[1]);
    return EXIT_FAILURE;
}

/* --- what can be measured here --- */

static bool can_do(const struct run_make *makes, const struct run_work *work) {
    return find_make(makes, work->make)->run != NULL &&
           (work->server == NULL || find_make(makes, work->server)->serve != NULL);
}

static void leave_out_sides(struct bench_row *row, const struct run_make *makes) {
    unsigned kept = 0;
    for (unsigned i = 0; i < BENCH_SIDES_MAX && row->sides[i].name != NULL; i++) {
        if (can_do(makes, row->sides[i].what))
            row->sides[kept++] = row->sides[i];
    }
    if (kept < BENCH_SIDES_MAX)
        row->sides[kept].name = NULL;
}

int run_main(int argc, char **argv, const struct bench_program *program,
             const struct run_make *makes) {
    struct bench_row rows[ROWS_MAX];
    struct bench_program possible = *program;
    if (argc == 6 && strcmp(argv[1], "--run") == 0)
        return run_here(makes, argv + 2);
    if (argc == 4 && strcmp(argv[1], "--serve") == 0)
        return serve_here(makes, argv + 2);
    for (unsigned i = 0; i < program->count && i < ROWS_MAX; i++) {
        rows[i] = program->rows[i];
        leave_out_sides(&rows[i], makes);
    }
    possible.rows = rows;
    return bench_main(argc, argv, &possible);
}
