/*
 * ready.h - how long a connection takes to be established, in several makes.
 * What:   one after the other, each reset before the next begins. "thread": begun by a plain thread
 *         that then sleeps; "queue": begun where the last one ended, on the queue (loop).
 *         Figures: what half of them, and 99 of a hundred, do not exceed, in microseconds.
 */
#ifndef BENCH_READY_H
#define BENCH_READY_H

#include "run.h"

enum { READY_SAMPLES_MAX = 20000 };

struct ready_samples {
    double micros[READY_SAMPLES_MAX];
    unsigned count;
    double end; /* when to stop */
};

void ready_begin(struct ready_samples *samples, double seconds);
/* One more, begun then. False: it is enough. */
bool ready_add(struct ready_samples *samples, double begun);
void ready_fill(struct ready_samples *samples, double ret_values[]);

void ready_serve(const char *name);
void ready_run_nw(const struct run_order *order, double ret_values[]);
void ready_run_bare(const struct run_order *order, double ret_values[]);
void ready_run_uv(const struct run_order *order, double ret_values[]);

#endif
