/*
 * cache.h - answers remembered for as long as their time to live allows.
 * What:   a bounded table; the answer unused longest makes room. Time is a parameter.
 * Runs:   in the context of its owner; nothing here locks or reads a clock.
 * Owns:   a reference on each answer.
 */
#ifndef NWI_RESOLVER_CACHE_H
#define NWI_RESOLVER_CACHE_H

#include "base/clock.h"
#include "resolver/answer.h"

struct nwi_cache;

enum { NWI_CACHE_CAPACITY = 1024 }; /* answers, that is 512 names with both families */

/* NULL when memory ran out. capacity 0: NWI_CACHE_CAPACITY. */
struct nwi_cache *nwi_cache_create(size_t capacity);
void *nwi_cache_free(struct nwi_cache *cache); /* returns NULL */
/* Remembers (replaces) the answer for a name in lower case; retained. Nothing happens when its ttl
 * is 0 or memory ran out. */
void nwi_cache_put(struct nwi_cache *cache, const char *name, struct nwi_answer *answer,
                   nwi_ns now);
/* Borrowed, or NULL when unknown or past its time. *ret_ttl: seconds that are left, at least 1. */
struct nwi_answer *nwi_cache_get(struct nwi_cache *cache, const char *name, int family, nwi_ns now,
                                 uint32_t *ret_ttl);
void nwi_cache_flush(struct nwi_cache *cache);
size_t nwi_cache_count(const struct nwi_cache *cache);

#endif
