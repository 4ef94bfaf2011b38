/*
 * after.c - work submitted when a point in time has come.
 * What:   a loop timer that pushes the work to its queue.
 * Runs:   on any thread; the timer on a loop.
 * Owns:   timer, work and a reference on the queue, until the timer fired.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/queue.h"
#include "loop/loop.h"

struct after {
    struct nwi_timer timer;
    dispatch_queue_t queue; /* owned */
    struct nwi_callback work;
};

static void fire(struct nwi_timer *timer) {
    struct after *after = nwi_container_of(timer, struct after, timer);
    nwi_queue_push_callback(after->queue, after->work);
    nwi_release(after->queue);
    nwi_free(after);
}

/* Consumes the callback. */
static void submit_after(const char *function, dispatch_time_t when, dispatch_queue_t queue,
                         struct nwi_callback work) {
    queue = nwi_queue_checked(queue, function);
    if (work.fn == NULL)
        nwi_log_misuse(function, "no work given");
    nwi_ns deadline = nwi_dispatch_deadline(when);
    if (queue == NULL || work.fn == NULL || deadline == NWI_NEVER) {
        nwi_callback_clear(&work);
        return;
    }
    if (deadline <= nwi_now()) {
        nwi_queue_push_callback(queue, work);
        return;
    }
    struct after *after = nwi_alloc_certain(sizeof(*after));
    after->queue = nwi_retain(queue);
    after->work = work;
    nwi_timer_init(&after->timer, nwi_loop_pick(), fire);
    while (nwi_timer_set(&after->timer, deadline) != 0) {
        /* No memory for the heap; there is no way to report it. Waits until an allocation of that
         * size succeeds. */
        nwi_free(nwi_alloc_certain(sizeof(*after)));
    }
}

DISPATCH_EXPORT void dispatch_after(dispatch_time_t when, dispatch_queue_t queue,
                                    const void *block) {
    submit_after("dispatch_after", when, queue, nwi_callback_block(block));
}

void dispatch_after_f(dispatch_time_t when, dispatch_queue_t queue, void *context,
                      dispatch_function_t work) {
    submit_after("dispatch_after_f", when, queue, nwi_callback_f(context, (nwi_fn)work));
}
