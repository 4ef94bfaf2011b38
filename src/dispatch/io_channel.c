/*
 * io_channel.c - channels: barriers between transfers, closing, the end.
 * What:   a channel hands transfers to its file as they come, except behind a barrier. It ends when
 *         it is closed or released and nothing of it is left; then its use of the file ends as
 *         well.
 * Runs:   in the file's serial context, except where it says otherwise.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/io_internal.h"

void nwi_io_channel_keep(dispatch_io_t channel) {
    atomic_fetch_add_explicit(&channel->inner, 1, memory_order_relaxed);
}

void nwi_io_channel_drop(dispatch_io_t channel) {
    /* Release and acquire: whoever frees sees what all others did. */
    if (atomic_fetch_sub_explicit(&channel->inner, 1, memory_order_acq_rel) == 1)
        nwi_dispatch_finish(channel);
}

static void end_if_idle(dispatch_io_t channel) {
    if (channel->context.ended || channel->context.active > 0 ||
        !TAILQ_EMPTY(&channel->context.waiting) ||
        atomic_load_explicit(&channel->closing, memory_order_relaxed) == 0)
        return;
    channel->context.ended = true;
    nwi_io_file_unuse(channel->file);
}

/* --- barriers --- */

static void pump(dispatch_io_t channel);

/* The flow's reference and the channel's go together. */
static void barrier_done(struct nwi_task *task) {
    struct nwi_io_operation *operation = nwi_container_of(task, struct nwi_io_operation, task);
    dispatch_io_t channel = nwi_take(&operation->channel);
    nwi_release(operation);
    channel->context.barrier = false;
    channel->context.active--;
    pump(channel);
    nwi_io_channel_drop(channel);
}

/* On the channel's target queue. */
static void run_barrier(struct nwi_task *task) {
    struct nwi_io_operation *operation = nwi_container_of(task, struct nwi_io_operation, task);
    NWI_CALL0(operation->handler, void);
    nwi_callback_clear(&operation->handler);
    operation->task.run = barrier_done;
    nwi_serial_push(&operation->file->serial, &operation->task);
}

static void launch(dispatch_io_t channel, struct nwi_io_operation *operation) {
    channel->context.active++;
    if (operation->direction != NWI_BARRIER) {
        nwi_io_file_start(channel->file, operation);
        return;
    }
    channel->context.barrier = true;
    operation->task.run = run_barrier;
    /* Relaxed: changed in this context too. */
    nwi_queue_push(atomic_load_explicit(&channel->base.target, memory_order_relaxed),
                   &operation->task);
}

static void pump(dispatch_io_t channel) {
    struct nwi_io_operation *operation;
    while (!channel->context.barrier &&
           (operation = TAILQ_FIRST(&channel->context.waiting)) != NULL) {
        if (operation->direction == NWI_BARRIER && channel->context.active > 0)
            break;
        TAILQ_REMOVE(&channel->context.waiting, operation, link);
        launch(channel, operation);
    }
    end_if_idle(channel);
}

/* Ends an operation that was not handed to the file. */
static void refuse(dispatch_io_t channel, struct nwi_io_operation *operation) {
    operation->channel = NULL;
    nwi_io_operation_finish(operation, ECANCELED, false);
    nwi_io_channel_drop(channel);
}

void nwi_io_channel_submit(dispatch_io_t channel, struct nwi_io_operation *operation) {
    bool barrier = operation->direction == NWI_BARRIER;
    if (!barrier &&
        ((atomic_load_explicit(&channel->closing, memory_order_relaxed) & NWI_STOPPED) != 0 ||
         channel->context.ended)) {
        refuse(channel, operation);
        return;
    }
    TAILQ_INSERT_TAIL(&channel->context.waiting, operation, link);
    nwi_io_channel_keep(channel); /* a transfer may end, and drop the last reference, at once */
    pump(channel);
    nwi_io_channel_drop(channel);
}

void nwi_io_channel_transfer_ended(dispatch_io_t channel) {
    channel->context.active--;
    pump(channel);
}

/* --- closing --- */

static void check(struct nwi_task *task) {
    dispatch_io_t channel = nwi_container_of(task, struct dispatch_io_s, check_task);
    atomic_exchange_explicit(&channel->checking, false, memory_order_acq_rel);
    if ((atomic_load_explicit(&channel->closing, memory_order_relaxed) & NWI_STOPPED) != 0) {
        struct nwi_io_operation *operation = TAILQ_FIRST(&channel->context.waiting);
        while (operation != NULL) {
            struct nwi_io_operation *next = TAILQ_NEXT(operation, link);
            if (operation->direction != NWI_BARRIER) {
                TAILQ_REMOVE(&channel->context.waiting, operation, link);
                refuse(channel, operation);
            }
            operation = next;
        }
        nwi_io_file_stop(channel->file, channel);
    }
    pump(channel);
    nwi_io_channel_drop(channel);
}

void nwi_io_channel_close(dispatch_io_t channel, unsigned bits) { /* any thread */
    atomic_fetch_or_explicit(&channel->closing, bits, memory_order_relaxed);
    if (atomic_exchange_explicit(&channel->checking, true, memory_order_acq_rel))
        return;
    nwi_io_channel_keep(channel);
    channel->check_task.run = check;
    nwi_serial_push(&channel->file->serial, &channel->check_task);
}

/* --- the object --- */

static bool dispose(void *object) {
    dispatch_io_t channel = object;
    nwi_io_channel_close(channel, NWI_RELEASED);
    nwi_io_channel_drop(channel);
    return false;
}

static void destroy(void *object) {
    nwi_release(((dispatch_io_t)object)->file);
}

struct change {
    struct nwi_task task;
    dispatch_io_t channel;  /* an inner reference */
    dispatch_queue_t queue; /* owned */
};

static void run_change(struct nwi_task *task) {
    struct change *change = nwi_container_of(task, struct change, task);
    dispatch_io_t channel = change->channel;
    /* acq_rel as in target.c: whoever reads it without the context sees the queue whole. */
    nwi_release(
        atomic_exchange_explicit(&channel->base.target, change->queue, memory_order_acq_rel));
    nwi_free(change);
    nwi_io_channel_drop(channel);
}

/* Any thread. In the context, since a barrier may be about to use the former target there. */
static void set_target(void *object, dispatch_queue_t queue) {
    struct change *change = nwi_alloc_certain(sizeof(*change));
    change->task.run = run_change;
    change->channel = object;
    change->queue = nwi_retain(queue);
    nwi_io_channel_keep(object);
    nwi_serial_push(&change->channel->file->serial, &change->task);
}

const struct nwi_dispatch_type nwi_io_channel_type = {
    .base = {.name = "dispatch_io",
             .size = sizeof(struct dispatch_io_s),
             .destroy = destroy,
             .last_release = nwi_dispatch_last_release},
    .set_target = set_target,
    .dispose = dispose,
};
