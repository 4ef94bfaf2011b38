/*
 * source.c - dispatch sources: when which handler runs.
 * What:   events set `happened`; a task on the target queue runs the handlers, one at a time. The
 *         kinds (source_*.c) watch descriptors, timers and signals.
 * Runs:   calls on any thread; handlers on the target queue.
 * Owns:   two counts: users' references (dispatch_retain) end the watching; inner references keep
 *         the memory until loops and queues have let go.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/source_internal.h"
#include <sched.h>

#define SOURCE_TYPE(name, ops)                                                                     \
    const struct dispatch_source_type_s _dispatch_source_type_##name = {.kind = &(ops)}
SOURCE_TYPE(data_add, nwi_source_add);
SOURCE_TYPE(data_or, nwi_source_or);
SOURCE_TYPE(data_replace, nwi_source_replace);
SOURCE_TYPE(read, nwi_source_read);
SOURCE_TYPE(write, nwi_source_write);
SOURCE_TYPE(timer, nwi_source_timer);
SOURCE_TYPE(signal, nwi_source_signal);
SOURCE_TYPE(proc, nwi_source_proc);

/* --- handlers --- */

static void destroy_handler(void *object) {
    nwi_callback_clear(&((struct nwi_source_handler *)object)->callback);
}
static const struct nwi_type handler_type = {.name = "dispatch_source_handler",
                                             .size = sizeof(struct nwi_source_handler),
                                             .destroy = destroy_handler};

/* Consumes the handler. */
static void run_handler(dispatch_source_t source, struct nwi_source_handler *handler) {
    if (handler == NULL)
        return;
    if (handler->wants_context)
        /* Acquire pairs with dispatch_set_context. */
        ((dispatch_function_t)handler->callback.fn)(
            atomic_load_explicit(&source->base.context, memory_order_acquire));
    else
        NWI_CALL0(handler->callback, void);
    nwi_release(handler);
}

/* --- life --- */

void nwi_source_keep(dispatch_source_t source) {
    atomic_fetch_add_explicit(&source->inner, 1, memory_order_relaxed);
}

void nwi_source_drop(dispatch_source_t source) {
    /* Release and acquire: whoever frees sees what all others did. */
    if (atomic_fetch_sub_explicit(&source->inner, 1, memory_order_acq_rel) == 1)
        nwi_dispatch_finish(source);
}

void nwi_source_lock(dispatch_source_t source) {
    pthread_mutex_lock(&source->lock);
}

static bool has_work(dispatch_source_t source) {
    if (!source->locked.active || source->locked.suspended > 0)
        return false;
    if (source->locked.register_due || source->locked.cancel_due)
        return true;
    return source->locked.happened && source->locked.event != NULL && !source->locked.released &&
           !atomic_load_explicit(&source->cancelled, memory_order_relaxed);
}

/* Relaxed: read and changed under the lock. */
static dispatch_queue_t target_of(dispatch_source_t source) {
    return atomic_load_explicit(&source->base.target, memory_order_relaxed);
}

void nwi_source_unlock(dispatch_source_t source) {
    bool push = !source->locked.queued && has_work(source);
    dispatch_queue_t target = NULL;
    if (push) {
        source->locked.queued = true;
        target = source->locked.pushed_to = target_of(source);
        nwi_source_keep(source);
        nwi_retain(target); /* until the push is done; the queue holds itself from then on */
    }
    pthread_mutex_unlock(&source->lock);
    if (push) {
        nwi_queue_push(target, &source->task);
        nwi_release(target);
    }
}

/* Handles one event: the lock is let go around the handler. */
static void handle_event(dispatch_source_t source) {
    source->locked.happened = false;
    uintptr_t data = source->kind->take(source);
    struct nwi_source_handler *handler = nwi_retain(source->locked.event);
    pthread_mutex_unlock(&source->lock);
    atomic_store_explicit(&source->data, data, memory_order_relaxed);
    run_handler(source, handler);
    pthread_mutex_lock(&source->lock);
    if (source->locked.installed && source->kind->rearm != NULL)
        source->kind->rearm(source);
}

/* The last act of a cancelled source. No handler is kept afterwards: blocks hold what they refer
 * to. */
static void handle_cancel(dispatch_source_t source) {
    source->locked.cancel_due = false;
    struct nwi_source_handler *cancel = nwi_take(&source->locked.cancel);
    struct nwi_source_handler *event = nwi_take(&source->locked.event);
    struct nwi_source_handler *registration = nwi_take(&source->locked.registration);
    pthread_mutex_unlock(&source->lock);
    nwi_release(event);
    nwi_release(registration);
    run_handler(source, cancel);
    pthread_mutex_lock(&source->lock);
}

