/*
 * callout.h - the one door through which client code is called.
 * What:   an outlet carries an object's callouts to its client queue, in order and one at a time,
 *         also when that queue is concurrent. No protocol context is held and no lock taken while a
 *         handler runs.
 * Runs:   push in the object's protocol context (single producer); tasks run on the client queue.
 * Owns:   the queue; a reference on `owner` while callouts are on their way.
 */
#ifndef NWI_FRONT_CALLOUT_H
#define NWI_FRONT_CALLOUT_H

#include "base/callback.h"
#include "base/object.h"
#include "base/task.h"
#include <Network/Network.h>

struct nwi_outlet {
    /* Owned; NULL until set. Written by the producer (release), read by the drain (acquire). */
    _Atomic(dispatch_queue_t) queue;
    void *owner;
    _Atomic(struct nwi_task *) tail; /* acq_rel, both ends: see pop and push */
    struct nwi_task
        *head; /* written by the producer when the list was empty, else by the consumer */
    /* Linked tasks not yet run; 0 -> 1 sends the drain. acq_rel: the links are seen by the drain,
     * and what the drain did by the next one. */
    _Atomic uint32_t pending;
    bool ended; /* set once, by the destructor of the owner */
    struct nwi_task drain;
};

void nwi_outlet_init(struct nwi_outlet *outlet, void *owner);
/* Retains the queue. What is on its way stays on the one before, which is kept until then. In the
 * context that pushes. */
void nwi_outlet_set_queue(struct nwi_outlet *outlet, dispatch_queue_t queue);
/* Without a queue the task runs nowhere: callers check first. */
void nwi_outlet_push(struct nwi_outlet *outlet, struct nwi_task *task);
/* For completions, each of which has to run once whatever becomes of the object: as push, but when
 * the owner is on its way out (nwi_outlet_clear is next) the tasks outlive it, and when no queue
 * was ever set they run on the default global queue. Such a task must not touch the owner. */
void nwi_outlet_give(struct nwi_outlet *outlet, struct nwi_task *task);
/* The owner is being destroyed: what is given from here on must not hold it. */
void nwi_outlet_end(struct nwi_outlet *outlet);
/* Sends what was given since, and lets the queue go. */
void nwi_outlet_clear(struct nwi_outlet *outlet);

/* A handler that may be replaced while a callout to it is on its way. */
struct nwi_handler {
    struct nwi_object base;
    struct nwi_callback callback;
};
/* Consumes the callback; NULL for the empty callback. Waits for memory as nwi_alloc_certain() does.
 */
struct nwi_handler *nwi_handler_create(struct nwi_callback callback);

#endif
