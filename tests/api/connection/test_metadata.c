/*
 * test_metadata.c - metadata of IP, UDP and TCP: what is set as a peer sees it, what is told
 * against what a peer did. Both families, connections of our own and peers of a listener's socket.
 * Runs:   loopback only.
 */
#include "packets.h"
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

static const int families[] = {AF_INET, AF_INET6};
enum { FAMILIES = 2 };

/* RFC 4594 figure 3 and RFC 8622, as traffic classes (six bits of DSCP above two of ECN). */
static const int class_seen[] = {
    [nw_service_class_best_effort] = 0,
    [nw_service_class_background] = 1 << 2,
    [nw_service_class_interactive_video] = 34 << 2,
    [nw_service_class_interactive_voice] = 46 << 2,
    [nw_service_class_responsive_data] = 18 << 2,
    [nw_service_class_signaling] = 40 << 2,
};
enum { CLASSES = sizeof class_seen / sizeof class_seen[0] };

static nw_parameters_t of_class(nw_service_class_t service_class) {
    nw_parameters_t parameters = udp_parameters();
    nw_parameters_set_service_class(parameters, service_class);
    return parameters;
}

static void test_class_of_connection(void **state) {
    (void)state;
    struct packet packet;
    for (int f = 0; f < FAMILIES; f++)
        for (int class = 0; class < CLASSES; class ++) {
            uint16_t port;
            int fd = packet_socket(families[f], &port);
            struct recorder *recorder =
                record_with(families[f], port, of_class((nw_service_class_t) class));
            assert_no_error(await_tag(recorder, record_send_text(recorder, "x")));
            packet_receive(fd, &packet);
            assert_int_equal(packet.traffic_class, class_seen[class]);
            finish(recorder);
            close(fd);
        }
}

/* A message's own class and ECN bits are those of its packet, and of no other. */
static void check_messages(struct recorder *recorder, int fd, nw_service_class_t usual) {
    struct packet packet;
    for (int class = 0; class < CLASSES; class ++) {
        nw_ip_ecn_flag_t ecn = (nw_ip_ecn_flag_t)(class & ECN_MASK);
        send_marked(recorder, "own", ecn, class);
        packet_receive(fd, &packet);
        assert_int_equal(packet.traffic_class, class_seen[class] | (int)ecn);
    }
    send_marked(recorder, "ecn alone", nw_ip_ecn_flag_ect_1, USUAL_CLASS);
    packet_receive(fd, &packet);
    assert_int_equal(packet.traffic_class, class_seen[usual] | 1);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "plain")));
    packet_receive(fd, &packet);
    assert_int_equal(packet.traffic_class, class_seen[usual]);
}

static void test_class_of_message(void **state) {
    (void)state;
    for (int f = 0; f < FAMILIES; f++) {
        uint16_t port;
        int fd = packet_socket(families[f], &port);
        struct recorder *recorder =
            record_with(families[f], port, of_class(nw_service_class_responsive_data));
        check_messages(recorder, fd, nw_service_class_responsive_data);
        finish(recorder);
        close(fd);
    }
}

/* One socket serves both families: the IPv4 peer has a mapped address on it. */
static void test_class_from_listener(void **state) {
    (void)state;
    struct hearing *hearing = hear_with(of_class(nw_service_class_signaling));
    for (int f = 0; f < FAMILIES; f++) {
        uint16_t own;
        int fd = packet_socket(families[f], &own);
        packet_send(fd, families[f], hearing_port(hearing), 0, "hello");
        check_messages(hearing_await(hearing, f), fd, nw_service_class_signaling);
        close(fd);
    }
    hearing_finish(hearing);
}

static const char *ecn_text(int ecn) {
    static const char *const texts[] = {"not", "one", "zero", "ce"};
    return texts[ecn];
}

