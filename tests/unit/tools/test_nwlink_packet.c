/*
 * test_nwlink_packet.c - what the wire knows of a packet, the ICMP message about one too large, and
 *                        the order in which packets come out.
 */
#include "flight.h"
#include "nwcat_test.h"
#include "packet.h"

enum { V4 = 20, V6 = 40 };

/* An IPv4 packet from 192.0.2.1 to 192.0.2.2, with ports. */
static uint32_t make_v4(uint8_t *p, uint8_t protocol, uint16_t from, uint16_t to, uint32_t size) {
    memset(p, 0, size);
    p[0] = 0x45;
    p[2] = (uint8_t)(size >> 8), p[3] = (uint8_t)size;
    p[8] = 64, p[9] = protocol;
    memcpy(p + 12, "\xc0\0\2\1\xc0\0\2\2", 8);
    p[V4] = (uint8_t)(from >> 8), p[V4 + 1] = (uint8_t)from;
    p[V4 + 2] = (uint8_t)(to >> 8), p[V4 + 3] = (uint8_t)to;
    return size;
}

/* An IPv6 packet from 2001:db8::1 to 2001:db8::2 with `extension` octets of destination options. */
static uint32_t make_v6(uint8_t *p, uint8_t protocol, uint16_t to, uint32_t extension,
                        uint32_t size) {
    memset(p, 0, size);
    p[0] = 0x60;
    p[4] = (uint8_t)((size - V6) >> 8), p[5] = (uint8_t)(size - V6);
    p[6] = extension > 0 ? 60 : protocol;
    p[7] = 64;
    memcpy(p + 8, "\x20\1\x0d\xb8", 4), p[23] = 1;
    memcpy(p + 24, "\x20\1\x0d\xb8", 4), p[39] = 2;
    if (extension > 0)
        p[V6] = protocol, p[V6 + 1] = (uint8_t)(extension / 8 - 1);
    p[V6 + extension + 2] = (uint8_t)(to >> 8), p[V6 + extension + 3] = (uint8_t)to;
    return size;
}

static bool is_dns(const uint8_t *frame, uint32_t size, bool ethernet) {
    struct nwlink_packet packet;
    nwlink_packet_read(&packet, frame, size, ethernet);
    return packet.dns;
}

static void names(void **state) {
    (void)state;
    uint8_t p[200], e[214] = {0};
    assert_true(is_dns(p, make_v4(p, 17, 5000, 53, 60), false));
    assert_true(is_dns(p, make_v4(p, 6, 53, 5000, 60), false));
    assert_false(is_dns(p, make_v4(p, 17, 5000, 54, 60), false));
    assert_false(is_dns(p, make_v4(p, 1, 53, 53, 60), false));
    assert_true(is_dns(p, make_v6(p, 17, 53, 0, 60), false));
    assert_true(is_dns(p, make_v6(p, 17, 53, 16, 80), false));
    assert_false(is_dns(p, make_v6(p, 17, 5353, 16, 80), false));
    uint32_t size = make_v4(p, 17, 5000, 53, 60);
    p[7] = 10; /* a later fragment has no ports */
    assert_false(is_dns(p, size, false));
    size = make_v4(e + NWLINK_ETHERNET, 17, 5000, 53, 60);
    assert_true(is_dns(e, size + NWLINK_ETHERNET, true));
    for (uint32_t length = 0; length < 24; length++) /* too short for ports */
        assert_false(is_dns(p, length, false));
}

