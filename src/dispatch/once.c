/*
 * once.c - work done once in the life of the process.
 * What:   the predicate is 0 at first, -1 when done, and between holds the number of the thread
 *         that runs the work.
 * Runs:   on any thread.
 */
#include "base/futex.h"
#include "base/log.h"
#include "dispatch/queue.h"

#define DONE ((intptr_t)-1)
enum { WAITERS = 1, THREAD_SHIFT = 1 }; /* while running: thread << 1 | somebody sleeps */

/* The half of the predicate that futex looks at: the low 32 bits, where running states differ from
 * DONE. */
static _Atomic uint32_t *futex_word(_Atomic intptr_t *state) {
    bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ && sizeof(intptr_t) > sizeof(uint32_t);
    return (_Atomic uint32_t *)state + (big_endian ? 1 : 0);
}

static void wait_until_done(_Atomic intptr_t *state, intptr_t seen, intptr_t self) {
    while (seen != DONE) {
        if ((seen >> THREAD_SHIFT) == self)
            nwi_dispatch_crash("dispatch_once",
                               "called again for the same predicate from inside its work");
        /* Acquire, for the case that it fails because the work is done. */
        if ((seen & WAITERS) == 0 &&
            !atomic_compare_exchange_weak_explicit(state, &seen, seen | WAITERS,
                                                   memory_order_acquire, memory_order_acquire))
            continue;
        nwi_futex_wait(futex_word(state), (uint32_t)(seen | WAITERS), NWI_NEVER);
        /* Acquire pairs with the release of DONE. */
        seen = atomic_load_explicit(state, memory_order_acquire);
    }
}

static void run_once(const char *function, dispatch_once_t *predicate, struct nwi_callback work) {
    if (predicate == NULL || work.fn == NULL) {
        nwi_log_misuse(function, predicate == NULL ? "NULL predicate" : "no work given");
        return;
    }
    _Atomic intptr_t *state = (_Atomic intptr_t *)predicate;
    /* Acquire pairs with the release of DONE: what the work did is seen. */
    intptr_t seen = atomic_load_explicit(state, memory_order_acquire);
    if (seen == DONE)
        return;
    intptr_t self = gettid();
    seen = 0;
    if (!atomic_compare_exchange_strong_explicit(state, &seen, self << THREAD_SHIFT,
                                                 memory_order_acquire, memory_order_acquire)) {
        wait_until_done(state, seen, self);
        return;
    }
    NWI_CALL0(work, void);
    /* Release: pairs with the acquires above, in this call and in every later one. */
    intptr_t before = atomic_exchange_explicit(state, DONE, memory_order_release);
    if ((before & WAITERS) != 0)
        nwi_futex_wake(futex_word(state), INT_MAX);
}

DISPATCH_EXPORT void dispatch_once(dispatch_once_t *predicate, const void *block) {
    run_once("dispatch_once", predicate, nwi_callback_block_noescape(block));
}

void dispatch_once_f(dispatch_once_t *predicate, void *context, dispatch_function_t function) {
    run_once("dispatch_once_f", predicate, nwi_callback_f(context, (nwi_fn)function));
}
