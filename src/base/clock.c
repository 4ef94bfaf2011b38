/* clock.c - the monotonic clock. It cannot fail on Linux with a valid pointer, nor can
 * CLOCK_THREAD_CPUTIME_ID. */
#include "base/clock.h"
#include <time.h>

nwi_ns nwi_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (nwi_ns)now.tv_sec * NWI_SEC + (nwi_ns)now.tv_nsec;
}

nwi_ns nwi_thread_time(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (nwi_ns)used.tv_sec * NWI_SEC + (nwi_ns)used.tv_nsec;
}
