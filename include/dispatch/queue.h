/*
 * queue.h - queues: where work runs, and in which order.
 * What:   serial queues run one item at a time in order of submission; concurrent queues start
 *         items in order and let them overlap; barriers on a concurrent queue run alone. The main
 *         queue belongs to the main thread.
 * Note:   an `_f` call is the block call with (context, work) in place of the block; `work` gets
 *         the context.
 */
#ifndef DISPATCH_QUEUE_H
#define DISPATCH_QUEUE_H

#include <dispatch/object.h>
#include <dispatch/time.h>

DISPATCH_DECL(dispatch_queue);
DISPATCH_DECL(dispatch_queue_attr);
DISPATCH_DECL_SUBCLASS(dispatch_queue_global, dispatch_queue);
DISPATCH_DECL_SUBCLASS(dispatch_queue_serial, dispatch_queue);
DISPATCH_DECL_SUBCLASS(dispatch_queue_main, dispatch_queue);
DISPATCH_DECL_SUBCLASS(dispatch_queue_concurrent, dispatch_queue);

DISPATCH_BEGIN_DECLS

/* --- submitting work --- */

#ifdef __BLOCKS__
/* Submits the block and returns at once. The block is copied, the queue held until it has run. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_async(dispatch_queue_t queue,
                                                     dispatch_block_t block);
/* Runs the block on the queue and returns when it has. On a serial queue that the caller runs on,
 * this could never end: it is reported and the process stops. */
DISPATCH_EXPORT void dispatch_sync(dispatch_queue_t queue,
                                   DISPATCH_NOESCAPE dispatch_block_t block);
/* As dispatch_sync; the block may run on another thread, as asynchronous work does. */
DISPATCH_EXPORT void dispatch_async_and_wait(dispatch_queue_t queue,
                                             DISPATCH_NOESCAPE dispatch_block_t block);
/* Runs the block `iterations` times with 0, 1, 2, ..., many at once on a concurrent queue; returns
 * when all ended. */
DISPATCH_EXPORT void dispatch_apply(size_t iterations, dispatch_queue_t queue,
                                    DISPATCH_NOESCAPE void (^block)(size_t iteration));
/* Submits the block when `when` has come. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_after(dispatch_time_t when, dispatch_queue_t queue,
                                                     dispatch_block_t block);
/* On a concurrent queue: waits for all earlier work, runs alone, then lets later work start. On any
 * other queue the same as the calls without "barrier". */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_barrier_async(dispatch_queue_t queue,
                                                             dispatch_block_t block);
DISPATCH_EXPORT void dispatch_barrier_sync(dispatch_queue_t queue,
                                           DISPATCH_NOESCAPE dispatch_block_t block);
DISPATCH_EXPORT void dispatch_barrier_async_and_wait(dispatch_queue_t queue,
                                                     DISPATCH_NOESCAPE dispatch_block_t block);
#endif

DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_async_f(dispatch_queue_t queue, void *context,
                                                       dispatch_function_t work);
DISPATCH_EXPORT void dispatch_sync_f(dispatch_queue_t queue, void *context,
                                     dispatch_function_t work);
DISPATCH_EXPORT void dispatch_async_and_wait_f(dispatch_queue_t queue, void *context,
                                               dispatch_function_t work);
DISPATCH_EXPORT void dispatch_apply_f(size_t iterations, dispatch_queue_t queue, void *context,
                                      void (*work)(void *context, size_t iteration));
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_after_f(dispatch_time_t when, dispatch_queue_t queue,
                                                       void *context, dispatch_function_t work);
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_barrier_async_f(dispatch_queue_t queue, void *context, dispatch_function_t work);
DISPATCH_EXPORT void dispatch_barrier_sync_f(dispatch_queue_t queue, void *context,
                                             dispatch_function_t work);
DISPATCH_EXPORT void dispatch_barrier_async_and_wait_f(dispatch_queue_t queue, void *context,
                                                       dispatch_function_t work);

