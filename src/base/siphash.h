/*
 * siphash.h - a keyed hash for tables whose keys come from outside.
 * What:   without the key nobody can choose addresses or names that all fall into one bucket.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012): SipHash-2-4.
 * Runs:   any thread.
 */
#ifndef NWI_BASE_SIPHASH_H
#define NWI_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct nwi_siphash_key {
    uint64_t k0, k1;
};
/* A key that nobody else knows: one for each table. */
struct nwi_siphash_key nwi_siphash_key_create(void);
uint64_t nwi_siphash(const struct nwi_siphash_key *key, const void *bytes, size_t size);

#endif
