/*
 * packet.c - what the wire has to know about a packet, and the ICMP message about one too large.
 * Source: RFC 791, RFC 8200 (headers); RFC 792, RFC 1191, RFC 4443 (the message); RFC 1122 section
 *         3.2.2 and RFC 4443 section 2.4 (when not to send one).
 * Runs:   pure.
 */
#include "packet.h"

#include "octets.h"

#include <netinet/in.h>
#include <string.h>

enum { V4_HEADER = 20, V6_HEADER = 40, ICMP_HEADER = 8, V4_QUOTE = 576, V6_QUOTE = 1280 };
enum { DNS_PORT = 53, EXTENSIONS_MAX = 8 };

struct headers { /* of one IP packet */
    const uint8_t *ip;
    uint32_t size;
    unsigned version; /* 0: not IP, or too short to tell */
    unsigned protocol;
    uint32_t transport; /* where the protocol's header begins */
    bool later_fragment;
};

static void read_v4(struct headers *h) {
    uint32_t length = (uint32_t)(h->ip[0] & 15) * 4;
    if (h->size < V4_HEADER || length < V4_HEADER || length > h->size)
        return;
    h->version = 4;
    h->protocol = h->ip[9];
    h->transport = length;
    h->later_fragment = (get16(h->ip + 6) & 0x1fff) != 0;
}

/* Walks over the extension headers (RFC 8200 section 4). */
static void read_v6(struct headers *h) {
    if (h->size < V6_HEADER)
        return;
    h->version = 6;
    h->protocol = h->ip[6];
    h->transport = V6_HEADER;
    for (unsigned i = 0; i < EXTENSIONS_MAX && h->transport + 8 <= h->size; i++) {
        const uint8_t *extension = h->ip + h->transport;
        if (h->protocol == IPPROTO_FRAGMENT) {
            h->later_fragment = (get16(extension + 2) & 0xfff8) != 0;
            h->transport += 8;
        } else if (h->protocol == IPPROTO_HOPOPTS || h->protocol == IPPROTO_ROUTING ||
                   h->protocol == IPPROTO_DSTOPTS) {
            h->transport += (extension[1] + 1U) * 8;
        } else {
            return;
        }
        h->protocol = extension[0];
    }
}

static struct headers read_headers(const uint8_t *ip, uint32_t size) {
    struct headers h = {.ip = ip, .size = size};
    if (size > 0 && ip[0] >> 4 == 4)
        read_v4(&h);
    else if (size > 0 && ip[0] >> 4 == 6)
        read_v6(&h);
    return h;
}

void nwlink_packet_read(struct nwlink_packet *packet, const uint8_t *frame, uint32_t size,
                        bool ethernet) {
    uint32_t link = ethernet ? NWLINK_ETHERNET : 0;
    if (link > size)
        link = size;
    *packet =
        (struct nwlink_packet){.frame = frame, .size = size, .link = link, .ip_size = size - link};
    struct headers h = read_headers(frame + link, size - link);
    if (h.version == 0 || h.later_fragment || h.transport + 4 > h.size ||
        (h.protocol != IPPROTO_UDP && h.protocol != IPPROTO_TCP))
        return;
    const uint8_t *ports = h.ip + h.transport;
    packet->dns = get16(ports) == DNS_PORT || get16(ports + 2) == DNS_PORT;
}

uint32_t nwlink_sum(uint32_t sum, const uint8_t *data, uint32_t size) {
    for (uint32_t i = 0; i + 1 < size; i += 2)
        sum += get16(data + i);
    return size % 2 ? sum + ((uint32_t)data[size - 1] << 8) : sum;
}