/* Passed to dispatch_apply for the queue: the library chooses where the iterations run. */
#define DISPATCH_APPLY_AUTO ((dispatch_queue_t)0)

/* --- queues that exist --- */

/* The object behind the main queue, for callers that can reach data but not call functions. */
DISPATCH_EXPORT struct dispatch_queue_s _dispatch_main_q;
/* Returns the serial queue of the main thread. Its work runs inside dispatch_main(), or when the
 * program drains it (below). Not counted. */
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_queue_main_t dispatch_get_main_queue(void);
/* Gives the calling thread, which must be the main one, to the main queue for ever. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_NORETURN void dispatch_main(void);

/*
 * Extension (np: not portable to Apple's platforms): the main queue inside a loop of your own.
 * The handle is a file descriptor, readable whenever the main queue has work; poll it, then call
 * the drain function on the main thread, which runs what is there and returns. Neither read from
 * the handle nor close it. The handle is -1 when the descriptor cannot be made.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW int dispatch_get_main_queue_handle_np(void);
DISPATCH_EXPORT void dispatch_main_queue_drain_np(void);

#define DISPATCH_QUEUE_PRIORITY_HIGH 2
#define DISPATCH_QUEUE_PRIORITY_DEFAULT 0
#define DISPATCH_QUEUE_PRIORITY_LOW (-2)
#define DISPATCH_QUEUE_PRIORITY_BACKGROUND INT16_MIN
typedef long dispatch_queue_priority_t;

/* Returns the concurrent queue of a priority above or a QOS_CLASS_ value; NULL for any other
 * identifier. `flags` must be 0. Not counted. */
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_queue_global_t
dispatch_get_global_queue(intptr_t identifier, uintptr_t flags);

/* Returns the queue whose work the calling thread runs, else the default global queue. For logs
 * only: compare with dispatch_assert_queue or queue-specific data instead. */
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_queue_t dispatch_get_current_queue(void);

/* --- making queues --- */

typedef unsigned long
    dispatch_autorelease_frequency_t; /* accepted; there are no autorelease pools in C */
enum {
    DISPATCH_AUTORELEASE_FREQUENCY_INHERIT = 0,
    DISPATCH_AUTORELEASE_FREQUENCY_WORK_ITEM = 1,
    DISPATCH_AUTORELEASE_FREQUENCY_NEVER = 2,
};

DISPATCH_EXPORT struct dispatch_queue_attr_s _dispatch_queue_attr_concurrent;
#define DISPATCH_QUEUE_SERIAL NULL
#define DISPATCH_QUEUE_CONCURRENT                                                                  \
    DISPATCH_GLOBAL_OBJECT(dispatch_queue_attr_t, _dispatch_queue_attr_concurrent)
#define DISPATCH_QUEUE_SERIAL_INACTIVE                                                             \
    dispatch_queue_attr_make_initially_inactive(DISPATCH_QUEUE_SERIAL)
#define DISPATCH_QUEUE_CONCURRENT_INACTIVE                                                         \
    dispatch_queue_attr_make_initially_inactive(DISPATCH_QUEUE_CONCURRENT)
#define DISPATCH_QUEUE_SERIAL_WITH_AUTORELEASE_POOL                                                \
    dispatch_queue_attr_make_with_autorelease_frequency(DISPATCH_QUEUE_SERIAL,                     \
                                                        DISPATCH_AUTORELEASE_FREQUENCY_WORK_ITEM)
#define DISPATCH_QUEUE_CONCURRENT_WITH_AUTORELEASE_POOL                                            \
    dispatch_queue_attr_make_with_autorelease_frequency(DISPATCH_QUEUE_CONCURRENT,                 \
                                                        DISPATCH_AUTORELEASE_FREQUENCY_WORK_ITEM)

