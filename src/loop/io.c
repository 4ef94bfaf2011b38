/*
 * io.c - descriptors watched by a loop.
 * What:   start, arm, stop. A stop takes effect in two steps: the kernel forgets the descriptor at
 *         once, and a task tells the owner when no event fetched earlier can still be on its way:
 *         the loop runs that task when the batch at hand is finished (thread.c).
 * Runs:   on any thread; `stopped` on the loop.
 */
#include "base/log.h"
#include "loop/private.h"

/*
 * delivery: keeps the callbacks of one io apart, though a thread that was overtaken inside ready()
 * may still be in it when the loop's new thread has the next event, or the stop task, in hand.
 *
 *   bits 0..3  events that wait for the running ready() to return
 *   BUSY       some thread is in ready(), or between two of them
 *   ENDING     the stop task found it busy: the busy thread sends it again when it is done
 *
 * Every change is acq_rel: one ready() sees what the one before did, stopped() sees what all did,
 * and whoever finds BUSY set leaves what it wanted in the word for the busy thread.
 */
enum { EVENTS = 15, BUSY = 16, ENDING = 32 };

void nwi_io_run_stopped(struct nwi_task *task) {
    struct nwi_io *io = nwi_container_of(task, struct nwi_io, stop_task);
    uint32_t before = atomic_fetch_or_explicit(&io->delivery, ENDING, memory_order_acq_rel);
    if ((before & (BUSY | ENDING)) == BUSY)
        return;
    if (io->stopped != NULL)
        io->stopped(io);
}

/* Takes the waiting events, keeping BUSY. */
static unsigned take_events(struct nwi_io *io) {
    return atomic_fetch_and_explicit(&io->delivery, ~(uint32_t)EVENTS, memory_order_acq_rel) &
           EVENTS;
}

/* After a ready(): ends being busy. False: more events wait. */
static bool finish(struct nwi_io *io) {
    uint32_t state = BUSY;
    /* Once it is off BUSY, the io may be gone. */
    while (!atomic_compare_exchange_strong_explicit(&io->delivery, &state, 0, memory_order_acq_rel,
                                                    memory_order_acquire)) {
        if ((state & ENDING) != 0) {
            nwi_loop_post(io->loop,
                          &io->stop_task); /* finds ENDING set, so it does not turn back again */
            return true;
        }
        if ((state & EVENTS) != 0)
            return false;
    }
    return true;
}

bool nwi_io_claim(struct nwi_io *io, unsigned events) {
    uint32_t before = atomic_fetch_or_explicit(&io->delivery, events | BUSY, memory_order_acq_rel);
    return (before & BUSY) == 0; /* else the thread inside finds them */
}

void nwi_io_deliver(struct nwi_io *io) {
    do {
        unsigned waiting = take_events(io);
        if (waiting != 0 && !atomic_load_explicit(&io->stopping, memory_order_acquire))
            io->ready(io, waiting);
    } while (!finish(io));
}

nwi_err nwi_io_start(struct nwi_io *io, struct nwi_loop *loop, int fd, enum nwi_io_mode mode) {
    io->loop = loop;
    io->fd = fd;
    io->mode = (uint8_t)mode;
    io->stop_task.run = nwi_io_run_stopped;
    /* Relaxed: the kernel has not been told about the io yet, nobody else looks at it. */
    atomic_store_explicit(&io->stopping, 0, memory_order_relaxed);
    atomic_store_explicit(&io->delivery, 0, memory_order_relaxed);
    atomic_store_explicit(&io->armed, 0, memory_order_relaxed);
    return nwi_epoll_add(io);
}

nwi_err nwi_io_arm(struct nwi_io *io, unsigned events) {
    if (io->loop == NULL || io->mode != NWI_IO_ONESHOT) {
        nwi_log_misuse("nwi_io_arm", "not a started one-shot descriptor");
        return NWI_ERR_INVAL;
    }
    /* Before the kernel is told, since the event may come before epoll_ctl returns. Release: what
     * the arming thread prepared is seen by ready(); pairs with the acquire exchange in thread.c.
     */
    atomic_store_explicit(&io->armed, (uint8_t)(events & (NWI_IO_READ | NWI_IO_WRITE)),
                          memory_order_release);
    return nwi_epoll_arm(io, events);
}

void nwi_io_await_write(struct nwi_io *io, bool on) {
    nwi_err err = io->mode == NWI_IO_EDGE_READ ? nwi_epoll_await_write(io, on) : NWI_ERR_INVAL;
    if (err != 0)
        nwi_log_misuse("nwi_io_await_write", "not a watched descriptor of that mode");
}

void nwi_io_stop(struct nwi_io *io) {
    if (io->loop == NULL) {
        nwi_log_misuse("nwi_io_stop", "descriptor was never started");
        return;
    }
    /* Exchange: exactly one of two stoppers goes on. Release pairs with the owner's acquire before
     * ready(). */
    if (atomic_exchange_explicit(&io->stopping, 1, memory_order_acq_rel) != 0)
        return;
    nwi_err err = nwi_epoll_remove(io);
    if (err != 0)
        nwi_log_misuse("nwi_io_stop", "descriptor was closed before it was stopped");
    nwi_loop_post(io->loop, &io->stop_task);
}
