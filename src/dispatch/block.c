/*
 * block.c - block objects: dispatch_block_create and the calls on what it returns.
 * What:   a block laid out by hand (this file is compiled without blocks) whose one captured
 *         variable is a counted state: the block it wraps, whether it has run, who waits for that.
 * Source: Block ABI ("Block Implementation Specification"): literal {isa, flags, reserved, invoke,
 *         descriptor, captures}, descriptor {reserved, size, copy, dispose} with flag bit 25.
 * Runs:   on any thread; the wrapped block wherever the block object is called.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/dispatch.h"
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/queue.h>

extern void *_NSConcreteStackBlock[32];
extern void *_Block_copy(const void *block);

enum { HAS_COPY_DISPOSE = 1 << 25, BARRIER = 0x1, ALL_FLAGS = 0x3f, LOWEST_PRIORITY = -15 };

struct notification {
    STAILQ_ENTRY(notification) link;
    dispatch_queue_t queue; /* owned */
    struct nwi_callback callback;
};

struct state {
    struct nwi_object base;
    struct nwi_callback wrapped;
    unsigned long flags;
    _Atomic bool cancelled; /* relaxed: a flag that publishes nothing else */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* on the monotonic clock */
    struct {
        bool done;
        STAILQ_HEAD(, notification) notifications;
    } locked;
};

struct literal {
    void *isa;
    int flags, reserved;
    void (*invoke)(void *block);
    const void *descriptor;
    struct state *state; /* owned by every copy on the heap */
};

static void drop_notifications(struct state *state, bool submit) {
    struct notification *first;
    while ((first = STAILQ_FIRST(&state->locked.notifications)) != NULL) {
        STAILQ_REMOVE_HEAD(&state->locked.notifications, link);
        if (submit)
            nwi_queue_push_callback(first->queue, first->callback);
        else
            nwi_callback_clear(&first->callback);
        nwi_release(first->queue);
        nwi_free(first);
    }
}

static void destroy_state(void *object) {
    struct state *state = object;
    drop_notifications(state, false); /* it never ran */
    nwi_callback_clear(&state->wrapped);
    pthread_cond_destroy(&state->changed);
    pthread_mutex_destroy(&state->lock);
}
static const struct nwi_type state_type = {
    .name = "dispatch_block", .size = sizeof(struct state), .destroy = destroy_state};

/* What calling the block object does. */
static void invoke(void *block) {
    struct state *state = nwi_retain(((struct literal *)block)->state); /* it may release itself */
    if (!atomic_load_explicit(&state->cancelled, memory_order_relaxed))
        NWI_CALL0(state->wrapped, void);
    pthread_mutex_lock(&state->lock);
    state->locked.done = true;
    pthread_cond_broadcast(&state->changed);
    drop_notifications(state, true);
    pthread_mutex_unlock(&state->lock);
    nwi_release(state);
}

static void copy_capture(void *to, const void *from) {
    ((struct literal *)to)->state = nwi_retain(((const struct literal *)from)->state);
}
static void dispose_capture(const void *block) {
    nwi_release(((const struct literal *)block)->state);
}

static const struct {
    unsigned long reserved, size;
    void (*copy)(void *, const void *);
    void (*dispose)(const void *);
} descriptor = {0, sizeof(struct literal), copy_capture, dispose_capture};

/* The state of a block object; NULL for any other block. */
static struct state *find_state(const void *block) {
    const struct literal *literal = block;
    return literal != NULL && literal->invoke == invoke ? literal->state : NULL;
}

/* A reference of the call's own: the blocks runtime's count orders the end of the state after our
 * use as well, but only ours is seen by tools that watch this library alone. */
static struct state *check_state(const void *block, const char *function) {
    struct state *state = find_state(block);
    if (state == NULL)
        nwi_log_misuse(function, "not a block made by dispatch_block_create");
    return nwi_retain(state);
}

bool nwi_block_is_barrier(const void *block) {
    const struct state *state = find_state(block);
    return state != NULL && (state->flags & BARRIER) != 0;
}

/* --- making --- */

static void *create(const char *function, unsigned long flags, const void *block) {
    if (block == NULL || (flags & ~(unsigned long)ALL_FLAGS) != 0) {
        nwi_log_misuse(function, block == NULL ? "no block" : "unknown flags");
        return NULL;
    }
    struct state *state = nwi_object_create(&state_type, 0);
    if (state == NULL)
        return NULL;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&state->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&state->lock, NULL);
    STAILQ_INIT(&state->locked.notifications);
    state->flags = flags;
    state->wrapped = nwi_callback_block(block);
    struct literal literal = {
        _NSConcreteStackBlock, HAS_COPY_DISPOSE, 0, invoke, &descriptor, state};
    void *made = state->wrapped.fn != NULL ? _Block_copy(&literal) : NULL;
    nwi_release(state); /* the copy has its own */
    return made;
}

