/*
 * futex.h - waiting for a word to change.
 * What:   the two futex calls that libnw uses, private to the process.
 * Source: futex(2): FUTEX_WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC.
 * Runs:   on any thread; wait blocks it.
 */
#ifndef NWI_BASE_FUTEX_H
#define NWI_BASE_FUTEX_H

#include "base/clock.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleeps while *word == expected. May return early for no reason: look again. False: the deadline
 * (nwi_now() scale, NWI_NEVER = none) has come. */
static inline bool nwi_futex_wait(_Atomic uint32_t *word, uint32_t expected, nwi_ns deadline) {
    struct timespec until = {.tv_sec = (time_t)(deadline / NWI_SEC),
                             .tv_nsec = (long)(deadline % NWI_SEC)};
    long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                          deadline == NWI_NEVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
    return !(result != 0 && errno == ETIMEDOUT);
}

static inline void nwi_futex_wake(_Atomic uint32_t *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

#endif
