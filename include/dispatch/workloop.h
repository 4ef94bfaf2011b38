/*
 * workloop.h - workloops.
 * What:   on Apple's platforms a queue that runs its items by class of service. Here classes do not
 *         order work, so a workloop is a serial queue.
 */
#ifndef DISPATCH_WORKLOOP_H
#define DISPATCH_WORKLOOP_H

#include <dispatch/queue.h>

DISPATCH_DECL_SUBCLASS(dispatch_workloop, dispatch_queue);

DISPATCH_BEGIN_DECLS

/* Returns a new workloop, owned by the caller, or NULL when memory ran out. The label is copied. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_MALLOC DISPATCH_WARN_RESULT dispatch_workloop_t
dispatch_workloop_create(const char *label);
/* The same, to be set up and then given to dispatch_activate. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_MALLOC DISPATCH_WARN_RESULT dispatch_workloop_t
dispatch_workloop_create_inactive(const char *label);
/* Accepted for source compatibility: C has no autorelease pools. */
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_workloop_set_autorelease_frequency(dispatch_workloop_t workloop,
                                            dispatch_autorelease_frequency_t frequency);

DISPATCH_END_DECLS

#endif
