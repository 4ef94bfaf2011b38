/*
 * data_leaf.c - the leaves of dispatch_data: buffers of our own, and memory that the caller brings.
 * What:   nwi_data_create_buffer with its pool, dispatch_data_create and its destructors.
 * Runs:   on any thread. Destructors of the caller run on the queue that came with them.
 * Owns:   the pool: at most POOL_KEEP free buffers of each size.
 */
#include "base/alloc.h"
#include "base/callback.h"
#include "base/log.h"
#include "dispatch/data_internal.h"
#include "dispatch/dispatch.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void nwi_data_init(dispatch_data_t data, const struct nwi_type *type, const void *bytes,
                   size_t size) {
    data->base.type = type;
    atomic_init(&data->base.refs, 1);
    data->size = size;
    data->bytes = bytes;
    data->count = 0;
    data->reserved = NULL;
}

/* --- buffers of our own --- */

struct buffer {
    struct dispatch_data_s head;
    struct buffer *next; /* in the pool */
    size_t capacity;
    _Alignas(16) unsigned char storage[];
};

enum { POOL_KINDS = 3, POOL_KEEP = 32 };
/* Whole KiB of content and the 2 KiB that a reader of TCP may take beyond what was asked for. */
static const size_t pool_capacity[POOL_KINDS] = {2 * 1024, 18 * 1024, 66 * 1024};

