/*
 * siphash.c - see siphash.h; names are those of the paper, section 2.
 */
#include "base/siphash.h"
#include "base/clock.h"
#include <endian.h>
#include <string.h>
#include <sys/random.h>

enum { ROUNDS = 2, FINAL_ROUNDS = 4, WORD = 8 };

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, unsigned bits) {
    return word << bits | word >> (64 - bits);
}

static inline void rounds(struct state *s, int count) {
    for (int i = 0; i < count; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate(s->v1, 13) ^ s->v0;
        s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 = rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = rotate(s->v1, 17) ^ s->v2;
        s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 = rotate(s->v2, 32);
    }
}

static inline void compress(struct state *s, uint64_t word) {
    s->v3 ^= word;
    rounds(s, ROUNDS);
    s->v0 ^= word;
}

uint64_t nwi_siphash(const struct nwi_siphash_key *key, const void *bytes, size_t size) {
    struct state s = {
        .v0 = key->k0 ^ UINT64_C(0x736f6d6570736575), /* the paper's four constants */
        .v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->k1 ^ UINT64_C(0x7465646279746573),
    };
    const unsigned char *at = bytes;
    size_t rest = size;
    uint64_t word;
    for (; rest >= WORD; rest -= WORD, at += WORD) {
        memcpy(&word, at, WORD);
        compress(&s, le64toh(word));
    }
    word = 0;
    if (rest > 0)
        memcpy(&word, at, rest);
    compress(&s, le64toh(word) | (uint64_t)size << 56);
    s.v2 ^= 0xff;
    rounds(&s, FINAL_ROUNDS);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* Where a sandbox forbids getrandom(2): the time and where the system put our stack are less, but
 * still not written anywhere that a peer can read. */
static struct nwi_siphash_key guess_key(void) {
    struct nwi_siphash_key key = {nwi_now(), (uint64_t)(uintptr_t)&key};
    return (struct nwi_siphash_key){nwi_siphash(&key, "k0", 2), nwi_siphash(&key, "k1", 2)};
}

struct nwi_siphash_key nwi_siphash_key_create(void) {
    struct nwi_siphash_key key;
    if (getrandom(&key, sizeof key, GRND_NONBLOCK) != (ssize_t)sizeof key)
        key = guess_key();
    return key;
}
