/*
 * specific.c - values that a program attaches to queues under keys of its own.
 * What:   a short list a queue, made at the first set.
 * Runs:   on any thread; destructors on the default global queue.
 * Owns:   the entries; a value with a destructor belongs to the queue.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/queue.h"
#include <sys/queue.h>

struct entry {
    const void *key;
    void *context;
    dispatch_function_t destructor;
    LIST_ENTRY(entry) link;
};

struct nwi_specifics {
    pthread_mutex_t lock;
    LIST_HEAD(, entry) entries; /* under lock */
};

static void destroy_value(void *context, dispatch_function_t destructor) {
    if (context != NULL && destructor != NULL)
        nwi_queue_push_callback(NULL, nwi_callback_f(context, (nwi_fn)destructor));
}

void nwi_specifics_free(struct nwi_specifics *specifics) {
    if (specifics == NULL)
        return;
    struct entry *entry;
    while ((entry = LIST_FIRST(&specifics->entries)) != NULL) {
        LIST_REMOVE(entry, link);
        destroy_value(entry->context, entry->destructor);
        nwi_free(entry);
    }
    pthread_mutex_destroy(&specifics->lock);
    nwi_free(specifics);
}

static struct nwi_specifics *get_or_make(dispatch_queue_t queue) {
    /* Acquire pairs with the exchange of the maker. */
    struct nwi_specifics *specifics = atomic_load_explicit(&queue->specifics, memory_order_acquire);
    if (specifics != NULL)
        return specifics;
    struct nwi_specifics *fresh = nwi_alloc_certain(sizeof(*fresh));
    pthread_mutex_init(&fresh->lock, NULL);
    if (atomic_compare_exchange_strong_explicit(&queue->specifics, &specifics, fresh,
                                                memory_order_acq_rel, memory_order_acquire))
        return fresh;
    nwi_specifics_free(fresh); /* somebody was faster */
    return specifics;
}

/* Under the lock. */
static struct entry *find(struct nwi_specifics *specifics, const void *key) {
    struct entry *entry;
    LIST_FOREACH (entry, &specifics->entries, link)
        if (entry->key == key)
            return entry;
    return NULL;
}

void dispatch_queue_set_specific(dispatch_queue_t queue, const void *key, void *context,
                                 dispatch_function_t destructor) {
    queue = nwi_queue_checked(queue, "dispatch_queue_set_specific");
    if (queue == NULL)
        return;
    if (key == NULL) {
        nwi_log_misuse("dispatch_queue_set_specific", "NULL key");
        return;
    }
    struct nwi_specifics *specifics = get_or_make(queue);
    struct entry *fresh = context != NULL ? nwi_alloc_certain(sizeof(*fresh)) : NULL;
    if (fresh != NULL)
        *fresh = (struct entry){.key = key, .context = context, .destructor = destructor};
    pthread_mutex_lock(&specifics->lock);
    struct entry *old = find(specifics, key);
    if (old != NULL)
        LIST_REMOVE(old, link);
    if (fresh != NULL)
        LIST_INSERT_HEAD(&specifics->entries, fresh, link);
    pthread_mutex_unlock(&specifics->lock);
    if (old != NULL)
        destroy_value(old->context, old->destructor);
    nwi_free(old);
}

/* NULL: the queue has no such key, or its value is gone. */
static void *get_specific(dispatch_queue_t queue, const void *key) {
    struct nwi_specifics *specifics = atomic_load_explicit(&queue->specifics, memory_order_acquire);
    if (specifics == NULL)
        return NULL;
    pthread_mutex_lock(&specifics->lock);
    struct entry *entry = find(specifics, key);
    void *context = entry != NULL ? entry->context : NULL;
    pthread_mutex_unlock(&specifics->lock);
    return context;
}

void *dispatch_queue_get_specific(dispatch_queue_t queue, const void *key) {
    queue = nwi_queue_checked(queue, "dispatch_queue_get_specific");
    return queue != NULL && key != NULL ? get_specific(queue, key) : NULL;
}

void *dispatch_get_specific(const void *key) {
    if (key == NULL)
        return NULL;
    for (dispatch_queue_t queue = nwi_queue_current(); queue != NULL;
         queue = nwi_queue_target(queue)) {
        void *context = get_specific(queue, key);
        if (context != NULL)
            return context;
    }
    return NULL;
}
