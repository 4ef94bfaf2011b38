/*
 * object.h - what all dispatch objects have in common.
 * What:   reference counts, a context pointer with a finalizer, activation, suspension, debugging.
 * Note:   a NULL object is refused with a line in the log, never a crash (retain and release take
 *         NULL silently).
 */
#ifndef DISPATCH_OBJECT_H
#define DISPATCH_OBJECT_H

#include <dispatch/base.h>
#include <dispatch/qos.h>

#ifdef __cplusplus
struct dispatch_object_s {};
typedef struct dispatch_object_s *dispatch_object_t;
#else
/* Any dispatch object, without a cast. */
typedef union {
    struct dispatch_object_s *_do;
    struct dispatch_queue_s *_dq;
    struct dispatch_queue_attr_s *_dqa;
    struct dispatch_group_s *_dg;
    struct dispatch_source_s *_ds;
    struct dispatch_semaphore_s *_dsema;
    struct dispatch_data_s *_ddata;
    struct dispatch_io_s *_dchannel;
} dispatch_object_t __attribute__((__transparent_union__));
#endif

DISPATCH_BEGIN_DECLS

#ifdef __BLOCKS__
/* A piece of work as a block. */
typedef void (^dispatch_block_t)(void);
#endif

/*
 * Adds a reference. Every object begins with one, owned by whoever called the create function.
 * Global queues, the main queue and dispatch_data_empty are not counted.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_retain(dispatch_object_t object);

/*
 * Gives one reference up. At the last one the finalizer, if set, is called on the object's target
 * queue with its context; work already submitted to a queue still runs, since it holds the queue.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_release(dispatch_object_t object);

/* Returns the pointer that dispatch_set_context stored, NULL at first. The object never looks at
 * it. */
DISPATCH_EXPORT DISPATCH_NOTHROW void *dispatch_get_context(dispatch_object_t object);
/* Stores any pointer in the object. The `_f` handlers of a source receive it. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_set_context(dispatch_object_t object, void *context);

/*
 * Sets the function called with the context when the object ends, on the object's target queue. It
 * is not called while the context is NULL. NULL removes it.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_set_finalizer_f(dispatch_object_t object,
                                                               dispatch_function_t finalizer);

/*
 * Starts an object that was created inactive: a source, or a queue with an inactive attribute.
 * Later calls do nothing.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_activate(dispatch_object_t object);
/* Stops a queue or source from starting further work; what runs finishes. Calls count up. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_suspend(dispatch_object_t object);
/* Undoes one dispatch_suspend. The first call on an inactive source activates it. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_resume(dispatch_object_t object);

/* Accepts a floor for the class of service of a queue or source; recorded only. Set before
 * activation. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_set_qos_class_floor(dispatch_object_t object,
                                                                   dispatch_qos_class_t qos_class,
                                                                   int relative_priority);

/* Writes `message` (a printf format) and a description of the object to the log. */
DISPATCH_EXPORT DISPATCH_PRINTF(2, 3) void dispatch_debug(dispatch_object_t object,
                                                          const char *message, ...);
DISPATCH_EXPORT DISPATCH_PRINTF(2, 0) void dispatch_debugv(dispatch_object_t object,
                                                           const char *message, va_list ap);

DISPATCH_END_DECLS

/*
 * Calls by object type (C only): dispatch_wait(group, timeout) is dispatch_group_wait(group,
 * timeout), and so on for semaphores, sources and, with blocks, block objects.
 */
#ifndef __cplusplus
#ifdef __BLOCKS__
#define dispatch_wait(object, ...)                                                                 \
    _Generic((object), dispatch_block_t                                                            \
             : dispatch_block_wait, dispatch_group_t                                               \
             : dispatch_group_wait, dispatch_semaphore_t                                           \
             : dispatch_semaphore_wait)((object), __VA_ARGS__)
#define dispatch_notify(object, ...)                                                               \
    _Generic((object), dispatch_block_t                                                            \
             : dispatch_block_notify, dispatch_group_t                                             \
             : dispatch_group_notify)((object), __VA_ARGS__)
#define dispatch_cancel(object)                                                                    \
    _Generic((object), dispatch_block_t                                                            \
             : dispatch_block_cancel, dispatch_source_t                                            \
             : dispatch_source_cancel)((object))
#define dispatch_testcancel(object)                                                                \
    _Generic((object), dispatch_block_t                                                            \
             : dispatch_block_testcancel, dispatch_source_t                                        \
             : dispatch_source_testcancel)((object))
#else
#define dispatch_wait(object, ...)                                                                 \
    _Generic((object), dispatch_group_t                                                            \
             : dispatch_group_wait, dispatch_semaphore_t                                           \
             : dispatch_semaphore_wait)((object), __VA_ARGS__)
#define dispatch_notify(object, ...)                                                               \
    _Generic((object), dispatch_group_t : dispatch_group_notify_f)((object), __VA_ARGS__)
#define dispatch_cancel(object)                                                                    \
    _Generic((object), dispatch_source_t : dispatch_source_cancel)((object))
#define dispatch_testcancel(object)                                                                \
    _Generic((object), dispatch_source_t : dispatch_source_testcancel)((object))
#endif
#endif

#endif
