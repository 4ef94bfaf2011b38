/*
 * test_udp.c - datagrams: each a message of its own, from plain peers and through a listener.
 * Runs:   loopback only; 10,000 peers are 10,000 addresses of 127.0.0.0/8 with one socket.
 */
#include "support.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void answer(int fd, const char *prefix) {
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    char bytes[64], text[96];
    ssize_t size = recvfrom(fd, bytes, sizeof bytes - 1, 0, (struct sockaddr *)&from, &length);
    assert_true(size >= 0);
    bytes[size] = '\0';
    int count = snprintf(text, sizeof text, "%s%s", prefix, bytes);
    assert_int_equal(sendto(fd, text, (size_t)count, 0, (struct sockaddr *)&from, length), count);
}

/* As a resolver does it: three questions, three answers, on one connection. */
static void test_three_queries(void **state) {
    (void)state;
    uint16_t port;
    int fd = peer_udp(&port);
    struct recorder *recorder = record_to_port(port, true);
    await_state(recorder, nw_connection_state_ready); /* at once: there is no handshake */
    static const char *const question[] = {"one", "two", "three"};
    for (int i = 0; i < 3; i++) {
        int sent = record_send_text(recorder, question[i]);
        int tag = i % 2 == 0 ? record_receive_message(recorder) : record_receive(recorder, 1, 1000);
        answer(fd, "re: ");
        assert_no_error(await_tag(recorder, sent));
        const struct event *event = await_tag(recorder, tag);
        assert_no_error(event);
        assert_string_equal(event->bytes + 4, question[i]);
        assert_true(event->complete);
        assert_true(event->has_context);
        assert_false(event->final); /* there is always another */
    }
    finish(recorder);
    close(fd);
}

/* A connection whose peer knows where it is. */
static struct recorder *pair(int *ret_fd, struct sockaddr_in *ret_from) {
    uint16_t port;
    *ret_fd = peer_udp(&port);
    struct recorder *recorder = record_to_port(port, true);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "hello")));
    socklen_t length = sizeof *ret_from;
    char bytes[8];
    assert_int_equal(
        recvfrom(*ret_fd, bytes, sizeof bytes, 0, (struct sockaddr *)ret_from, &length), 5);
    assert_int_equal(connect(*ret_fd, (struct sockaddr *)ret_from, length), 0);
    return recorder;
}

/* What does not fit stays for the next receive: nothing is cut off. */
static void test_maximum_below_a_datagram(void **state) {
    (void)state;
    int fd;
    struct sockaddr_in from;
    struct recorder *recorder = pair(&fd, &from);
    assert_int_equal(send(fd, "abcdefgh", 8, 0), 8);
    assert_int_equal(send(fd, "next", 4, 0), 4);
    const struct event *event = receive_now(recorder, 1, 3);
    assert_string_equal(event->bytes, "abc");
    assert_false(event->complete);
    assert_string_equal(receive_now(recorder, 1, 3)->bytes, "def");
    event = receive_now(recorder, 1, 3);
    assert_string_equal(event->bytes, "gh"); /* never joined with the next one */
    assert_true(event->complete);
    assert_false(event->final);
    assert_string_equal(await_tag(recorder, record_receive_message(recorder))->bytes, "next");
    finish(recorder);
    close(fd);
}

static void test_minimum_above_a_datagram(void **state) {
    (void)state;
    int fd;
    struct sockaddr_in from;
    struct recorder *recorder = pair(&fd, &from);
    int tag = record_receive(recorder, 100, 1000);
    assert_int_equal(send(fd, "ab", 2, 0), 2);
    const struct event *event =
        await_tag(recorder, tag); /* the message is complete: no more of it can come */
    assert_string_equal(event->bytes, "ab");
    assert_true(event->complete);
    finish(recorder);
    close(fd);
}

static void test_empty_datagram(void **state) {
    (void)state;
    int fd;
    struct sockaddr_in from;
    struct recorder *recorder = pair(&fd, &from);
    int tag = record_receive_message(recorder);
    assert_int_equal(send(fd, "", 0, 0), 0);
    const struct event *event = await_tag(recorder, tag);
    assert_no_error(event);
    assert_int_equal(event->size, 0);
    assert_true(event->complete && event->has_context);
    assert_false(event->final);
    /* And the other way. */
    assert_no_error(await_tag(
        recorder, record_send(recorder, NULL, 0, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true)));
    char bytes[4];
    assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 0);
    finish(recorder);
    close(fd);
}

/* Many that wait are read together, and still come one by one, in order; what was read and never
 * asked for goes with the connection. */
static void test_a_burst(void **state) {
    (void)state;
    enum { BURST = 100 };
    int fd;
    struct sockaddr_in from;
    struct recorder *recorder = pair(&fd, &from);
    char bytes[BURST] = {0};
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < BURST; i++)
            assert_int_equal(send(fd, bytes, i, 0), i);
        for (size_t i = 0; i < BURST - 10; i++) {
            const struct event *event = await_tag(recorder, record_receive_message(recorder));
            assert_no_error(event);
            assert_int_equal(event->size, i);
            assert_true(event->complete);
        }
        for (size_t i = BURST - 10; round == 0 && i < BURST; i++)
            assert_int_equal(receive_now(recorder, 1, BURST)->size, i);
    }
    finish(recorder);
    close(fd);
}

