/*
 * group.h - groups: to wait, or be told, until a set of work has ended.
 * What:   a count of running work. Groups can be used again after they became empty.
 */
#ifndef DISPATCH_GROUP_H
#define DISPATCH_GROUP_H

#include <dispatch/queue.h>

DISPATCH_DECL(dispatch_group);

DISPATCH_BEGIN_DECLS

/* Returns a new empty group, owned by the caller, or NULL when memory ran out. */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_MALLOC DISPATCH_WARN_RESULT dispatch_group_t
dispatch_group_create(void);

#ifdef __BLOCKS__
/* Submits the block to the queue as one member of the group. */
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_group_async(dispatch_group_t group, dispatch_queue_t queue, dispatch_block_t block);
/* Submits the block when the group is next empty; at once when it is empty now. */
DISPATCH_EXPORT DISPATCH_NOTHROW void
dispatch_group_notify(dispatch_group_t group, dispatch_queue_t queue, dispatch_block_t block);
#endif
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_group_async_f(dispatch_group_t group,
                                                             dispatch_queue_t queue, void *context,
                                                             dispatch_function_t work);
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_group_notify_f(dispatch_group_t group,
                                                              dispatch_queue_t queue, void *context,
                                                              dispatch_function_t work);

/* Waits until the group is empty. Returns 0, or nonzero when `timeout` came first. */
DISPATCH_EXPORT DISPATCH_NOTHROW intptr_t dispatch_group_wait(dispatch_group_t group,
                                                              dispatch_time_t timeout);

/* Counts one more member by hand; dispatch_group_leave takes it away. A leave without its enter is
 * reported and the process stops. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_group_enter(dispatch_group_t group);
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_group_leave(dispatch_group_t group);

DISPATCH_END_DECLS

#endif
