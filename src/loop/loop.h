/*
 * loop.h - the event loops: one per processor, each run by a thread.
 * What:   a loop is an epoll instance, a timer heap, an inbox that any thread posts to, and a run
 *         list. A thread stuck inside a callback loses its loop to a spare thread after a few
 *         milliseconds (docs/how/loop.md), so one blocked handler never stalls the others.
 * Runs:   every function here may be called from any thread. Callbacks (task run, timer fire, io
 *         ready) run on whichever thread runs the loop, begun one after the other. A callback that
 *         takes longer than some milliseconds may be overtaken: the next ones then run beside it,
 *         on another thread. So a loop excludes nothing; serial contexts do. Of one nwi_io alone no
 *         two callbacks ever overlap.
 * Note:   nothing here knows queues; src/dispatch builds serial contexts on top.
 */
#ifndef NWI_LOOP_LOOP_H
#define NWI_LOOP_LOOP_H

#include "base/clock.h"
#include "base/err.h"
#include "base/task.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nwi_loop;

/* The loop that the calling thread runs right now, or NULL on any other thread. */
struct nwi_loop *nwi_loop_current(void);
/* The current loop, else one for descriptors (below). Starts the loops on first use. Never NULL: a
 * process that cannot make its first loop (no descriptors, no memory) is told so in the log and
 * aborted. */
struct nwi_loop *nwi_loop_pick(void);
/* The next loop in turn, whatever thread calls: spreads queues evenly. */
struct nwi_loop *nwi_loop_pick_next(void);
/* The loop for a new connection's descriptor: goes round half of the loops, rounded up, and to the
 * least busy of all when that one has hardly slept of late. The other half of the processors is
 * left to the kernel's share of network work and to the program's own threads; a loop on each would
 * compete with them, and every wait would return fewer events. */
struct nwi_loop *nwi_loop_pick_for_io(void);
/* A loop that sleeps at this moment (or was not started yet), or NULL when all are busy. A guess,
 * good for spreading. */
struct nwi_loop *nwi_loop_pick_idle(void);
unsigned nwi_loop_count(void);
/* Runs the task on the loop soon, in order of posting. Wakes the loop only when it sleeps. */
void nwi_loop_post(struct nwi_loop *loop, struct nwi_task *task);
/* Says that the calling thread is about to wait for another one. Inside a callback with work behind
 * it, the loop goes to a spare thread at once instead of after the patience. Elsewhere it does
 * nothing. */
void nwi_loop_will_block(void);
/* Counts a system call of the calling thread that moved so many octets. A loop that has moved its
 * share ends its turn and looks at the other descriptors, so a flood on one of them holds up the
 * others for microseconds. */
void nwi_loop_charge(size_t octets);
/* Whether the share is used up: what goes on by itself should go on in a later task. Off the loops:
 * never. */
bool nwi_loop_turn_is_over(void);
/* Tests: how long a callback may run before its thread loses the loop (default 4 ms; NWI_NEVER =
 * for ever). */
void nwi_loop_set_patience(nwi_ns patience);

/* --- timers: embed, init once, set as often as liked --- */
struct nwi_timer {
    void (*fire)(
        struct nwi_timer *timer); /* on the loop's thread; the timer is stopped when it is called */
    struct nwi_loop *loop;
    nwi_ns deadline;
    uint32_t slot; /* heap position + 1; 0 = not armed. Written under the loop's timer lock */
};
void nwi_timer_init(struct nwi_timer *timer, struct nwi_loop *loop,
                    void (*fire)(struct nwi_timer *));
/* Arms or re-arms for `deadline` (nwi_now() scale). Fails only with NWI_ERR_NOMEM (heap growth). */
nwi_err nwi_timer_set(struct nwi_timer *timer, nwi_ns deadline);
/* Gives an armed timer another deadline. False: it is not armed (any more), and nothing is done. */
bool nwi_timer_move(struct nwi_timer *timer, nwi_ns deadline);
/* True: it was armed and will not fire. False: it was not armed, or is firing on the loop this
 * moment. */
bool nwi_timer_stop(struct nwi_timer *timer);

/* --- descriptors --- */
enum nwi_io_events {
    NWI_IO_READ = 1,
    NWI_IO_WRITE = 2,
    NWI_IO_HANGUP = 4 /* peer or both sides gone */,
    NWI_IO_ERROR = 8
};
/* An error or hang-up also sets READ and WRITE (one-shot: those asked for), since the next read or
 * write tells what it is. */
enum nwi_io_mode {
    NWI_IO_EDGE, /* both directions, edge triggered, one registration for the life of the descriptor
                  */
    NWI_IO_EDGE_READ, /* the same without writing, which is told only after nwi_io_await_write():
                         a UDP socket is writable anew, an edge, for each datagram it has sent */
    NWI_IO_ONESHOT,   /* nothing until nwi_io_arm(); one callback per arming, level triggered */
};
struct nwi_io {
    void (*ready)(struct nwi_io *io, unsigned events); /* on the loop's thread */
    void (*stopped)(
        struct nwi_io *io); /* on the loop's thread, after the last ready(): memory may go */
    struct nwi_loop *loop;
    int fd;
    uint8_t mode;
    /* Release by the stopper pairs with acquire before ready(): see io.c. */
    _Atomic uint8_t stopping;
    _Atomic uint8_t armed;     /* one-shot: the events asked for */
    _Atomic uint32_t delivery; /* acq_rel, each change; see io.c */
    struct nwi_task stop_task;
};
/* Registers fd (the caller still owns it). Errors: posix EPERM (fd cannot be waited for: a regular
 * file), EEXIST (already registered on that loop), ENOSPC, ENOMEM. */
nwi_err nwi_io_start(struct nwi_io *io, struct nwi_loop *loop, int fd, enum nwi_io_mode mode);
/* NWI_IO_ONESHOT only: asks for one callback when any of `events` (READ, WRITE) holds. */
nwi_err nwi_io_arm(struct nwi_io *io, unsigned events);
/* NWI_IO_EDGE_READ only: begins (ends) to tell of writing, at once when it is possible already.
 * From any thread, not after nwi_io_stop. */
void nwi_io_await_write(struct nwi_io *io, bool on);
/* Deregisters; no ready() runs or begins after `stopped` began, and `stopped` runs exactly once,
 * later, on the loop. The descriptor may be closed as soon as nwi_io_stop has returned. */
void nwi_io_stop(struct nwi_io *io);

#endif
