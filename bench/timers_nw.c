/*
 * timers_nw.c - dispatch sources of type TIMER, all on one serial queue.
 * Runs:   the handlers on that queue, the rest on the main thread.
 */
#include "timers.h"
#include <dispatch/dispatch.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/* What the two waits wait for: the last of so many. */
struct countdown {
    _Atomic unsigned left;
    dispatch_semaphore_t done;
};

static dispatch_queue_t queue;
static dispatch_source_t *sources;
static struct countdown unfired, unfreed;

static void one_less(struct countdown *countdown) {
    if (atomic_fetch_sub(&countdown->left, 1) == 1)
        dispatch_semaphore_signal(countdown->done);
}

static void fired(void *context) {
    (void)context;
    one_less(&unfired);
}

static void freed(void *context) {
    one_less(context);
}

static void prepare(unsigned count) {
    if (queue == NULL) {
        queue = dispatch_queue_create("timers", DISPATCH_QUEUE_SERIAL);
        sources = calloc(count, sizeof *sources);
        unfired.done = dispatch_semaphore_create(0);
        unfreed.done = dispatch_semaphore_create(0);
    }
    if (sources == NULL)
        run_die("timers", ENOMEM);
    atomic_store(&unfired.left, count);
    atomic_store(&unfreed.left, count);
}

static dispatch_time_t in_ms(unsigned ms) {
    return dispatch_time(DISPATCH_TIME_NOW, (int64_t)ms * (int64_t)NSEC_PER_MSEC);
}

static void arm(unsigned place, unsigned ms) {
    dispatch_source_t source = dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, queue);
    dispatch_set_context(source, &unfreed);
    dispatch_set_finalizer_f(source, freed);
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

static void wait_gone(void) {
    dispatch_semaphore_wait(unfreed.done, DISPATCH_TIME_FOREVER);
}

static void wait_fired(void) {
    dispatch_semaphore_wait(unfired.done, DISPATCH_TIME_FOREVER);
}

void timers_run_nw(const struct run_order *order, double ret_values[]) {
    static const struct timers_make make = {prepare, arm, set_anew, cancel, wait_gone, wait_fired};
    timers_run(&make, order, ret_values);
}
