/*
 * async.c - pushing work to any kind of queue.
 * What:   dispatch_async and its barrier form; nwi_queue_push for tasks that bring their own node.
 * Runs:   on any thread; the work on the queue.
 * Owns:   one small allocation an item, until the item begins.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/queue.h"

struct work {
    struct nwi_task task;
    struct nwi_callback callback;
};

void nwi_queue_push(dispatch_queue_t queue, struct nwi_task *task) {
    if (queue == NULL)
        queue = nwi_queue_default();
    if (nwi_queue_has_serial(queue))
        nwi_serial_push(&queue->serial, task);
    else
        nwi_concurrent_push(queue, task, false);
}

void nwi_queue_push_barrier(dispatch_queue_t queue, struct nwi_task *task) {
    if (queue != NULL && queue->kind == NWI_QUEUE_CONCURRENT)
        nwi_concurrent_push(queue, task, true);
    else
        nwi_queue_push(queue, task);
}

static void run_work(struct nwi_task *task) {
    struct work *work = nwi_container_of(task, struct work, task);
    struct nwi_callback callback = work->callback;
    nwi_free(work); /* first: the callback may run for long */
    NWI_CALL0(callback, void);
    nwi_callback_clear(&callback);
}

static struct nwi_task *make_work(struct nwi_callback callback) {
    struct work *work = nwi_alloc_certain(sizeof(*work));
    work->task.run = run_work;
    work->callback = callback;
    return &work->task;
}

void nwi_queue_push_callback(dispatch_queue_t queue, struct nwi_callback callback) {
    if (callback.fn != NULL)
        nwi_queue_push(queue, make_work(callback));
}

/* Inline: see callback.h. Consumes the callback. An empty one is a NULL block or function. */
static inline void submit(const char *function, dispatch_queue_t queue,
                          struct nwi_callback callback, bool barrier) {
    queue = nwi_queue_checked(queue, function);
    if (callback.fn == NULL)
        nwi_log_misuse(function, "no work given");
    if (queue == NULL || callback.fn == NULL) {
        nwi_callback_clear(&callback);
        return;
    }
    if (barrier)
        nwi_queue_push_barrier(queue, make_work(callback));
    else
        nwi_queue_push(queue, make_work(callback));
}

DISPATCH_EXPORT void dispatch_async(dispatch_queue_t queue, const void *block) {
    submit("dispatch_async", queue, nwi_callback_block(block), nwi_block_is_barrier(block));
}

void dispatch_async_f(dispatch_queue_t queue, void *context, dispatch_function_t work) {
    submit("dispatch_async_f", queue, nwi_callback_f(context, (nwi_fn)work), false);
}

DISPATCH_EXPORT void dispatch_barrier_async(dispatch_queue_t queue, const void *block) {
    submit("dispatch_barrier_async", queue, nwi_callback_block(block), true);
}

void dispatch_barrier_async_f(dispatch_queue_t queue, void *context, dispatch_function_t work) {
    submit("dispatch_barrier_async_f", queue, nwi_callback_f(context, (nwi_fn)work), true);
}
