/*
 * segment.c - frames as a driver would have to send them.
 * Source: RFC 9293 section 3.1 (TCP's header), RFC 768 (UDP's), RFC 3168 section 6.1.2 (CWR once).
 * Runs:   pure.
 */
#include "segment.h"

#include "octets.h"

#include <netinet/in.h>
#include <string.h>

enum { GSO_UDP_L4 = 5 }; /* VIRTIO_NET_HDR_GSO_UDP_L4, which older headers lack */
enum { V4_HEADER = 20, V6_HEADER = 40, TCP_HEADER = 20, UDP_HEADER = 8, HEADERS_MAX = 256 };
enum { TCP_FIN_PSH = 0x09, TCP_CWR = 0x80 };

struct large { /* a frame that holds several */
    uint8_t *frame;
    uint32_t ip, transport, data; /* where each begins */
    uint32_t size, piece;         /* octets in all; octets of data in each frame */
    unsigned version, protocol;
};

/* The sum over the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1). */
static uint32_t pseudo_sum(const struct large *l, const uint8_t *frame, uint32_t length) {
    const uint8_t *ip = frame + l->ip;
    return l->version == 4 ? nwlink_sum(length + l->protocol, ip + 12, 8)
                           : nwlink_sum(length + l->protocol, ip + 8, 32);
}

static bool read_large(struct large *l, const struct virtio_net_hdr *header) {
    l->transport = header->csum_start;
    l->piece = header->gso_size;
    l->protocol = header->gso_type == GSO_UDP_L4 ? IPPROTO_UDP : IPPROTO_TCP;
    uint32_t least = l->protocol == IPPROTO_UDP ? UDP_HEADER : TCP_HEADER;
    /* the IP header is the one that fits before the transport's: link headers differ */
    if (l->piece == 0 || l->transport + least > l->size)
        return false;
    l->data = l->transport + least;
    if (l->protocol == IPPROTO_TCP)
        l->data = l->transport + (uint32_t)(l->frame[l->transport + 12] >> 4) * 4;
    if (l->data < l->transport + least || l->data > l->size || l->data > HEADERS_MAX)
        return false;
    l->ip = 14;
    if (l->ip + 4 <= l->size && get16(l->frame + 12) == 0x8100) /* IEEE 802.1Q */
        l->ip = 18;
    l->version = l->ip < l->transport ? l->frame[l->ip] >> 4 : 0;
    return (l->version == 4 && l->transport >= l->ip + V4_HEADER) ||
           (l->version == 6 && l->transport >= l->ip + V6_HEADER);
}

static void set_ip(const struct large *l, uint8_t *frame, uint32_t size, uint32_t number) {
    uint8_t *ip = frame + l->ip;
    if (l->version == 6) {
        put16(ip + 4, (uint16_t)(size - l->ip - V6_HEADER));
        return;
    }
    uint32_t length = (uint32_t)(ip[0] & 15) * 4;
    if (length > l->transport - l->ip)
        length = l->transport - l->ip;
    put16(ip + 2, (uint16_t)(size - l->ip));
    put16(ip + 4, (uint16_t)(get16(ip + 4) + number));
    put16(ip + 10, 0);
    put16(ip + 10, nwlink_checksum(nwlink_sum(0, ip, length)));
}

static void set_tcp(uint8_t *tcp, uint32_t offset, bool first, bool last) {
    put32(tcp + 4, get32(tcp + 4) + offset);
    if (!last)
        tcp[13] &= (uint8_t)~TCP_FIN_PSH;
    if (!first)
        tcp[13] &= (uint8_t)~TCP_CWR;
}

/* One frame of it: the headers, made to fit, and the data from `offset` on. */
static uint32_t make_piece(const struct large *l, uint32_t offset, uint32_t number, uint8_t *out) {
    uint32_t left = l->size - l->data - offset;
    uint32_t length = left < l->piece ? left : l->piece;
    uint32_t size = l->data + length;
    uint8_t *transport = out + l->transport;
    uint8_t *checksum = transport + (l->protocol == IPPROTO_TCP ? 16 : 6);
    memcpy(out, l->frame, l->data);
    memcpy(out + l->data, l->frame + l->data + offset, length);
    set_ip(l, out, size, number);
    if (l->protocol == IPPROTO_TCP)
        set_tcp(transport, offset, offset == 0, length == left);
    else
        put16(transport + 4, (uint16_t)(size - l->transport));
    put16(checksum, 0);
    uint32_t sum = pseudo_sum(l, out, size - l->transport);
    put16(checksum, nwlink_checksum(nwlink_sum(sum, transport, size - l->transport)));
    if (l->protocol == IPPROTO_UDP && get16(checksum) == 0)
        put16(checksum, 0xffff); /* 0 would say that there is none */
    return size;
}

/* What lies in the checksum's place is the sum over the pseudo-header already. */
static bool finish_checksum(uint8_t *frame, uint32_t size, const struct virtio_net_hdr *header) {
    uint32_t start = header->csum_start, place = start + header->csum_offset;
    if ((header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
        return true;
    if (start >= size || place + 2 > size)
        return false;
    uint16_t checksum = nwlink_checksum(nwlink_sum(0, frame + start, size - start));
    put16(frame + place, checksum == 0 ? 0xffff : checksum); /* as the kernel: right for both */
    return true;
}

bool nwlink_segment(uint8_t *frame, uint32_t size, const struct virtio_net_hdr *header,
                    void *context,
                    void (*put)(void *context, const uint8_t *frame, uint32_t size)) {
    static uint8_t piece[NWLINK_FRAME_MAX + HEADERS_MAX]; /* one thread */
    unsigned type = header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    struct large l = {.frame = frame, .size = size};
    if (type == VIRTIO_NET_HDR_GSO_NONE) {
        if (!finish_checksum(frame, size, header))
            return false;
        put(context, frame, size);
        return true;
    }
    if ((type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6 &&
         type != GSO_UDP_L4) ||
        size > NWLINK_FRAME_MAX || !read_large(&l, header))
        return false;
    uint32_t number = 0, offset = 0;
    do {
        put(context, piece, make_piece(&l, offset, number++, piece));
        offset += l.piece;
    } while (offset < size - l.data);
    return true;
}
