/*
 * test_datagrams.c - datagrams in many pieces, and the bounds of what one may hold.
 * Runs:   loopback only.
 */
#include "support.h"
#include <stdlib.h>
#include <unistd.h>

enum { LARGEST = 65507 }; /* octets: 65535 less the headers of IPv4 and UDP */

/* Content of `size` octets of the pattern, in segments of one octet each and a rest. */
static dispatch_data_t in_pieces(size_t size, size_t pieces) {
    char *bytes = malloc(size);
    assert_non_null(bytes);
    fill_pattern(bytes, size, 0);
    dispatch_data_t all = dispatch_data_create_f(bytes, size - (pieces - 1), NULL, NULL,
                                                 DISPATCH_DATA_DESTRUCTOR_DEFAULT);
    for (size_t i = size - (pieces - 1); i < size; i++) {
        dispatch_data_t one =
            dispatch_data_create_f(bytes + i, 1, NULL, NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
        dispatch_data_t joined = dispatch_data_create_concat(all, one);
        dispatch_release(all);
        dispatch_release(one);
        all = joined;
    }
    free(bytes);
    return all;
}

struct outcome {
    dispatch_semaphore_t done;
    int code;
};

static void sent(void *context, nw_error_t error) {
    struct outcome *outcome = context;
    outcome->code = nw_error_get_error_code(error);
    dispatch_semaphore_signal(outcome->done);
}

/* Sends it as one datagram; what its completion said. */
static int send_datagram(nw_connection_t connection, dispatch_data_t content) {
    struct outcome outcome = {.done = dispatch_semaphore_create(0)};
    nw_connection_send_f(connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, &outcome,
                         sent);
    dispatch_release(content);
    if (dispatch_semaphore_wait(
            outcome.done, dispatch_time(DISPATCH_TIME_NOW, WAIT_SECONDS * (int64_t)NSEC_PER_SEC)) !=
        0)
        fail_msg("the send did not complete");
    dispatch_release(outcome.done);
    return outcome.code;
}

/* One datagram arrives, whole and in order, whatever the number of pieces that it was made of. */
static void test_many_pieces(void **state) {
    (void)state;
    static const size_t pieces[] = {1, 2, 63, 64, 65, 255, 256, 257, 1500};
    uint16_t port;
    int peer = peer_udp(&port);
    struct recorder *recorder = record_to_port(port, true);
    await_state(recorder, nw_connection_state_ready);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        char got[4096], expected[2000];
        assert_int_equal(send_datagram(recorder->connection, in_pieces(sizeof expected, pieces[i])),
                         0);
        fill_pattern(expected, sizeof expected, 0);
        assert_int_equal(recv(peer, got, sizeof got, 0), sizeof expected);
        assert_memory_equal(got, expected, sizeof expected);
    }
    finish(recorder);
    close(peer);
}

/* The same for a peer of a listener, whose answers leave by the listener's socket. */
static void test_many_pieces_from_a_listener(void **state) {
    (void)state;
    char got[4096], expected[2000];
    struct hearing *hearing = hear_on_any_port(true, true);
    uint16_t port;
    int peer = peer_udp(&port);
    peer_send_to(peer, hearing_port(hearing), "hello", 5);
    struct recorder *recorder = hearing_await(hearing, 0);
    await_state(recorder, nw_connection_state_ready);
    assert_int_equal(send_datagram(recorder->connection, in_pieces(sizeof expected, 300)), 0);
    fill_pattern(expected, sizeof expected, 0);
    assert_int_equal(recv(peer, got, sizeof got, 0), sizeof expected);
    assert_memory_equal(got, expected, sizeof expected);
    hearing_finish(hearing);
    close(peer);
}

/* The largest goes, one octet more does not; neither ends the connection. */
static void test_largest(void **state) {
    (void)state;
    static char got[LARGEST + 1], expected[LARGEST];
    uint16_t port;
    int peer = peer_udp(&port);
    struct recorder *recorder = record_to_port(port, true);
    await_state(recorder, nw_connection_state_ready);
    fill_pattern(expected, sizeof expected, 0);
    static const size_t pieces[] = {1, 300};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(send_datagram(recorder->connection, in_pieces(LARGEST + 1, pieces[i])),
                         EMSGSIZE);
        assert_int_equal(send_datagram(recorder->connection, in_pieces(100000, pieces[i])),
                         EMSGSIZE);
        assert_int_equal(send_datagram(recorder->connection, in_pieces(LARGEST, pieces[i])), 0);
        assert_int_equal(recv(peer, got, sizeof got, 0), LARGEST);
        assert_memory_equal(got, expected, LARGEST);
    }
    assert_int_equal(count_states(recorder, nw_connection_state_failed), 0);
    finish(recorder);
    close(peer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_pieces),
        cmocka_unit_test(test_many_pieces_from_a_listener),
        cmocka_unit_test(test_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
