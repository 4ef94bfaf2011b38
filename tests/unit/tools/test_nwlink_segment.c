/*
 * test_nwlink_segment.c - large packets of the kernel, cut as a network card would cut them.
 */
#include "nwcat_test.h"
#include "octets.h"
#include "segment.h"

enum { ETHERNET = 14, V4 = 20, V6 = 40, TCP = 20, UDP = 8, FRAMES_MAX = 64 };

struct frames {
    unsigned count;
    uint32_t size[FRAMES_MAX];
    uint8_t octets[FRAMES_MAX][2000];
};

static void put(void *context, const uint8_t *frame, uint32_t size) {
    struct frames *frames = context;
    assert_true(frames->count < FRAMES_MAX && size <= sizeof frames->octets[0]);
    memcpy(frames->octets[frames->count], frame, size);
    frames->size[frames->count++] = size;
}

/* Ethernet, then IPv4 or IPv6, then TCP (sequence number 1000, flags FIN PSH ACK CWR) or UDP, then
 * `data` octets that count up. Returns its size. */
static uint32_t make(uint8_t *p, unsigned version, unsigned protocol, uint32_t data) {
    uint32_t ip = version == 4 ? V4 : V6, transport = protocol == 6 ? TCP : UDP;
    uint8_t *t = p + ETHERNET + ip;
    memset(p, 0, ETHERNET + ip + transport);
    put16(p + 12, version == 4 ? 0x0800 : 0x86dd);
    if (version == 4) {
        memcpy(p + ETHERNET, "\x45\0\0\0\x12\x34\x40\0\x40", 9);
        p[ETHERNET + 9] = (uint8_t)protocol;
        memcpy(p + ETHERNET + 12, "\xc0\0\2\1\xc0\0\2\2", 8);
    } else {
        p[ETHERNET] = 0x60;
        p[ETHERNET + 6] = (uint8_t)protocol;
        p[ETHERNET + 8] = 0x20, p[ETHERNET + 23] = 1;
        p[ETHERNET + 24] = 0x20, p[ETHERNET + 39] = 2;
    }
    put16(t, 4000), put16(t + 2, 80);
    if (protocol == 6) {
        put32(t + 4, 1000);
        t[12] = 0x50, t[13] = 0x99;
    }
    for (uint32_t i = 0; i < data; i++)
        t[transport + i] = (uint8_t)(i % 251);
    return ETHERNET + ip + transport + data;
}

/* Both checksums of a frame are right. */
static void check_sums(const uint8_t *frame, uint32_t size, unsigned version, unsigned protocol) {
    const uint8_t *ip = frame + ETHERNET;
    uint32_t header = version == 4 ? V4 : V6, length = size - ETHERNET - header;
    if (version == 4) {
        assert_int_equal(nwlink_checksum(nwlink_sum(0, ip, V4)), 0);
        assert_int_equal(get16(ip + 2), size - ETHERNET);
    } else {
        assert_int_equal(get16(ip + 4), length);
    }
    uint32_t sum = version == 4 ? nwlink_sum(0, ip + 12, 8) : nwlink_sum(0, ip + 8, 32);
    sum = nwlink_sum(sum + protocol + length, ip + header, length);
    assert_int_equal(nwlink_checksum(sum), 0);
}

