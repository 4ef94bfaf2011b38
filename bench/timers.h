/*
 * timers.h - many timers at once, in several makes.
 * What:   a work's name is the number of timers. Its figures, in timers a second: made and armed far
 *         in the future; set to another time; cancelled and freed, until the last one is really
 *         gone; fired, all due within TIMERS_SPREAD_MS, from when the first is due to the last
 * call.
 */
#ifndef BENCH_TIMERS_H
#define BENCH_TIMERS_H

#include "run.h"

enum { TIMERS_FAR_MS = 1000000, TIMERS_SPREAD_MS = 5 };

/* One make's way of doing it. `place` counts from 0; times are in ms from now. */
struct timers_make {
    void (*prepare)(unsigned count);
    void (*arm)(unsigned place, unsigned ms); /* makes the timer as well */
    void (*set_anew)(unsigned place, unsigned ms);
    void (*cancel)(unsigned place); /* and frees */
    void (*wait_gone)(void);        /* until all are freed */
    void (*wait_fired)(void);       /* until all that are armed have fired */
};

/* Carries the work out with one make and fills in the figures. */
void timers_run(const struct timers_make *make, const struct run_order *order, double ret_values[]);

void timers_run_nw(const struct run_order *order, double ret_values[]);
void timers_run_uv(const struct run_order *order, double ret_values[]);
void timers_run_event(const struct run_order *order, double ret_values[]);

#endif