DISPATCH_EXPORT void *dispatch_block_create(unsigned long flags, const void *block);
void *dispatch_block_create(unsigned long flags, const void *block) {
    return create(__func__, flags, block);
}

static bool is_class(dispatch_qos_class_t qos_class) {
    switch (qos_class) {
    case QOS_CLASS_USER_INTERACTIVE:
    case QOS_CLASS_USER_INITIATED:
    case QOS_CLASS_DEFAULT:
    case QOS_CLASS_UTILITY:
    case QOS_CLASS_BACKGROUND:
    case QOS_CLASS_UNSPECIFIED:
        return true;
    default:
        return false;
    }
}

DISPATCH_EXPORT void *dispatch_block_create_with_qos_class(unsigned long flags,
                                                           dispatch_qos_class_t qos_class,
                                                           int relative_priority,
                                                           const void *block);
void *dispatch_block_create_with_qos_class(unsigned long flags, dispatch_qos_class_t qos_class,
                                           int relative_priority, const void *block) {
    if (!is_class(qos_class) || relative_priority > 0 || relative_priority < LOWEST_PRIORITY) {
        nwi_log_misuse(__func__, "no such class or relative priority");
        return NULL;
    }
    return create(__func__, flags, block);
}

DISPATCH_EXPORT void dispatch_block_perform(unsigned long flags, const void *block);
void dispatch_block_perform(unsigned long flags, const void *block) {
    struct nwi_callback callback = nwi_callback_block_noescape(block);
    if (callback.fn == NULL || (flags & ~(unsigned long)ALL_FLAGS) != 0)
        nwi_log_misuse(__func__, callback.fn == NULL ? "no block" : "unknown flags");
    else
        NWI_CALL0(callback, void);
}

/* --- watching --- */

DISPATCH_EXPORT intptr_t dispatch_block_wait(const void *block, dispatch_time_t timeout);
intptr_t dispatch_block_wait(const void *block, dispatch_time_t timeout) {
    NWI_AUTO_RELEASE
    struct state *state = check_state(block, __func__);
    if (state == NULL)
        return -1;
    nwi_ns deadline = nwi_dispatch_deadline(timeout);
    struct timespec end = {(time_t)(deadline / NWI_SEC), (long)(deadline % NWI_SEC)};
    int failed = 0;
    pthread_mutex_lock(&state->lock);
    while (!state->locked.done && failed == 0)
        failed = deadline == NWI_NEVER
                     ? pthread_cond_wait(&state->changed, &state->lock)
                     : pthread_cond_timedwait(&state->changed, &state->lock, &end);
    bool done = state->locked.done;
    pthread_mutex_unlock(&state->lock);
    return done ? 0 : -1;
}

DISPATCH_EXPORT void dispatch_block_notify(const void *block, dispatch_queue_t queue,
                                           const void *notification_block);
void dispatch_block_notify(const void *block, dispatch_queue_t queue,
                           const void *notification_block) {
    NWI_AUTO_RELEASE
    struct state *state = check_state(block, __func__);
    if (state == NULL)
        return;
    struct nwi_callback callback = nwi_callback_block(notification_block);
    if (callback.fn == NULL) {
        nwi_log_misuse(__func__, "no notification block");
        return;
    }
    struct notification *notification;
    while ((notification = nwi_alloc(sizeof(*notification))) == NULL)
        sched_yield(); /* as for work that is submitted: it is not dropped */
    notification->queue = nwi_retain(queue);
    notification->callback = callback;
    pthread_mutex_lock(&state->lock);
    STAILQ_INSERT_TAIL(&state->locked.notifications, notification, link);
    if (state->locked.done)
        drop_notifications(state, true);
    pthread_mutex_unlock(&state->lock);
}

DISPATCH_EXPORT void dispatch_block_cancel(const void *block);
void dispatch_block_cancel(const void *block) {
    NWI_AUTO_RELEASE
    struct state *state = check_state(block, __func__);
    if (state != NULL)
        atomic_store_explicit(&state->cancelled, true, memory_order_relaxed);
}

DISPATCH_EXPORT intptr_t dispatch_block_testcancel(const void *block);
intptr_t dispatch_block_testcancel(const void *block) {
    NWI_AUTO_RELEASE
    struct state *state = check_state(block, __func__);
    return state != NULL && atomic_load_explicit(&state->cancelled, memory_order_relaxed);
}
