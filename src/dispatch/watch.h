/*
 * watch.h - readiness of a descriptor, delivered inside a serial context.
 * What:   joins nwi_io (which reports on a loop thread) to a serial context: when the context is
 *         idle the handler runs there and then, on the loop's thread; otherwise events are gathered
 *         and run in turn.
 * Runs:   start and stop inside the context. The handler never runs after nwi_watch_stop has
 *         returned there.
 * Owns:   a reference on `owner` from start until the loop has let go of the descriptor.
 */
#ifndef NWI_DISPATCH_WATCH_H
#define NWI_DISPATCH_WATCH_H

#include "dispatch/serial.h"
#include "loop/loop.h"

struct nwi_watch {
    struct nwi_io io;
    struct nwi_task task;
    struct nwi_serial *context;
    void *owner;
    void (*ready)(struct nwi_watch *watch, unsigned events); /* enum nwi_io_events */
    _Atomic unsigned events; /* acq_rel; gathered; non-zero means the task is on its way */
    bool stopped;            /* context only */
};

/* Registers `fd`, edge triggered, both directions. `owner` is retained on success only. Errors:
 * nwi_io_start's. */
nwi_err nwi_watch_start(struct nwi_watch *watch, struct nwi_serial *context, struct nwi_loop *loop,
                        int fd, void *owner,
                        void (*ready)(struct nwi_watch *watch, unsigned events));
/* The same for reading; writing is told once for each nwi_watch_await_write, which may be called
 * from any context. */
nwi_err nwi_watch_start_reading(struct nwi_watch *watch, struct nwi_serial *context,
                                struct nwi_loop *loop, int fd, void *owner,
                                void (*ready)(struct nwi_watch *watch, unsigned events));
void nwi_watch_await_write(struct nwi_watch *watch);
/* The descriptor may be closed when this has returned. */
void nwi_watch_stop(struct nwi_watch *watch);

#endif
