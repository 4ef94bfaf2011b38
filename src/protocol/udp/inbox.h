/*
 * inbox.h - datagrams that have been read and that nobody has taken yet: a bounded ring.
 * Runs:   under whatever protects the struct that embeds it.
 * Owns:   what its inputs hold.
 */
#ifndef NWI_PROTOCOL_UDP_INBOX_H
#define NWI_PROTOCOL_UDP_INBOX_H

#include "stack/layer.h"

struct nwi_udp_inbox { /* zeroed = empty */
    struct nwi_input *ring;
    size_t room, first, count; /* room: 0 or a power of two */
    size_t octets;
};

/* Takes `input` over. False, and nothing taken, when there would be more than NWI_UDP_INBOX_COUNT
 * or more octets than `octets_max`, or memory ran out: what a slow reader leaves is dropped, newest
 * first, as a socket's buffer does. */
enum { NWI_UDP_INBOX_COUNT = 1024 };
bool nwi_udp_inbox_add(struct nwi_udp_inbox *inbox, const struct nwi_input *input,
                       size_t octets_max);
/* The oldest one; false when empty. */
bool nwi_udp_inbox_take(struct nwi_udp_inbox *inbox, struct nwi_input *ret_input);
/* Drops them all, and the memory. */
void nwi_udp_inbox_clear(struct nwi_udp_inbox *inbox);

#endif
