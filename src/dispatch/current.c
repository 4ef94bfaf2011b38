/*
 * current.c - which queue the calling thread is in; assertions about it.
 * What:   reads the thread's frames. A frame stands for its queue and for all queues that this one
 *         targets.
 * Runs:   on any thread, about that thread.
 */
#include "base/log.h"
#include "dispatch/frame.h"
#include "dispatch/queue.h"
#include <stdio.h>

/* The queue that a frame stands for, or NULL for the serial context of something else (a
 * connection's protocol context). */
static dispatch_queue_t queue_of(const struct nwi_frame *frame) {
    if (frame->queue != NULL)
        return frame->queue;
    for (struct nwi_serial *serial = frame->serial; serial != NULL; serial = serial->target)
        if (nwi_object_is(serial->owner, &nwi_serial_queue_type.base) ||
            nwi_object_is(serial->owner, &nwi_main_queue_type.base))
            return serial->owner;
    return NULL;
}

/* Without any frame, the main thread is in the main queue: that queue is bound to it. */
dispatch_queue_t nwi_queue_current(void) {
    for (struct nwi_frame *frame = nwi_frame_top(); frame != NULL; frame = frame->up) {
        dispatch_queue_t queue = queue_of(frame);
        if (queue != NULL)
            return queue;
    }
    return nwi_is_main_thread() ? dispatch_get_main_queue() : NULL;
}

bool nwi_queue_is_current(dispatch_queue_t queue) {
    for (struct nwi_frame *frame = nwi_frame_top(); frame != NULL; frame = frame->up)
        for (dispatch_queue_t held = queue_of(frame); held != NULL; held = nwi_queue_target(held))
            if (held == queue)
                return true;
    return queue == dispatch_get_main_queue() && nwi_is_main_thread();
}

dispatch_queue_t dispatch_get_current_queue(void) {
    dispatch_queue_t queue = nwi_queue_current();
    return queue != NULL ? queue : nwi_queue_default();
}

static _Noreturn void fail(const char *function, const char *what, dispatch_queue_t queue) {
    char text[160];
    snprintf(text, sizeof(text), "%s \"%s\"", what, queue->label != NULL ? queue->label : "");
    nwi_dispatch_crash(function, text);
}

void dispatch_assert_queue(dispatch_queue_t queue) {
    queue = nwi_queue_checked(queue, "dispatch_assert_queue");
    if (queue != NULL && !nwi_queue_is_current(queue))
        fail("dispatch_assert_queue", "expected to run on queue", queue);
}

void dispatch_assert_queue_not(dispatch_queue_t queue) {
    queue = nwi_queue_checked(queue, "dispatch_assert_queue_not");
    if (queue != NULL && nwi_queue_is_current(queue))
        fail("dispatch_assert_queue_not", "expected not to run on queue", queue);
}

void dispatch_assert_queue_barrier(dispatch_queue_t queue) {
    dispatch_assert_queue(queue);
    if (queue == NULL || queue->kind != NWI_QUEUE_CONCURRENT)
        return; /* work of a serial queue always runs alone */
    for (struct nwi_frame *frame = nwi_frame_top(); frame != NULL; frame = frame->up)
        if (frame->queue == queue && frame->barrier)
            return;
    fail("dispatch_assert_queue_barrier", "expected to run as a barrier on queue", queue);
}
