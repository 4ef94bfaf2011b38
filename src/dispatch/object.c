/*
 * object.c - what all dispatch objects share: references, context, activation, suspension.
 * What:   the public calls look the operation up in the object's type and refuse what the kind does
 *         not have.
 * Runs:   on any thread; finalizers on the object's target queue.
 */
#include "base/log.h"
#include "dispatch/dispatch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nwi_dispatch_object *nwi_dispatch_object(const void *pointer) {
    struct nwi_object *object = (struct nwi_object *)(uintptr_t)pointer;
    if (object == NULL || object->type->last_release != nwi_dispatch_last_release)
        return NULL;
    return (struct nwi_dispatch_object *)object;
}

void *nwi_dispatch_create(const struct nwi_dispatch_type *type, size_t extra,
                          dispatch_queue_t target) {
    struct nwi_dispatch_object *object = nwi_object_create(&type->base, extra);
    if (object != NULL) /* relaxed: nobody else has it yet */
        atomic_store_explicit(&object->target, nwi_retain(target), memory_order_relaxed);
    return object;
}

void nwi_dispatch_crash(const char *function, const char *what) {
    char message[256];
    snprintf(message, sizeof(message), "BUG IN CLIENT: %s: %s", function, what);
    nwi_log(NWI_LOG_ERROR, "dispatch", "crash", "%s", message);
    /* Once more past every NW_LOG setting: the process is about to end. */
    if (!nwi_log_enabled(NWI_LOG_ERROR))
        fprintf(stderr, "%s\n", message);
    abort();
}

void nwi_dispatch_last_release(void *pointer) {
    struct nwi_dispatch_object *object = pointer;
    const struct nwi_dispatch_type *type = (const struct nwi_dispatch_type *)object->base.type;
    if (type->dispose == NULL || type->dispose(object))
        nwi_dispatch_finish(object);
}

void nwi_dispatch_finish(void *pointer) {
    struct nwi_dispatch_object *object = pointer;
    /* Relaxed: the last release has acquired everything others did. */
    void *context = atomic_load_explicit(&object->context, memory_order_relaxed);
    dispatch_function_t finalizer = atomic_load_explicit(&object->finalizer, memory_order_relaxed);
    dispatch_queue_t target = atomic_load_explicit(&object->target, memory_order_relaxed);
    if (context != NULL && finalizer != NULL)
        nwi_queue_push_callback(target, nwi_callback_f(context, (nwi_fn)finalizer));
    nwi_object_free(object);
    nwi_release(target);
}

/* --- the public calls --- */

/* The object's header, or NULL with a line in the log. */
static struct nwi_dispatch_object *check(dispatch_object_t object, const char *function) {
    struct nwi_dispatch_object *checked = nwi_dispatch_object(object._do);
    if (checked == NULL)
        nwi_log_misuse(function,
                       object._do == NULL ? "NULL object" : "not an object that has this");
    return checked;
}

static const struct nwi_dispatch_type *type_of(const struct nwi_dispatch_object *object) {
    return (const struct nwi_dispatch_type *)object->base.type;
}

void dispatch_retain(dispatch_object_t object) {
    nwi_retain(object._do);
}

void dispatch_release(dispatch_object_t object) {
    nwi_release(object._do);
}

void *dispatch_get_context(dispatch_object_t object) {
    struct nwi_dispatch_object *checked = check(object, "dispatch_get_context");
    /* Acquire pairs with the release below: what the context points at is seen. */
    return checked != NULL ? atomic_load_explicit(&checked->context, memory_order_acquire) : NULL;
}

void dispatch_set_context(dispatch_object_t object, void *context) {
    struct nwi_dispatch_object *checked = check(object, "dispatch_set_context");
    if (checked != NULL)
        atomic_store_explicit(&checked->context, context, memory_order_release);
}

void dispatch_set_finalizer_f(dispatch_object_t object, dispatch_function_t finalizer) {
    struct nwi_dispatch_object *checked = check(object, "dispatch_set_finalizer_f");
    if (checked != NULL) /* relaxed: read after the last release only, which orders it */
        atomic_store_explicit(&checked->finalizer, finalizer, memory_order_relaxed);
}

void dispatch_activate(dispatch_object_t object) {
    struct nwi_dispatch_object *checked = check(object, "dispatch_activate");
    if (checked != NULL && type_of(checked)->activate != NULL)
        type_of(checked)->activate(checked);
}

void dispatch_suspend(dispatch_object_t object) {
    struct nwi_dispatch_object *checked = check(object, "dispatch_suspend");
    if (checked == NULL)
        return;
    if (type_of(checked)->suspend != NULL)
        type_of(checked)->suspend(checked);
    else
        nwi_log_misuse("dispatch_suspend", "this kind of object cannot be suspended");
}

void dispatch_resume(dispatch_object_t object) {
    struct nwi_dispatch_object *checked = check(object, "dispatch_resume");
    if (checked == NULL)
        return;
    if (type_of(checked)->resume != NULL)
        type_of(checked)->resume(checked);
    else
        nwi_log_misuse("dispatch_resume", "this kind of object cannot be resumed");
}

void dispatch_set_target_queue(dispatch_object_t object, dispatch_queue_t queue) {
    struct nwi_dispatch_object *checked = check(object, "dispatch_set_target_queue");
    if (checked == NULL)
        return;
    if (type_of(checked)->set_target != NULL)
        type_of(checked)->set_target(checked, queue);
    else
        nwi_log_misuse("dispatch_set_target_queue", "this kind of object has no target to set");
}

void dispatch_set_qos_class_floor(dispatch_object_t object, dispatch_qos_class_t qos_class,
                                  int relative_priority) {
    struct nwi_dispatch_object *checked = check(object, "dispatch_set_qos_class_floor");
    if (checked != NULL && nwi_log_enabled(NWI_LOG_DEBUG))
        nwi_log(NWI_LOG_DEBUG, type_of(checked)->base.name, "qos-floor",
                "%p class 0x%x priority %d", (void *)checked, (unsigned)qos_class,
                relative_priority);
}

void dispatch_debugv(dispatch_object_t object, const char *message, va_list ap) {
    struct nwi_object *header = (struct nwi_object *)object._do;
    char text[512] = "";
    if (message != NULL && vsnprintf(text, sizeof(text), message, ap) < 0)
        text[0] = '\0';
    if (header == NULL)
        nwi_log(NWI_LOG_NOTICE, "dispatch", "debug", "%s: NULL", text);
    else /* relaxed: a look in passing */
        nwi_log(NWI_LOG_NOTICE, "dispatch", "debug", "%s: %s %p, %u references", text,
                header->type->name, (void *)header,
                (unsigned)atomic_load_explicit(&header->refs, memory_order_relaxed));
}

void dispatch_debug(dispatch_object_t object, const char *message, ...) {
    va_list args;
    va_start(args, message);
    dispatch_debugv(object, message, args);
    va_end(args);
}
