/*
 * packet.h - what the wire has to know about a packet, and the ICMP message about one too large.
 * Source: RFC 791, RFC 8200 (headers); RFC 792, RFC 1191, RFC 4443 (the message).
 * Runs:   pure.
 */
#ifndef NWLINK_PACKET_H
#define NWLINK_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NWLINK_ETHERNET = 14, NWLINK_SIGNAL_MAX = NWLINK_ETHERNET + 1280 };

struct nwlink_packet {
    const uint8_t *frame;
    uint32_t size;
    uint32_t link;    /* octets before the IP header: 0 or NWLINK_ETHERNET */
    uint32_t ip_size; /* octets after those */
    bool dns;         /* UDP or TCP, to or from port 53 */
};

void nwlink_packet_read(struct nwlink_packet *packet, const uint8_t *frame, uint32_t size,
                        bool ethernet);
/* Writes into `out` (NWLINK_SIGNAL_MAX octets) the frame that tells the packet's sender that `mtu`
 * octets are the most; it comes from the address that the packet went to. Returns its octets, or 0
 * where the RFCs forbid an answer: to an ICMP error, a group, a later fragment, no address. */
uint32_t nwlink_packet_signal(const struct nwlink_packet *packet, uint32_t mtu, uint8_t *out);

#endif
