/*
 * wire.c - the wire: reads packets, asks the link, keeps them until they are due, writes them.
 * Source: timerfd_create(2): absolute times, so that no delay adds up.
 * Runs:   in the only thread of nwlink.
 */
#include "wire.h"

#include "packet.h"
#include "segment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64 }; /* packets of one end before the other end and the timer have their turn */

int64_t nwlink_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool nwlink_wire_init(struct nwlink_wire *wire, const struct nwlink_end ends[2], uint64_t seed,
                      size_t memory, char *why) {
    memset(wire, 0, sizeof *wire);
    memcpy(wire->ends, ends, sizeof wire->ends);
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++) {
        /* the directions have nothing in common */
        nwlink_link_init(&wire->halves[d].link, seed * NWLINK_DIRECTIONS + d);
        nwlink_flight_init(&wire->halves[d].flight, ends[d].largest, memory);
    }
    wire->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    wire->armed = INT64_MAX;
    if (wire->timer < 0)
        snprintf(why, NWLINK_WHY, "no timer: %s", strerror(errno));
    return wire->timer >= 0;
}

void nwlink_wire_free(struct nwlink_wire *wire) {
    for (unsigned i = 0; i < 2; i++)
        nwlink_end_close(&wire->ends[i]);
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++) {
        nwlink_flight_free(&wire->halves[d].flight);
        nwlink_link_free(&wire->halves[d].link);
    }
    if (wire->timer >= 0)
        close(wire->timer);
}

static void drop(struct nwlink_half *half, enum nwlink_cause cause) {
    half->link.counts.dropped[cause]++;
}

/* Tells the sender, over the end its packet came from, what size is the most. */
static void signal_mtu(struct nwlink_wire *wire, unsigned end, const struct nwlink_packet *packet) {
    uint8_t frame[NWLINK_SIGNAL_MAX];
    struct nwlink_link *link = &wire->halves[end].link;
    uint32_t size = nwlink_packet_signal(packet, link->conditions.mtu, frame);
    if (size > 0 && write(wire->ends[end].out, frame, size) == (ssize_t)size)
        link->counts.signalled++;
}

static void launch(struct nwlink_half *half, struct nwlink_buffer *buffer, int64_t at) {
    if (nwlink_flight_push(&half->flight, buffer, at))
        return;
    drop(half, NWLINK_MEMORY);
    nwlink_flight_give_back(&half->flight, buffer);
}

static void launch_twice(struct nwlink_half *half, struct nwlink_buffer *buffer, int64_t at) {
    struct nwlink_buffer *copy = nwlink_flight_take(&half->flight);
    if (copy == NULL) {
        drop(half, NWLINK_MEMORY);
    } else {
        copy->size = buffer->size;
        memcpy(copy->data, buffer->data, buffer->size);
        launch(half, copy, at);
    }
    launch(half, buffer, at);
}

/* A packet has come in at that end, and lies in the buffer, which is consumed. */
static void enter(struct nwlink_wire *wire, unsigned end, struct nwlink_buffer *buffer) {
    struct nwlink_half *half = &wire->halves[end];
    struct nwlink_packet packet;
    nwlink_packet_read(&packet, buffer->data, buffer->size, wire->ends[end].ethernet);
    struct nwlink_fate fate =
        nwlink_link_offer(&half->link, nwlink_now(), buffer->size, packet.ip_size, packet.dns);
    if (fate.copies == 0) {
        if (fate.cause == NWLINK_MTU && half->link.conditions.mtu_signal)
            signal_mtu(wire, end, &packet);
        nwlink_flight_give_back(&half->flight, buffer);
        return;
    }
    if (fate.corrupt)
        buffer->data[fate.corrupt_bit / 8] ^= (uint8_t)(1 << fate.corrupt_bit % 8);
    if (fate.copies == 2)
        launch_twice(half, buffer, fate.at);
    else
        launch(half, buffer, fate.at);
}

/* No buffer is left: the packet must be read all the same, or it would wait in the interface. */
static ssize_t discard(struct nwlink_half *half, int fd) {
    uint8_t octet;
    ssize_t got = read(fd, &octet, 1);
    if (got > 0) {
        half->link.counts.packets_in++;
        drop(half, NWLINK_MEMORY);
    }
    return got;
}

