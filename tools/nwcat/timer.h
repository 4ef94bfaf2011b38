/*
 * timer.h - a timer that can be set, stopped and freed from anywhere on the main queue.
 * What:   a dispatch timer source whose function is never called after nwcat_timer_free.
 * Runs:   on the main queue, every function.
 */
#ifndef NWCAT_TIMER_H
#define NWCAT_TIMER_H

#include <stdbool.h>

struct nwcat_timer;

/* NULL when memory ran out. `repeat`: fires each time the delay passes, else once. */
struct nwcat_timer *nwcat_timer_create(void *context, void (*fire)(void *context), bool repeat);
void nwcat_timer_set(struct nwcat_timer *timer, double seconds); /* from now on; replaces */
void nwcat_timer_stop(struct nwcat_timer *timer);
void nwcat_timer_free(struct nwcat_timer *timer); /* NULL is fine */

#endif