/* Each returns `attr` (NULL: serial) with one thing changed. Attributes are shared constants and
 * not counted. */
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_queue_attr_t
dispatch_queue_attr_make_initially_inactive(dispatch_queue_attr_t attr);
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_queue_attr_t
dispatch_queue_attr_make_with_autorelease_frequency(dispatch_queue_attr_t attr,
                                                    dispatch_autorelease_frequency_t frequency);
/* relative_priority: 0 down to QOS_MIN_RELATIVE_PRIORITY. */
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_queue_attr_t dispatch_queue_attr_make_with_qos_class(
    dispatch_queue_attr_t attr, dispatch_qos_class_t qos_class, int relative_priority);

#define DISPATCH_TARGET_QUEUE_DEFAULT NULL

/* Returns a new queue, owned by the caller, or NULL when memory ran out. `label` (copied, may be
 * NULL) shows in logs. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_MALLOC DISPATCH_WARN_RESULT dispatch_queue_t
dispatch_queue_create(const char *label, dispatch_queue_attr_t attr);
/* The same, its work running inside `target` (retained): a queue over a serial queue never runs at
 * the same time as others over it. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_MALLOC DISPATCH_WARN_RESULT dispatch_queue_t
dispatch_queue_create_with_target(const char *label, dispatch_queue_attr_t attr,
                                  dispatch_queue_t target);

#define DISPATCH_CURRENT_QUEUE_LABEL NULL
/* Returns the label, "" when there is none; it lives as long as the queue. NULL asks for the
 * current queue's. */
DISPATCH_EXPORT DISPATCH_NOTHROW const char *dispatch_queue_get_label(dispatch_queue_t queue);
/* Returns the class the queue was made with; stores its relative priority unless the pointer is
 * NULL. */
DISPATCH_EXPORT DISPATCH_NOTHROW dispatch_qos_class_t
dispatch_queue_get_qos_class(dispatch_queue_t queue, int *relative_priority_ptr);
/* Sets where the handlers of a queue, source or channel run (NULL: a default global queue). For an
 * object that has been activated it takes effect between two items of its work. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_set_target_queue(dispatch_object_t object,
                                                                dispatch_queue_t queue);

/* --- queue-specific data --- */

/* Stores `context` under the address `key`. The former value's destructor is called on a global
 * queue, as is each one left when the queue ends. A NULL context removes the key. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_queue_set_specific(dispatch_queue_t queue,
                                                                  const void *key, void *context,
                                                                  dispatch_function_t destructor);
/* Returns what is stored in this very queue. */
DISPATCH_EXPORT DISPATCH_NOTHROW void *dispatch_queue_get_specific(dispatch_queue_t queue,
                                                                   const void *key);
/* Returns what the current queue, or the nearest of its target queues that has the key, stores. */
DISPATCH_EXPORT DISPATCH_NOTHROW void *dispatch_get_specific(const void *key);

/* --- assertions: the process stops with a message when they do not hold --- */

/* The caller runs on `queue`, or on a queue that targets it. */
DISPATCH_EXPORT void dispatch_assert_queue(dispatch_queue_t queue);
/* The same, and inside a barrier when the queue is concurrent. */
DISPATCH_EXPORT void dispatch_assert_queue_barrier(dispatch_queue_t queue);
/* The caller does not run on it. */
DISPATCH_EXPORT void dispatch_assert_queue_not(dispatch_queue_t queue);

#ifdef NDEBUG
#define dispatch_assert_queue_debug(q) ((void)(0 && (q)))
#define dispatch_assert_queue_barrier_debug(q) ((void)(0 && (q)))
#define dispatch_assert_queue_not_debug(q) ((void)(0 && (q)))
#else
#define dispatch_assert_queue_debug(q) dispatch_assert_queue(q)
#define dispatch_assert_queue_barrier_debug(q) dispatch_assert_queue_barrier(q)
#define dispatch_assert_queue_not_debug(q) dispatch_assert_queue_not(q)
#endif

DISPATCH_END_DECLS

#endif
