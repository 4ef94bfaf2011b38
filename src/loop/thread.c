/*
 * thread.c - threads that run loops, and the hand-over of a loop from a stuck thread to a spare.
 * What:   a thread owns at most one loop. It runs turns until a callout of its own turns out to
 *         have been overtaken by the monitor; then it waits among the spares for another loop, and
 *         ends after some idle seconds.
 * Runs:   run_loop and what it calls: the owner of the loop. nwi_thread_steal: the monitor.
 * Owns:   the list of spare threads.
 */
#include "base/log.h"
#include "base/thread_local.h"
#include "loop/private.h"
#include <signal.h>
#include <string.h>
#include <sys/queue.h>

enum { SPARE_IDLE_SECONDS = 10 };

struct worker {            /* lives on its thread's stack */
    struct nwi_loop *loop; /* under pool_lock: what to run next */
    pthread_cond_t given;
    bool spare;    /* in the list */
    bool arriving; /* counted in `coming` */
    LIST_ENTRY(worker) link;
};

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(,
                 worker) spares = LIST_HEAD_INITIALIZER(spares); /* under pool_lock; newest first */
/* Loops given away before their new thread has arrived; under pool_lock. `coming` counts threads
 * that were made to be spares and have not arrived: raised once a thread is sure to exist, so one
 * that is very quick makes it negative for a moment. Never less than orphan_count while there are
 * orphans. */
static LIST_HEAD(, nwi_loop) orphans = LIST_HEAD_INITIALIZER(orphans);
static int orphan_count, coming;
static unsigned thread_count;         /* under pool_lock */
static pthread_condattr_t given_attr; /* monotonic clock; constant after once */
static pthread_once_t given_once = PTHREAD_ONCE_INIT;

static NWI_HOT_THREAD_LOCAL struct nwi_loop *current_loop;
static NWI_HOT_THREAD_LOCAL uint64_t
    current_word; /* state word of the callout that this thread is in */

/* Of this thread since its last event or turn: not of the loop, which the thread may have lost. */
static NWI_HOT_THREAD_LOCAL size_t octets_moved;

struct nwi_loop *nwi_loop_current(void) {
    return current_loop;
}

void nwi_loop_charge(size_t octets) {
    octets_moved += CALL_IN_OCTETS + octets;
}

bool nwi_loop_turn_is_over(void) {
    return octets_moved >= OCTETS_A_TURN && current_loop != NULL;
}

/* --- one turn --- */

static uint64_t begin_callout(struct nwi_loop *loop) {
    bool more =
        loop->run_head != NULL || loop->late != NULL || loop->batch_next < loop->batch_count;
    uint64_t word = ++loop->seq << SEQ_SHIFT | (more ? MORE : 0) | IN_CALLOUT;
    current_word = word;
    atomic_store_explicit(&loop->state, word, memory_order_release); /* pairs: nwi_thread_steal */
    return word;
}

/* False: the loop has been taken and must not be touched. */
static bool end_callout(struct nwi_loop *loop, uint64_t word) {
    uint64_t expected = word;
    /* Relaxed: on success nobody else has written the fields; on failure we read none. */
    return atomic_compare_exchange_strong_explicit(&loop->state, &expected,
                                                   word & ~(uint64_t)(IN_CALLOUT | MORE),
                                                   memory_order_relaxed, memory_order_relaxed);
}

/* Moves the inbox to the end of the run list, in order of posting. False: nothing was there. */
static bool drain_inbox(struct nwi_loop *loop) {
    if (atomic_load_explicit(&loop->inbox, memory_order_relaxed) == NULL)
        return false;
    struct nwi_task *newest = atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acquire);
    struct nwi_task *oldest = NULL, *last = newest;
    while (newest != NULL) {
        struct nwi_task *older = atomic_load_explicit(&newest->next, memory_order_relaxed);
        atomic_store_explicit(&newest->next, oldest, memory_order_relaxed);
        oldest = newest;
        newest = older;
    }
    if (oldest == NULL)
        return false;
    if (loop->run_head != NULL)
        atomic_store_explicit(&loop->run_tail->next, oldest, memory_order_relaxed);
    else
        loop->run_head = oldest;
    loop->run_tail = last;
    return true;
}

static struct nwi_task *take_task(struct nwi_loop *loop) {
    struct nwi_task *task = loop->run_head;
    /* Read before it runs: the task may be gone, or posted again, afterwards. */
    if (task != NULL)
        loop->run_head = atomic_load_explicit(&task->next, memory_order_relaxed);
    return task;
}

static bool run_task(struct nwi_loop *loop, struct nwi_task *task) {
    uint64_t word = begin_callout(loop);
    task->run(task);
    return end_callout(loop, word);
}

/* What an event posted runs right after it, while what it read is warm in the cache and its buffer
 * is not one of a hundred: a handler on an idle client queue follows its event at once. */
