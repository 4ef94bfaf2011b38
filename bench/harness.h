/*
 * harness.h - runs two programs of measurement in turn and says how they compare.
 * What:   each row is one workload, measured for libnw ("ours") and for a peer. The two are run
 *         alternately, and in changing order, within one run, so that a busy minute of the machine
 *         hits both. The result is the median of each with its spread, and the median of the ratios
 *         of the pairs.
 * Runs:   one thread.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdbool.h>
#include <stdio.h>

enum { BENCH_ROUNDS_MAX = 99, BENCH_ROWS_MAX = 64 };

struct bench_options {
    unsigned rounds;  /* pairs a row; odd makes the median a measured value */
    double seconds;   /* how long one measurement lasts */
    const char *only; /* substring of the rows to run; NULL = all */
    bool json;        /* JSON on stdout instead of the table */
};

/* One measurement: `what` is the caller's. Returns a rate (more is better), or a negative number
 * when it failed. */
typedef double (*bench_measure)(const void *what, double seconds);

struct bench_row {
    const char *name; /* "echo server, 64 connections, 16 KiB" */
    const char *peer; /* "bare epoll" */
    const char *unit; /* "round trips/s" */
    bench_measure measure;
    const void *ours, *theirs; /* handed to measure */
    double goal;               /* the ratio to reach; 0 = none set */
};

struct bench_result {
    double ours, theirs; /* medians */
    double ours_spread,
        theirs_spread; /* half the distance between the quartiles, as a part of the median */
    double ratio;      /* median of ours / theirs, pair by pair */
};

/* Reads --rounds N, --seconds S, --only TEXT, --json, --help. False: the program should end with
 * *ret_status. */
bool bench_parse(int argc, char **argv, struct bench_options *ret_options, int *ret_status);
/* Runs the rows and prints them. Returns an exit status: 1 when a measurement failed. A goal that
 * was missed is shown and fails nothing: a busy machine is no defect. */
int bench_run(const char *title, const struct bench_row *rows, unsigned count,
              const struct bench_options *options);

/* The statistics, for their test. Sorts the values. */
double bench_median(double *values, unsigned count);
double bench_spread(double *values, unsigned count);

#endif
