/*
 * apply.c - a loop whose iterations run on several threads.
 * What:   the calling thread takes iterations from a shared counter, and so do helpers pushed to
 *         the queue. The caller waits for iterations that were taken, never for helpers that have
 *         not begun: so nesting cannot deadlock.
 * Runs:   on any thread.
 * Owns:   the shared state, until the caller and the last helper have let go.
 */
#include "base/alloc.h"
#include "base/futex.h"
#include "base/log.h"
#include "dispatch/frame.h"
#include "dispatch/queue.h"
#include "loop/loop.h"

struct shared {
    struct nwi_callback work;
    size_t iterations;
    _Atomic size_t next; /* relaxed: hands out numbers */
    /* acq_rel: what the iterations did is seen by whoever counts the last one, and by the caller
     * behind `all`. */
    _Atomic size_t finished;
    _Atomic uint32_t all;  /* 1 when finished == iterations; release and acquire */
    _Atomic uint32_t refs; /* acq_rel: the last one frees */
};

struct helper {
    struct nwi_task task;
    struct shared *shared;
};

static void unref(struct shared *shared) {
    if (atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) == 1)
        nwi_free(shared);
}

static void run_iterations(struct shared *shared) {
    size_t done = 0, i;
    while ((i = atomic_fetch_add_explicit(&shared->next, 1, memory_order_relaxed)) <
           shared->iterations) {
        NWI_CALL(shared->work, void, (size_t), i);
        done++;
    }
    if (done > 0 &&
        atomic_fetch_add_explicit(&shared->finished, done, memory_order_acq_rel) + done ==
            shared->iterations) {
        atomic_store_explicit(&shared->all, 1, memory_order_release);
        nwi_futex_wake(&shared->all, 1);
    }
}

static void run_helper(struct nwi_task *task) {
    struct helper *helper = nwi_container_of(task, struct helper, task);
    run_iterations(helper->shared);
    unref(helper->shared);
    nwi_free(helper);
}

static void push_helpers(struct shared *shared, dispatch_queue_t queue) {
    size_t wanted = nwi_loop_count() - 1;
    if (wanted > shared->iterations - 1)
        wanted = shared->iterations - 1;
    for (size_t i = 0; i < wanted; i++) {
        struct helper *helper = nwi_alloc(sizeof(*helper));
        if (helper == NULL) /* fewer helpers do the same work */
            return;
        helper->task.run = run_helper;
        helper->shared = shared;
        atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
        nwi_queue_push(queue, &helper->task);
    }
}

static void run_shared(void *context) {
    run_iterations(context);
}

struct series {
    struct nwi_callback work;
    size_t iterations;
};

static void run_series(void *context) {
    struct series *series = context;
    for (size_t i = 0; i < series->iterations; i++)
        NWI_CALL(series->work, void, (size_t), i);
}

static void apply(const char *function, size_t iterations, dispatch_queue_t queue,
                  struct nwi_callback work) {
    if (queue == DISPATCH_APPLY_AUTO)
        queue = nwi_queue_default();
    queue = nwi_queue_checked(queue, function);
    if (work.fn == NULL)
        nwi_log_misuse(function, "no work given");
    if (queue == NULL || work.fn == NULL || iterations == 0)
        return;
    if (nwi_queue_has_serial(queue)) {
        struct series series = {.work = work, .iterations = iterations};
        dispatch_sync_f(queue, &series, run_series);
        return;
    }
    struct shared *shared = nwi_alloc_certain(sizeof(*shared));
    shared->work = work;
    shared->iterations = iterations;
    atomic_store_explicit(&shared->refs, 1, memory_order_relaxed); /* not shared yet */
    push_helpers(shared, queue);
    /* The caller's share runs in the queue as well. When the caller is in it already, entering once
     * more could wait for a barrier that waits for the caller. */
    if (nwi_queue_is_current(queue))
        run_iterations(shared);
    else
        dispatch_sync_f(queue, shared, run_shared);
    if (atomic_load_explicit(&shared->all, memory_order_relaxed) == 0)
        nwi_loop_will_block();
    while (atomic_load_explicit(&shared->all, memory_order_acquire) == 0)
        nwi_futex_wait(&shared->all, 0, NWI_NEVER);
    unref(shared);
}

DISPATCH_EXPORT void dispatch_apply(size_t iterations, dispatch_queue_t queue, const void *block) {
    apply("dispatch_apply", iterations, queue, nwi_callback_block_noescape(block));
}

void dispatch_apply_f(size_t iterations, dispatch_queue_t queue, void *context,
                      void (*work)(void *, size_t)) {
    apply("dispatch_apply_f", iterations, queue, nwi_callback_f(context, (nwi_fn)work));
}
