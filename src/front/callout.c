/*
 * callout.c - see callout.h.
 */
#include "front/callout.h"
#include "base/alloc.h"
#include "dispatch/dispatch.h"
#include <sched.h>

enum { DRAIN_BATCH = 64 }; /* callouts in one turn of the client queue, so that others get theirs */

static struct nwi_task *pop(struct nwi_outlet *outlet) {
    struct nwi_task *task = outlet->head;
    struct nwi_task *next = atomic_load_explicit(&task->next, memory_order_acquire);
    if (next == NULL) {
        struct nwi_task *expected = task;
        outlet->head = NULL;
        /* acq_rel pairs with the exchange in push: either the producer finds the list empty and
         * writes head, or we find its link. */
        if (atomic_compare_exchange_strong_explicit(&outlet->tail, &expected, NULL,
                                                    memory_order_acq_rel, memory_order_acquire))
            return task;
        while ((next = atomic_load_explicit(&task->next, memory_order_acquire)) == NULL)
            sched_yield();
    }
    outlet->head = next;
    return task;
}

static void drain(struct nwi_task *drain_task) {
    struct nwi_outlet *outlet = nwi_container_of(drain_task, struct nwi_outlet, drain);
    void *owner = outlet->owner;
    /* acquire pairs with the release in push: so many tasks are linked. */
    uint32_t ready = atomic_load_explicit(&outlet->pending, memory_order_acquire), done = 0;
    while (done < ready && done < DRAIN_BATCH) {
        struct nwi_task *task = pop(outlet);
        done++;
        task->run(task);
    }
    if (atomic_fetch_sub_explicit(&outlet->pending, done, memory_order_acq_rel) != done)
        nwi_queue_push(atomic_load_explicit(&outlet->queue, memory_order_acquire), drain_task);
    else
        nwi_release(owner);
}

void nwi_outlet_init(struct nwi_outlet *outlet, void *owner) {
    outlet->owner = owner;
    outlet->drain.run = drain;
}

/* True: the list was empty, and somebody has to send the drain. */
static bool link_task(struct nwi_outlet *outlet, struct nwi_task *task) {
    atomic_store_explicit(&task->next, NULL, memory_order_relaxed);
    struct nwi_task *previous = atomic_exchange_explicit(&outlet->tail, task, memory_order_acq_rel);
    if (previous != NULL)
        atomic_store_explicit(&previous->next, task, memory_order_release);
    else
        outlet->head = task;
    return atomic_fetch_add_explicit(&outlet->pending, 1, memory_order_acq_rel) == 0;
}

void nwi_outlet_push(struct nwi_outlet *outlet, struct nwi_task *task) {
    if (!link_task(outlet, task))
        return;
    nwi_retain(outlet->owner);
    nwi_queue_push(outlet->queue, &outlet->drain);
}

/* A queue that was replaced while a drain might still choose it for its next turn. */
struct former_queue {
    struct nwi_task task;
    dispatch_queue_t queue; /* owned */
};

static void let_go(struct nwi_task *task) {
    struct former_queue *former = nwi_container_of(task, struct former_queue, task);
    dispatch_release(former->queue);
    nwi_free(former);
}

void nwi_outlet_set_queue(struct nwi_outlet *outlet, dispatch_queue_t queue) {
    if (queue != NULL)
        dispatch_retain(queue);
    /* Release pairs with the acquire in drain: the queue it finds is whole. */
    dispatch_queue_t before = atomic_exchange_explicit(&outlet->queue, queue, memory_order_acq_rel);
    if (before == NULL)
        return;
    if (atomic_load_explicit(&outlet->pending, memory_order_acquire) == 0) {
        dispatch_release(before); /* no drain is there to look at it */
        return;
    }
    /* Behind the exchange: a drain that has run this task finds the new queue. */
    struct former_queue *former = nwi_alloc_certain(sizeof *former);
    former->task.run = let_go;
    former->queue = before;
    nwi_outlet_push(outlet, &former->task);
}

void nwi_outlet_give(struct nwi_outlet *outlet, struct nwi_task *task) {
    if (outlet->ended)
        (void)link_task(outlet, task); /* nwi_outlet_clear sends them */
    else if (outlet->queue == NULL)
        nwi_queue_push(NULL, task); /* the default global queue */
    else
        nwi_outlet_push(outlet, task);
}

void nwi_outlet_end(struct nwi_outlet *outlet) {
    outlet->ended = true;
}

/* The last callouts of an owner that is gone, still one at a time and in order. */
struct rest {
    struct nwi_object base;
    struct nwi_outlet outlet;
};

static void destroy_rest(void *object) {
    nwi_outlet_set_queue(&((struct rest *)object)->outlet, NULL);
}

static const struct nwi_type rest_type = {
    .name = "nwi_outlet_rest",
    .size = sizeof(struct rest),
    .destroy = destroy_rest,
};

static void send_rest(struct nwi_outlet *outlet) {
    struct rest *rest;
    while ((rest = nwi_object_create(&rest_type, 0)) == NULL)
        nwi_alloc_wait("callouts on their way");
    nwi_outlet_init(&rest->outlet, rest); /* its one reference goes with the drain */
    nwi_outlet_set_queue(&rest->outlet, outlet->queue);
    /* Relaxed: nobody else has either outlet, and the queue orders what follows. */
    rest->outlet.head = outlet->head;
    atomic_store_explicit(&rest->outlet.tail,
                          atomic_load_explicit(&outlet->tail, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&rest->outlet.pending,
                          atomic_load_explicit(&outlet->pending, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&outlet->pending, 0, memory_order_relaxed);
    nwi_queue_push(rest->outlet.queue, &rest->outlet.drain);
}

void nwi_outlet_clear(struct nwi_outlet *outlet) {
    if (atomic_load_explicit(&outlet->pending, memory_order_relaxed) != 0)
        send_rest(outlet);
    nwi_outlet_set_queue(outlet, NULL);
}

static void destroy_handler(void *object) {
    nwi_callback_clear(&((struct nwi_handler *)object)->callback);
}

static const struct nwi_type handler_type = {
    .name = "nwi_handler",
    .size = sizeof(struct nwi_handler),
    .destroy = destroy_handler,
};

struct nwi_handler *nwi_handler_create(struct nwi_callback callback) {
    if (callback.fn == NULL)
        return NULL;
    struct nwi_handler *handler;
    /* The calls that set handlers return nothing: one that got lost would be waited for for ever.
     */
    while ((handler = nwi_object_create(&handler_type, 0)) == NULL)
        nwi_alloc_wait("a handler");
    handler->callback = callback;
    return handler;
}
