/*
 * timers_uv.c - uv_timer_t, an allocation each, on one loop.
 */
#include "timers.h"
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

static uv_loop_t loop;
static uv_timer_t **timers;
static unsigned unfired;

static void fired(uv_timer_t *timer) {
    (void)timer;
    if (--unfired == 0)
        uv_stop(&loop);
}

static void freed(uv_handle_t *handle) {
    free(handle);
}

static void prepare(unsigned count) {
    if (timers == NULL) {
        timers = calloc(count, sizeof *timers);
        if (timers == NULL || uv_loop_init(&loop) != 0)
            bench_die("timers", ENOMEM);
    }
    unfired = count;
}

static void set_anew(unsigned place, unsigned ms) {
    uv_update_time(&loop); /* what a time counts from */
    if (uv_timer_start(timers[place], fired, ms, 0) != 0)
        bench_die("uv_timer_start", EINVAL);
}

static void arm(unsigned place, unsigned ms) {
    timers[place] = malloc(sizeof *timers[place]);
    if (timers[place] == NULL)
        bench_die("timers", ENOMEM);
    uv_timer_init(&loop, timers[place]);
    set_anew(place, ms);
}

static void cancel(unsigned place) {
    uv_timer_stop(timers[place]);
    uv_close((uv_handle_t *)timers[place], freed);
}

static void turn(void) {
    uv_run(&loop, UV_RUN_DEFAULT);
}

void timers_run_uv(const struct run_order *order, double ret_values[]) {
    static const struct timers_make make = {prepare, arm, set_anew, cancel, turn, turn};
    timers_run(&make, order, ret_values);
}