static void cut(unsigned version, unsigned protocol, unsigned type) {
    static struct frames frames;
    uint8_t p[5000];
    uint32_t ip = version == 4 ? V4 : V6, transport = protocol == 6 ? TCP : UDP;
    uint32_t size = make(p, version, protocol, 3001);
    struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                    .gso_type = (uint8_t)type,
                                    .gso_size = 1000,
                                    .csum_start = (uint16_t)(ETHERNET + ip),
                                    .csum_offset = protocol == 6 ? 16 : 6};
    frames.count = 0;
    assert_true(nwlink_segment(p, size, &header, &frames, put));
    assert_int_equal(frames.count, 4);
    for (uint32_t i = 0, offset = 0; i < 4; i++, offset += 1000) {
        const uint8_t *frame = frames.octets[i], *t = frame + ETHERNET + ip;
        uint32_t data = i < 3 ? 1000 : 1;
        assert_int_equal(frames.size[i], ETHERNET + ip + transport + data);
        check_sums(frame, frames.size[i], version, protocol);
        for (uint32_t k = 0; k < data; k++)
            assert_int_equal(t[transport + k], (offset + k) % 251);
        if (protocol == 6) {
            assert_int_equal(get32(t + 4), 1000 + offset);
            assert_int_equal(t[13], 0x10 | (i == 0 ? 0x80 : 0) | (i == 3 ? 0x09 : 0));
        } else {
            assert_int_equal(get16(t + 4), UDP + data);
        }
        if (version == 4) /* each has a number of its own */
            assert_int_equal(get16(frame + ETHERNET + 4), 0x1234 + i);
    }
}

static void tcp(void **state) {
    (void)state;
    cut(4, 6, VIRTIO_NET_HDR_GSO_TCPV4);
    cut(4, 6, VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN);
    cut(6, 6, VIRTIO_NET_HDR_GSO_TCPV6);
}

static void udp(void **state) {
    (void)state;
    cut(4, 17, 5); /* VIRTIO_NET_HDR_GSO_UDP_L4 */
    cut(6, 17, 5);
}

/* A small packet whose checksum was left open: the sum over the pseudo-header lies there. */
static void open_checksum(void **state) {
    (void)state;
    static struct frames frames;
    uint8_t p[2000];
    uint32_t size = make(p, 4, 17, 101);
    uint8_t *ip = p + ETHERNET, *u = ip + V4;
    put16(ip + 2, (uint16_t)(size - ETHERNET));
    put16(ip + 10, nwlink_checksum(nwlink_sum(0, ip, V4)));
    put16(u + 4, UDP + 101);
    put16(u + 6, (uint16_t)~nwlink_checksum(nwlink_sum(17 + UDP + 101, ip + 12, 8)));
    struct virtio_net_hdr header = {
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = ETHERNET + V4, .csum_offset = 6};
    frames.count = 0;
    assert_true(nwlink_segment(p, size, &header, &frames, put));
    assert_int_equal(frames.count, 1);
    check_sums(frames.octets[0], frames.size[0], 4, 17);
    header = (struct virtio_net_hdr){0}; /* nothing open: it stays as it is */
    frames.count = 0;
    memset(p, 0x5a, size);
    assert_true(nwlink_segment(p, size, &header, &frames, put));
    assert_memory_equal(frames.octets[0], p, size);
}

static void nonsense(void **state) {
    (void)state;
    static struct frames frames;
    uint8_t p[2000];
    uint32_t size = make(p, 4, 6, 1200);
    const struct virtio_net_hdr good = {
        .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1000, .csum_start = ETHERNET + V4};
    struct virtio_net_hdr wrong[7] = {good, good, good, good, good, good, good};
    wrong[0].gso_size = 0;
    wrong[1].csum_start = (uint16_t)size;
    wrong[2].csum_start = ETHERNET + V4 - 1;
    wrong[3].gso_type = 77;
    wrong[4].csum_start = 0;
    wrong[5] = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 9999};
    wrong[6] = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                       .csum_start = 20,
                                       .csum_offset = (uint16_t)(size - 21)};
    frames.count = 0;
    for (unsigned i = 0; i < 7; i++)
        assert_false(nwlink_segment(p, size, &wrong[i], &frames, put));
    p[ETHERNET + V4 + 12] = 0x40; /* a TCP header of 16 octets */
    assert_false(nwlink_segment(p, size, &good, &frames, put));
    p[ETHERNET + V4 + 12] = 0xf0; /* longer than the frame */
    assert_false(nwlink_segment(p, ETHERNET + V4 + TCP, &good, &frames, put));
    assert_int_equal(frames.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp),
        cmocka_unit_test(udp),
        cmocka_unit_test(open_checksum),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
