/*
 * test_ip_options.c - the options of IP as a peer sees them: hop limit, fragments, smallest
 * packets, local address, multicast loopback.
 * Runs:   in a child process with a network namespace of its own, whose loopback has the MTU of an
 *         Ethernet and where a pair of links carries multicast; skipped where that is not allowed.
 */
#include "packets.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const int families[] = {AF_INET, AF_INET6};
enum { FAMILIES = 2, MTU = 1500, BIG = 4000, HOPS = 7 };

/* --- hop limit --- */

static nw_parameters_t with_hops(nw_parameters_t parameters) {
    nw_ip_options_set_hop_limit(internet_options(parameters), HOPS);
    return parameters;
}

static void test_hops_of_datagrams(void **state) {
    (void)state;
    struct hearing *hearing = hear_with(with_hops(udp_parameters()));
    struct packet packet;
    for (int f = 0; f < FAMILIES; f++) {
        uint16_t port;
        int fd = packet_socket(families[f], &port);
        struct recorder *recorder = record_with(families[f], port, with_hops(udp_parameters()));
        assert_no_error(await_tag(recorder, record_send_text(recorder, "x")));
        packet_receive(fd, &packet);
        assert_int_equal(packet.hop_limit, HOPS);
        /* and what a listener answers, to IPv4 from the socket of both families too */
        packet_send(fd, families[f], hearing_port(hearing), 0, "hello");
        struct recorder *peer = hearing_await(hearing, f);
        assert_no_error(await_tag(peer, record_send_text(peer, "answer")));
        packet_receive(fd, &packet);
        assert_int_equal(packet.hop_limit, HOPS);
        finish(recorder);
        close(fd);
    }
    hearing_finish(hearing);
}

/* --- packets on the wire --- */

/* Everything that loopback carries of one family. */
static int open_wire(int family) {
    int protocol = htons(family == AF_INET ? ETH_P_IP : ETH_P_IPV6), size = 1 << 22;
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, protocol);
    struct sockaddr_ll lo = {.sll_family = AF_PACKET,
                             .sll_protocol = (uint16_t)protocol,
                             .sll_ifindex = (int)if_nametoindex("lo")};
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&lo, sizeof lo), 0);
    return fd;
}

struct wire {
    size_t largest; /* octets of IP */
    int fragments;
    int hops, traffic_class; /* of TCP from the port asked for */
};

static void look_at_packet(const uint8_t *bytes, size_t size, int family, uint16_t from,
                           struct wire *wire) {
    const struct ip *v4 = (const struct ip *)bytes;
    const struct ip6_hdr *v6 = (const struct ip6_hdr *)bytes;
    bool is4 = family == AF_INET;
    wire->largest = size > wire->largest ? size : wire->largest;
    if (is4 ? (v4->ip_off & htons(IP_OFFMASK | IP_MF)) != 0 : v6->ip6_nxt == IPPROTO_FRAGMENT)
        wire->fragments++;
    const struct tcphdr *tcp = (const struct tcphdr *)(bytes + (is4 ? sizeof *v4 : sizeof *v6));
    if ((is4 ? v4->ip_p : v6->ip6_nxt) != IPPROTO_TCP || ntohs(tcp->source) != from)
        return;
    wire->hops = is4 ? v4->ip_ttl : v6->ip6_hlim;
    wire->traffic_class = is4 ? v4->ip_tos : (int)(ntohl(v6->ip6_flow) >> 20 & 0xff);
}

