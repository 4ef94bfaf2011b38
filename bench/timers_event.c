/*
 * timers_event.c - libevent's evtimer, on one base.
 */
#include "timers.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

static struct event_base *base;
static struct event **timers;
static unsigned unfired;

static void fired(evutil_socket_t fd, short what, void *context) {
    (void)fd;
    (void)what;
    (void)context;
    if (--unfired == 0)
        event_base_loopbreak(base);
}

static void prepare(unsigned count) {
    if (timers == NULL) {
        timers = calloc(count, sizeof *timers);
        base = event_base_new();
        if (timers == NULL || base == NULL)
            bench_die("timers", ENOMEM);
    }
    unfired = count;
}

static void set_anew(unsigned place, unsigned ms) {
    struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (event_add(timers[place], &after) != 0)
        bench_die("event_add", ENOMEM);
}

static void arm(unsigned place, unsigned ms) {
    timers[place] = evtimer_new(base, fired, NULL);
    if (timers[place] == NULL)
        bench_die("timers", ENOMEM);
    set_anew(place, ms);
}

static void cancel(unsigned place) {
    event_free(timers[place]);
}

static void nothing_left(void) {}

static void turn(void) {
    event_base_dispatch(base);
}

void timers_run_event(const struct run_order *order, double ret_values[]) {
    static const struct timers_make make = {prepare, arm, set_anew, cancel, nothing_left, turn};
    timers_run(&make, order, ret_values);
}
