/*
 * target.c - which queue a queue's work runs in.
 * What:   sets a new queue's target; changes that of a queue in use by an item of its own, so that
 *         it takes effect between two items.
 * Runs:   on any thread; the change inside the queue.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/queue.h"
#include <pthread.h>

/* Held while a target is replaced, and while somebody who is in none of the queues walks from one
 * to the next: a target lives as long as the queue that has it. */
static pthread_mutex_t targets_lock = PTHREAD_MUTEX_INITIALIZER;

/* nwi_serial.wake of a serial queue over a concurrent one. */
static void wake_in_target(struct nwi_serial *serial) {
    dispatch_queue_t queue = nwi_container_of(serial, struct dispatch_queue_s, serial);
    nwi_queue_push(nwi_queue_target(queue), &serial->drain);
}

void nwi_queue_set_target(dispatch_queue_t queue, dispatch_queue_t target) {
    /* acq_rel: releases the target's fields to readers; acquires the old one's for its release. */
    pthread_mutex_lock(&targets_lock);
    dispatch_queue_t old =
        atomic_exchange_explicit(&queue->object.target, target, memory_order_acq_rel);
    pthread_mutex_unlock(&targets_lock);
    if (queue->kind == NWI_QUEUE_SERIAL) {
        bool over_serial = target != NULL && nwi_queue_has_serial(target);
        bool over_concurrent = target != NULL && target->kind == NWI_QUEUE_CONCURRENT;
        nwi_serial_retarget(&queue->serial, over_serial ? &target->serial : NULL,
                            over_concurrent ? wake_in_target : NULL);
    }
    nwi_release(old); /* if this runs inside the old target, that is busy and so holds itself */
}

/* Whether `wanted` is the queue or among those that it runs in. */
static bool runs_in(dispatch_queue_t queue, dispatch_queue_t wanted) {
    if (queue == wanted || nwi_queue_target(queue) == NULL)
        return queue == wanted;
    pthread_mutex_lock(&targets_lock);
    while (queue != NULL && queue != wanted)
        queue = nwi_queue_target(queue);
    pthread_mutex_unlock(&targets_lock);
    return queue != NULL;
}

bool nwi_queue_is_bound_to_main(dispatch_queue_t queue) {
    return runs_in(queue, dispatch_get_main_queue());
}

struct change {
    struct nwi_task task;
    dispatch_queue_t queue, target; /* target owned; the queue is alive while it runs us */
};

static void run_change(struct nwi_task *task) {
    struct change *change = nwi_container_of(task, struct change, task);
    nwi_queue_set_target(change->queue, change->target);
    nwi_free(change);
}

static bool is_inactive(dispatch_queue_t queue) {
    if (queue->kind == NWI_QUEUE_SERIAL)
        return nwi_serial_is_inactive(&queue->serial);
    pthread_mutex_lock(&queue->concurrent.lock);
    bool inactive = queue->concurrent.inactive;
    pthread_mutex_unlock(&queue->concurrent.lock);
    return inactive;
}

void nwi_queue_retarget(void *object, dispatch_queue_t target) {
    dispatch_queue_t queue = object;
    if (target != NULL && nwi_queue_checked(target, "dispatch_set_target_queue") == NULL)
        return;
    if (target != NULL && runs_in(target, queue)) {
        nwi_log_misuse("dispatch_set_target_queue", "queues would target each other in a circle");
        return;
    }
    if (is_inactive(queue)) { /* nothing runs in it, and whoever sets it up also activates it */
        nwi_queue_set_target(queue, nwi_retain(target));
        return;
    }
    struct change *change = nwi_alloc_certain(sizeof(*change));
    change->task.run = run_change;
    change->queue = queue;
    change->target = nwi_retain(target);
    nwi_queue_push_barrier(queue, &change->task);
}