/* All that has passed so far. `from`: the TCP port whose packets are looked into. */
static struct wire read_wire(int fd, int family, uint16_t from) {
    static uint8_t bytes[1 << 16];
    struct wire wire = {0};
    ssize_t size;
    while ((size = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        look_at_packet(bytes, (size_t)size, family, from, &wire);
    close(fd);
    return wire;
}

static void test_tcp_headers(void **state) {
    (void)state;
    for (int f = 0; f < FAMILIES; f++) {
        uint16_t port;
        int wire = open_wire(families[f]), listening = peer_listen(families[f], &port);
        nw_parameters_t parameters = with_hops(tcp_parameters());
        nw_parameters_set_service_class(parameters, nw_service_class_interactive_voice);
        struct recorder *recorder = record_with(families[f], port, parameters);
        struct sockaddr_in6 from;
        socklen_t length = sizeof from;
        int fd = accept(listening, (struct sockaddr *)&from, &length);
        await_state(recorder, nw_connection_state_ready);
        assert_no_error(await_tag(recorder, record_send_text(recorder, "x")));
        struct wire seen = read_wire(wire, families[f], ntohs(from.sin6_port));
        assert_int_equal(seen.hops, HOPS);
        assert_int_equal(seen.traffic_class, 46 << 2);
        finish(recorder);
        close(fd);
        close(listening);
    }
}

/* --- fragments --- */

static const struct event *send_big(struct recorder *recorder) {
    static char bytes[BIG];
    return await_tag(
        recorder, record_send(recorder, bytes, BIG, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true));
}

/* Not unless it is allowed: to a peer that has a socket of ours to itself, and from a listener. */
static void test_fragments(void **state) {
    (void)state;
    static struct packet packet;
    for (int f = 0; f < FAMILIES; f++)
        for (int allowed = 0; allowed <= 1; allowed++) {
            uint16_t port;
            int fd = packet_socket(families[f], &port), wire = open_wire(families[f]);
            nw_parameters_t parameters = udp_parameters(), of_listener = udp_parameters();
            if (allowed) {
                nw_ip_options_set_disable_fragmentation(internet_options(parameters), false);
                nw_ip_options_set_disable_fragmentation(internet_options(of_listener), false);
            }
            struct recorder *recorder = record_with(families[f], port, parameters);
            struct hearing *hearing = hear_with(of_listener);
            packet_send(fd, families[f], hearing_port(hearing), 0, "hello");
            struct recorder *senders[] = {recorder, hearing_await(hearing, 0)};
            for (int i = 0; i < 2; i++) {
                const struct event *sent = send_big(senders[i]);
                if (!allowed) {
                    assert_error(sent, nw_error_domain_posix, EMSGSIZE);
                    continue;
                }
                assert_no_error(sent);
                packet_receive(fd, &packet);
                assert_int_equal(packet.size, BIG);
            }
            struct wire seen = read_wire(wire, families[f], 0);
            assert_true(allowed ? seen.fragments >= 4 : seen.fragments == 0);
            assert_true(seen.largest <= MTU);
            finish(recorder);
            hearing_finish(hearing);
            close(fd);
        }
}

/* --- the smallest MTU --- */

enum { SMALLEST = 1280, SMALLEST_CONTENT = SMALLEST - 40 - 8 };

static nw_parameters_t with_smallest(nw_parameters_t parameters) {
    nw_ip_options_set_use_minimum_mtu(internet_options(parameters), true);
    return parameters;
}

static void test_smallest_datagrams(void **state) {
    (void)state;
    static struct packet packet;
    static char bytes[SMALLEST_CONTENT + 1];
    uint16_t port;
    int fd = packet_socket(AF_INET6, &port);
    struct recorder *recorder = record_with(AF_INET6, port, with_smallest(udp_parameters()));
    await_state(recorder, nw_connection_state_ready);
    assert_int_equal(nw_connection_get_maximum_datagram_size(recorder->connection),
                     SMALLEST_CONTENT);
    int tag = record_send(recorder, bytes, SMALLEST_CONTENT + 1,
                          NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    assert_error(await_tag(recorder, tag), nw_error_domain_posix, EMSGSIZE);
    tag =
        record_send(recorder, bytes, SMALLEST_CONTENT, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    assert_no_error(await_tag(recorder, tag));
    packet_receive(fd, &packet);
    assert_int_equal(packet.size, SMALLEST_CONTENT);
    finish(recorder);
    int wire = open_wire(AF_INET6);
    nw_parameters_t in_pieces = with_smallest(udp_parameters());
    nw_ip_options_set_disable_fragmentation(internet_options(in_pieces), false);
    recorder = record_with(AF_INET6, port, in_pieces);
    assert_no_error(send_big(recorder));
    packet_receive(fd, &packet);
    assert_int_equal(packet.size, BIG);
    struct wire seen = read_wire(wire, AF_INET6, 0);
    assert_true(seen.fragments >= 4 && seen.largest <= SMALLEST);
    finish(recorder);
    /* IPv4 has no such MTU. */
    int four = packet_socket(AF_INET, &port);
    recorder = record_with(AF_INET, port, with_smallest(udp_parameters()));
    await_state(recorder, nw_connection_state_ready);
    assert_int_equal(nw_connection_get_maximum_datagram_size(recorder->connection), MTU - 20 - 8);
    finish(recorder);
    close(four);
    close(fd);
}

static void test_smallest_segments(void **state) {
    (void)state;
    enum { SIZE = 50000 };
    static char bytes[SIZE];
    uint16_t port;
    int wire = open_wire(AF_INET6), listening = peer_listen(AF_INET6, &port);
    struct recorder *recorder = record_with(AF_INET6, port, with_smallest(tcp_parameters()));
    int fd = peer_accept(listening);
    int tag = record_send(recorder, bytes, SIZE, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    assert_int_equal(peer_read(fd, bytes, SIZE), SIZE);
    assert_no_error(await_tag(recorder, tag));
    peer_write(fd, bytes, SIZE); /* the peer was told too */
    peer_drained(fd);
    assert_in_range(read_wire(wire, AF_INET6, 0).largest, 1000, SMALLEST);
    finish(recorder);
    close(fd);
    close(listening);
}

/* --- the local address --- */

/* A stable address and, for privacy, one that changes (RFC 8981): each is used when it is asked
 * for. */
static void test_address_preference(void **state) {
    (void)state;
    if (system(
            "exec 2>/dev/null; cd /proc/sys/net/ipv6/conf && echo 2 > nw0/use_tempaddr && "
            "echo 0 > all/accept_dad && echo 0 > nw0/accept_dad && ip addr add 2001:db8:5::1/64 "
            "dev nw0 mngtmpaddr "
            "valid_lft 9000 preferred_lft 8000 && ip -6 addr show dev nw0 | grep -q temporary") !=
        0)
        skip(); /* the kernel makes no such addresses here */
    static const nw_ip_local_address_preference_t preferences[] = {
        nw_ip_local_address_preference_stable, nw_ip_local_address_preference_temporary};
    for (int i = 0; i < 2; i++) {
        nw_parameters_t parameters = udp_parameters();
        nw_ip_options_set_local_address_preference(internet_options(parameters), preferences[i]);
        nw_endpoint_t endpoint = nw_endpoint_create_host("2001:db8:5::99", "9");
        struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
        nw_connection_start(recorder->connection);
        await_state(recorder, nw_connection_state_ready);
        nw_path_t path = nw_connection_copy_current_path(recorder->connection);
        nw_endpoint_t local = nw_path_copy_effective_local_endpoint(path);
        const struct sockaddr_in6 *address =
            (const struct sockaddr_in6 *)nw_endpoint_get_address(local);
        struct in6_addr stable;
        inet_pton(AF_INET6, "2001:db8:5::1", &stable);
        assert_memory_equal(&address->sin6_addr, &stable, 8); /* the same network */
        assert_int_equal(memcmp(&address->sin6_addr, &stable, 16) == 0, i == 0);
        nw_release(local);
        nw_release(path);
        nw_release(endpoint);
        nw_release(parameters);
        finish(recorder);
    }
}

/* --- multicast --- */

static int join(int family, uint16_t *ret_port) {
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 address = {.sin6_family = (sa_family_t)family};
    struct sockaddr_in6 group6 = {.sin6_family = AF_INET6};
    struct sockaddr_in group4 = {.sin_family = AF_INET};
    inet_pton(AF_INET6, "ff15::77", &group6.sin6_addr);
    inet_pton(AF_INET, "239.1.2.3", &group4.sin_addr);
    struct group_req request = {.gr_interface = if_nametoindex("nw0")};
    socklen_t length = sizeof address;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin6_port); /* where sin_port is, too */
    if (family == AF_INET)
        memcpy(&request.gr_group, &group4, sizeof group4);
    else
        memcpy(&request.gr_group, &group6, sizeof group6);
    assert_int_equal(setsockopt(fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, MCAST_JOIN_GROUP,
                                &request, sizeof request),
                     0);
    packet_ask(fd, family);
    return fd;
}

/* What must not come back was sent before what may: the member sees the second first. */
static void test_multicast_loopback(void **state) {
    (void)state;
    struct packet packet;
    for (int f = 0; f < FAMILIES; f++) {
        uint16_t port;
        char text[8];
        int fd = join(families[f], &port);
        for (int loop = 0; loop <= 1; loop++) {
            nw_endpoint_t endpoint = nw_endpoint_create_host(
                families[f] == AF_INET ? "239.1.2.3" : "ff15::77%nw0", port_text(port, text));
            nw_parameters_t parameters = with_hops(udp_parameters());
            if (!loop)
                nw_ip_options_set_disable_multicast_loopback(internet_options(parameters), true);
            struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
            nw_connection_start(recorder->connection);
            assert_no_error(
                await_tag(recorder, record_send_text(recorder, loop ? "looped" : "away")));
            finish(recorder);
            nw_release(parameters);
            nw_release(endpoint);
        }
        packet_receive(fd, &packet);
        assert_string_equal(packet.bytes, "looped");
        assert_int_equal(packet.hop_limit, HOPS); /* 1 when nobody says otherwise */
        close(fd);
    }
}

static bool make_network(void) {
    return system("exec 2>/dev/null; ip link set lo mtu 1500 gso_max_segs 1 up && "
                  "ip link add nw0 type veth peer name nw1 && ip link set nw1 up && "
                  "ip link set nw0 up && ip addr add 10.9.0.1/24 dev nw0 && "
                  "ip route add 239.0.0.0/8 dev nw0 && "
                  "ip -6 addr add fe80::5/64 dev nw0 nodad") == 0;
}

static void test_all(void **state) {
    (void)state;
    int status = run_self("network", CLONE_NEWNET);
    if (status == CANNOT)
        skip(); /* no namespaces here */
    assert_int_equal(status, 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest network[] = {
        cmocka_unit_test(test_hops_of_datagrams),  cmocka_unit_test(test_tcp_headers),
        cmocka_unit_test(test_fragments),          cmocka_unit_test(test_smallest_datagrams),
        cmocka_unit_test(test_smallest_segments),  cmocka_unit_test(test_address_preference),
        cmocka_unit_test(test_multicast_loopback),
    };
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    if (argc > 1 && strcmp(argv[1], "network") == 0)
        return !make_network() ? CANNOT
                               : cmocka_run_group_tests_name("network", network, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
