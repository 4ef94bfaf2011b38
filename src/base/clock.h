/* clock.h - time inside libnw: nanoseconds of CLOCK_MONOTONIC. Any thread. */
#ifndef NWI_BASE_CLOCK_H
#define NWI_BASE_CLOCK_H

#include <stdint.h>

typedef uint64_t nwi_ns;
#define NWI_NEVER UINT64_MAX
#define NWI_MS UINT64_C(1000000)
#define NWI_SEC UINT64_C(1000000000)

nwi_ns nwi_now(void);
/* Processor time that the calling thread has used. */
nwi_ns nwi_thread_time(void);

#endif
