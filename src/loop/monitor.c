/*
 * monitor.c - notices a loop whose thread is stuck in a callback while work waits.
 * What:   one thread that looks every two milliseconds while any loop is awake, and sleeps when all
 *         do. A callout that goes on for longer than the patience, with work behind it, costs its
 *         thread the loop.
 * Runs:   nwi_monitor_notice_awake on the loops' owners; the rest on the monitor's own thread.
 */
#include "loop/private.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    TICK_NS = 2000000,
    QUIET_TICKS = 10, /* looks with every loop asleep before the monitor sleeps too */
    BUSY_LOOKS = 32,  /* `busy` is a moving mean over about so many looks: 64 ms */
};

/* Relaxed: a setting, it orders nothing. */
static _Atomic nwi_ns patience = 2 * (nwi_ns)TICK_NS;

void nwi_loop_set_patience(nwi_ns wanted) {
    atomic_store_explicit(&patience, wanted, memory_order_relaxed);
}

/* 1: the monitor sleeps, or is about to. seq_cst on both sides: the monitor writes it, then reads
 * every loop's `sleeping`; an owner writes `sleeping`, then reads this. */
static _Atomic uint32_t deep_asleep;

static bool any_awake(void) {
    for (unsigned i = 0; i < nwi_loop_count(); i++) {
        struct nwi_loop *loop = nwi_loop_at(i);
        if (loop != NULL && !atomic_load(&loop->sleeping))
            return true;
    }
    return false;
}

static void sleep_until_some_loop_wakes(void) {
    atomic_store(&deep_asleep, 1);
    while (atomic_load(&deep_asleep) == 1 && !any_awake())
        syscall(SYS_futex, &deep_asleep, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    atomic_store(&deep_asleep, 0);
}

void nwi_monitor_notice_awake(void) {
    if (atomic_load(&deep_asleep) == 1 && atomic_exchange(&deep_asleep, 0) == 1)
        syscall(SYS_futex, &deep_asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Reads nothing of the loop that its owner writes without an atomic. */
static bool work_waits(struct nwi_loop *loop, uint64_t word) {
    return (word & MORE) != 0 || atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL ||
           atomic_load_explicit(&loop->next_deadline, memory_order_relaxed) <= nwi_now() ||
           nwi_epoll_has_events(loop);
}

static void look_at(struct nwi_loop *loop, uint64_t *last_word, unsigned *ticks) {
    /* Relaxed: the steal itself acquires. */
    uint64_t word = atomic_load_explicit(&loop->state, memory_order_relaxed);
    if ((word & IN_CALLOUT) == 0 || word != *last_word) {
        *last_word = word;
        *ticks = 0;
        return;
    }
    nwi_ns stuck = (nwi_ns)++ * ticks * TICK_NS; /* at least */
    if (stuck >= atomic_load_explicit(&patience, memory_order_relaxed) && work_waits(loop, word))
        nwi_thread_steal(loop, word);
}

/* One sample for the mean of how often the loop is awake. Only this thread writes it. */
static void sample(struct nwi_loop *loop) {
    int busy = (int)atomic_load_explicit(&loop->busy, memory_order_relaxed);
    int now = atomic_load_explicit(&loop->sleeping, memory_order_relaxed) ? 0 : BUSY_ALWAYS;
    int step = (now - busy) / BUSY_LOOKS;
    /* The last step is less than the division can say. */
    busy = step != 0 ? busy + step : now;
    atomic_store_explicit(&loop->busy, (uint32_t)busy, memory_order_relaxed);
}

/* Nobody samples while the monitor sleeps: all loops did when it lay down. */
static void forget_samples(void) {
    for (unsigned i = 0; i < nwi_loop_count(); i++) {
        struct nwi_loop *loop = nwi_loop_at(i);
        if (loop != NULL)
            atomic_store_explicit(&loop->busy, 0, memory_order_relaxed);
    }
}

static void *monitor_main(void *unused) {
    static uint64_t last_word[LOOPS_MAX]; /* this thread's alone */
    static unsigned ticks[LOOPS_MAX];
    unsigned quiet = 0;
    for (;;) {
        const struct timespec tick = {.tv_nsec = TICK_NS};
        nanosleep(&tick, NULL);
        for (unsigned i = 0; i < nwi_loop_count(); i++) {
            struct nwi_loop *loop = nwi_loop_at(i);
            if (loop != NULL) {
                look_at(loop, &last_word[i], &ticks[i]);
                sample(loop);
            }
        }
        quiet = any_awake() ? 0 : quiet + 1;
        if (quiet >= QUIET_TICKS) {
            forget_samples();
            sleep_until_some_loop_wakes();
            quiet = 0;
        }
    }
    return unused; /* never reached */
}

/* Called under the lock that starts loops, so a plain flag is enough. */
nwi_err nwi_monitor_start(void) {
    static bool started;
    if (started)
        return 0;
    nwi_err err = nwi_thread_spawn(monitor_main, NULL, "nw-monitor");
    started = err == 0;
    return err;
}
