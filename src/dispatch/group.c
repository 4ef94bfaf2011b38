/*
 * group.c - groups: a count of running work, and who wants to know when it is zero.
 * What:   enter and leave count; at zero the waiters wake and the notifications are pushed to their
 *         queues.
 * Runs:   on any thread; notifications on their queues.
 * Owns:   the notifications not yet pushed. A group that is not empty holds itself.
 */
#include "base/alloc.h"
#include "base/futex.h"
#include "base/log.h"
#include "dispatch/queue.h"
#include "loop/loop.h"
#include <sys/queue.h>

struct notification {
    dispatch_queue_t queue; /* owned */
    struct nwi_callback work;
    STAILQ_ENTRY(notification) link;
};
STAILQ_HEAD(notifications, notification);

struct dispatch_group_s {
    struct nwi_dispatch_object object;
    pthread_mutex_t lock;
    uint32_t members;                   /* under lock */
    struct notifications notifications; /* under lock */
    /* How often the group became empty; changed under lock. Release there pairs with acquire in
     * wait: what the members did is seen. */
    _Atomic uint32_t generation;
};

static void destroy(void *object) {
    pthread_mutex_destroy(&((dispatch_group_t)object)->lock);
}

static const struct nwi_dispatch_type group_type = {
    .base = {.name = "dispatch_group",
             .size = sizeof(struct dispatch_group_s),
             .destroy = destroy,
             .last_release = nwi_dispatch_last_release},
};

static bool check(dispatch_group_t group, const char *function) {
    if (nwi_object_is(group, &group_type.base))
        return true;
    nwi_log_misuse(function, group == NULL ? "NULL group" : "not a group");
    return false;
}

dispatch_group_t dispatch_group_create(void) {
    dispatch_group_t group = nwi_dispatch_create(&group_type, 0, NULL);
    if (group == NULL)
        return NULL;
    pthread_mutex_init(&group->lock, NULL);
    STAILQ_INIT(&group->notifications);
    return group;
}

static void enter(dispatch_group_t group) {
    pthread_mutex_lock(&group->lock);
    if (group->members == UINT32_MAX)
        nwi_dispatch_crash("dispatch_group_enter", "group entered too often");
    if (group->members++ == 0)
        nwi_retain(group);
    pthread_mutex_unlock(&group->lock);
}

static void leave(dispatch_group_t group) {
    struct notifications due = STAILQ_HEAD_INITIALIZER(due);
    pthread_mutex_lock(&group->lock);
    if (group->members == 0)
        nwi_dispatch_crash("dispatch_group_leave", "group left more often than entered");
    bool empty = --group->members == 0;
    if (empty) {
        atomic_fetch_add_explicit(&group->generation, 1, memory_order_release);
        STAILQ_CONCAT(&due, &group->notifications);
    }
    pthread_mutex_unlock(&group->lock);
    if (!empty)
        return;
    nwi_futex_wake(&group->generation, INT_MAX);
    struct notification *next;
    while ((next = STAILQ_FIRST(&due)) != NULL) {
        STAILQ_REMOVE_HEAD(&due, link);
        nwi_queue_push_callback(next->queue, next->work);
        nwi_release(next->queue);
        nwi_free(next);
    }
    nwi_release(group);
}

void dispatch_group_enter(dispatch_group_t group) {
    if (check(group, "dispatch_group_enter"))
        enter(group);
}

void dispatch_group_leave(dispatch_group_t group) {
    if (check(group, "dispatch_group_leave"))
        leave(group);
}

intptr_t dispatch_group_wait(dispatch_group_t group, dispatch_time_t timeout) {
    if (!check(group, "dispatch_group_wait"))
        return EINVAL;
    nwi_ns deadline = nwi_dispatch_deadline(timeout);
    pthread_mutex_lock(&group->lock);
    bool empty = group->members == 0;
    uint32_t generation = atomic_load_explicit(&group->generation, memory_order_relaxed);
    pthread_mutex_unlock(&group->lock);
    if (!empty && timeout != DISPATCH_TIME_NOW)
        nwi_loop_will_block();
    /* A new generation means that it has been empty since, even if it is not any more. */
    while (!empty) {
        bool in_time = nwi_futex_wait(&group->generation, generation, deadline);
        empty = atomic_load_explicit(&group->generation, memory_order_acquire) != generation;
        if (!in_time && !empty)
            return ETIMEDOUT;
    }
    return 0;
}

/* --- notifications and members --- */

/* Whether group, queue and work are all there; else the callback is cleared. */
static bool check_all(const char *function, dispatch_group_t group, dispatch_queue_t queue,
                      struct nwi_callback *work) {
    bool fine = check(group, function) && nwi_queue_checked(queue, function) != NULL;
    if (fine && work->fn == NULL) {
        nwi_log_misuse(function, "no work given");
        fine = false;
    }
    if (!fine)
        nwi_callback_clear(work);
    return fine;
}

static void notify(const char *function, dispatch_group_t group, dispatch_queue_t queue,
                   struct nwi_callback work) {
    if (!check_all(function, group, queue, &work))
        return;
    struct notification *fresh = nwi_alloc_certain(sizeof(*fresh));
    fresh->queue = nwi_retain(queue);
    fresh->work = work;
    pthread_mutex_lock(&group->lock);
    bool empty = group->members == 0;
    if (!empty)
        STAILQ_INSERT_TAIL(&group->notifications, fresh, link);
    pthread_mutex_unlock(&group->lock);
    if (empty) {
        nwi_queue_push_callback(queue, work);
        nwi_release(fresh->queue);
        nwi_free(fresh);
    }
}

struct member {
    struct nwi_task task;
    dispatch_group_t group; /* held by its own count */
    struct nwi_callback work;
};

static void run_member(struct nwi_task *task) {
    struct member *member = nwi_container_of(task, struct member, task);
    NWI_CALL0(member->work, void);
    /* The block goes before the group hears of it: what it held is free when a waiter wakes. */
    nwi_callback_clear(&member->work);
    leave(member->group);
    nwi_free(member);
}

static void submit_member(const char *function, dispatch_group_t group, dispatch_queue_t queue,
                          struct nwi_callback work, bool barrier) {
    if (!check_all(function, group, queue, &work))
        return;
    struct member *member = nwi_alloc_certain(sizeof(*member));
    member->task.run = run_member;
    member->group = group;
    member->work = work;
    enter(group);
    if (barrier)
        nwi_queue_push_barrier(queue, &member->task);
    else
        nwi_queue_push(queue, &member->task);
}

DISPATCH_EXPORT void dispatch_group_async(dispatch_group_t group, dispatch_queue_t queue,
                                          const void *block) {
    submit_member("dispatch_group_async", group, queue, nwi_callback_block(block),
                  nwi_block_is_barrier(block));
}

void dispatch_group_async_f(dispatch_group_t group, dispatch_queue_t queue, void *context,
                            dispatch_function_t work) {
    submit_member("dispatch_group_async_f", group, queue, nwi_callback_f(context, (nwi_fn)work),
                  false);
}

DISPATCH_EXPORT void dispatch_group_notify(dispatch_group_t group, dispatch_queue_t queue,
                                           const void *block) {
    notify("dispatch_group_notify", group, queue, nwi_callback_block(block));
}

void dispatch_group_notify_f(dispatch_group_t group, dispatch_queue_t queue, void *context,
                             dispatch_function_t work) {
    notify("dispatch_group_notify_f", group, queue, nwi_callback_f(context, (nwi_fn)work));
}
