/*
 * test_transfers.c - data transfer reports, against plain sockets that send and take known counts.
 * Runs:   loopback only.
 */
#include "reports.h"
#include <netinet/in.h>
#include <unistd.h>

enum { SENT_BY_PEER = 5000, SENT_BY_US = 3000 };

static void take_transfer(void *context, nw_data_transfer_report_t report) {
    take(context, report);
}

static nw_data_transfer_report_t collected(nw_data_transfer_report_t report) {
    struct told *told = tell();
    nw_data_transfer_report_collect_f(report, told->queue, told, take_transfer);
    return await_report(told);
}

static uint64_t app_in(nw_data_transfer_report_t r) {
    return nw_data_transfer_report_get_received_application_byte_count(r, 0);
}
static uint64_t app_out(nw_data_transfer_report_t r) {
    return nw_data_transfer_report_get_sent_application_byte_count(r, 0);
}
static uint64_t wire_in(nw_data_transfer_report_t r) {
    return nw_data_transfer_report_get_received_transport_byte_count(r, 0);
}
static uint64_t wire_out(nw_data_transfer_report_t r) {
    return nw_data_transfer_report_get_sent_transport_byte_count(r, 0);
}
static uint64_t packets_in(nw_data_transfer_report_t r) {
    return nw_data_transfer_report_get_received_ip_packet_count(r, 0);
}
static uint64_t packets_out(nw_data_transfer_report_t r) {
    return nw_data_transfer_report_get_sent_ip_packet_count(r, 0);
}

/* SENT_BY_US to the peer and SENT_BY_PEER back, all of it acknowledged. */
static void exchange(struct recorder *recorder, int fd) {
    static char bytes[SENT_BY_PEER];
    assert_no_error(await_tag(recorder, record_send(recorder, bytes, SENT_BY_US,
                                                    NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true)));
    assert_int_equal(peer_read(fd, bytes, SENT_BY_US), SENT_BY_US);
    peer_write(fd, bytes, SENT_BY_PEER);
    peer_drained(fd);
    const struct event *event = receive_now(recorder, SENT_BY_PEER, SENT_BY_PEER);
    assert_int_equal(event->size, SENT_BY_PEER);
}

static void test_tcp_counts(void **state) {
    (void)state;
    int fd;
    uint64_t before = now_ns();
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    assert_int_equal(nw_data_transfer_report_get_state(report),
                     nw_data_transfer_report_state_collecting);
    exchange(recorder, fd);
    assert_int_equal(app_in(report), 0); /* not before it is collected */
    assert_int_equal(nw_data_transfer_report_get_path_count(report), 0);
    assert_null(nw_data_transfer_report_copy_path_interface(report, 0));
    nw_data_transfer_report_t same = collected(report);
    uint64_t took = (now_ns() - before) / 1000000;
    assert_ptr_equal(same, report);
    assert_int_equal(nw_data_transfer_report_get_state(report),
                     nw_data_transfer_report_state_collected);
    assert_in_range(nw_data_transfer_report_get_duration_milliseconds(report), 0, took);
    assert_int_equal(nw_data_transfer_report_get_path_count(report), 1);
    assert_int_equal(app_in(report), SENT_BY_PEER);
    assert_int_equal(app_out(report), SENT_BY_US);
    assert_int_equal(wire_in(report), SENT_BY_PEER);
    assert_int_equal(wire_out(report), SENT_BY_US);
    assert_in_range(packets_in(report), 2, 20); /* their octets and their acknowledgement */
    assert_in_range(packets_out(report), 2, 20);
    assert_int_equal(nw_data_transfer_report_get_sent_transport_retransmitted_byte_count(report, 0),
                     0);
    assert_int_equal(
        nw_data_transfer_report_get_received_transport_out_of_order_byte_count(report, 0), 0);
    assert_int_equal(nw_data_transfer_report_get_received_transport_duplicate_byte_count(report, 0),
                     0);
    assert_in_range(nw_data_transfer_report_get_transport_smoothed_rtt_milliseconds(report, 0), 0,
                    took);
    assert_in_range(nw_data_transfer_report_get_transport_minimum_rtt_milliseconds(report, 0), 0,
                    nw_data_transfer_report_get_transport_smoothed_rtt_milliseconds(report, 0));
    assert_in_range(nw_data_transfer_report_get_transport_rtt_variance(report, 0), 0, took);
    nw_interface_t interface = nw_data_transfer_report_copy_path_interface(report, 0);
    assert_string_equal(nw_interface_get_name(interface), "lo");
    nw_release(interface);
    assert_int_equal(nw_data_transfer_report_get_path_radio_type(report, 0),
                     nw_interface_radio_type_unknown);
    nw_release(same);
    nw_release(report);
    finish(recorder);
    close(fd);
}