static bool run_what_followed(struct nwi_loop *loop) {
    if (loop->run_head == NULL && !drain_inbox(loop))
        return true;
    struct nwi_task *task;
    for (unsigned i = 0;
         i < TASKS_AN_EVENT && !nwi_loop_turn_is_over() && (task = take_task(loop)) != NULL; i++) {
        if (task->run == nwi_io_run_stopped) { /* an event of that descriptor may be in the batch */
            atomic_store_explicit(&task->next, loop->late, memory_order_relaxed);
            loop->late = task;
        } else if (!run_task(loop, task)) {
            return false;
        }
    }
    return true;
}

/* The batch is finished: nothing stands in the way of what waited for that. */
static void release_late(struct nwi_loop *loop) {
    struct nwi_task *task;
    while ((task = loop->late) != NULL) {
        loop->late = atomic_load_explicit(&task->next, memory_order_relaxed);
        atomic_store_explicit(&task->next, loop->run_head, memory_order_relaxed);
        if (loop->run_head == NULL)
            loop->run_tail = task;
        loop->run_head = task;
    }
}

static bool run_batch(struct nwi_loop *loop) {
    while (loop->batch_next < loop->batch_count) {
        unsigned events;
        struct nwi_io *io = nwi_epoll_next(loop, &events);
        /* Acquire pairs with nwi_io_stop. One that stops after this look sees its `stopped` run
         * after this ready(), since the batch goes before the inbox. */
        if (io == NULL || atomic_load_explicit(&io->stopping, memory_order_acquire))
            continue;
        /* The kernel reports errors and hang-ups even of a descriptor that nobody armed. Dropping
         * such a report loses nothing: arming looks at the state of the descriptor again. */
        unsigned wanted = NWI_IO_READ | NWI_IO_WRITE;
        if (io->mode == NWI_IO_ONESHOT)
            wanted = atomic_exchange_explicit(&io->armed, 0, memory_order_acquire);
        if (wanted == 0)
            continue;
        events &= wanted | NWI_IO_HANGUP | NWI_IO_ERROR;
        if (!nwi_io_claim(io, events))
            continue;
        octets_moved = 0;
        uint64_t word = begin_callout(loop);
        nwi_io_deliver(io);
        if (!end_callout(loop, word) || !run_what_followed(loop))
            return false;
    }
    release_late(loop);
    return true;
}

static bool run_timers(struct nwi_loop *loop) {
    if (atomic_load_explicit(&loop->next_deadline, memory_order_relaxed) == NWI_NEVER)
        return true; /* relaxed: one that is armed meanwhile is found before sleeping */
    nwi_ns now = nwi_now();
    struct nwi_timer *timer;
    for (unsigned i = 0; i < TIMERS_A_TURN && (timer = nwi_timer_pop_due(loop, now)) != NULL; i++) {
        uint64_t word = begin_callout(loop);
        timer->fire(timer);
        if (!end_callout(loop, word))
            return false;
    }
    return true;
}

static bool run_tasks(struct nwi_loop *loop) {
    octets_moved = 0;
    for (unsigned i = 0; i < TASKS_A_TURN && !nwi_loop_turn_is_over(); i++) {
        if (loop->run_head == NULL && !drain_inbox(loop))
            break;
        if (!run_task(loop, take_task(loop)))
            return false;
    }
    return true;
}

static void wait_for_work(struct nwi_loop *loop) {
    /* Relaxed: what is posted just now is found by the look after `sleeping` was set. */
    if (loop->run_head != NULL ||
        atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL) {
        nwi_epoll_fetch(loop, 0);
        return;
    }
    atomic_store(&loop->sleeping, true);
    /* After the store (seq_cst): whoever posts or arms from here on sees `sleeping` and wakes us.
     */
    bool idle = atomic_load(&loop->inbox) == NULL;
    nwi_ns deadline = idle ? atomic_load(&loop->next_deadline) : 0;
    nwi_epoll_fetch(loop, deadline);
    atomic_store(&loop->sleeping, false);
    nwi_monitor_notice_awake();
}

/* Turns the loop until it is taken away. The order within a turn is part of nwi_io_stop's promise.
 */
static void run_loop(struct nwi_loop *loop) {
    current_loop = loop;
    while (run_batch(loop) && run_timers(loop) && (drain_inbox(loop), run_tasks(loop)))
        wait_for_work(loop);
    current_loop = NULL;
}

/* --- threads --- */

static void init_given_attr(void) {
    pthread_condattr_init(&given_attr);
    pthread_condattr_setclock(&given_attr, CLOCK_MONOTONIC);
}

