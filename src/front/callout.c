/*
 * callout.c - see callout.h.
 */
#include "front/callout.h"
#include "base/alloc.h"
#include "dispatch/dispatch.h"
#include <sched.h>
#include <unistd.h>

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
        nwi_queue_push(outlet->queue, drain_task);
    else
        nwi_release(owner);
}

void nwi_outlet_init(struct nwi_outlet *outlet, void *owner) {
    outlet->owner = owner;
    outlet->drain.run = drain;
}

void nwi_outlet_set_queue(struct nwi_outlet *outlet, dispatch_queue_t queue) {
    if (queue != NULL)
        dispatch_retain(queue);
    if (outlet->queue != NULL)
        dispatch_release(outlet->queue);
    outlet->queue = queue;
}

void nwi_outlet_push(struct nwi_outlet *outlet, struct nwi_task *task) {
    atomic_store_explicit(&task->next, NULL, memory_order_relaxed);
    struct nwi_task *previous = atomic_exchange_explicit(&outlet->tail, task, memory_order_acq_rel);
    if (previous != NULL)
        atomic_store_explicit(&previous->next, task, memory_order_release);
    else
        outlet->head = task;
    if (atomic_fetch_add_explicit(&outlet->pending, 1, memory_order_acq_rel) == 0) {
        nwi_retain(outlet->owner);
        nwi_queue_push(outlet->queue, &outlet->drain);
    }
}

void nwi_outlet_give(struct nwi_outlet *outlet, struct nwi_task *task) {
    if (outlet->queue == NULL || outlet->ended)
        nwi_queue_push(outlet->queue, task); /* NULL is the default global queue */
    else
        nwi_outlet_push(outlet, task);
}

void nwi_outlet_end(struct nwi_outlet *outlet) {
    outlet->ended = true;
}

void nwi_outlet_clear(struct nwi_outlet *outlet) {
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
        usleep(1000); /* as nwi_alloc_certain() */
    handler->callback = callback;
    return handler;
}