static uint16_t sum16(const uint8_t *p, uint32_t size, uint32_t sum) {
    for (uint32_t i = 0; i < size; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint32_t signal_of(const uint8_t *frame, uint32_t size, bool ethernet, uint8_t *out) {
    struct nwlink_packet packet;
    nwlink_packet_read(&packet, frame, size, ethernet);
    return nwlink_packet_signal(&packet, 1280, out);
}

static void too_large_v4(void **state) {
    (void)state;
    uint8_t p[1500], out[NWLINK_SIGNAL_MAX];
    uint32_t size = signal_of(p, make_v4(p, 6, 1000, 80, 1500), false, out);
    assert_int_equal(size, 576); /* RFC 1122: no more of the packet than this */
    assert_int_equal(out[2] << 8 | out[3], size);
    assert_int_equal(sum16(out, V4, 0), 0xffff);
    assert_memory_equal(out + 12, p + 16, 4); /* from where it went */
    assert_memory_equal(out + 16, p + 12, 4); /* to where it came from */
    assert_int_equal(out[V4], 3);
    assert_int_equal(out[V4 + 1], 4);
    assert_int_equal(out[V4 + 6] << 8 | out[V4 + 7], 1280);
    assert_int_equal(sum16(out + V4, size - V4, 0), 0xffff);
    assert_memory_equal(out + V4 + 8, p, size - V4 - 8);
}

static void too_large_v6(void **state) {
    (void)state;
    uint8_t p[1501], out[NWLINK_SIGNAL_MAX];
    uint32_t size = signal_of(p, make_v6(p, 6, 80, 0, 1501), false, out);
    assert_int_equal(size, 1280);
    assert_int_equal(out[4] << 8 | out[5], size - V6);
    assert_memory_equal(out + 8, p + 24, 16);
    assert_memory_equal(out + 24, p + 8, 16);
    assert_int_equal(out[V6], 2);
    assert_int_equal(out[V6 + 6] << 8 | out[V6 + 7], 1280);
    uint32_t pseudo = sum16(out + 8, 32, size - V6 + 58);
    assert_int_equal(sum16(out + V6, size - V6, pseudo), 0xffff);
    assert_memory_equal(out + V6 + 8, p, size - V6 - 8);
}

static void over_ethernet(void **state) {
    (void)state;
    uint8_t e[1514], out[NWLINK_SIGNAL_MAX];
    memcpy(e, "ABCDEFabcdef\x08\0", NWLINK_ETHERNET);
    uint32_t size = make_v4(e + NWLINK_ETHERNET, 6, 1000, 80, 1500) + NWLINK_ETHERNET;
    assert_int_equal(signal_of(e, size, true, out), 576 + NWLINK_ETHERNET);
    assert_memory_equal(out, "abcdefABCDEF\x08\0", NWLINK_ETHERNET);
}

/* Never an error about an error, nor to a group, nor about a later fragment. */
static void no_answer(void **state) {
    (void)state;
    uint8_t p[1500], out[NWLINK_SIGNAL_MAX];
    uint32_t size = make_v4(p, 1, 0x0304, 0, 1500); /* type 3: an error itself */
    assert_int_equal(signal_of(p, size, false, out), 0);
    p[V4] = 8; /* an echo request is none */
    assert_true(signal_of(p, size, false, out) > 0);
    p[16] = 224;
    assert_int_equal(signal_of(p, size, false, out), 0);
    make_v4(p, 17, 1, 2, 1500);
    memset(p + 12, 0, 4);
    assert_int_equal(signal_of(p, size, false, out), 0);
    make_v4(p, 17, 1, 2, 1500);
    p[7] = 1;
    assert_int_equal(signal_of(p, size, false, out), 0);
    make_v6(p, 58, 0, 0, 1500); /* type 0: an error */
    assert_int_equal(signal_of(p, size, false, out), 0);
    make_v6(p, 17, 2, 0, 1500);
    p[24] = 0xff;
    assert_int_equal(signal_of(p, size, false, out), 0);
    memset(p, 0, sizeof p); /* no IP at all */
    assert_int_equal(signal_of(p, size, false, out), 0);
}

static void order(void **state) {
    (void)state;
    struct nwlink_flight flight;
    nwlink_flight_init(&flight, 100, 1000000);
    assert_int_equal(nwlink_flight_next(&flight), INT64_MAX);
    uint64_t random = 1;
    for (uint32_t i = 0; i < 2000; i++) {
        struct nwlink_buffer *buffer = nwlink_flight_take(&flight);
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        buffer->size = i;
        assert_true(nwlink_flight_push(&flight, buffer, (int64_t)(random >> 58)));
    }
    int64_t last = -1;
    uint32_t number = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        int64_t at = nwlink_flight_next(&flight);
        struct nwlink_buffer *buffer = nwlink_flight_pop(&flight);
        assert_true(at > last || (at == last && buffer->size > number)); /* first in, first out */
        last = at;
        number = buffer->size;
        nwlink_flight_give_back(&flight, buffer);
    }
    nwlink_flight_free(&flight);
}

static void bound(void **state) {
    (void)state;
    struct nwlink_flight flight;
    struct nwlink_buffer *taken[100];
    unsigned count = 0;
    nwlink_flight_init(&flight, 1000, 10 * (1000 + sizeof(struct nwlink_buffer)));
    while ((taken[count] = nwlink_flight_take(&flight)) != NULL)
        count++;
    assert_int_equal(count, 10);
    nwlink_flight_give_back(&flight, taken[3]);
    assert_ptr_equal(nwlink_flight_take(&flight), taken[3]);
    for (unsigned i = 0; i < count; i++)
        assert_true(nwlink_flight_push(&flight, taken[i], 1));
    nwlink_flight_free(&flight);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),        cmocka_unit_test(too_large_v4),
        cmocka_unit_test(too_large_v6), cmocka_unit_test(over_ethernet),
        cmocka_unit_test(no_answer),    cmocka_unit_test(order),
        cmocka_unit_test(bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