static ssize_t take_one(struct nwlink_wire *wire, unsigned end) {
    struct nwlink_flight *flight = &wire->halves[end].flight;
    struct nwlink_buffer *buffer = nwlink_flight_take(flight);
    if (buffer == NULL)
        return discard(&wire->halves[end], wire->ends[end].fd);
    ssize_t got = read(wire->ends[end].fd, buffer->data, flight->buffer_size);
    if (got > 0) {
        buffer->size = (uint32_t)got;
        enter(wire, end, buffer);
    } else {
        nwlink_flight_give_back(flight, buffer);
    }
    return got;
}

struct frames_of { /* where the frames of one large packet go */
    struct nwlink_wire *wire;
    unsigned end;
};

static void put_frame(void *context, const uint8_t *frame, uint32_t size) {
    const struct frames_of *of = context;
    struct nwlink_half *half = &of->wire->halves[of->end];
    struct nwlink_buffer *buffer = nwlink_flight_take(&half->flight);
    if (buffer == NULL || size > half->flight.buffer_size) {
        half->link.counts.packets_in++;
        drop(half, buffer == NULL ? NWLINK_MEMORY : NWLINK_REFUSED);
        if (buffer != NULL)
            nwlink_flight_give_back(&half->flight, buffer);
        return;
    }
    memcpy(buffer->data, frame, size);
    buffer->size = size;
    enter(of->wire, of->end, buffer);
}

static ssize_t take_large(struct nwlink_wire *wire, unsigned end) {
    static uint8_t room[NWLINK_FRAME_MAX]; /* one thread */
    struct virtio_net_hdr header;
    struct frames_of of = {.wire = wire, .end = end};
    struct iovec parts[] = {{&header, sizeof header}, {room, sizeof room}};
    ssize_t got = readv(wire->ends[end].fd, parts, 2);
    if (got <= (ssize_t)sizeof header)
        return got;
    if (!nwlink_segment(room, (uint32_t)got - (uint32_t)sizeof header, &header, &of, put_frame)) {
        wire->halves[end].link.counts.packets_in++;
        drop(&wire->halves[end], NWLINK_REFUSED);
    }
    return got;
}

bool nwlink_wire_take(struct nwlink_wire *wire, unsigned end) {
    const struct nwlink_end *from = &wire->ends[end];
    ssize_t got = 1;
    for (unsigned i = 0; i < BATCH && got > 0; i++)
        got = from->large ? take_large(wire, end) : take_one(wire, end);
    wire->down[end] = got <= 0 && errno == ENETDOWN; /* first it goes down, then perhaps away */
    return got > 0 || !nwlink_end_is_gone(from, errno);
}

bool nwlink_wire_is_whole(const struct nwlink_wire *wire) {
    for (unsigned end = 0; end < 2; end++)
        if (wire->down[end] && nwlink_end_is_gone(&wire->ends[end], ENETDOWN))
            return false;
    return true;
}

static void let_out_one(struct nwlink_wire *wire, unsigned direction, int64_t late) {
    struct nwlink_half *half = &wire->halves[direction];
    struct nwlink_counts *counts = &half->link.counts;
    struct nwlink_buffer *buffer = nwlink_flight_pop(&half->flight);
    if (half->link.cut) { /* what is under way when a cable is cut does not arrive either */
        drop(half, NWLINK_CUT);
    } else if (write(wire->ends[!direction].out, buffer->data, buffer->size) ==
               (ssize_t)buffer->size) {
        counts->packets_out++;
        counts->octets_out += buffer->size;
        half->late_count++;
        half->late_sum += late;
        if (late > half->late_max)
            half->late_max = late;
    } else {
        drop(half, NWLINK_REFUSED);
    }
    nwlink_flight_give_back(&half->flight, buffer);
}

void nwlink_wire_let_out(struct nwlink_wire *wire) {
    int64_t next = INT64_MAX;
    for (unsigned d = 0; d < NWLINK_DIRECTIONS; d++) {
        struct nwlink_flight *flight = &wire->halves[d].flight;
        int64_t now = nwlink_now();
        for (int64_t due; (due = nwlink_flight_next(flight)) <= now;)
            let_out_one(wire, d, now - due);
        if (nwlink_flight_next(flight) < next)
            next = nwlink_flight_next(flight);
    }
    if (next == wire->armed)
        return;
    wire->armed = next;
    struct itimerspec when = {0}; /* none under way: off */
    if (next != INT64_MAX) {
        when.it_value.tv_sec = next / 1000000000;
        when.it_value.tv_nsec = next % 1000000000;
    }
    timerfd_settime(wire->timer, TFD_TIMER_ABSTIME, &when, NULL);
}
