/*
 * cache.c - the answer cache.
 * What:   a hash table of lists, and one list in order of use, newest first.
 * Source: RFC 1035 section 7.4, RFC 2308 section 5.
 * Runs:   in the context of its owner.
 * Owns:   entries, and through them a reference on each answer.
 */
#include "resolver/cache.h"
#include "base/alloc.h"
#include "base/siphash.h"
#include <string.h>
#include <sys/queue.h>

enum { BUCKETS = 256 }; /* a power of two */

struct entry {
    LIST_ENTRY(entry) same_bucket;
    TAILQ_ENTRY(entry) by_use;
    struct nwi_answer *answer; /* owned */
    nwi_ns expires;
    char name[];
};
LIST_HEAD(bucket, entry);
TAILQ_HEAD(use_order, entry);

struct nwi_cache {
    size_t capacity, count;
    struct nwi_siphash_key key;
    struct use_order order;
    struct bucket buckets[BUCKETS];
};

/* Keyed: a page or a message may name whatever it likes and have the program look it up. */
static struct bucket *bucket_of(struct nwi_cache *cache, const char *name, int family) {
    uint64_t hash = nwi_siphash(&cache->key, name, strlen(name)) ^ (uint64_t)family;
    return &cache->buckets[hash & (BUCKETS - 1)];
}

struct nwi_cache *nwi_cache_create(size_t capacity) {
    struct nwi_cache *cache = nwi_alloc(sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->capacity = capacity != 0 ? capacity : NWI_CACHE_CAPACITY;
    cache->key = nwi_siphash_key_create();
    TAILQ_INIT(&cache->order);
    return cache;
}

static void drop(struct nwi_cache *cache, struct entry *entry) {
    LIST_REMOVE(entry, same_bucket);
    TAILQ_REMOVE(&cache->order, entry, by_use);
    cache->count--;
    nwi_release(entry->answer);
    nwi_free(entry);
}

void nwi_cache_flush(struct nwi_cache *cache) {
    struct entry *entry;
    while ((entry = TAILQ_FIRST(&cache->order)) != NULL)
        drop(cache, entry);
}

void *nwi_cache_free(struct nwi_cache *cache) {
    if (cache != NULL) {
        nwi_cache_flush(cache);
        nwi_free(cache);
    }
    return NULL;
}

static struct entry *find(struct nwi_cache *cache, const char *name, int family) {
    struct entry *entry;
    LIST_FOREACH (entry, bucket_of(cache, name, family), same_bucket) {
        if (entry->answer->family == family && strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

void nwi_cache_put(struct nwi_cache *cache, const char *name, struct nwi_answer *answer,
                   nwi_ns now) {
    struct entry *old = find(cache, name, answer->family);
    if (old != NULL)
        drop(cache, old);
    if (answer->ttl == 0)
        return;
    size_t size = strlen(name) + 1;
    struct entry *entry = nwi_alloc(sizeof *entry + size);
    if (entry == NULL)
        return;
    if (cache->count == cache->capacity)
        drop(cache, TAILQ_LAST(&cache->order, use_order));
    memcpy(entry->name, name, size);
    entry->answer = nwi_retain(answer);
    entry->expires = now + answer->ttl * NWI_SEC;
    LIST_INSERT_HEAD(bucket_of(cache, name, answer->family), entry, same_bucket);
    TAILQ_INSERT_HEAD(&cache->order, entry, by_use);
    cache->count++;
}

struct nwi_answer *nwi_cache_get(struct nwi_cache *cache, const char *name, int family, nwi_ns now,
                                 uint32_t *ret_ttl) {
    struct entry *entry = find(cache, name, family);
    if (entry == NULL)
        return NULL;
    if (now >= entry->expires) {
        drop(cache, entry);
        return NULL;
    }
    TAILQ_REMOVE(&cache->order, entry, by_use);
    TAILQ_INSERT_HEAD(&cache->order, entry, by_use);
    *ret_ttl = (uint32_t)((entry->expires - now + NWI_SEC - 1) / NWI_SEC);
    return entry->answer;
}

size_t nwi_cache_count(const struct nwi_cache *cache) {
    return cache->count;
}