static void test_ecn_received(void **state) {
    (void)state;
    struct hearing *hearing = hear_with(udp_parameters());
    for (int f = 0; f < FAMILIES; f++) {
        uint16_t port;
        int fd = packet_socket(families[f], &port);
        struct recorder *recorder = record_with(families[f], port, udp_parameters());
        struct packet packet;
        assert_no_error(await_tag(recorder, record_send_text(recorder, "hello")));
        packet_receive(fd, &packet);
        const struct sockaddr_in *from = (const struct sockaddr_in *)&packet.from;
        for (int ecn = 0; ecn <= ECN_MASK; ecn++) {
            packet_send(fd, families[f], ntohs(from->sin_port), ecn, ecn_text(ecn));
            struct arrival arrival = arrival_receive(recorder->connection);
            assert_true(arrival.is_ip && arrival.is_udp);
            assert_int_equal(arrival.ecn, ecn);
            assert_int_equal(arrival.time, 0); /* nobody asked */
            packet_send(fd, families[f], hearing_port(hearing), ecn, ecn_text(ecn));
            arrival = arrival_receive(hearing_await(hearing, f)->connection);
            assert_int_equal(arrival.ecn, ecn);
        }
        finish(recorder);
        close(fd);
    }
    hearing_finish(hearing);
}

/* --- the time of arrival --- */

static uint64_t raw_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Two packets are read after both have come: the times are of their arrival, not of the reading. */
static void check_times(nw_connection_t connection, int fd, int family, uint16_t port,
                        bool first_was_sent) {
    enum { CLOCKS_APART = 2000000 }; /* ns: two clocks are read one after the other */
    uint64_t before = raw_now();
    if (!first_was_sent)
        packet_send(fd, family, port, 0, "one");
    uint64_t between = raw_now();
    struct timespec pause = {.tv_nsec =
                                 20000000}; /* apart, so that the two times can be told apart */
    nanosleep(&pause, NULL);
    packet_send(fd, family, port, 0, "two");
    uint64_t after = raw_now(), first = arrival_receive(connection).time,
             second = arrival_receive(connection).time;
    if (!first_was_sent)
        assert_in_range(first, before - CLOCKS_APART, between + CLOCKS_APART);
    assert_in_range(second, between + 15000000, after + CLOCKS_APART);
    assert_true(first < second && first > 0);
}

/* The kernel begins to stamp packets a moment after the first socket asks (it patches itself in a
 * work queue); until then the time is that of the reading. This socket asks for the rest of the
 * test. */
static int await_stamps(void) {
    uint16_t port;
    int fd = peer_udp(&port), on = 1;
    uint64_t until = now_ns() + WAIT_SECONDS * 1000000000ull;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on), 0);
    for (;;) {
        struct timespec pause = {.tv_nsec = 2000000}, stamp, sent;
        char byte, control[CMSG_SPACE(sizeof stamp)];
        struct iovec room = {&byte, 1};
        struct msghdr message = {.msg_iov = &room,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        packet_send(fd, AF_INET, port, 0, "x");
        clock_gettime(CLOCK_REALTIME, &sent);
        nanosleep(&pause, NULL);
        assert_int_equal(recvmsg(fd, &message, 0), 1);
        memcpy(&stamp, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof stamp);
        if (stamp.tv_sec < sent.tv_sec ||
            (stamp.tv_sec == sent.tv_sec && stamp.tv_nsec <= sent.tv_nsec))
            return fd;
        assert_true(now_ns() < until);
    }
}

static nw_parameters_t with_times(void) {
    nw_parameters_t parameters = udp_parameters();
    nw_ip_options_set_calculate_receive_time(internet_options(parameters), true);
    return parameters;
}

static void test_receive_time(void **state) {
    (void)state;
    int stamps = await_stamps();
    struct hearing *hearing = hear_with(with_times());
    for (int f = 0; f < FAMILIES; f++) {
        uint16_t port;
        int fd = packet_socket(families[f], &port);
        struct recorder *recorder = record_with(families[f], port, with_times());
        struct packet packet;
        assert_no_error(await_tag(recorder, record_send_text(recorder, "hello")));
        packet_receive(fd, &packet);
        uint16_t back = ntohs(((const struct sockaddr_in *)&packet.from)->sin_port);
        check_times(recorder->connection, fd, families[f], back, false);
        packet_send(fd, families[f], hearing_port(hearing), 0, "hello");
        struct recorder *peer = hearing_await(hearing, f);
        check_times(peer->connection, fd, families[f], hearing_port(hearing), true);
        finish(recorder);
        close(fd);
    }
    hearing_finish(hearing);
    close(stamps);
}

