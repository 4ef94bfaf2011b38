/*
 * semaphore.c - counting semaphores.
 * What:   `value` below zero counts the waiters. A signal that finds waiters puts a permit down,
 *         which one of them takes.
 * Runs:   on any thread.
 */
#include "base/futex.h"
#include "base/log.h"
#include "dispatch/dispatch.h"
#include "loop/loop.h"

struct dispatch_semaphore_s {
    struct nwi_dispatch_object object;
    intptr_t first_value;
    /* acq_rel: what happened before a signal is seen after the wait that took it. */
    _Atomic intptr_t value;
    /* Permits put down for waiters and not yet taken. Release by the signaller, acquire by the
     * taker. */
    _Atomic uint32_t permits;
};

static bool dispose(void *object) {
    dispatch_semaphore_t semaphore = object;
    if (atomic_load_explicit(&semaphore->value, memory_order_relaxed) < semaphore->first_value)
        nwi_dispatch_crash("dispatch_release",
                           "last release of a semaphore that is in use: its value is "
                           "below the one it was created with");
    return true;
}

static const struct nwi_dispatch_type semaphore_type = {
    .base = {.name = "dispatch_semaphore",
             .size = sizeof(struct dispatch_semaphore_s),
             .last_release = nwi_dispatch_last_release},
    .dispose = dispose,
};

static bool check(dispatch_semaphore_t semaphore, const char *function) {
    if (nwi_object_is(semaphore, &semaphore_type.base))
        return true;
    nwi_log_misuse(function, semaphore == NULL ? "NULL semaphore" : "not a semaphore");
    return false;
}

dispatch_semaphore_t dispatch_semaphore_create(intptr_t value) {
    if (value < 0) {
        nwi_log_misuse("dispatch_semaphore_create", "negative value");
        return NULL;
    }
    dispatch_semaphore_t semaphore = nwi_dispatch_create(&semaphore_type, 0, NULL);
    if (semaphore == NULL)
        return NULL;
    semaphore->first_value = value;
    atomic_store_explicit(&semaphore->value, value,
                          memory_order_relaxed); /* nobody else has it yet */
    return semaphore;
}

static bool take_permit(dispatch_semaphore_t semaphore) {
    uint32_t permits = atomic_load_explicit(&semaphore->permits, memory_order_relaxed);
    while (permits > 0)
        if (atomic_compare_exchange_weak_explicit(&semaphore->permits, &permits, permits - 1,
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    return false;
}

/* After the deadline: stops being counted as a waiter. False: a signal has counted on us, its
 * permit comes. */
static bool withdraw(dispatch_semaphore_t semaphore) {
    intptr_t value = atomic_load_explicit(&semaphore->value, memory_order_relaxed);
    while (value < 0)
        if (atomic_compare_exchange_weak_explicit(&semaphore->value, &value, value + 1,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    return false;
}

intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout) {
    if (!check(semaphore, "dispatch_semaphore_wait"))
        return EINVAL;
    if (atomic_fetch_sub_explicit(&semaphore->value, 1, memory_order_acq_rel) > 0)
        return 0;
    nwi_ns deadline = nwi_dispatch_deadline(timeout);
    if (timeout != DISPATCH_TIME_NOW)
        nwi_loop_will_block();
    while (!take_permit(semaphore)) {
        if (nwi_futex_wait(&semaphore->permits, 0, deadline))
            continue;
        if (withdraw(semaphore))
            return ETIMEDOUT;
        deadline = NWI_NEVER;
    }
    return 0;
}

intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore) {
    if (!check(semaphore, "dispatch_semaphore_signal"))
        return 0;
    intptr_t before = atomic_fetch_add_explicit(&semaphore->value, 1, memory_order_acq_rel);
    if (before == INTPTR_MAX)
        nwi_dispatch_crash("dispatch_semaphore_signal", "semaphore signalled too often");
    if (before >= 0)
        return 0;
    /* The waiter may take the permit, return and release the semaphore before our wake: an address
     * that nobody waits on wakes nobody. */
    _Atomic uint32_t *permits = &semaphore->permits;
    atomic_fetch_add_explicit(permits, 1, memory_order_release);
    nwi_futex_wake(permits, 1);
    return 1;
}