static void run(struct nwi_task *task) {
    dispatch_source_t source = nwi_container_of(task, struct dispatch_source_s, task);
    nwi_source_lock(source);
    /* After dispatch_set_target_queue nothing runs on the former target any more. */
    if (source->locked.pushed_to == target_of(source)) {
        if (has_work(source) && source->locked.register_due) {
            source->locked.register_due = false;
            struct nwi_source_handler *handler = nwi_take(&source->locked.registration);
            pthread_mutex_unlock(&source->lock);
            run_handler(source, handler);
            pthread_mutex_lock(&source->lock);
        }
        if (has_work(source) && source->locked.happened && source->locked.event != NULL &&
            !source->locked.released &&
            !atomic_load_explicit(&source->cancelled, memory_order_relaxed))
            handle_event(source);
        if (has_work(source) && source->locked.cancel_due)
            handle_cancel(source);
    }
    source->locked.queued = false;
    nwi_source_unlock(source); /* pushes again when there is more: others get their turn first */
    nwi_source_drop(source);
}

static void uninstall(dispatch_source_t source) {
    if (source->locked.installed) {
        source->locked.installed = false;
        source->kind->uninstall(source);
    }
}

/* --- operations of any dispatch object --- */

static void activate(void *object) {
    dispatch_source_t source = object;
    nwi_source_lock(source);
    if (!source->locked.active) {
        source->locked.active = true;
        if (!atomic_load_explicit(&source->cancelled, memory_order_relaxed)) {
            nwi_err err = source->kind->install(source);
            source->locked.installed = err == 0;
            if (err != 0) {
                char text[128];
                nwi_log(NWI_LOG_ERROR, "dispatch", "source", "%s source on %lu cannot watch: %s",
                        source->kind->name, (unsigned long)source->handle,
                        nwi_err_format(err, text, sizeof(text)));
            }
            source->locked.register_due = source->locked.registration != NULL;
        }
    }
    nwi_source_unlock(source);
}

static void suspend(void *object) {
    dispatch_source_t source = object;
    nwi_source_lock(source);
    source->locked.suspended++;
    nwi_source_unlock(source);
}

static void resume(void *object) {
    dispatch_source_t source = object;
    nwi_source_lock(source);
    bool first = !source->locked.active;
    if (source->locked.suspended > 0)
        source->locked.suspended--;
    else if (!first)
        nwi_dispatch_crash("dispatch_resume", "the source is not suspended");
    nwi_source_unlock(source);
    if (first)
        activate(source);
}

static void set_target(void *object, dispatch_queue_t queue) {
    dispatch_source_t source = object;
    nwi_retain(queue);
    nwi_source_lock(source);
    /* acq_rel as in target.c: whoever reads it without the lock sees the queue whole. */
    dispatch_queue_t before =
        atomic_exchange_explicit(&source->base.target, queue, memory_order_acq_rel);
    nwi_source_unlock(source);
    nwi_release(before);
}

static bool dispose(void *object) {
    dispatch_source_t source = object;
    nwi_source_lock(source);
    if (source->locked.suspended > 0 && source->locked.active)
        nwi_log_misuse("dispatch_release", "the last reference of a suspended source");
    source->locked.released = true;
    uninstall(source);
    nwi_source_unlock(source);
    nwi_source_drop(source);
    return false;
}

static void destroy(void *object) {
    dispatch_source_t source = object;
    if (source->kind->destroy != NULL)
        source->kind->destroy(source);
    nwi_release(source->locked.event);
    nwi_release(source->locked.cancel);
    nwi_release(source->locked.registration);
    pthread_mutex_destroy(&source->lock);
}

static const struct nwi_dispatch_type source_type = {
    .base = {.name = "dispatch_source",
             .size = sizeof(struct dispatch_source_s),
             .destroy = destroy,
             .last_release = nwi_dispatch_last_release},
    .activate = activate,
    .suspend = suspend,
    .resume = resume,
    .set_target = set_target,
    .dispose = dispose,
};

bool nwi_source_check(const void *object, const char *function) {
    if (nwi_object_is(object, &source_type.base))
        return true;
    nwi_log_misuse(function, object == NULL ? "no source" : "not a source");
    return false;
}

/* --- the public calls --- */

dispatch_source_t dispatch_source_create(dispatch_source_type_t type, uintptr_t handle,
                                         uintptr_t mask, dispatch_queue_t queue) {
    if (type == NULL || type->kind == NULL) {
        nwi_log_misuse(__func__, "no type");
        return NULL;
    }
    const struct nwi_source_kind *kind = type->kind;
    if (kind->accepts != NULL ? !kind->accepts(handle, mask) : handle != 0 || mask != 0) {
        nwi_log_misuse(__func__, "the type has no such handle or mask");
        return NULL;
    }
    dispatch_source_t source = nwi_dispatch_create(&source_type, 0, queue);
    if (source == NULL)
        return NULL;
    pthread_mutex_init(&source->lock, NULL);
    source->kind = kind;
    source->handle = handle;
    source->mask = mask;
    source->task.run = run;
    atomic_init(&source->inner, 1);
    return source;
}

