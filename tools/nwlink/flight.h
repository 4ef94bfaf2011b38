/*
 * flight.h - the packets under way, in the order in which they come out.
 * What:   a heap by time; of equal times the first to enter is the first to leave.
 * Owns:   the buffers: all come from here and go back here, at most so many octets of them.
 */
#ifndef NWLINK_FLIGHT_H
#define NWLINK_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nwlink_buffer {
    struct nwlink_buffer *next; /* in the list of free ones */
    uint32_t size;              /* octets used */
    uint8_t data[];
};

struct nwlink_flight {
    struct nwlink_flying {
        int64_t at;
        uint64_t number;
        struct nwlink_buffer *buffer;
    } * heap;
    size_t count, room;
    uint64_t number;
    struct nwlink_buffer *free;
    size_t buffer_size, made, made_max;
};

/* `buffer_size`: octets of the largest packet; `octets_max`: of all buffers together. */
void nwlink_flight_init(struct nwlink_flight *flight, size_t buffer_size, size_t octets_max);
void nwlink_flight_free(struct nwlink_flight *flight);
/* A buffer for one packet, or NULL when all are under way. */
struct nwlink_buffer *nwlink_flight_take(struct nwlink_flight *flight);
void nwlink_flight_give_back(struct nwlink_flight *flight, struct nwlink_buffer *buffer);
/* The buffer is under way until `at`. False when memory ran out: it is still the caller's. */
bool nwlink_flight_push(struct nwlink_flight *flight, struct nwlink_buffer *buffer, int64_t at);
/* When the first is due; INT64_MAX when none is under way. */
int64_t nwlink_flight_next(const struct nwlink_flight *flight);
/* The first, which must be there; the caller gives it back. */
struct nwlink_buffer *nwlink_flight_pop(struct nwlink_flight *flight);

#endif
