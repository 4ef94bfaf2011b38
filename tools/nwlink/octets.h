/*
 * octets.h - numbers in network order, and the Internet checksum.
 * Source: RFC 1071.
 * Runs:   pure.
 */
#ifndef NWLINK_OCTETS_H
#define NWLINK_OCTETS_H

#include <stdint.h>

static inline uint16_t get16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void put16(uint8_t *p, uint16_t value) {
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline uint32_t get32(const uint8_t *p) {
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline void put32(uint8_t *p, uint32_t value) {
    put16(p, (uint16_t)(value >> 16));
    put16(p + 2, (uint16_t)value);
}

/* Adds the octets to the sum; at most 128 KiB in all fit into it. */
uint32_t nwlink_sum(uint32_t sum, const uint8_t *data, uint32_t size);
uint16_t nwlink_checksum(uint32_t sum);

#endif
