/* clock.c - the monotonic clock. CLOCK_MONOTONIC cannot fail on Linux with a valid pointer. */
#include "base/clock.h"
#include <time.h>

nwi_ns nwi_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (nwi_ns)now.tv_sec * NWI_SEC + (nwi_ns)now.tv_nsec;
}
