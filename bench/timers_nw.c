/*
 * timers_nw.c - dispatch sources of type TIMER, all on one serial queue.
 * Runs:   the handlers on that queue, the rest on the main thread.
 */
#include "timers.h"
#include <dispatch/dispatch.h>
#include <errno.h>
#include <stdlib.h>

static dispatch_queue_t queue;
static dispatch_source_t *sources;
static unsigned unfired; /* touched by the queue once the timers are armed */
static dispatch_semaphore_t all_fired;

static void fired(void *context) {
    (void)context;
    if (--unfired == 0)
        dispatch_semaphore_signal(all_fired);
}

static void prepare(unsigned count) {
    if (queue == NULL) {
        queue = dispatch_queue_create("timers", DISPATCH_QUEUE_SERIAL);
        sources = calloc(count, sizeof *sources);
        all_fired = dispatch_semaphore_create(0);
    }
    if (sources == NULL)
        bench_die("timers", ENOMEM);
    unfired = count;
}

static dispatch_time_t in_ms(unsigned ms) {
    return dispatch_time(DISPATCH_TIME_NOW, (int64_t)ms * (int64_t)NSEC_PER_MSEC);
}

static void arm(unsigned place, unsigned ms) {
    dispatch_source_t source = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, queue);
    dispatch_source_set_event_handler_f(source, fired);
    dispatch_source_set_timer(source, in_ms(ms), DISPATCH_TIME_FOREVER, 0);
    dispatch_activate(source);
    sources[place] = source;
}

static void set_anew(unsigned place, unsigned ms) {
    dispatch_source_set_timer(sources[place], in_ms(ms), DISPATCH_TIME_FOREVER, 0);
}

static void cancel(unsigned place) {
    dispatch_source_cancel(sources[place]);
    dispatch_release(sources[place]);
}

static void nothing(void *context) {
    (void)context;
}

/* A source that has something to do yet does it on the queue; then this comes. */
static void wait_gone(void) {
    dispatch_sync_f(queue, NULL, nothing);
}

static void wait_fired(void) {
    dispatch_semaphore_wait(all_fired, DISPATCH_TIME_FOREVER);
}

void timers_run_nw(const struct run_order *order, double ret_values[]) {
    static const struct timers_make make = {prepare, arm, set_anew, cancel, wait_gone, wait_fired};
    timers_run(&make, order, ret_values);
}