/* Consumes the callback. */
static void set_handler(dispatch_source_t source, struct nwi_source_handler **slot,
                        struct nwi_callback callback, bool wants_context) {
    struct nwi_source_handler *handler = NULL;
    if (callback.fn != NULL) {
        while ((handler = nwi_object_create(&handler_type, 0)) == NULL)
            sched_yield(); /* as for work that is submitted: it is not dropped */
        handler->callback = callback;
        handler->wants_context = wants_context;
    }
    nwi_source_lock(source);
    struct nwi_source_handler *before = *slot;
    *slot = handler;
    nwi_source_unlock(source);
    nwi_release(before);
}

#define HANDLER_CALLS(which)                                                                       \
    DISPATCH_EXPORT void dispatch_source_set_##which##_handler(dispatch_source_t source,           \
                                                               const void *handler);               \
    void dispatch_source_set_##which##_handler(dispatch_source_t source, const void *handler) {    \
        if (nwi_source_check(source, __func__))                                                    \
            set_handler(source, &source->locked.which, nwi_callback_block(handler), false);        \
    }                                                                                              \
    void dispatch_source_set_##which##_handler_f(dispatch_source_t source,                         \
                                                 dispatch_function_t handler) {                    \
        if (nwi_source_check(source, __func__))                                                    \
            set_handler(source, &source->locked.which, nwi_callback_f(NULL, (nwi_fn)handler),      \
                        true);                                                                     \
    }
HANDLER_CALLS(event)
HANDLER_CALLS(cancel)
HANDLER_CALLS(registration)

/* No handler is under way and none is to come (locked): there is nothing to go to the queue for. */
static bool ends_at_once(dispatch_source_t source) {
    return source->locked.active && source->locked.suspended == 0 && !source->locked.queued &&
           source->locked.cancel == NULL;
}

void dispatch_source_cancel(dispatch_source_t source) {
    struct nwi_source_handler *event = NULL, *registration = NULL;
    if (!nwi_source_check(source, __func__))
        return;
    nwi_source_lock(source);
    if (!atomic_exchange_explicit(&source->cancelled, true, memory_order_relaxed)) {
        uninstall(source);
        source->locked.register_due = false;
        source->locked.cancel_due = !ends_at_once(source);
        if (!source->locked.cancel_due) {
            event = nwi_take(&source->locked.event);
            registration = nwi_take(&source->locked.registration);
        }
    }
    nwi_source_unlock(source);
    nwi_release(event);
    nwi_release(registration);
}

intptr_t dispatch_source_testcancel(dispatch_source_t source) {
    return nwi_source_check(source, __func__) &&
           atomic_load_explicit(&source->cancelled, memory_order_relaxed);
}

uintptr_t dispatch_source_get_handle(dispatch_source_t source) {
    return nwi_source_check(source, __func__) ? source->handle : 0;
}

uintptr_t dispatch_source_get_mask(dispatch_source_t source) {
    return nwi_source_check(source, __func__) ? source->mask : 0;
}

uintptr_t dispatch_source_get_data(dispatch_source_t source) {
    return nwi_source_check(source, __func__)
               ? atomic_load_explicit(&source->data, memory_order_relaxed)
               : 0;
}

/* --- DATA_ADD, DATA_OR, DATA_REPLACE --- */

static nwi_err install_merged(dispatch_source_t source) {
    (void)source;
    return 0;
}
static void uninstall_merged(dispatch_source_t source) {
    (void)source;
}
static uintptr_t take_merged(dispatch_source_t source) {
    uintptr_t value = source->as.merged.pending;
    source->as.merged.pending = 0;
    return value;
}
const struct nwi_source_kind nwi_source_add = {.name = "data add",
                                               .install = install_merged,
                                               .uninstall = uninstall_merged,
                                               .take = take_merged};
const struct nwi_source_kind nwi_source_or = {.name = "data or",
                                              .install = install_merged,
                                              .uninstall = uninstall_merged,
                                              .take = take_merged};
const struct nwi_source_kind nwi_source_replace = {.name = "data replace",
                                                   .install = install_merged,
                                                   .uninstall = uninstall_merged,
                                                   .take = take_merged};

void dispatch_source_merge_data(dispatch_source_t source, uintptr_t value) {
    if (!nwi_source_check(source, __func__))
        return;
    const struct nwi_source_kind *kind = source->kind;
    if (kind != &nwi_source_add && kind != &nwi_source_or && kind != &nwi_source_replace) {
        nwi_log_misuse(__func__, "only for sources of a DATA type");
        return;
    }
    nwi_source_lock(source);
    uintptr_t *pending = &source->as.merged.pending;
    *pending = kind == &nwi_source_add  ? *pending + value
               : kind == &nwi_source_or ? *pending | value
                                        : value;
    if (*pending != 0 || kind == &nwi_source_replace)
        nwi_source_happened(source);
    nwi_source_unlock(source);
}
