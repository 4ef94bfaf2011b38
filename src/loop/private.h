/*
 * private.h - what the files of src/loop share. Nobody else includes it.
 * What:   the loop struct, the state word of the hand-over, the seams between the files.
 * Owns:   see each field: "owner" means the thread that owns the loop, which changes at a steal.
 */
#ifndef NWI_LOOP_PRIVATE_H
#define NWI_LOOP_PRIVATE_H

#include "loop/loop.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/queue.h>

enum {
    BATCH_SIZE = 128,   /* events fetched at once */
    TASKS_A_TURN = 64,  /* tasks run before descriptors and timers are looked at again */
    TASKS_AN_EVENT = 8, /* tasks run between two events of a batch */
    TIMERS_A_TURN = 1024,
    OCTETS_A_TURN = 128 * 1024, /* moved for one event, or by the tasks between two looks: ~50 us */
    CALL_IN_OCTETS = 4 * 1024,  /* what a system call costs, in octets copied */
    LOOPS_MAX = 256,
    THREADS_MAX = 512, /* loops' threads and spares together */
    BUSY_ALWAYS = 1024,
    BUSY_TOO = BUSY_ALWAYS * 3 / 4, /* such a loop gets no new connection while another is idler */
};

/*
 * The state word says whether the owner is inside a callback ("callout") and which one:
 *   bit 0       IN_CALLOUT
 *   bit 1       MORE: tasks or fetched events wait behind this callout
 *   bits 2..63  sequence number of the callout, never reused
 * The owner stores seq|IN_CALLOUT before each callout and takes IN_CALLOUT off by compare-and-swap
 * after it. The monitor may meanwhile swap the same word for one without IN_CALLOUT: then the loop
 * is the spare thread's, the owner's own swap fails, and the owner must not touch the loop any
 * more. Nothing of the loop lives on the owner's stack across a callout, so the spare goes on where
 * it finds the struct.
 */
enum { IN_CALLOUT = 1, MORE = 2, SEQ_SHIFT = 2 };

struct timer_entry { /* the deadline beside the pointer: sifting touches no timer that does not move
                      */
    nwi_ns deadline;
    struct nwi_timer *timer;
};

struct nwi_loop {
    /* Release by the owner before a callout pairs with acquire in the monitor's steal: the spare
     * sees all the fields marked "owner" as they were left. */
    _Atomic uint64_t state;
    uint64_t seq; /* owner: of the last callout begun */

    /* Tasks posted, newest first. Release of the poster's swap pairs with acquire of the owner's
     * exchange; both are seq_cst since they also order against `sleeping`. */
    _Atomic(struct nwi_task *) inbox;
    /* True from just before the owner waits until somebody takes over the duty to wake it. seq_cst
     * on both sides: poster writes inbox then reads sleeping; owner writes sleeping then reads
     * inbox. */
    _Atomic bool sleeping;
    _Atomic bool
        started; /* release when the loop is ready to be posted to, acquire in the pickers */

    /* How often the monitor found it awake of late: 0 never, BUSY_ALWAYS always. Relaxed: a hint.
     */
    _Atomic uint32_t busy;

    /* Counts up: release by nwi_epoll_add pairs with acquire in nwi_epoll_fetch. */
    _Atomic uint32_t registrations;

    struct nwi_task *run_head, *run_tail; /* owner: tasks taken from the inbox, oldest first */
    struct nwi_task *late;                /* owner: stop tasks that wait for the end of the batch */

    int epoll_fd, wake_fd;                /* constant once started */
    struct epoll_event batch[BATCH_SIZE]; /* owner */
    unsigned batch_next, batch_count;

    pthread_mutex_t
        timer_lock;           /* guards heap, heap_count, heap_room and every armed timer's slot */
    struct timer_entry *heap; /* 4-ary */
    uint32_t heap_count, heap_room;
    LIST_ENTRY(nwi_loop) orphan_link; /* thread.c, under its lock: between two owners */
    /* Earliest deadline or NWI_NEVER; written under timer_lock, read without. seq_cst against
     * `sleeping` as above. */
    _Atomic nwi_ns next_deadline;
};

/* epoll.c: the only file that calls epoll. */
nwi_err nwi_epoll_open(struct nwi_loop *loop);
void nwi_epoll_close(struct nwi_loop *loop);
/* Fills the batch. deadline: nwi_now() scale; 0 = do not wait; NWI_NEVER. */
void nwi_epoll_fetch(struct nwi_loop *loop, nwi_ns deadline);
void nwi_epoll_wake(struct nwi_loop *loop);
bool nwi_epoll_has_events(const struct nwi_loop *loop); /* any thread; used by the monitor */
nwi_err nwi_epoll_add(struct nwi_io *io);
nwi_err nwi_epoll_arm(struct nwi_io *io, unsigned events);
nwi_err nwi_epoll_await_write(struct nwi_io *io, bool on);
nwi_err nwi_epoll_remove(struct nwi_io *io);
/* Next event of the batch as (io, events); NULL for the wake-up descriptor. Owner. */
struct nwi_io *nwi_epoll_next(struct nwi_loop *loop, unsigned *ret_events);

/* io.c: takes the descriptor for a ready(), unless another thread is in it: then false, and that
 * one calls it again. Before the callout begins: a thread that loses the loop at once, before its
 * first step, must have left the mark that keeps the new owner's stop task from ending the io. */
bool nwi_io_claim(struct nwi_io *io, unsigned events);
void nwi_io_deliver(struct nwi_io *io); /* inside the callout, after a claim: calls ready() */
/* The run function of every stop task. */
void nwi_io_run_stopped(struct nwi_task *task);

/* loop.c */
struct nwi_loop *nwi_loop_at(unsigned index); /* NULL while not started */
void nwi_loop_wake_if_sleeping(struct nwi_loop *loop);

/* timer.c: takes the earliest timer due at `now` out of the heap, or NULL. */
struct nwi_timer *nwi_timer_pop_due(struct nwi_loop *loop, nwi_ns now);

/* thread.c */
nwi_err nwi_thread_start(struct nwi_loop *loop); /* a thread that owns the loop */
nwi_err nwi_thread_spawn(void *(*main)(void *), void *argument, const char *name);
/* Gives the loop to a spare thread if the callout `word` is still the one running. */
bool nwi_thread_steal(struct nwi_loop *loop, uint64_t word);

/* monitor.c */
nwi_err nwi_monitor_start(void);
/* The owner calls it after waiting: wakes the monitor if that went to sleep because all loops did.
 */
void nwi_monitor_notice_awake(void);

#endif
