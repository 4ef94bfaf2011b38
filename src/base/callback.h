/*
 * callback.h - a user's handler, whichever form it came in.
 * What:   a function pointer whose first argument is a context. A copied block is such a pair too:
 *         its invoke function takes the block itself first, and _Block_release frees it. So the
 *         block form of a call and its _f form store the same struct and are called alike.
 * Source: Block ABI (clang, "Block Implementation Specification"): invoke pointer at offset 16.
 * Owns:   the copied block, when there is one; an _f context belongs to the caller.
 */
#ifndef NWI_BASE_CALLBACK_H
#define NWI_BASE_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>

typedef void (*nwi_fn)(void); /* any function; NWI_CALL casts it back */

struct nwi_callback {
    void *context;
    nwi_fn fn;                      /* NULL: no handler */
    void (*release)(void *context); /* NULL: the context is the caller's */
};

/* These are inline since each dispatch_async makes one: a struct that comes back through memory and
 * is copied on waits for its own stores. */

/* The pair of an _f call. fn NULL gives the empty callback. */
static inline struct nwi_callback nwi_callback_f(void *context, nwi_fn fn) {
    return (struct nwi_callback){.context = fn != NULL ? context : NULL, .fn = fn};
}
/* Moves it out, leaving the empty callback. */
static inline struct nwi_callback nwi_callback_take(struct nwi_callback *callback) {
    struct nwi_callback taken = *callback;
    *callback = (struct nwi_callback){0};
    return taken;
}
/* Releases what the callback owns and empties it: first, since releasing a block may run
 * destructors that come back to this very variable. */
static inline void nwi_callback_clear(struct nwi_callback *callback) {
    struct nwi_callback old = nwi_callback_take(callback);
    if (old.release != NULL)
        old.release(old.context);
}

/* Copies the block (NULL gives the empty callback). */
struct nwi_callback nwi_callback_block(const void *block);
/* Pair over a block that is called before the calling function returns: nothing copied or released.
 */
struct nwi_callback nwi_callback_block_noescape(const void *block);
/* Whether there is something to walk and somebody to be called for each part; else misuse is logged
 * under the name of the public function. */
bool nwi_callback_can_walk(const void *object, struct nwi_callback callback, const char *function);
/* NWI_CALL(cb, void, (nw_error_t), error): calls fn(context, error). */
#define NWI_CALL(callback, ret, types, ...)                                                        \
    (((ret(*)(void *, NWI_UNPAREN types))(callback).fn)((callback).context, __VA_ARGS__))
#define NWI_CALL0(callback, ret) (((ret(*)(void *))(callback).fn)((callback).context))
#define NWI_UNPAREN(...) __VA_ARGS__

#endif
