/*
 * time.c - points in time.
 * What:   a dispatch_time_t is 0 (now), all ones (never), a count of nanoseconds of CLOCK_MONOTONIC
 *         (positive as a signed number), or minus a count of nanoseconds since 1970 (the wall
 *         clock). -2 is both the wall clock's now and the earliest wall time.
 * Runs:   on any thread.
 */
#include "dispatch/dispatch.h"
#include <time.h>

#define WALL_EARLIEST ((int64_t)2) /* as a count; 0 and 1 would read as "now" and "never" */

static int64_t wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * (int64_t)NWI_SEC + now.tv_nsec;
}

static dispatch_time_t wall_time(int64_t wall, int64_t delta) {
    int64_t sum;
    if (__builtin_add_overflow(wall, delta, &sum)) /* wall is positive: only upwards */
        return DISPATCH_TIME_FOREVER;
    return (dispatch_time_t) - (sum < WALL_EARLIEST ? WALL_EARLIEST : sum);
}

dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta) {
    if (when == DISPATCH_TIME_FOREVER)
        return when;
    if (when == DISPATCH_WALLTIME_NOW)
        return wall_time(wall_now(), delta);
    if ((int64_t)when < 0)
        return wall_time(-(int64_t)when, delta);
    int64_t sum;
    if (__builtin_add_overflow((int64_t)(when == DISPATCH_TIME_NOW ? nwi_now() : when), delta,
                               &sum))
        return DISPATCH_TIME_FOREVER;
    return sum < 1 ? 1 : (dispatch_time_t)sum; /* 0 would read as "now" */
}

dispatch_time_t dispatch_walltime(const struct timespec *when, int64_t delta) {
    if (when == NULL)
        return wall_time(wall_now(), delta);
    int64_t wall;
    if (__builtin_mul_overflow((int64_t)when->tv_sec, (int64_t)NWI_SEC, &wall) ||
        __builtin_add_overflow(wall, (int64_t)when->tv_nsec, &wall))
        return when->tv_sec > 0 ? DISPATCH_TIME_FOREVER : (dispatch_time_t)-WALL_EARLIEST;
    if (wall <
        0) { /* before 1970: nothing earlier can be written down, but delta may lead out of it */
        int64_t sum;
        if (__builtin_add_overflow(wall, delta, &sum) || sum < WALL_EARLIEST)
            return (dispatch_time_t)-WALL_EARLIEST;
        return (dispatch_time_t)-sum;
    }
    return wall_time(wall, delta);
}

nwi_ns nwi_dispatch_deadline(dispatch_time_t when) {
    if (when == DISPATCH_TIME_FOREVER)
        return NWI_NEVER;
    if (when == DISPATCH_TIME_NOW || when == DISPATCH_WALLTIME_NOW)
        return nwi_now();
    if ((int64_t)when > 0)
        return when;
    int64_t wall = -(int64_t)when, now = wall_now();
    return nwi_now() + (wall > now ? (nwi_ns)(wall - now) : 0);
}
