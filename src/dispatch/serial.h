/*
 * serial.h - serial contexts: the exclusion and order that everything in libnw stands on.
 * What:   tasks pushed to one serial context run one at a time, in order, on loop threads. A
 *         dispatch serial queue embeds one; each connection has one of its own as its protocol
 *         context.
 * Runs:   all functions on any thread.
 * Rules:  docs/how/queue.md and the comment above the state word in serial.c.
 */
#ifndef NWI_DISPATCH_SERIAL_H
#define NWI_DISPATCH_SERIAL_H

#include "base/task.h"
#include <stdbool.h>
#include <stdint.h>

struct nwi_loop;

struct nwi_serial {
    _Atomic uint64_t state;          /* acq_rel, each change; see serial.c */
    _Atomic(struct nwi_task *) tail; /* lock-free list, producers' end; acq_rel */
    /* Consumer's end, owned by whoever runs the context. Release by the producer that found the
     * list empty pairs with acquire by the consumer; the consumer's own stores are relaxed. */
    _Atomic(struct nwi_task *) head;
    _Atomic(struct nwi_loop *) loop; /* where it last ran, or should run first: relaxed, a hint */
    struct nwi_task drain;     /* posted to a loop (or to the target context) to run the list */
    struct nwi_serial *target; /* NULL: runs on loops directly; else inside that context */
    void *owner; /* object (base/object.h) that embeds this context, or NULL. Retained when
                    the context becomes non-idle (push from 0, try_enter), released as the
                    very last step after it became idle again, so a task may drop the last
                    other reference on the owner from inside the context. */
    /* An executor of the embedder's own: gets nwi_serial_drain called soon. NULL = `target`, else a
     * loop. Called by the owner of the non-empty context, once each time it has to run. Such a
     * context refuses try_enter. */
    void (*wake)(struct nwi_serial *serial);
};

/* Zeroed memory plus this = ready. `loop` NULL: chosen at first use. */
void nwi_serial_init(struct nwi_serial *serial, struct nwi_loop *loop, void *owner);
/* Runs the task in the context later, after all pushed before. Never inside this call. */
void nwi_serial_push(struct nwi_serial *serial, struct nwi_task *task);
/* Enters at once when the context is idle (empty, not running, not suspended): the caller then runs
 * inside it until nwi_serial_leave. False: it is busy (also when the caller itself is inside). */
bool nwi_serial_try_enter(struct nwi_serial *serial);
/* Leaves; work that came meanwhile is run on the loop, not here. */
void nwi_serial_leave(struct nwi_serial *serial);
/* try_enter + task->run + leave, or push when busy. */
void nwi_serial_perform(struct nwi_serial *serial, struct nwi_task *task);
/* Whether the calling thread is inside the context right now. */
bool nwi_serial_is_current(const struct nwi_serial *serial);

/* Stops the context after the task that runs now; counted. resume: false = it was not suspended,
 * nothing done. */
void nwi_serial_suspend(struct nwi_serial *serial);
bool nwi_serial_resume(struct nwi_serial *serial);
/* A second, uncounted stop for objects created inactive. To be set before first use; activate:
 * false = was not set. */
void nwi_serial_set_inactive(struct nwi_serial *serial);
bool nwi_serial_activate(struct nwi_serial *serial);
bool nwi_serial_is_inactive(const struct nwi_serial *serial);
bool nwi_serial_is_suspended(const struct nwi_serial *serial); /* or inactive */
/* Inside the context (or while it is inactive): changes where it runs from the next task on. */
void nwi_serial_retarget(struct nwi_serial *serial, struct nwi_serial *target,
                         void (*wake)(struct nwi_serial *));
/* For an executor of its own, after its wake(): runs at most `limit` tasks on the calling thread.
 */
void nwi_serial_drain(struct nwi_serial *serial, unsigned limit);
unsigned nwi_serial_count(const struct nwi_serial *serial); /* tasks waiting or running */

#endif
