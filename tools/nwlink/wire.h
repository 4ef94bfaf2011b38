/*
 * wire.h - the wire: two ends, and a link for each direction between them.
 * Owns:   the ends, the packets under way, the timer.
 */
#ifndef NWLINK_WIRE_H
#define NWLINK_WIRE_H

#include "end.h"
#include "flight.h"
#include "link.h"
#include "profiles.h"

struct nwlink_half {
    struct nwlink_link link;
    struct nwlink_flight flight;
    uint64_t late_count; /* packets that came out, and how much later than they should have */
    int64_t late_sum, late_max;
};

struct nwlink_wire {
    struct nwlink_end ends[2];                    /* a, b */
    struct nwlink_half halves[NWLINK_DIRECTIONS]; /* NWLINK_UP: from a to b */
    bool down[2]; /* that end's interface was down when last looked at */
    int timer;    /* readable when packets are due */
    int64_t armed;
};

int64_t nwlink_now(void); /* CLOCK_MONOTONIC */

/* The wire between the ends, which it consumes. `memory`: octets that may be under way in each
 * direction. False: `why`. */
bool nwlink_wire_init(struct nwlink_wire *wire, const struct nwlink_end ends[2], uint64_t seed,
                      size_t memory, char *why);
void nwlink_wire_free(struct nwlink_wire *wire);
/* Packets wait at that end. False: its interface is gone. */
bool nwlink_wire_take(struct nwlink_wire *wire, unsigned end);
/* Whether both interfaces are still there. Only of one that is down there is no event when it goes:
 * ask now and then while `down` says so. */
bool nwlink_wire_is_whole(const struct nwlink_wire *wire);
/* Lets out what is due, and sets the timer for what is next. After every turn. */
void nwlink_wire_let_out(struct nwlink_wire *wire);

#endif
