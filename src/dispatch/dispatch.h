/*
 * dispatch.h - the face of src/dispatch to the rest of libnw (and between its own files).
 * What:   the header of every dispatch object, the operations a kind of object may have, pushing
 *         work to any kind of queue, and which queue the calling thread is in. Public calls stay in
 *         include/dispatch.
 * Runs:   every function on any thread.
 */
#ifndef NWI_DISPATCH_DISPATCH_H
#define NWI_DISPATCH_DISPATCH_H

#include "base/callback.h"
#include "base/clock.h"
#include "base/object.h"
#include "base/task.h"
#include <dispatch/dispatch.h>
#include <stdarg.h>
#include <stdbool.h>

/* One constant table per kind of object (serial queue, group, source ...). An operation left NULL
 * means that the kind does not have it: the public call is then logged as misuse and refused. */
struct nwi_dispatch_type {
    struct nwi_type
        base; /* first: nwi_object.type points at it. base.last_release must be
                 nwi_dispatch_last_release: that is also how a dispatch object is recognised */
    void (*activate)(
        void *object); /* dispatch_activate: starts an inactive object; repeated calls do nothing */
    void (*suspend)(void *object); /* dispatch_suspend */
    void (*resume)(void *object);  /* dispatch_resume; too many are the kind's business (it aborts
                                      with nwi_dispatch_crash) */
    void (*set_target)(void *object, dispatch_queue_t queue); /* queue borrowed, NULL = default */
    /* Called at the last release, before the finalizer is queued: stop what runs, or
     * nwi_dispatch_crash when releasing in this state is a bug of the caller (suspended, inactive).
     * True: go on, finalize and free. False: the kind has taken the object over and calls
     * nwi_dispatch_finish(object) later, once. */
    bool (*dispose)(void *object);
};

/* First member of every dispatch object. base.base.destroy(object) frees what the kind holds;
 * context, finalizer and target are dealt with by object.c. */
struct nwi_dispatch_object {
    struct nwi_object base;
    _Atomic(void *) context; /* release by the setter pairs with acquire by whoever uses it */
    _Atomic(dispatch_function_t)
        finalizer; /* relaxed: read after the last release; runs on `target` (default: a global
                      queue) after the last release, when context is not NULL */
    _Atomic(dispatch_queue_t) target; /* owned reference or NULL = default global queue */
};

/* Zeroed object with one reference; target retained (NULL is fine). NULL when memory ran out.
 * `extra` octets follow the struct. */
void *nwi_dispatch_create(const struct nwi_dispatch_type *type, size_t extra,
                          dispatch_queue_t target);
/* Goes into nwi_type.last_release of every dispatch type: dispose, finalizer on the target,
 * destroy, free. */
void nwi_dispatch_last_release(void *object);
/* Second half of the above, for a kind whose dispose() said false. */
void nwi_dispatch_finish(void *object);
/* The object seen as a dispatch object; NULL when it is NULL or of another family (nw_*, sec_*,
 * data). */
struct nwi_dispatch_object *nwi_dispatch_object(const void *object);
/* A bug of the caller that cannot be survived (over-resume, release while suspended, sync onto
 * oneself): says "BUG IN CLIENT: function: what" in the log and on stderr, and aborts, as
 * libdispatch does. */
_Noreturn void nwi_dispatch_crash(const char *function, const char *what);

/* --- queues --- */
/* Runs the task on a queue of any kind (serial, concurrent, global, main), asynchronously, never
 * inside this call. NULL = the default global queue. The task is borrowed until its run() begins;
 * the queue stays alive meanwhile. */
void nwi_queue_push(dispatch_queue_t queue, struct nwi_task *task);
/* The same for a handler without arguments; consumes the callback (released after it ran). Never
 * fails: when memory runs out it waits for some, as libdispatch does. */
void nwi_queue_push_callback(dispatch_queue_t queue, struct nwi_callback callback);
/* Like nwi_queue_push, as a barrier on a concurrent queue. */
void nwi_queue_push_barrier(dispatch_queue_t queue, struct nwi_task *task);
/* The innermost queue the calling thread is in, or NULL. Borrowed. */
dispatch_queue_t nwi_queue_current(void);
/* Whether the calling thread is inside this queue right now (directly or through queues that target
 * it). */
bool nwi_queue_is_current(dispatch_queue_t queue);
/* The default global queue; never NULL, never freed. */
dispatch_queue_t nwi_queue_default(void);

/* --- time --- */
/* Converts to the nwi_now() scale: NOW and the past give a time not after now, FOREVER gives
 * NWI_NEVER. Wall-clock times are converted by the difference to the wall clock at the time of the
 * call. */
nwi_ns nwi_dispatch_deadline(dispatch_time_t when);

/* --- blocks made by dispatch_block_create (block.c) --- */
/* Whether this block was made with DISPATCH_BLOCK_BARRIER; false for any ordinary block. */
bool nwi_block_is_barrier(const void *block);

#endif
