/*
 * link.h - one direction of the wire, as a state machine without clock, socket or packet.
 * What:   a packet's size and the time go in; whether, when and how often it comes out goes out.
 *         Every choice hangs on the seed and on how many packets came before, never on how earlier
 *         choices fell: the same packets in the same order meet the same fate, whatever is set.
 * Owns:   the times at which the packets of its queue leave, at most as many as the queue takes.
 */
#ifndef NWLINK_LINK_H
#define NWLINK_LINK_H

#include "conditions.h"

enum nwlink_cause { /* why a packet does not come out */
                    NWLINK_CUT,
                    NWLINK_MTU,
                    NWLINK_LOSS,
                    NWLINK_BURST,
                    NWLINK_QUEUE,   /* no room: tail drop */
                    NWLINK_MEMORY,  /* more under way than was set aside */
                    NWLINK_REFUSED, /* the far end's interface did not take it */
                    NWLINK_CAUSE_COUNT
};
const char *nwlink_cause_name(enum nwlink_cause cause);

struct nwlink_counts {
    uint64_t packets_in, octets_in, packets_out, octets_out;
    uint64_t dropped[NWLINK_CAUSE_COUNT];
    uint64_t duplicated, reordered, corrupted, signalled;
};

struct nwlink_link {
    struct nwlink_conditions conditions; /* may be changed between packets */
    bool cut;
    struct nwlink_counts counts;
    /* the rest is link.c's */
    uint64_t seed, index; /* index: of the next packet */
    bool bad;             /* the Gilbert-Elliott state */
    int64_t free_at;      /* when the last packet accepted will have left the queue */
    int64_t last_at;      /* when the last packet in order comes out */
    struct nwlink_departure {
        int64_t at;
        uint32_t size;
    } * queue; /* a ring; its size is a power of two */
    uint32_t queue_size, queue_head, queue_count;
    uint64_t queue_octets;
};

struct nwlink_fate {
    unsigned copies;         /* 0 to 2 */
    enum nwlink_cause cause; /* with copies == 0 */
    int64_t at;              /* when it comes out, both copies */
    bool corrupt;
    uint32_t corrupt_bit; /* which to flip, below 8 * size */
};

void nwlink_link_init(struct nwlink_link *link, uint64_t seed);
void nwlink_link_free(struct nwlink_link *link);
/* A packet of `size` octets (at least 1) enters at `now`, which never runs backwards. `ip_size` is
 * what the MTU limits; `dns`: it goes to or comes from port 53. Counts what happens but for what
 * only the wire knows: packets_out, octets_out, signalled, NWLINK_MEMORY and NWLINK_REFUSED. */
struct nwlink_fate nwlink_link_offer(struct nwlink_link *link, int64_t now, uint32_t size,
                                     uint32_t ip_size, bool dns);
/* Packets waiting at `now`, the one that is leaving included. */
uint32_t nwlink_link_waiting(struct nwlink_link *link, int64_t now);

#endif
