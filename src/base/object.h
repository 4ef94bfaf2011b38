/*
 * object.h - the header that every reference counted libnw object begins with.
 * What:   type and reference count. nw_*, sec_* and dispatch objects share it, so nw_release,
 *         sec_release and dispatch_release each work on all of them.
 * Runs:   retain and release on any thread; the destructor on the thread that drops the last
 *         reference.
 */
#ifndef NWI_BASE_OBJECT_H
#define NWI_BASE_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nwi_type {
    const char *name;              /* "nw_endpoint": for logs and misuse messages */
    size_t size;                   /* octets of the whole struct */
    void (*destroy)(void *object); /* frees what the object holds, not the object; may be NULL;
                                      works on a half-built object */
    void (*last_release)(
        void *object); /* when set, called instead of destroy+free at the last release; the
                       type then calls nwi_object_free itself, perhaps later */
    bool (*equal)(const void *a, const void *b); /* two of this type by what they hold; NULL: only
                                                    one and the same is equal */
};

struct nwi_object {
    const struct nwi_type *type;
    _Atomic uint32_t refs; /* NWI_IMMORTAL: static object, never counted */
};

enum { NWI_IMMORTAL = UINT32_MAX };
#define NWI_OBJECT_STATIC(t)                                                                       \
    { .type = (t), .refs = NWI_IMMORTAL }

/* Zeroed object with one reference, or NULL when memory ran out. `extra` octets follow the struct.
 */
void *nwi_object_create(const struct nwi_type *type, size_t extra);
/* Adds a reference; returns `object`. NULL is fine. */
void *nwi_retain(const void *object);
/* Drops a reference; returns NULL, so `x = nwi_release(x)`. NULL is fine. */
void *nwi_release(void *object);
/* Ends an object whose type has last_release: runs destroy and frees the memory. */
void nwi_object_free(void *object);

static inline bool nwi_object_is(const void *object, const struct nwi_type *type) {
    return object != NULL && ((const struct nwi_object *)object)->type == type;
}

/* Whether both are NULL, the same, or of one type and alike to it. */
bool nwi_object_equal(const void *a, const void *b);

/* Moves ownership out of a variable: returns its value and leaves NULL. */
#define nwi_take(pointer)                                                                          \
    ({                                                                                             \
        __auto_type nwi_taken_ = *(pointer);                                                       \
        *(pointer) = NULL;                                                                         \
        nwi_taken_;                                                                                \
    })
/* Releases the object a variable holds when it goes out of scope. */
#define NWI_AUTO_RELEASE __attribute__((cleanup(nwi_release_variable)))
void nwi_release_variable(void *variable);

#endif
