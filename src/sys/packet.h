/*
 * packet.h - Ethernet frames of one EtherType on one interface, past the IP stack.
 * What:   whole frames, one or many with a call, over the table in sys/table.h. The kernel strips
 *         an 802.1Q tag on the way in and tells it beside the frame; on the way out it is written
 *         into the header.
 * Source: packet(7); IEEE 802.3 (frame), IEEE 802.1Q (tag).
 * Runs:   any thread; nothing blocks.
 */
#ifndef NWI_SYS_PACKET_H
#define NWI_SYS_PACKET_H

#include "sys/sockets.h"

enum {
    NWI_PACKET_ADDRESS = 6,         /* octets */
    NWI_PACKET_HEADER = 14,         /* octets before the payload, without a tag */
    NWI_PACKET_TAG = 4,             /* octets that a tag adds */
    NWI_PACKET_PAYLOAD_MAX = 65536, /* octets: the largest MTU there is, that of loopback */
    NWI_PACKET_BATCH = 16,          /* most frames that one call moves */
};

/* Receives from now on what comes for this machine or for all. Errors: EPERM (no CAP_NET_RAW),
 * ENODEV (no such interface), EMFILE, ENFILE, ENOBUFS, ENOMEM. An interface that is down is none:
 * frames pass once it is up. */
nwi_err nwi_packet_open(uint16_t ether_type, unsigned interface_index, int *ret_fd);
/* The interface's own address. Errors: ENODEV when it has gone, those of getsockname(2). */
nwi_err nwi_packet_local(int fd, uint8_t ret_address[NWI_PACKET_ADDRESS]);

struct nwi_packet {
    struct iovec data;      /* in: room for header and payload; iov_base borrowed */
    const uint8_t *payload; /* out, in `data` */
    size_t length;          /* out: octets of payload */
    uint16_t vlan_tag;      /* out: priority, drop and VLAN bits as they are sent; 0 = none */
    uint8_t local[NWI_PACKET_ADDRESS], remote[NWI_PACKET_ADDRESS]; /* out */
    bool truncated; /* out: did not fit `data`, or has no whole header */
};
/* Receives up to `count` without waiting; *ret_count >= 1 on success. Errors: would-block;
 * ENETDOWN, once, when the interface has gone down; ... */
nwi_err nwi_packet_recv_many(int fd, struct nwi_packet *packets, size_t count, size_t *ret_count);

/* Writes the header that ends where the payload begins, and returns its size: NWI_PACKET_HEADER, or
 * NWI_PACKET_TAG more when the tag is not 0. */
size_t nwi_packet_write_header(uint8_t *payload, const uint8_t to[NWI_PACKET_ADDRESS],
                               const uint8_t from[NWI_PACKET_ADDRESS], uint16_t vlan_tag,
                               uint16_t ether_type);
/* Sends up to `count` whole frames, in order; *ret_sent >= 1 on success. Errors: those of the first
 * one, and then none was sent: would-block, EMSGSIZE, ENETDOWN, ENXIO (interface gone), ENOBUFS. */
nwi_err nwi_packet_send_many(int fd, unsigned interface_index, const struct iovec *frames,
                             size_t count, size_t *ret_sent);

#endif
