/*
 * timer.c - a timer over a dispatch source.
 * Runs:   on the main queue.
 * Owns:   the source; its memory goes with the source's cancel handler, after the last call.
 */
#include "common/timer.h"

#include <dispatch/dispatch.h>
#include <stdlib.h>

struct tool_timer {
    dispatch_source_t source;
    void *context;
    void (*fire)(void *context); /* NULL once freed */
    bool repeat, armed;
};

static void on_event(void *context) {
    struct tool_timer *timer = context;
    if (timer->fire == NULL || !timer->armed)
        return;
    timer->armed = timer->repeat;
    timer->fire(timer->context);
}

static void on_cancel(void *context) {
    struct tool_timer *timer = context;
    dispatch_release(timer->source);
    free(timer);
}

struct tool_timer *tool_timer_create(void *context, void (*fire)(void *context), bool repeat) {
    struct tool_timer *timer = calloc(1, sizeof *timer);
    if (timer == NULL)
        return NULL;
    timer->source =
        dispatch_source_create(DISPATCH_SOURCE_TYPE_TIMER, 0, 0, dispatch_get_main_queue());
    if (timer->source == NULL) {
        free(timer);
        return NULL;
    }
    timer->context = context;
    timer->fire = fire;
    timer->repeat = repeat;
    dispatch_set_context(timer->source, timer);
    dispatch_source_set_event_handler_f(timer->source, on_event);
    dispatch_source_set_cancel_handler_f(timer->source, on_cancel);
    dispatch_source_set_timer(timer->source, DISPATCH_TIME_FOREVER, DISPATCH_TIME_FOREVER, 0);
    dispatch_activate(timer->source);
    return timer;
}

void tool_timer_set(struct tool_timer *timer, double seconds) {
    if (timer == NULL)
        return;
    int64_t delay = (int64_t)(seconds * 1e9);
    uint64_t interval = timer->repeat && delay > 0 ? (uint64_t)delay : DISPATCH_TIME_FOREVER;
    timer->armed = true;
    dispatch_source_set_timer(timer->source, dispatch_time(DISPATCH_TIME_NOW, delay), interval,
                              NSEC_PER_MSEC);
}

void tool_timer_stop(struct tool_timer *timer) {
    if (timer == NULL || !timer->armed)
        return;
    timer->armed = false;
    dispatch_source_set_timer(timer->source, DISPATCH_TIME_FOREVER, DISPATCH_TIME_FOREVER, 0);
}

void tool_timer_free(struct tool_timer *timer) {
    if (timer == NULL)
        return;
    timer->fire = NULL;
    timer->armed = false;
    dispatch_source_cancel(timer->source);
}
