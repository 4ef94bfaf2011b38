/*
 * loop.c - the set of loops, and posting to one.
 * What:   as many loops as processors, each started when it is first picked. Loops are never ended:
 *         they live as long as the process, and their threads are detached.
 * Runs:   on any thread.
 * Owns:   the table of loops. A forked child has the table but no threads: it must exec
 *         (docs/how/loop.md).
 */
#include "loop/loop.h"
#include "base/log.h"
#include "loop/private.h"
#include <sched.h>
#include <stdlib.h>
#include <time.h>

enum { WAIT_TO_START = 10 * 1000 * 1000 }; /* ns between two tries */

static struct nwi_loop loops[LOOPS_MAX];
static unsigned loop_count; /* constant after `counted` */
static pthread_once_t counted = PTHREAD_ONCE_INIT;
static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned turn; /* relaxed: spreads, orders nothing */

static void count_processors(void) {
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    loop_count = count < 1 ? 1 : count > LOOPS_MAX ? LOOPS_MAX : (unsigned)count;
}

static nwi_err start_loop(struct nwi_loop *loop) {
    nwi_err err = nwi_monitor_start();
    if (err == 0)
        err = nwi_epoll_open(loop);
    if (err != 0)
        return err;
    pthread_mutex_init(&loop->timer_lock, NULL); /* cannot fail with default attributes on Linux */
    atomic_store_explicit(&loop->next_deadline, NWI_NEVER, memory_order_relaxed);
    err = nwi_thread_start(loop);
    if (err != 0)
        nwi_epoll_close(loop);
    return err;
}

/* EAGAIN is what pthread_create says. */
static bool may_pass(nwi_err err) {
    return err == nwi_posix(EMFILE) || err == nwi_posix(ENFILE) || err == NWI_ERR_NOMEM ||
           err == nwi_posix(EAGAIN) || err == nwi_posix(ENOSPC);
}

/* Under start_lock: any loop that runs. */
static struct nwi_loop *find_started(void) {
    for (unsigned i = 0; i < nwi_loop_count(); i++)
        if (nwi_loop_at(i) != NULL)
            return nwi_loop_at(i);
    return NULL;
}

/* The loop at an index, started if need be. While descriptors, memory or threads have run out its
 * work goes to another loop. Without any, nothing works, and the callers have no way to report it:
 * so it is waited for, as nwi_alloc_certain() waits for memory. */
static struct nwi_loop *get_started(unsigned index) {
    struct nwi_loop *loop = &loops[index];
    if (atomic_load_explicit(&loop->started, memory_order_acquire))
        return loop;
    static bool told; /* under start_lock: one line in the log, not one a try */
    pthread_mutex_lock(&start_lock);
    while (!atomic_load_explicit(&loop->started, memory_order_relaxed)) {
        nwi_err err = start_loop(loop);
        if (err == 0) {
            atomic_store_explicit(&loop->started, true, memory_order_release);
            break;
        }
        if (!told)
            nwi_log(NWI_LOG_ERROR, "loop", "start", "loop %u: %s", index, nwi_err_text(err));
        told = true;
        struct nwi_loop *other = find_started();
        if (other != NULL) {
            loop = other;
            break;
        }
        if (!may_pass(err))
            abort(); /* the kernel, or a filter in front of it, has no epoll for us */
        const struct timespec moment = {.tv_nsec = WAIT_TO_START};
        nanosleep(&moment, NULL);
    }
    pthread_mutex_unlock(&start_lock);
    return loop;
}

unsigned nwi_loop_count(void) {
    pthread_once(&counted, count_processors);
    return loop_count;
}

struct nwi_loop *nwi_loop_at(unsigned index) {
    return atomic_load_explicit(&loops[index].started, memory_order_acquire) ? &loops[index] : NULL;
}

struct nwi_loop *nwi_loop_pick_next(void) {
    unsigned count = nwi_loop_count();
    return get_started(atomic_fetch_add_explicit(&turn, 1, memory_order_relaxed) % count);
}

/* Relaxed: a hint. A loop that was never started is idle. */
static uint32_t busy(unsigned index) {
    struct nwi_loop *loop = nwi_loop_at(index);
    return loop != NULL ? atomic_load_explicit(&loop->busy, memory_order_relaxed) : 0;
}

struct nwi_loop *nwi_loop_pick_for_io(void) {
    static _Atomic unsigned io_turn; /* relaxed, as `turn` */
    unsigned count = nwi_loop_count(), half = (count + 1) / 2;
    unsigned best = atomic_fetch_add_explicit(&io_turn, 1, memory_order_relaxed) % half;
    if (busy(best) >= BUSY_TOO)
        for (unsigned i = 0; i < count; i++)
            if (busy(i) < busy(best))
                best = i;
    return get_started(best);
}

struct nwi_loop *nwi_loop_pick(void) {
    struct nwi_loop *current = nwi_loop_current();
    return current != NULL ? current : nwi_loop_pick_for_io();
}

struct nwi_loop *nwi_loop_pick_idle(void) {
    unsigned count = nwi_loop_count();
    unsigned first = atomic_load_explicit(&turn, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++) {
        struct nwi_loop *loop = nwi_loop_at((first + i) % count);
        if (loop == NULL)
            return get_started((first + i) % count);
        /* Relaxed: a guess; the post that follows does it properly. */
        if (atomic_load_explicit(&loop->sleeping, memory_order_relaxed))
            return loop;
    }
    return NULL;
}

void nwi_loop_wake_if_sleeping(struct nwi_loop *loop) {
    /* The load keeps the common case (awake) free of a locked instruction; exchange lets one waker
     * write. */
    if (atomic_load(&loop->sleeping) && atomic_exchange(&loop->sleeping, false))
        nwi_epoll_wake(loop);
}

void nwi_loop_post(struct nwi_loop *loop, struct nwi_task *task) {
    struct nwi_task *newest = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do {
        /* Relaxed: published by the swap below. */
        atomic_store_explicit(&task->next, newest, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&loop->inbox, &newest, task,
                                                    memory_order_seq_cst, memory_order_relaxed));
    /* Whoever made the inbox non-empty sees to the wake: it cannot have been emptied in between
     * without the owner being awake. */
    if (newest == NULL)
        nwi_loop_wake_if_sleeping(loop);
}
