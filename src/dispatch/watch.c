/*
 * watch.c - see watch.h.
 */
#include "dispatch/watch.h"
#include "base/object.h"

/* In the context. */
static void take_events(struct nwi_task *task) {
    struct nwi_watch *watch = nwi_container_of(task, struct nwi_watch, task);
    /* acquire pairs with the release in io_ready: the events seen were stored before the task was
     * pushed. */
    unsigned events = atomic_exchange_explicit(&watch->events, 0, memory_order_acq_rel);
    if (watch->stopped || events == 0)
        return;
    /* Before the handler: what it awaits anew, or another context does from here on, stays. */
    if (watch->io.mode == NWI_IO_EDGE_READ && (events & NWI_IO_WRITE) != 0)
        nwi_io_await_write(&watch->io, false);
    watch->ready(watch, events);
}

/* On the loop's thread. The first to add events to an empty word sends the task; later ones only
 * add. */
static void io_ready(struct nwi_io *io, unsigned events) {
    struct nwi_watch *watch = nwi_container_of(io, struct nwi_watch, io);
    if (atomic_fetch_or_explicit(&watch->events, events, memory_order_acq_rel) == 0)
        nwi_serial_perform(watch->context, &watch->task);
}

/* In the context, last: any task with events was pushed before this one. */
static void let_go(struct nwi_task *task) {
    struct nwi_watch *watch = nwi_container_of(task, struct nwi_watch, io.stop_task);
    nwi_release(watch->owner);
}

/* On the loop's thread, after the last io_ready. The stop task's node is free again, so it carries
 * the news. */
static void io_stopped(struct nwi_io *io) {
    struct nwi_watch *watch = nwi_container_of(io, struct nwi_watch, io);
    io->stop_task.run = let_go;
    nwi_serial_push(watch->context, &io->stop_task);
}

static nwi_err start(struct nwi_watch *watch, struct nwi_serial *context, struct nwi_loop *loop,
                     int fd, enum nwi_io_mode mode, void *owner,
                     void (*ready)(struct nwi_watch *watch, unsigned events)) {
    watch->io.ready = io_ready;
    watch->io.stopped = io_stopped;
    watch->task.run = take_events;
    watch->context = context;
    watch->owner = nwi_retain(owner);
    watch->ready = ready;
    watch->stopped = false;
    nwi_err err = nwi_io_start(&watch->io, loop, fd, mode);
    if (err != 0)
        watch->owner = nwi_release(owner);
    return err;
}

nwi_err nwi_watch_start(struct nwi_watch *watch, struct nwi_serial *context, struct nwi_loop *loop,
                        int fd, void *owner,
                        void (*ready)(struct nwi_watch *watch, unsigned events)) {
    return start(watch, context, loop, fd, NWI_IO_EDGE, owner, ready);
}

nwi_err nwi_watch_start_reading(struct nwi_watch *watch, struct nwi_serial *context,
                                struct nwi_loop *loop, int fd, void *owner,
                                void (*ready)(struct nwi_watch *watch, unsigned events)) {
    return start(watch, context, loop, fd, NWI_IO_EDGE_READ, owner, ready);
}

void nwi_watch_await_write(struct nwi_watch *watch) {
    nwi_io_await_write(&watch->io, true);
}

void nwi_watch_stop(struct nwi_watch *watch) {
    if (watch->stopped || watch->owner == NULL)
        return;
    watch->stopped = true;
    nwi_io_stop(&watch->io);
}
