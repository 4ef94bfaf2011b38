/*
 * block.h - block objects: blocks that can be waited for, watched and cancelled.
 * What:   dispatch_block_create wraps a block into one that remembers whether it has run.
 *         Everything here is about blocks, so it exists only where the compiler has them; a group
 *         does the same for functions.
 */
#ifndef DISPATCH_BLOCK_H
#define DISPATCH_BLOCK_H

#include <dispatch/queue.h>

#ifdef __BLOCKS__

DISPATCH_BEGIN_DECLS

typedef unsigned long dispatch_block_flags_t;
enum {
    DISPATCH_BLOCK_BARRIER = 0x1, /* acts as a barrier when submitted to a concurrent queue */
    DISPATCH_BLOCK_DETACHED =
        0x2, /* the rest is about classes of service: accepted, nothing to do */
    DISPATCH_BLOCK_ASSIGN_CURRENT = 0x4,
    DISPATCH_BLOCK_NO_QOS_CLASS = 0x8,
    DISPATCH_BLOCK_INHERIT_QOS_CLASS = 0x10,
    DISPATCH_BLOCK_ENFORCE_QOS_CLASS = 0x20,
};

/*
 * Returns a new block that calls `block` (copied) and can be given to the functions below. The
 * caller frees it with Block_release. NULL for unknown flags, a NULL block or when memory ran out.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_block_t
dispatch_block_create(dispatch_block_flags_t flags, dispatch_block_t block);
/* The same with a class of service; NULL also for a class or relative priority that does not exist.
 */
DISPATCH_EXPORT DISPATCH_NOTHROW DISPATCH_WARN_RESULT dispatch_block_t
dispatch_block_create_with_qos_class(dispatch_block_flags_t flags, dispatch_qos_class_t qos_class,
                                     int relative_priority, dispatch_block_t block);
/* Calls `block` here and now, as if it had been made with `flags`. */
DISPATCH_EXPORT void dispatch_block_perform(dispatch_block_flags_t flags,
                                            DISPATCH_NOESCAPE dispatch_block_t block);
/* Waits until the block object has run once, or its cancelled run was skipped. Returns 0, nonzero
 * at `timeout`. At most one waiter; not together with running it more than once. */
DISPATCH_EXPORT DISPATCH_NOTHROW intptr_t dispatch_block_wait(dispatch_block_t block,
                                                              dispatch_time_t timeout);
/* Submits `notification_block` to the queue when the block object has run, at once when it has
 * already. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_block_notify(dispatch_block_t block,
                                                            dispatch_queue_t queue,
                                                            dispatch_block_t notification_block);
/* Keeps the block object from running if it has not begun; waiters are told when its turn has come
 * and gone. */
DISPATCH_EXPORT DISPATCH_NOTHROW void dispatch_block_cancel(dispatch_block_t block);
/* Returns nonzero when the block object has been cancelled. */
DISPATCH_EXPORT DISPATCH_NOTHROW intptr_t dispatch_block_testcancel(dispatch_block_t block);

DISPATCH_END_DECLS

#endif
#endif
