/*
 * io.c - descriptors watched by a loop.
 * What:   start, arm, stop. A stop takes effect in two steps: the kernel forgets the descriptor at
 * once, and a task tells the owner when no event fetched earlier can still be on its way. A turn
 * finishes its batch before it takes tasks from the inbox, so that task comes late enough by
 * itself. Runs:   on any thread; `stopped` on the loop.
 */
#include "base/log.h"
#include "loop/private.h"

static void run_stopped(struct nwi_task *task) {
    struct nwi_io *io = nwi_container_of(task, struct nwi_io, stop_task);
    if (io->stopped != NULL)
        io->stopped(io);
}

nwi_err nwi_io_start(struct nwi_io *io, struct nwi_loop *loop, int fd, enum nwi_io_mode mode) {
    io->loop = loop;
    io->fd = fd;
    io->mode = (uint8_t)mode;
    io->stop_task.run = run_stopped;
    /* Relaxed: the kernel has not been told about the io yet, nobody else looks at it. */
    atomic_store_explicit(&io->stopping, 0, memory_order_relaxed);
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
