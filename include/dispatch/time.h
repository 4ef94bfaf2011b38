/*
 * time.h - points in time.
 * What:   a dispatch_time_t is a point on the monotonic clock (dispatch_time) or on the wall clock
 *         (dispatch_walltime); which one is part of the value. Make them with these calls only.
 */
#ifndef DISPATCH_TIME_H
#define DISPATCH_TIME_H

#include <dispatch/base.h>
#include <time.h>

DISPATCH_BEGIN_DECLS

#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC 1000000000ull
#endif
#ifndef NSEC_PER_MSEC
#define NSEC_PER_MSEC 1000000ull
#endif
#ifndef USEC_PER_SEC
#define USEC_PER_SEC 1000000ull
#endif
#ifndef NSEC_PER_USEC
#define NSEC_PER_USEC 1000ull
#endif

typedef uint64_t dispatch_time_t;
struct timespec;

__extension__ enum {
    DISPATCH_WALLTIME_NOW =
        ~1ull, /* the wall clock's now, for dispatch_time() and dispatch_walltime() */
};

#define DISPATCH_TIME_NOW (0ull)      /* the monotonic clock's now */
#define DISPATCH_TIME_FOREVER (~0ull) /* never */

/*
 * Returns the point `delta` nanoseconds (may be negative) after `when`, on the clock of `when`.
 * DISPATCH_TIME_NOW starts from the monotonic clock, which stands still while the machine sleeps.
 * DISPATCH_TIME_FOREVER stays forever; a sum too large becomes forever, one too small the earliest
 * time there is.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta);

/*
 * Returns the point `delta` nanoseconds after the wall clock time `when` (NULL: now). Timers set to
 * it follow when the system's clock is set.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_time_t dispatch_walltime(const struct timespec *when,
                                                                   int64_t delta);

DISPATCH_END_DECLS

#endif
