/*
 * source.h - sources: handlers for events of descriptors, timers, signals, processes and of your
 * own.
 * What:   a source coalesces events and calls its event handler on its target queue, one call at a
 *         time. It is created inactive: set the handlers, then dispatch_activate() or
 *         dispatch_resume() it.
 * Note:   the `_f` handlers receive the context set with dispatch_set_context.
 */
#ifndef DISPATCH_SOURCE_H
#define DISPATCH_SOURCE_H

#include <dispatch/queue.h>

DISPATCH_DECL(dispatch_source);

DISPATCH_BEGIN_DECLS

typedef const struct dispatch_source_type_s *dispatch_source_type_t;

/*
 * The types, with what their handle, mask and data are:
 *
 * DATA_ADD: 0, 0; the sum of the merged values since the last call of the handler.
 * DATA_OR: 0, 0; their bitwise or.
 * DATA_REPLACE: 0, 0; the latest one.
 *
 * READ: a descriptor, 0; how many octets can be read, 0 at end of file (it stays ready).
 * WRITE: a descriptor, 0; how much room there is.
 *
 * TIMER: 0, DISPATCH_TIMER_ flags; how many times it has fired since the last call.
 *
 * SIGNAL: a signal number, 0; how many were seen since the last call. Call signal(number, SIG_IGN)
 * before activating, so that the program is safe at any time. While the source is active the
 * signal's default action does not happen; a handler set before is called as well.
 *
 * PROC: a process id, DISPATCH_PROC_EXIT; the events seen.
 */
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_data_add;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_data_or;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_data_replace;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_read;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_write;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_timer;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_signal;
DISPATCH_EXPORT const struct dispatch_source_type_s _dispatch_source_type_proc;
#define DISPATCH_SOURCE_TYPE_DATA_ADD (&_dispatch_source_type_data_add)
#define DISPATCH_SOURCE_TYPE_DATA_OR (&_dispatch_source_type_data_or)
#define DISPATCH_SOURCE_TYPE_DATA_REPLACE (&_dispatch_source_type_data_replace)
#define DISPATCH_SOURCE_TYPE_READ (&_dispatch_source_type_read)
#define DISPATCH_SOURCE_TYPE_WRITE (&_dispatch_source_type_write)
#define DISPATCH_SOURCE_TYPE_TIMER (&_dispatch_source_type_timer)
#define DISPATCH_SOURCE_TYPE_SIGNAL (&_dispatch_source_type_signal)
#define DISPATCH_SOURCE_TYPE_PROC (&_dispatch_source_type_proc)

typedef unsigned long dispatch_source_proc_flags_t;
#define DISPATCH_PROC_EXIT 0x80000000
typedef unsigned long dispatch_source_timer_flags_t;
#define DISPATCH_TIMER_STRICT 0x1 /* keep to the leeway asked for */

/* Returns a new inactive source, owned by the caller, its handlers running on `queue` (NULL: a
 * default global queue); NULL for a handle or mask that the type does not have, or when memory ran
 * out. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_MALLOC DISPATCH_WARN_RESULT dispatch_source_t
dispatch_source_create(dispatch_source_type_t type, uintptr_t handle, uintptr_t mask,
                       dispatch_queue_t queue);

/* The event handler runs when there is an event; the cancel handler once, after
 * dispatch_source_cancel and the last event handler, when the descriptor may be closed; the
 * registration handler once, when the source has begun to watch. NULL removes a handler. The calls
 * with blocks copy them. */
#ifdef __BLOCKS__
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_source_set_event_handler(dispatch_source_t source,
                                                                        dispatch_block_t handler);
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_source_set_cancel_handler(dispatch_source_t source,
                                                                         dispatch_block_t handler);
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_source_set_registration_handler(dispatch_source_t source, dispatch_block_t handler);
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_source_set_event_handler_f(dispatch_source_t source, dispatch_function_t handler);
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_source_set_cancel_handler_f(dispatch_source_t source, dispatch_function_t handler);
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_source_set_registration_handler_f(dispatch_source_t source, dispatch_function_t handler);

/* Ends the source: no event handler begins afterwards, except one that is on its way. The system
 * keeps using the descriptor until the cancel handler runs: close it there. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_source_cancel(dispatch_source_t source);
/* Returns nonzero when the source has been cancelled. */
DISPATCH_EXPORT DISPATCH_NOTHROW intptr_t dispatch_source_testcancel(dispatch_source_t source);

/* Return what the source was created with. */
DISPATCH_EXPORT DISPATCH_NOTHROW uintptr_t dispatch_source_get_handle(dispatch_source_t source);
DISPATCH_EXPORT DISPATCH_NOTHROW uintptr_t dispatch_source_get_mask(dispatch_source_t source);
/* Returns the data of the event being handled (see the types). Call it inside the event handler. */
DISPATCH_EXPORT DISPATCH_NOTHROW uintptr_t dispatch_source_get_data(dispatch_source_t source);

/* DATA_ types only: adds, ors or stores the value and makes the handler run. 0 does nothing for ADD
 * and OR. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_source_merge_data(dispatch_source_t source,
                                                                 uintptr_t value);

/*
 * Timers only: fires first at `start`, then each `interval` nanoseconds (DISPATCH_TIME_FOREVER:
 * once). The system may be up to `leeway` nanoseconds late. DISPATCH_TIME_NOW for `start` fires at
 * once; times from dispatch_walltime follow the wall clock. May be called again at any time; what
 * has fired but has not been handled is forgotten.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_source_set_timer(dispatch_source_t source,
                                                                dispatch_time_t start,
                                                                uint64_t interval, uint64_t leeway);

DISPATCH_END_DECLS

#endif
