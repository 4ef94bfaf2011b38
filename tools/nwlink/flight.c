/*
 * flight.c - the packets under way, in the order in which they come out.
 * Runs:   pure but for memory, which it takes as it needs it, and keeps.
 */
#include "flight.h"

#include <stdlib.h>
#include <string.h>

void nwlink_flight_init(struct nwlink_flight *flight, size_t buffer_size, size_t octets_max) {
    memset(flight, 0, sizeof *flight);
    flight->buffer_size = buffer_size;
    flight->made_max = octets_max / (sizeof(struct nwlink_buffer) + buffer_size);
    if (flight->made_max < 2) /* a packet and its double */
        flight->made_max = 2;
}

void nwlink_flight_free(struct nwlink_flight *flight) {
    for (size_t i = 0; i < flight->count; i++)
        free(flight->heap[i].buffer);
    for (struct nwlink_buffer *next; flight->free != NULL; flight->free = next) {
        next = flight->free->next;
        free(flight->free);
    }
    free(flight->heap);
    memset(flight, 0, sizeof *flight);
}

struct nwlink_buffer *nwlink_flight_take(struct nwlink_flight *flight) {
    struct nwlink_buffer *buffer = flight->free;
    if (buffer != NULL) {
        flight->free = buffer->next;
        return buffer;
    }
    if (flight->made == flight->made_max)
        return NULL;
    buffer = malloc(sizeof *buffer + flight->buffer_size);
    if (buffer != NULL)
        flight->made++;
    return buffer;
}

void nwlink_flight_give_back(struct nwlink_flight *flight, struct nwlink_buffer *buffer) {
    buffer->next = flight->free;
    flight->free = buffer;
}

static bool before(const struct nwlink_flying *a, const struct nwlink_flying *b) {
    return a->at != b->at ? a->at < b->at : a->number < b->number;
}

bool nwlink_flight_push(struct nwlink_flight *flight, struct nwlink_buffer *buffer, int64_t at) {
    if (flight->count == flight->room) {
        size_t room = flight->room == 0 ? 256 : flight->room * 2;
        struct nwlink_flying *heap = realloc(flight->heap, room * sizeof *heap);
        if (heap == NULL)
            return false;
        flight->heap = heap;
        flight->room = room;
    }
    struct nwlink_flying item = {.at = at, .number = flight->number++, .buffer = buffer};
    size_t place = flight->count++;
    for (size_t parent; place > 0 && before(&item, &flight->heap[parent = (place - 1) / 2]);) {
        flight->heap[place] = flight->heap[parent];
        place = parent;
    }
    flight->heap[place] = item;
    return true;
}

int64_t nwlink_flight_next(const struct nwlink_flight *flight) {
    return flight->count > 0 ? flight->heap[0].at : INT64_MAX;
}

struct nwlink_buffer *nwlink_flight_pop(struct nwlink_flight *flight) {
    struct nwlink_buffer *first = flight->heap[0].buffer;
    struct nwlink_flying item = flight->heap[--flight->count];
    size_t place = 0;
    for (size_t child; (child = 2 * place + 1) < flight->count; place = child) {
        if (child + 1 < flight->count && before(&flight->heap[child + 1], &flight->heap[child]))
            child++;
        if (!before(&flight->heap[child], &item))
            break;
        flight->heap[place] = flight->heap[child];
    }
    flight->heap[place] = item;
    return first;
}