static void test_pieces_are_joined(void **state) {
    (void)state;
    int fd;
    struct sockaddr_in from;
    struct recorder *recorder = pair(&fd, &from);
    nw_content_context_t context = nw_content_context_create("pieces");
    int first = record_send(recorder, "one ", 4, context, false);
    int second = record_send(recorder, "datagram", 8, context, true);
    char bytes[32];
    assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 12);
    assert_memory_equal(bytes, "one datagram", 12);
    assert_no_error(await_tag(recorder, first));
    assert_no_error(await_tag(recorder, second));
    nw_release(context);
    finish(recorder);
    close(fd);
}

static void test_too_long(void **state) {
    (void)state;
    int fd;
    struct sockaddr_in from;
    struct recorder *recorder = pair(&fd, &from);
    char *bytes = calloc(1, 70000); /* more than any UDP datagram carries */
    int tag = record_send(recorder, bytes, 70000, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    free(bytes);
    assert_error(await_tag(recorder, tag), nw_error_domain_posix, EMSGSIZE);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "short"))); /* and it goes on */
    char text[8];
    assert_int_equal(recv(fd, text, sizeof text, 0), 5);
    uint32_t maximum = nw_connection_get_maximum_datagram_size(recorder->connection);
    assert_true(maximum >= 508 && maximum <= 65507);
    finish(recorder);
    close(fd);
}

/* A closed port answers with ICMP: an error for who asks, no end of the connection by itself. */
static void test_nobody_there(void **state) {
    (void)state;
    uint16_t port;
    int fd = peer_udp(&port);
    struct recorder *recorder = record_to_port(port, true);
    await_state(recorder, nw_connection_state_ready);
    int receive = record_receive(recorder, 1, 100);
    close(fd);
    record_send_text(recorder, "anybody?");
    assert_error(await_tag(recorder, receive), nw_error_domain_posix, ECONNREFUSED);
    finish(recorder);
}

/* --- a listener --- */

static void test_a_connection_per_peer(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(true, true);
    uint16_t port = hearing_port(hearing), own;
    int one = peer_udp(&own), two = peer_udp(&own);
    peer_send_to(one, port, "first of one", 12);
    struct recorder *of_one = hearing_await(hearing, 0);
    assert_string_equal(await_tag(of_one, record_receive_message(of_one))->bytes,
                        "first of one"); /* not lost */
    peer_send_to(two, port, "first of two", 12);
    struct recorder *of_two = hearing_await(hearing, 1);
    peer_send_to(one, port, "second of one", 13);
    assert_string_equal(await_tag(of_one, record_receive_message(of_one))->bytes, "second of one");
    assert_string_equal(await_tag(of_two, record_receive_message(of_two))->bytes, "first of two");
    assert_int_equal(hearing->arrived, 2);
    assert_int_equal(event_at(of_one, 0)->state, nw_connection_state_preparing);
    assert_int_equal(count_states(of_one, nw_connection_state_ready), 1);
    /* Answers go back to the right one, from the listener's port. */
    assert_no_error(await_tag(of_two, record_send_text(of_two, "answer")));
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    char bytes[16];
    assert_int_equal(recvfrom(two, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length), 6);
    assert_int_equal(ntohs(from.sin_port), port);
    hearing_finish(hearing);
    close(one);
    close(two);
}

/* Its connection is cancelled: the peer's next datagram opens a new one. */
static void test_peer_comes_back(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(true, true);
    uint16_t own;
    int fd = peer_udp(&own);
    peer_send_to(fd, hearing_port(hearing), "one", 3);
    struct recorder *first = hearing_await(hearing, 0);
    assert_string_equal(await_tag(first, record_receive_message(first))->bytes, "one");
    nw_connection_cancel(first->connection);
    await_state(first, nw_connection_state_cancelled);
    peer_send_to(fd, hearing_port(hearing), "two", 3);
    struct recorder *second = hearing_await(hearing, 1);
    assert_string_equal(await_tag(second, record_receive_message(second))->bytes, "two");
    discard(first);
    hearing->heard[0] = NULL;
    hearing_finish(hearing);
    close(fd);
}

static int from_address(uint32_t host) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void test_ten_thousand_peers(void **state) {
    (void)state;
    enum { PEERS = 10000, STEP = 50 }; /* in steps, since a socket buffer holds only so many */
    struct hearing *hearing = hear_on_any_port(true, true);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(hearing_port(hearing)),
                             .sin_addr.s_addr = htonl(0x7f000001)};
    for (int i = 0; i < PEERS; i++) {
        int fd = from_address(0x7f010000u + (uint32_t)i);
        assert_int_equal(sendto(fd, &i, sizeof i, 0, (struct sockaddr *)&to, sizeof to), sizeof i);
        close(fd);
        if (i % STEP == STEP - 1)
            hearing_await_arrivals(hearing, i + 1);
    }
    for (int i = 0; i < PEERS; i++) {
        struct recorder *recorder = hearing_await(hearing, i);
        const struct event *event = await_tag(recorder, record_receive_message(recorder));
        assert_int_equal(event->size, sizeof i);
        assert_memory_equal(event->bytes, &i, sizeof i);
    }
    assert_int_equal(hearing->arrived, PEERS);
    hearing_finish(hearing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_queries),
        cmocka_unit_test(test_maximum_below_a_datagram),
        cmocka_unit_test(test_minimum_above_a_datagram),
        cmocka_unit_test(test_empty_datagram),
        cmocka_unit_test(test_a_burst),
        cmocka_unit_test(test_pieces_are_joined),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_a_connection_per_peer),
        cmocka_unit_test(test_peer_comes_back),
        cmocka_unit_test(test_ten_thousand_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
