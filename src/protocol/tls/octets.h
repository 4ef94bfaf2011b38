/*
 * octets.h - a cursor over octets that came from a peer: every step is checked against the end.
 * Source: RFC 8446 section 3 (numbers in network order, lists with their length in front).
 */
#ifndef NWI_PROTOCOL_TLS_OCTETS_H
#define NWI_PROTOCOL_TLS_OCTETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct octets {
    const unsigned char *at; /* borrowed */
    size_t size;
};

static inline bool octets_skip(struct octets *octets, size_t size) {
    if (size > octets->size)
        return false;
    octets->at += size;
    octets->size -= size;
    return true;
}

static inline bool octets_take_16(struct octets *octets, uint16_t *ret_number) {
    if (octets->size < 2)
        return false;
    *ret_number = (uint16_t)(octets->at[0] << 8 | octets->at[1]);
    return octets_skip(octets, 2);
}

/* What follows a length of one or two octets. */
static inline bool octets_take_list(struct octets *octets, size_t length_size,
                                    struct octets *ret_list) {
    if (octets->size < length_size)
        return false;
    size_t length = octets->at[0];
    if (length_size == 2)
        length = length << 8 | octets->at[1];
    octets_skip(octets, length_size);
    *ret_list = (struct octets){octets->at, length};
    return octets_skip(octets, length);
}

#endif
