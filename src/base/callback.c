/*
 * callback.c - one shape for blocks and for (context, function) pairs.
 * What:   makes struct nwi_callback of blocks; the rest is in the header.
 * Source: Block Implementation Specification (clang), "High Level": isa, flags, reserved, invoke.
 * Runs:   on any thread.
 */
#include "base/callback.h"
#include "base/log.h"
#include <Block.h>

/* The part of a block that the ABI fixes for all blocks. */
struct block_layout {
    void *isa;
    int flags;
    int reserved;
    nwi_fn invoke; /* takes the block itself as its first argument */
};

static void release_block(void *block) {
    _Block_release(block);
}

struct nwi_callback nwi_callback_block(const void *block) {
    if (block == NULL)
        return (struct nwi_callback){0};
    struct block_layout *copy = _Block_copy(block);
    if (copy == NULL) /* no memory: the caller sees the empty callback */
        return (struct nwi_callback){0};
    return (struct nwi_callback){.context = copy, .fn = copy->invoke, .release = release_block};
}

struct nwi_callback nwi_callback_block_noescape(const void *block) {
    if (block == NULL)
        return (struct nwi_callback){0};
    /* The invoke function takes a plain pointer; it does not write to the literal through it. */
    struct block_layout *literal = (struct block_layout *)block;
    return (struct nwi_callback){.context = literal, .fn = literal->invoke};
}

bool nwi_callback_can_walk(const void *object, struct nwi_callback callback, const char *function) {
    if (object == NULL || callback.fn == NULL)
        nwi_log_misuse(function, object == NULL ? "the object is NULL" : "nothing to call");
    return object != NULL && callback.fn != NULL;
}