/* --- metadata of the connection --- */

static nw_protocol_metadata_t of_protocol(nw_connection_t connection,
                                          nw_protocol_definition_t definition) {
    nw_protocol_metadata_t metadata = nw_connection_copy_protocol_metadata(connection, definition);
    nw_release(definition);
    return metadata;
}

static void check_udp_connection(nw_connection_t connection, nw_service_class_t usual) {
    nw_protocol_metadata_t udp = of_protocol(connection, nw_protocol_copy_udp_definition());
    nw_protocol_metadata_t ip = of_protocol(connection, nw_protocol_copy_ip_definition());
    assert_true(nw_protocol_metadata_is_udp(udp));
    assert_true(nw_protocol_metadata_is_ip(ip));
    assert_int_equal(nw_ip_metadata_get_service_class(ip), usual);
    assert_int_equal(nw_ip_metadata_get_ecn_flag(ip), nw_ip_ecn_flag_non_ect);
    assert_int_equal(nw_ip_metadata_get_receive_time(ip), 0);
    assert_null(of_protocol(connection, nw_protocol_copy_tcp_definition()));
    nw_release(udp);
    nw_release(ip);
}

static void test_of_connection(void **state) {
    (void)state;
    uint16_t own;
    int fd = packet_socket(AF_INET, &own);
    struct hearing *hearing = hear_with(of_class(nw_service_class_interactive_voice));
    packet_send(fd, AF_INET, hearing_port(hearing), 0, "hello");
    struct recorder *peer = hearing_await(hearing, 0);
    await_state(peer, nw_connection_state_ready);
    check_udp_connection(peer->connection, nw_service_class_interactive_voice);
    struct recorder *recorder = record_with(AF_INET, own, udp_parameters());
    await_state(recorder, nw_connection_state_ready);
    check_udp_connection(recorder->connection, nw_service_class_best_effort);
    finish(recorder);
    hearing_finish(hearing);
    close(fd);
}

static void test_tcp_buffers(void **state) {
    (void)state;
    enum { MANY = 16 << 20 };
    for (int f = 0; f < FAMILIES; f++) {
        int fd;
        struct recorder *recorder = record_pair(families[f], &fd);
        nw_protocol_metadata_t ip =
            of_protocol(recorder->connection, nw_protocol_copy_ip_definition());
        nw_protocol_metadata_t tcp =
            of_protocol(recorder->connection, nw_protocol_copy_tcp_definition());
        assert_true(nw_protocol_metadata_is_ip(ip) && nw_protocol_metadata_is_tcp(tcp));
        char *bytes = calloc(1, MANY);
        int tag = record_send(recorder, bytes, MANY, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
        /* The peer does not read: what does not fit its buffer stays unacknowledged. */
        uint64_t until = now_ns() + WAIT_SECONDS * 1000000000ull;
        while (nw_tcp_get_available_send_buffer(tcp) == 0 && now_ns() < until)
            settle(recorder);
        assert_in_range(nw_tcp_get_available_send_buffer(tcp), 1, MANY);
        assert_int_equal(peer_read(fd, bytes, MANY), MANY);
        assert_no_error(await_tag(recorder, tag));
        while (nw_tcp_get_available_send_buffer(tcp) != 0 && now_ns() < until)
            settle(recorder);
        assert_int_equal(nw_tcp_get_available_send_buffer(tcp), 0);
        peer_write(fd, "1234567", 7);
        peer_drained(fd);
        assert_int_equal(nw_tcp_get_available_receive_buffer(tcp), 7);
        receive_now(recorder, 7, 7);
        assert_int_equal(nw_tcp_get_available_receive_buffer(tcp), 0);
        finish(recorder);
        assert_int_equal(nw_tcp_get_available_receive_buffer(tcp), 0); /* the socket is gone */
        nw_release(tcp);
        nw_release(ip);
        free(bytes);
        close(fd);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_of_connection), cmocka_unit_test(test_class_of_message),
        cmocka_unit_test(test_class_from_listener), cmocka_unit_test(test_ecn_received),
        cmocka_unit_test(test_receive_time),        cmocka_unit_test(test_of_connection),
        cmocka_unit_test(test_tcp_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
