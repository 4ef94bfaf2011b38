/*
 * sync.c - running work in a queue and waiting for it.
 * What:   when the queue is idle the calling thread enters it and runs the work itself. When it is
 *         busy, a waiter is pushed in its turn; the drain that comes to it hands the queue to the
 *         waiting thread (serial.c, rule 6), which runs the work and leaves. Work of queues bound
 *         to the main thread, and of dispatch_async_and_wait on a busy queue, runs where the drain
 *         is.
 * Runs:   on any thread.
 */
#include "base/futex.h"
#include "base/log.h"
#include "dispatch/frame.h"
#include "dispatch/queue.h"
#include "loop/loop.h"

enum { WAITING, OWNER, FINISHED };

struct waiter { /* on the stack of the waiting thread */
    struct nwi_task task;
    /* Release by the drain pairs with acquire by the waiting thread: with it go the queue, and in
     * FINISHED what the work did. */
    _Atomic uint32_t state;
    struct nwi_callback work; /* borrowed */
    bool in_place;
};

static void tell(struct waiter *waiter, uint32_t state) {
    _Atomic uint32_t *word = &waiter->state;
    /* Release pairs with the acquire in wait_for_turn. */
    atomic_store_explicit(word, state, memory_order_release);
    /* The waiter may be gone by now: waking an address that nobody waits on does nothing. */
    nwi_futex_wake(word, 1);
}

/* In the drain. */
static void run_waiter(struct nwi_task *task) {
    struct waiter *waiter = nwi_container_of(task, struct waiter, task);
    if (waiter->in_place) {
        NWI_CALL0(waiter->work, void);
        tell(waiter, FINISHED);
    } else {
        nwi_frame_hand_off();
        tell(waiter, OWNER);
    }
}

/* Ends what the calling thread holds of a queue and its targets, after a hand-off. */
static void leave(dispatch_queue_t queue) {
    while (queue != NULL && queue->kind != NWI_QUEUE_GLOBAL) {
        /* Read before leaving: afterwards it may change. The target is held like the queue, so it
         * lives. */
        dispatch_queue_t target = nwi_queue_target(queue);
        if (nwi_queue_has_serial(queue))
            nwi_serial_leave_one(&queue->serial);
        else
            nwi_concurrent_leave(queue);
        queue = target;
    }
}

static void run_as_owner(dispatch_queue_t queue, struct nwi_callback work, bool barrier) {
    struct nwi_frame frame = {.barrier = barrier};
    if (nwi_queue_has_serial(queue))
        frame.serial = &queue->serial;
    else
        frame.queue = queue;
    nwi_frame_push(&frame);
    NWI_CALL0(work, void);
    nwi_frame_pop(&frame);
}

static void wait_for_turn(dispatch_queue_t queue, struct nwi_callback work, bool barrier,
                          bool in_place) {
    struct waiter waiter = {.task.run = run_waiter, .work = work, .in_place = in_place};
    if (barrier)
        nwi_queue_push_barrier(queue, &waiter.task);
    else
        nwi_queue_push(queue, &waiter.task);
    nwi_loop_will_block(); /* the drain that comes to us may stand behind us */
    uint32_t state;
    while ((state = atomic_load_explicit(&waiter.state, memory_order_acquire)) == WAITING)
        nwi_futex_wait(&waiter.state, WAITING, NWI_NEVER);
    if (state == OWNER) {
        run_as_owner(queue, work, barrier);
        leave(queue);
    }
}

/* Waiting for a queue that the thread itself occupies would never end. */
static bool would_deadlock(dispatch_queue_t queue, bool barrier) {
    if (queue->kind == NWI_QUEUE_GLOBAL)
        return false;
    if (nwi_is_main_thread() && nwi_queue_is_bound_to_main(queue))
        return true; /* only the main thread could run it */
    if (!nwi_queue_is_current(queue))
        return false;
    if (nwi_queue_has_serial(queue) || barrier)
        return true;
    for (struct nwi_frame *frame = nwi_frame_top(); frame != NULL; frame = frame->up)
        if (frame->queue == queue && frame->barrier)
            return true;
    return false;
}

static void run_and_wait(const char *function, dispatch_queue_t queue, struct nwi_callback work,
                         bool barrier, bool in_place) {
    queue = nwi_queue_checked(queue, function);
    if (work.fn == NULL)
        nwi_log_misuse(function, "no work given");
    if (queue == NULL || work.fn == NULL)
        return;
    if (would_deadlock(queue, barrier))
        nwi_dispatch_crash(function,
                           "called on a queue that the calling thread is running already");
    if (queue->kind == NWI_QUEUE_SERIAL && nwi_serial_try_enter(&queue->serial)) {
        NWI_CALL0(work, void);
        nwi_serial_leave(&queue->serial);
        return;
    }
    barrier = barrier && queue->kind == NWI_QUEUE_CONCURRENT;
    if (!nwi_queue_has_serial(queue) && nwi_concurrent_try_enter(queue, barrier)) {
        run_as_owner(queue, work, barrier);
        nwi_concurrent_leave(queue);
        return;
    }
    wait_for_turn(queue, work, barrier, in_place || nwi_queue_is_bound_to_main(queue));
}

DISPATCH_EXPORT void dispatch_sync(dispatch_queue_t queue, const void *block) {
    run_and_wait("dispatch_sync", queue, nwi_callback_block_noescape(block),
                 nwi_block_is_barrier(block), false);
}

void dispatch_sync_f(dispatch_queue_t queue, void *context, dispatch_function_t work) {
    run_and_wait("dispatch_sync_f", queue, nwi_callback_f(context, (nwi_fn)work), false, false);
}

DISPATCH_EXPORT void dispatch_barrier_sync(dispatch_queue_t queue, const void *block) {
    run_and_wait("dispatch_barrier_sync", queue, nwi_callback_block_noescape(block), true, false);
}

void dispatch_barrier_sync_f(dispatch_queue_t queue, void *context, dispatch_function_t work) {
    run_and_wait("dispatch_barrier_sync_f", queue, nwi_callback_f(context, (nwi_fn)work), true,
                 false);
}

DISPATCH_EXPORT void dispatch_async_and_wait(dispatch_queue_t queue, const void *block) {
    run_and_wait("dispatch_async_and_wait", queue, nwi_callback_block_noescape(block),
                 nwi_block_is_barrier(block), true);
}

void dispatch_async_and_wait_f(dispatch_queue_t queue, void *context, dispatch_function_t work) {
    run_and_wait("dispatch_async_and_wait_f", queue, nwi_callback_f(context, (nwi_fn)work), false,
                 true);
}

DISPATCH_EXPORT void dispatch_barrier_async_and_wait(dispatch_queue_t queue, const void *block) {
    run_and_wait("dispatch_barrier_async_and_wait", queue, nwi_callback_block_noescape(block), true,
                 true);
}

void dispatch_barrier_async_and_wait_f(dispatch_queue_t queue, void *context,
                                       dispatch_function_t work) {
    run_and_wait("dispatch_barrier_async_and_wait_f", queue, nwi_callback_f(context, (nwi_fn)work),
                 true, true);
}