static void test_path_index(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET6, &fd);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    exchange(recorder, fd);
    nw_release(collected(report));
    assert_int_equal(
        nw_data_transfer_report_get_received_application_byte_count(report, NW_ALL_PATHS),
        SENT_BY_PEER);
    nw_interface_t interface = nw_data_transfer_report_copy_path_interface(report, NW_ALL_PATHS);
    assert_non_null(interface);
    nw_release(interface);
    assert_int_equal(nw_data_transfer_report_get_received_application_byte_count(report, 1), 0);
    assert_null(nw_data_transfer_report_copy_path_interface(report, 1));
    nw_release(report);
    finish(recorder);
    close(fd);
}

/* Each has its own beginning and its own end. */
static void test_several_at_once(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_data_transfer_report_t first =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    exchange(recorder, fd);
    nw_data_transfer_report_t second =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    exchange(recorder, fd);
    nw_release(collected(first));
    exchange(recorder, fd);
    nw_release(collected(second));
    nw_release(collected(first)); /* a second time is harmless */
    assert_int_equal(app_in(first), 2 * SENT_BY_PEER);
    assert_int_equal(app_out(first), 2 * SENT_BY_US);
    assert_int_equal(wire_in(first), 2 * SENT_BY_PEER);
    assert_int_equal(app_in(second), 2 * SENT_BY_PEER);
    assert_int_equal(wire_out(second), 2 * SENT_BY_US);
    nw_release(first);
    nw_release(second);
    finish(recorder);
    close(fd);
}

/* Made before the start it begins with `ready`; cancelled, it ends by itself. */
static void test_from_before_ready_to_the_end(void **state) {
    (void)state;
    uint16_t port;
    char text[8];
    int listening = peer_listen(AF_INET, &port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port_text(port, text));
    nw_parameters_t parameters = tcp_parameters();
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_data_transfer_report_t report = nw_connection_create_new_data_transfer_report(connection);
    struct recorder *recorder = record(connection);
    nw_connection_start(connection);
    int fd = peer_accept(listening);
    await_state(recorder, nw_connection_state_ready);
    exchange(recorder, fd);
    assert_int_equal(nw_data_transfer_report_get_state(report),
                     nw_data_transfer_report_state_collecting);
    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    assert_int_equal(nw_data_transfer_report_get_state(report),
                     nw_data_transfer_report_state_collected);
    assert_int_equal(app_in(report), SENT_BY_PEER);
    assert_int_equal(wire_in(report), SENT_BY_PEER);
    discard(recorder);
    nw_release(collected(report)); /* told all the same */
    nw_release(report);
    nw_release(parameters);
    nw_release(endpoint);
    close(fd);
    close(listening);
}

/* The kernel counts a FIN as an octet: it must not show, before and after both sides have closed.
 */
static void test_the_end_is_no_octet(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_data_transfer_report_t first =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    nw_data_transfer_report_t second =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    exchange(recorder, fd);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(await_tag(recorder, record_receive(recorder, 1, 100))->complete);
    nw_release(collected(first));
    assert_int_equal(wire_in(first), SENT_BY_PEER);
    assert_no_error(await_tag(
        recorder, record_send(recorder, NULL, 0, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true)));
    assert_int_equal(peer_read_end(fd), 0);
    nw_release(collected(second));
    assert_int_equal(wire_in(second), SENT_BY_PEER);
    assert_int_equal(wire_out(second), SENT_BY_US);
    nw_release(first);
    nw_release(second);
    finish(recorder);
    close(fd);
}

static void test_ended_by_failure(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    exchange(recorder, fd);
    peer_reset(fd);
    await_state(recorder, nw_connection_state_failed);
    assert_int_equal(nw_data_transfer_report_get_state(report),
                     nw_data_transfer_report_state_collected);
    assert_int_equal(app_out(report), SENT_BY_US);
    assert_int_equal(wire_out(report), SENT_BY_US);
    nw_data_transfer_report_t late =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    nw_release(collected(late)); /* its turn has come */
    assert_int_equal(nw_data_transfer_report_get_path_count(late), 0);
    nw_release(late);
    nw_release(report);
    finish(recorder);
}

static void test_never_ready(void **state) {
    (void)state;
    uint16_t port;
    int fd = peer_bound(AF_INET, SOCK_STREAM, &port);
    struct recorder *recorder = record_to_port(port, false);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    await_state(recorder, nw_connection_state_waiting);
    nw_release(collected(report));
    assert_int_equal(nw_data_transfer_report_get_path_count(report), 0);
    assert_int_equal(nw_data_transfer_report_get_duration_milliseconds(report), 0);
    assert_int_equal(app_out(report), 0);
    nw_release(report);
    finish(recorder);
    close(fd);
}