/* Under AddressSanitizer each buffer is freed, so that a use after the last release is seen. */
#if defined(__SANITIZE_ADDRESS__)
enum { POOL_ON = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { POOL_ON = 0 };
#else
enum { POOL_ON = 1 };
#endif
#else
enum { POOL_ON = 1 };
#endif

static struct pool {
    pthread_mutex_t lock;
    struct buffer *first;
    unsigned count;
} pools[POOL_KINDS] = {
    {.lock = PTHREAD_MUTEX_INITIALIZER},
    {.lock = PTHREAD_MUTEX_INITIALIZER},
    {.lock = PTHREAD_MUTEX_INITIALIZER},
};

static struct pool *find_pool(size_t capacity) {
    for (int i = 0; POOL_ON && i < POOL_KINDS; i++)
        if (pool_capacity[i] == capacity)
            return &pools[i];
    return NULL;
}

/* Rounds up to a capacity of the pool where that wastes an eighth at most. */
static size_t round_to_pool(size_t capacity) {
    for (int i = 0; POOL_ON && i < POOL_KINDS; i++)
        if (capacity <= pool_capacity[i] && capacity >= pool_capacity[i] / 8 * 7)
            return pool_capacity[i];
    return capacity;
}

/* Nobody waits for the pool's lock: when another thread has it, malloc is as good. */
static struct buffer *take_pooled(struct pool *pool) {
    if (pool == NULL || pthread_mutex_trylock(&pool->lock) != 0)
        return NULL;
    struct buffer *buffer = pool->first;
    if (buffer != NULL) {
        pool->first = buffer->next;
        pool->count--;
    }
    pthread_mutex_unlock(&pool->lock);
    return buffer;
}

static void release_buffer(void *object) {
    struct buffer *buffer = object;
    struct pool *pool = find_pool(buffer->capacity);
    if (pool != NULL && pthread_mutex_trylock(&pool->lock) == 0) {
        if (pool->count < POOL_KEEP) {
            buffer->next = pool->first;
            pool->first = buffer;
            pool->count++;
            buffer = NULL;
        }
        pthread_mutex_unlock(&pool->lock);
    }
    nwi_free(buffer);
}

const struct nwi_type nwi_data_buffer_type = {
    .name = "dispatch_data", .size = sizeof(struct buffer), .last_release = release_buffer};

bool nwi_data_is_pooled(void) {
    return POOL_ON;
}

void nwi_data_pool_drain(void) {
    for (int i = 0; i < POOL_KINDS; i++) {
        pthread_mutex_lock(&pools[i].lock);
        struct buffer *list = pools[i].first;
        pools[i].first = NULL;
        pools[i].count = 0;
        pthread_mutex_unlock(&pools[i].lock);
        while (list != NULL) {
            struct buffer *next = list->next;
            nwi_free(list);
            list = next;
        }
    }
}

dispatch_data_t nwi_data_create_buffer(size_t capacity, void **bytes) {
    *bytes = NULL;
    size_t size = capacity, total;
    capacity = round_to_pool(size);
    if (__builtin_add_overflow(capacity, sizeof(struct buffer), &total))
        return NULL;
    struct buffer *buffer = take_pooled(find_pool(capacity));
    if (buffer == NULL)
        buffer = nwi_alloc_raw(total);
    if (buffer == NULL)
        return NULL;
    nwi_data_init(&buffer->head, &nwi_data_buffer_type, buffer->storage, size);
    buffer->next = NULL;
    buffer->capacity = capacity;
    *bytes = buffer->storage;
    return &buffer->head;
}

dispatch_data_t nwi_data_trim(dispatch_data_t leaf, size_t size) {
    if (!nwi_object_is(leaf, &nwi_data_buffer_type) || size > leaf->size) {
        nwi_log_misuse(__func__, "not a buffer of that size");
        return leaf;
    }
    if (size == 0) {
        nwi_release(leaf);
        return dispatch_data_empty;
    }
    leaf->size = size;
    return leaf;
}

dispatch_data_t nwi_data_create_copy(const void *bytes, size_t size) {
    if (size == 0)
        return dispatch_data_empty;
    void *storage;
    dispatch_data_t leaf = nwi_data_create_buffer(size, &storage);
    if (leaf != NULL)
        memcpy(storage, bytes, size);
    return leaf;
}

/* --- memory of another library --- */

struct lent {
    struct dispatch_data_s head;
    void *owner;
    void (*give_back)(void *owner);
};

static void destroy_lent(void *object) {
    struct lent *leaf = object;
    leaf->give_back(leaf->owner);
}

static const struct nwi_type lent_type = {
    .name = "dispatch_data", .size = sizeof(struct lent), .destroy = destroy_lent};

dispatch_data_t nwi_data_create_lent(const void *bytes, size_t size, void *owner,
                                     void (*give_back)(void *owner)) {
    struct lent *leaf = nwi_alloc_raw(sizeof *leaf);
    if (leaf == NULL)
        return NULL;
    nwi_data_init(&leaf->head, &lent_type, bytes, size);
    leaf->owner = owner;
    leaf->give_back = give_back;
    return &leaf->head;
}

/* --- memory of the caller --- */

/* How the buffer ends. CALL: the destructor runs on the queue. */
enum ending { ENDING_FREE, ENDING_MUNMAP, ENDING_CALL };

struct foreign {
    struct dispatch_data_s head;
    enum ending ending;
    dispatch_queue_t queue; /* owned; NULL: the default global queue */
    struct nwi_callback destructor;
};

static void end_buffer(const void *bytes, size_t size, enum ending ending, dispatch_queue_t queue,
                       struct nwi_callback destructor) {
    switch (ending) {
    case ENDING_FREE:
        free((void *)bytes); /* from the caller's malloc, so not nwi_free */
        break;
    case ENDING_MUNMAP:
        if (size > 0 && munmap((void *)bytes, size) != 0)
            nwi_log(NWI_LOG_ERROR, "dispatch", "data", "munmap of a data buffer failed: %m");
        break;
    case ENDING_CALL:
        nwi_queue_push_callback(queue, destructor);
        break;
    }
}

static void destroy_foreign(void *object) {
    struct foreign *leaf = object;
    end_buffer(leaf->head.bytes, leaf->head.size, leaf->ending, leaf->queue, leaf->destructor);
    nwi_release(leaf->queue);
}

static const struct nwi_type foreign_type = {
    .name = "dispatch_data", .size = sizeof(struct foreign), .destroy = destroy_foreign};

/* The recognised destructors exist to be compared with; calling one can only be a mistake. */
static void refuse_free(void *context) {
    (void)context;
    nwi_log_misuse("DISPATCH_DATA_DESTRUCTOR_FREE",
                   "is for dispatch_data_create, not to be called");
}
static void refuse_munmap(void *context) {
    (void)context;
    nwi_log_misuse("DISPATCH_DATA_DESTRUCTOR_MUNMAP",
                   "is for dispatch_data_create, not to be called");
}
const dispatch_function_t _dispatch_data_destructor_free_f = refuse_free;
const dispatch_function_t _dispatch_data_destructor_munmap_f = refuse_munmap;

/* Two global blocks laid out by hand, since this file is compiled without blocks.
 * Source: Block ABI, "High Level": isa, flags, reserved, invoke, descriptor; BLOCK_IS_GLOBAL is
 * bit 28. */
extern void *_NSConcreteGlobalBlock[32];
static const struct { unsigned long reserved, size; } literal_descriptor = {0, 32};
static struct {
    void *isa;
    int flags, reserved;
    void (*invoke)(void *block);
    const void *descriptor;
} free_block = {_NSConcreteGlobalBlock, 1 << 28, 0, refuse_free, &literal_descriptor},
  munmap_block = {_NSConcreteGlobalBlock, 1 << 28, 0, refuse_munmap, &literal_descriptor};
extern __attribute__((visibility("default"))) const void *const _dispatch_data_destructor_free;
extern __attribute__((visibility("default"))) const void *const _dispatch_data_destructor_munmap;
const void *const _dispatch_data_destructor_free = &free_block;
const void *const _dispatch_data_destructor_munmap = &munmap_block;

/* Consumes the destructor, except when NULL is returned. */
static dispatch_data_t create_foreign(const void *buffer, size_t size, dispatch_queue_t queue,
                                      enum ending ending, struct nwi_callback destructor) {
    if (buffer == NULL || size == 0) {
        end_buffer(buffer, 0, ending, queue, destructor);
        return dispatch_data_empty;
    }
    struct foreign *leaf = nwi_alloc(sizeof(*leaf));
    if (leaf == NULL)
        return NULL;
    nwi_data_init(&leaf->head, &foreign_type, buffer, size);
    leaf->ending = ending;
    leaf->destructor = destructor;
    leaf->queue = ending == ENDING_CALL && queue != NULL ? nwi_retain(queue) : NULL;
    return &leaf->head;
}

dispatch_data_t dispatch_data_create_f(const void *buffer, size_t size, dispatch_queue_t queue,
                                       void *context, dispatch_function_t destructor) {
    struct nwi_callback none = {0};
    if (buffer == NULL && size > 0)
        nwi_log_misuse(__func__, "no buffer, but a size");
    if (destructor == NULL)
        return buffer == NULL ? dispatch_data_empty : nwi_data_create_copy(buffer, size);
    if (destructor == _dispatch_data_destructor_free_f)
        return create_foreign(buffer, size, NULL, ENDING_FREE, none);
    if (destructor == _dispatch_data_destructor_munmap_f)
        return create_foreign(buffer, size, NULL, ENDING_MUNMAP, none);
    return create_foreign(buffer, size, queue, ENDING_CALL,
                          nwi_callback_f(context, (nwi_fn)destructor));
}

DISPATCH_EXPORT dispatch_data_t dispatch_data_create(const void *buffer, size_t size,
                                                     dispatch_queue_t queue,
                                                     const void *destructor);
dispatch_data_t dispatch_data_create(const void *buffer, size_t size, dispatch_queue_t queue,
                                     const void *destructor) {
    if (destructor == NULL)
        return dispatch_data_create_f(buffer, size, queue, NULL, NULL);
    if (destructor == _dispatch_data_destructor_free)
        return dispatch_data_create_f(buffer, size, queue, NULL, _dispatch_data_destructor_free_f);
    if (destructor == _dispatch_data_destructor_munmap)
        return dispatch_data_create_f(buffer, size, queue, NULL,
                                      _dispatch_data_destructor_munmap_f);
    if (buffer == NULL && size > 0)
        nwi_log_misuse(__func__, "no buffer, but a size");
    struct nwi_callback callback = nwi_callback_block(destructor);
    if (callback.fn == NULL)
        return NULL; /* the block could not be copied */
    dispatch_data_t data = create_foreign(buffer, size, queue, ENDING_CALL, callback);
    if (data == NULL)
        nwi_callback_clear(&callback);
    return data;
}
