/*
 * timer.h - a timer that can be set, stopped and freed from anywhere on the main queue.
 * What:   a dispatch timer source whose function is never called after tool_timer_free.
 * Runs:   on the main queue, every function.
 */
#ifndef TOOL_TIMER_H
#define TOOL_TIMER_H

#include <stdbool.h>

struct tool_timer;

/* NULL when memory ran out. `repeat`: fires each time the delay passes, else once. */
struct tool_timer *tool_timer_create(void *context, void (*fire)(void *context), bool repeat);
void tool_timer_set(struct tool_timer *timer, double seconds); /* from now on; replaces */
void tool_timer_stop(struct tool_timer *timer);
void tool_timer_free(struct tool_timer *timer); /* NULL is fine */

#endif