uint16_t nwlink_checksum(uint32_t sum) {
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static bool all_zero(const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (data[i] != 0)
            return false;
    return true;
}

static bool may_answer(const struct headers *h) {
    if (h->version == 0 || h->later_fragment)
        return false;
    const uint8_t *icmp = h->transport < h->size ? h->ip + h->transport : NULL;
    if (h->version == 4) {
        if (h->ip[16] >= 224 || h->ip[12] >= 224 || all_zero(h->ip + 12, 4))
            return false;
        return h->protocol != IPPROTO_ICMP || (icmp != NULL && (*icmp == 0 || *icmp == 8));
    }
    if (h->ip[8] == 0xff || all_zero(h->ip + 8, 16)) /* a group as destination is fine: 2.4 (e.3) */
        return false;
    return h->protocol != IPPROTO_ICMPV6 || (icmp != NULL && *icmp >= 128);
}

/* RFC 1191 section 4: unreachable (3), fragmentation needed (4), the size in the last 16 bits. */
static uint32_t signal_v4(const struct headers *h, uint32_t mtu, uint8_t *out) {
    uint32_t quote =
        h->size < V4_QUOTE - V4_HEADER - ICMP_HEADER ? h->size : V4_QUOTE - V4_HEADER - ICMP_HEADER;
    uint32_t size = V4_HEADER + ICMP_HEADER + quote;
    uint8_t *icmp = out + V4_HEADER;
    memset(out, 0, V4_HEADER + ICMP_HEADER);
    out[0] = 0x45;
    put16(out + 2, (uint16_t)size);
    out[8] = 64;
    out[9] = IPPROTO_ICMP;
    memcpy(out + 12, h->ip + 16, 4);
    memcpy(out + 16, h->ip + 12, 4);
    put16(out + 10, nwlink_checksum(nwlink_sum(0, out, V4_HEADER)));
    icmp[0] = 3;
    icmp[1] = 4;
    put16(icmp + 6, (uint16_t)mtu);
    memcpy(icmp + ICMP_HEADER, h->ip, quote);
    put16(icmp + 2, nwlink_checksum(nwlink_sum(0, icmp, ICMP_HEADER + quote)));
    return size;
}

/* RFC 4443 section 3.2: packet too big (2), the size in 32 bits. Its source must be an address of
 * one host: for a group's packet there is none to take. */
static uint32_t signal_v6(const struct headers *h, uint32_t mtu, uint8_t *out) {
    if (h->ip[24] == 0xff)
        return 0;
    uint32_t quote =
        h->size < V6_QUOTE - V6_HEADER - ICMP_HEADER ? h->size : V6_QUOTE - V6_HEADER - ICMP_HEADER;
    uint8_t *icmp = out + V6_HEADER;
    memset(out, 0, V6_HEADER + ICMP_HEADER);
    out[0] = 0x60;
    put16(out + 4, (uint16_t)(ICMP_HEADER + quote));
    out[6] = IPPROTO_ICMPV6;
    out[7] = 64;
    memcpy(out + 8, h->ip + 24, 16);
    memcpy(out + 24, h->ip + 8, 16);
    icmp[0] = 2;
    put16(icmp + 6, (uint16_t)mtu); /* 65535 at most: the upper half stays 0 */
    memcpy(icmp + ICMP_HEADER, h->ip, quote);
    uint32_t sum =
        nwlink_sum(ICMP_HEADER + quote + IPPROTO_ICMPV6, out + 8, 32); /* RFC 8200 section 8.1 */
    put16(icmp + 2, nwlink_checksum(nwlink_sum(sum, icmp, ICMP_HEADER + quote)));
    return V6_HEADER + ICMP_HEADER + quote;
}

uint32_t nwlink_packet_signal(const struct nwlink_packet *packet, uint32_t mtu, uint8_t *out) {
    const uint8_t *frame = packet->frame;
    struct headers h = read_headers(frame + packet->link, packet->ip_size);
    if (!may_answer(&h))
        return 0;
    if (packet->link == NWLINK_ETHERNET) { /* back to the station that sent it */
        memcpy(out, frame + 6, 6);
        memcpy(out + 6, frame, 6);
        memcpy(out + 12, frame + 12, 2);
    }
    uint8_t *ip = out + packet->link;
    uint32_t size = h.version == 4 ? signal_v4(&h, mtu, ip) : signal_v6(&h, mtu, ip);
    return size > 0 ? packet->link + size : 0;
}
