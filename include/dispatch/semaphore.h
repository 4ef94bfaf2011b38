/*
 * semaphore.h - counting semaphores.
 * What:   a value; waiting takes one from it, or sleeps until somebody signals.
 */
#ifndef DISPATCH_SEMAPHORE_H
#define DISPATCH_SEMAPHORE_H

#include <dispatch/object.h>
#include <dispatch/time.h>

DISPATCH_DECL(dispatch_semaphore);

DISPATCH_BEGIN_DECLS

/* Returns a semaphore with `value` (0 or more) to take, owned by the caller; NULL for a negative
 * value or when memory ran out. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_MALLOC DISPATCH_WARN_RESULT dispatch_semaphore_t
dispatch_semaphore_create(intptr_t value);
/* Takes one. Returns 0, or nonzero when `timeout` came first and nothing was taken. */
DISPATCH_EXPORT DISPATCH_NOTHROW intptr_t dispatch_semaphore_wait(dispatch_semaphore_t dsema,
                                                                  dispatch_time_t timeout);
/* Gives one. Returns nonzero when a waiting thread was woken, else 0. */
DISPATCH_EXPORT DISPATCH_NOTHROW intptr_t dispatch_semaphore_signal(dispatch_semaphore_t dsema);

DISPATCH_END_DECLS

#endif
