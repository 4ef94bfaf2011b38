/*
 * object.c - reference counting.
 * What:   create, retain, release for every object that begins with struct nwi_object.
 * Runs:   on any thread.
 */
#include "base/object.h"
#include "base/alloc.h"
#include "base/log.h"

void *nwi_object_create(const struct nwi_type *type, size_t extra) {
    struct nwi_object *object = nwi_alloc(type->size + extra);
    if (object == NULL)
        return NULL;
    object->type = type;
    /* Relaxed: nobody else sees the object before its creator hands it on. */
    atomic_store_explicit(&object->refs, 1, memory_order_relaxed);
    return object;
}

void *nwi_retain(const void *pointer) {
    struct nwi_object *object = (struct nwi_object *)(uintptr_t)pointer;
    if (object == NULL)
        return NULL;
    /* Relaxed: whoever retains holds a reference already, so nothing has to be made visible here;
     * the release side pairs with itself. */
    if (atomic_load_explicit(&object->refs, memory_order_relaxed) != NWI_IMMORTAL)
        atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
    return object;
}

void *nwi_release(void *pointer) {
    struct nwi_object *object = pointer;
    /* Relaxed: immortal objects are so from the start. */
    if (object == NULL || atomic_load_explicit(&object->refs, memory_order_relaxed) == NWI_IMMORTAL)
        return NULL;
    /* Release: what this thread did with the object happens before its end. Acquire (for the last
     * one): the destructor sees what all others did. Pairs with the other releases. */
    uint32_t before = atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel);
    if (before == 1) {
        if (object->type->last_release != NULL)
            object->type->last_release(object);
        else
            nwi_object_free(object);
    } else if (before == 0) {
        /* Only seen for an object that waits in last_release: memory that is gone cannot tell. */
        atomic_store_explicit(&object->refs, 0, memory_order_relaxed);
        nwi_log_misuse("release", "object released more often than retained");
    }
    return NULL;
}

void nwi_object_free(void *pointer) {
    struct nwi_object *object = pointer;
    if (object->type->destroy != NULL)
        object->type->destroy(object);
    nwi_free(object);
}

bool nwi_object_equal(const void *a, const void *b) {
    if (a == b || a == NULL || b == NULL)
        return a == b;
    const struct nwi_type *type = ((const struct nwi_object *)a)->type;
    return nwi_object_is(b, type) && type->equal != NULL && type->equal(a, b);
}

void nwi_release_variable(void *variable) {
    nwi_release(*(void **)variable);
}