/* Given up while it collects: nothing is left behind, and the others go on. */
static void test_given_up(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_data_transfer_report_t first =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    nw_data_transfer_report_t second =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    nw_release(first);
    exchange(recorder, fd);
    nw_release(collected(second));
    assert_int_equal(app_in(second), SENT_BY_PEER);
    nw_release(second);
    finish(recorder);
    close(fd);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t parameters = tcp_parameters();
    nw_connection_t idle = nw_connection_create(endpoint, parameters);
    nw_data_transfer_report_t report = nw_connection_create_new_data_transfer_report(idle);
    nw_release(idle);
    nw_release(report); /* the last that knows the connection */
    nw_release(parameters);
    nw_release(endpoint);
}

static void test_datagram_counts(void **state) {
    (void)state;
    enum { OUT = 5, IN = 3, SIZE = 100 };
    uint16_t port;
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    char bytes[SIZE] = {0};
    int fd = peer_udp(&port);
    struct recorder *recorder = record_to_port(port, true);
    await_state(recorder, nw_connection_state_ready);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    for (int i = 0; i < OUT; i++)
        assert_no_error(
            await_tag(recorder, record_send(recorder, bytes, SIZE,
                                            NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true)));
    assert_int_equal(recvfrom(fd, bytes, SIZE, 0, (struct sockaddr *)&from, &length), SIZE);
    for (int i = 0; i < IN; i++) {
        peer_send_to(fd, ntohs(from.sin_port), bytes, SIZE);
        assert_int_equal(await_tag(recorder, record_receive_message(recorder))->size, SIZE);
    }
    nw_release(collected(report));
    assert_int_equal(packets_out(report), OUT);
    assert_int_equal(packets_in(report), IN);
    assert_int_equal(app_out(report), OUT * SIZE);
    assert_int_equal(app_in(report), IN * SIZE);
    assert_int_equal(wire_out(report), OUT * SIZE);
    assert_int_equal(wire_in(report), IN * SIZE);
    assert_int_equal(nw_data_transfer_report_get_transport_smoothed_rtt_milliseconds(report, 0), 0);
    nw_release(report);
    finish(recorder);
    close(fd);
}

/* One peer of a listener's socket, whose descriptor is shared. */
static void test_datagrams_of_a_listener(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(true, true);
    uint16_t own;
    int fd = peer_udp(&own);
    peer_send_to(fd, hearing_port(hearing), "hello", 5);
    struct recorder *recorder = hearing_await(hearing, 0);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    assert_int_equal(await_tag(recorder, record_receive_message(recorder))->size, 5);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "welcome")));
    nw_release(collected(report));
    assert_int_equal(packets_in(report), 1);
    assert_int_equal(packets_out(report), 1);
    assert_int_equal(wire_in(report), 5);
    assert_int_equal(wire_out(report), 7);
    nw_release(report);
    close(fd);
    hearing_finish(hearing);
}

/* --- misuse --- */

static void never(void *context, nw_data_transfer_report_t report) {
    (void)context, (void)report;
    abort();
}

static void test_null(void **state) {
    (void)state;
    int fd;
    dispatch_queue_t queue = dispatch_queue_create("never", NULL);
    nw_data_transfer_report_collect_f(NULL, queue, NULL, never);
    assert_null(nw_connection_create_new_data_transfer_report(NULL));
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    nw_data_transfer_report_collect_f(report, NULL, NULL, never);
    nw_data_transfer_report_collect_f(report, queue, NULL, NULL);
    assert_int_equal(nw_data_transfer_report_get_state(report),
                     nw_data_transfer_report_state_collecting);
    nw_release(report);
    finish(recorder);
    close(fd);
    dispatch_release(queue);
    assert_int_equal(nw_data_transfer_report_get_state(NULL),
                     nw_data_transfer_report_state_collected);
    assert_int_equal(nw_data_transfer_report_get_duration_milliseconds(NULL), 0);
    assert_int_equal(nw_data_transfer_report_get_path_count(NULL), 0);
    assert_int_equal(packets_in(NULL), 0);
    assert_null(nw_data_transfer_report_copy_path_interface(NULL, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp_counts),
        cmocka_unit_test(test_path_index),
        cmocka_unit_test(test_several_at_once),
        cmocka_unit_test(test_from_before_ready_to_the_end),
        cmocka_unit_test(test_the_end_is_no_octet),
        cmocka_unit_test(test_ended_by_failure),
        cmocka_unit_test(test_never_ready),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_datagram_counts),
        cmocka_unit_test(test_datagrams_of_a_listener),
        cmocka_unit_test(test_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
