/*
 * strangers.h - datagrams whose peers have no connection yet and cannot get one now: a bounded
 * list.
 * Runs:   in the context of the port that embeds it.
 * Owns:   copies of the datagrams.
 */
#ifndef NWI_PROTOCOL_UDP_STRANGERS_H
#define NWI_PROTOCOL_UDP_STRANGERS_H

#include "sys/datagram.h"
#include <sys/queue.h>

struct nwi_udp_strangers {
    STAILQ_HEAD(, nwi_udp_stranger) list; /* oldest first */
    size_t count, octets;
};

void nwi_udp_strangers_init(struct nwi_udp_strangers *strangers);
/* Keeps a copy, when there is room for it: 256 datagrams, 256 KiB, four of one peer. */
void nwi_udp_strangers_add(struct nwi_udp_strangers *strangers,
                           const struct nwi_datagram *datagram);
/* The oldest one, lent until it is dropped; NULL when there is none. */
const struct nwi_datagram *nwi_udp_strangers_first(const struct nwi_udp_strangers *strangers);
void nwi_udp_strangers_drop_first(struct nwi_udp_strangers *strangers);
void nwi_udp_strangers_clear(struct nwi_udp_strangers *strangers);

#endif
