/*
 * conditions.h - what one direction of the wire does to its packets, and how that is written.
 * What:   a struct of plain values; zero everywhere is a perfect wire. The words are "KEY=VALUE",
 *         in lists with commas: "rate=780kbit,delay=100ms,loss=1%".
 * Runs:   pure.
 */
#ifndef NWLINK_CONDITIONS_H
#define NWLINK_CONDITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The Gilbert-Elliott model: the link is good or bad, and loses packets accordingly. All are
 * probabilities of one packet, 0 to 1. With bad = 1 and good = 0 a burst is 1 / leave packets long
 * in the mean. */
struct nwlink_burst {
    double enter; /* good to bad */
    double leave; /* bad to good */
    double bad;   /* loss while bad */
    double good;  /* loss while good */
};

struct nwlink_conditions {
    int64_t delay;  /* nanoseconds, as every time here */
    int64_t jitter; /* the delay is even between delay - jitter and delay + jitter, 0 at least */
    uint64_t rate;  /* bits a second; 0: as fast as it goes */
    uint32_t queue_packets; /* what may wait for its turn at `rate`; both 0: see link.c */
    uint64_t queue_octets;
    double loss; /* probabilities, 0 to 1 */
    struct nwlink_burst burst;
    double duplicate, reorder, corrupt;
    int64_t reorder_by; /* how much longer a packet that others overtake is under way */
    uint32_t mtu;       /* octets of the largest IP packet; 0: no limit */
    bool mtu_signal;    /* tell the sender of a larger one by ICMP; else it just vanishes */
    int64_t dns_delay;  /* on top, for packets to or from port 53 */
};

enum { NWLINK_WHY = 200, NWLINK_CONDITIONS_TEXT = 512 }; /* octets of texts, with the NUL */

/* Sets one value. False: `why` (NWLINK_WHY octets) says what is wrong and names the value, and
 * nothing has changed. */
bool nwlink_conditions_set(struct nwlink_conditions *conditions, const char *key, const char *value,
                           char *why);
/* Sets the values of a list; all or none. */
bool nwlink_conditions_read(struct nwlink_conditions *conditions, const char *list, char *why);
/* The list that reads as these conditions again; "perfect" for a perfect wire.
 * `text`: NWLINK_CONDITIONS_TEXT octets. */
void nwlink_conditions_write(const struct nwlink_conditions *conditions, char *text);
/* The keys, for help and completion; NULL after the last. */
const char *nwlink_conditions_key(unsigned index);

#endif
