/*
 * sessions.c - a client's cache of sessions.
 * What:   a table by key with the entries in order of their age. The oldest go when it is full; of
 *         one key, when a fifth comes. A key is a digest, so its own octets place it in the table.
 * Source: RFC 8446 section C.4: a ticket used twice lets an observer link the connections; section
 *         4.6.1: no ticket is kept for more than seven days.
 * Runs:   any thread, under one lock.
 * Owns:   copies of session data. They hold the secrets of sessions: wiped before they are freed.
 */
#include "protocol/tls/sessions.h"
#include "base/alloc.h"
#include <pthread.h>
#include <string.h>

enum { BUCKETS = 512 };

static const nwi_ns longest_life = UINT64_C(7) * 24 * 3600 * NWI_SEC;

struct entry {
    struct entry *older, *newer; /* in the list of all */
    struct entry *next;          /* in the bucket, newer first */
    struct nwi_tls_session_key key;
    nwi_ns expires;
    size_t size;
    bool single_use;
    unsigned char data[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { /* all under lock */
    struct entry *buckets[BUCKETS];
    struct entry *oldest, *newest;
    size_t count, octets;
} cache;

static struct entry **bucket_of(const struct nwi_tls_session_key *key) {
    unsigned number;
    memcpy(&number, key->digest, sizeof number);
    return &cache.buckets[number % BUCKETS];
}

static bool same(const struct nwi_tls_session_key *a, const struct nwi_tls_session_key *b) {
    return memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

static void destroy(struct entry *entry) {
    gnutls_memset(entry->data, 0, entry->size);
    nwi_free(entry);
}

static void unlink_entry(struct entry *entry) {
    struct entry **at = bucket_of(&entry->key);
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    *(entry->older != NULL ? &entry->older->newer : &cache.oldest) = entry->newer;
    *(entry->newer != NULL ? &entry->newer->older : &cache.newest) = entry->older;
    cache.count--;
    cache.octets -= entry->size;
}

static void drop(struct entry *entry) {
    unlink_entry(entry);
    destroy(entry);
}

static void link_entry(struct entry *entry) {
    struct entry **bucket = bucket_of(&entry->key);
    entry->next = *bucket;
    *bucket = entry;
    entry->older = cache.newest;
    *(cache.newest != NULL ? &cache.newest->newer : &cache.oldest) = entry;
    cache.newest = entry;
    cache.count++;
    cache.octets += entry->size;
}

/* Secrets are not kept past their time, whether somebody asks for them again or not. */
static void drop_expired(nwi_ns now) {
    for (struct entry *entry = cache.oldest, *newer; entry != NULL; entry = newer) {
        newer = entry->newer;
        if (entry->expires <= now)
            drop(entry);
    }
}

static void make_room(const struct nwi_tls_session_key *key, size_t size) {
    size_t of_key = 0;
    for (struct entry *entry = *bucket_of(key), *next; entry != NULL; entry = next) {
        next = entry->next;
        if (same(&entry->key, key) && ++of_key >= NWI_TLS_SESSIONS_OF_KEY)
            drop(entry);
    }
    while (cache.count >= NWI_TLS_SESSIONS_MOST || cache.octets + size > NWI_TLS_SESSIONS_OCTETS)
        drop(cache.oldest);
}

void nwi_tls_sessions_put(const struct nwi_tls_session_key *key, const void *data, size_t size,
                          nwi_ns now, nwi_ns expires, bool single_use) {
    if (size == 0 || size > NWI_TLS_SESSION_SIZE || expires <= now)
        return;
    struct entry *entry = nwi_alloc_raw(sizeof *entry + size);
    if (entry == NULL)
        return;
    *entry = (struct entry){
        .key = *key,
        .expires = expires - now > longest_life ? now + longest_life : expires,
        .size = size,
        .single_use = single_use,
    };
    memcpy(entry->data, data, size);
    pthread_mutex_lock(&lock);
    drop_expired(now);
    make_room(key, size);
    link_entry(entry);
    pthread_mutex_unlock(&lock);
}

static struct entry *find(const struct nwi_tls_session_key *key, nwi_ns now) {
    struct entry *entry = *bucket_of(key);
    while (entry != NULL && !(same(&entry->key, key) && entry->expires > now))
        entry = entry->next;
    return entry;
}

bool nwi_tls_sessions_take(const struct nwi_tls_session_key *key, nwi_ns now, void **ret_data,
                           size_t *ret_size) {
    void *copy = NULL;
    pthread_mutex_lock(&lock);
    struct entry *entry = find(key, now);
    if (entry != NULL && (copy = nwi_alloc_raw(entry->size)) != NULL) {
        memcpy(copy, entry->data, entry->size);
        *ret_data = copy;
        *ret_size = entry->size;
        if (entry->single_use)
            drop(entry);
    }
    pthread_mutex_unlock(&lock);
    return copy != NULL;
}

void nwi_tls_sessions_wipe(void *data, size_t size) {
    if (data != NULL)
        gnutls_memset(data, 0, size);
    nwi_free(data);
}

void nwi_tls_sessions_forget(const struct nwi_tls_session_key *key) {
    pthread_mutex_lock(&lock);
    for (struct entry *entry = cache.oldest, *newer; entry != NULL; entry = newer) {
        newer = entry->newer;
        if (key == NULL || same(&entry->key, key))
            drop(entry);
    }
    pthread_mutex_unlock(&lock);
}

size_t nwi_tls_sessions_count(void) {
    pthread_mutex_lock(&lock);
    size_t count = cache.count;
    pthread_mutex_unlock(&lock);
    return count;
}