/* Waits among the spares. NULL: nobody needed us, the thread ends. */
static struct nwi_loop *wait_for_loop(struct worker *self) {
    pthread_mutex_lock(&pool_lock);
    if (self->arriving) {
        self->arriving = false;
        coming--;
    }
    if (self->loop == NULL && !LIST_EMPTY(&orphans)) {
        self->loop = LIST_FIRST(&orphans);
        LIST_REMOVE(self->loop, orphan_link);
        orphan_count--;
    }
    if (self->loop == NULL) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += SPARE_IDLE_SECONDS;
        LIST_INSERT_HEAD(&spares, self, link);
        self->spare = true;
        int result = 0;
        while (self->spare && result == 0)
            result = pthread_cond_timedwait(&self->given, &pool_lock, &until);
        if (self->spare)
            LIST_REMOVE(self, link);
    }
    struct nwi_loop *loop = self->loop;
    self->loop = NULL;
    if (loop == NULL)
        thread_count--;
    pthread_mutex_unlock(&pool_lock);
    return loop;
}

static void *thread_main(void *argument) {
    struct worker self = {.loop = argument, .arriving = argument == NULL};
    struct nwi_loop *loop;
    pthread_cond_init(&self.given, &given_attr);
    while ((loop = wait_for_loop(&self)) != NULL)
        run_loop(loop);
    pthread_cond_destroy(&self.given);
    return NULL;
}

nwi_err nwi_thread_spawn(void *(*main)(void *), void *argument, const char *name) {
    /* Signals belong to the threads of the program, whose handlers may count on that. Faults of our
     * own threads still reach a handler, and so does a profiler. */
    static const int kept[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        sigdelset(&blocked, kept[i]);
    pthread_attr_t attr;
    int result = pthread_attr_init(&attr);
    if (result != 0)
        return nwi_posix(result);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    pthread_t thread;
    result = pthread_create(&thread, &attr, main, argument);
    if (result == 0)
        pthread_setname_np(thread, name);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return nwi_posix(result);
}

static nwi_err add_thread(struct nwi_loop *loop) {
    pthread_once(&given_once, init_given_attr);
    pthread_mutex_lock(&pool_lock);
    bool room = thread_count < THREADS_MAX;
    thread_count += room;
    pthread_mutex_unlock(&pool_lock);
    if (!room)
        return nwi_posix(EAGAIN);
    nwi_err err = nwi_thread_spawn(thread_main, loop, "nw-loop");
    pthread_mutex_lock(&pool_lock);
    thread_count -= err != 0;
    coming += err == 0 && loop == NULL;
    pthread_mutex_unlock(&pool_lock);
    return err;
}

nwi_err nwi_thread_start(struct nwi_loop *loop) {
    return add_thread(loop);
}

/* Under pool_lock: whether a thread is there, or surely on its way, for one more loop. */
static bool has_taker(void) {
    return !LIST_EMPTY(&spares) || coming > orphan_count;
}

/* Under pool_lock: the loop now belongs to a spare thread, or to the next one that arrives. */
static void give(struct nwi_loop *loop) {
    struct worker *worker = LIST_FIRST(&spares);
    if (worker == NULL) {
        LIST_INSERT_HEAD(&orphans, loop, orphan_link);
        orphan_count++;
        return;
    }
    LIST_REMOVE(worker, link);
    worker->spare = false;
    worker->loop = loop;
    pthread_cond_signal(&worker->given);
}

bool nwi_thread_steal(struct nwi_loop *loop, uint64_t word) {
    pthread_mutex_lock(&pool_lock);
    if (!has_taker()) {
        pthread_mutex_unlock(&pool_lock);
        static _Atomic bool told; /* relaxed: one line in the log, not one a tick */
        nwi_err err = add_thread(NULL);
        if (err != 0 && !atomic_exchange_explicit(&told, true, memory_order_relaxed))
            nwi_log(NWI_LOG_ERROR, "loop", "spare", "no spare thread: %s", nwi_err_text(err));
        if (err == 0)
            atomic_store_explicit(&told, false, memory_order_relaxed);
        pthread_mutex_lock(&pool_lock);
    }
    bool taken = false;
    if (has_taker()) {
        /* Acquire: pairs with begin_callout; the fields go on to the new owner by pool_lock. */
        uint64_t expected = word;
        taken = atomic_compare_exchange_strong_explicit(&loop->state, &expected,
                                                        word & ~(uint64_t)(IN_CALLOUT | MORE),
                                                        memory_order_acquire, memory_order_relaxed);
    }
    if (taken)
        give(loop);
    pthread_mutex_unlock(&pool_lock);
    return taken;
}

void nwi_loop_will_block(void) {
    struct nwi_loop *loop = current_loop;
    /* Relaxed, all of it: a word of ours that is still there is ours; the rest are hints. */
    if (loop == NULL || atomic_load_explicit(&loop->state, memory_order_relaxed) != current_word)
        return;
    if ((current_word & MORE) != 0 ||
        atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL ||
        atomic_load_explicit(&loop->next_deadline, memory_order_relaxed) <= nwi_now())
        nwi_thread_steal(loop, current_word);
}
