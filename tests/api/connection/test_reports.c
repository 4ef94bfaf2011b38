/*
 * test_reports.c - the establishment report and data transfer reports, against plain sockets that
 * send and take known counts.
 * Runs:   loopback only.
 */
#include "support.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

enum { SENT_BY_PEER = 5000, SENT_BY_US = 3000 };

/* --- the establishment report --- */

struct told {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    dispatch_queue_t queue;
    int calls;
    bool on_queue;
    void *report; /* owned; an establishment or a data transfer report */
};

static struct told *tell(void) {
    struct told *told = calloc(1, sizeof *told);
    assert_non_null(told);
    pthread_mutex_init(&told->lock, NULL);
    pthread_cond_init(&told->changed, NULL);
    told->queue = dispatch_queue_create("reports", NULL);
    dispatch_queue_set_specific(told->queue, told, told, NULL);
    return told;
}

static void take(struct told *told, void *report) {
    pthread_mutex_lock(&told->lock);
    told->calls++;
    told->on_queue = dispatch_get_specific(told) == told;
    told->report = nw_retain(report);
    pthread_cond_signal(&told->changed);
    pthread_mutex_unlock(&told->lock);
}

static void take_establishment(void *context, nw_establishment_report_t report) {
    take(context, report);
}

static void take_transfer(void *context, nw_data_transfer_report_t report) {
    take(context, report);
}

static void nothing(void *context) {
    (void)context;
}

/* The report, +1 or NULL, after exactly one call on the queue that was named. */
static void *await_told(struct told *told) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&told->lock);
    int err = 0;
    while (told->calls == 0 && err == 0)
        err = pthread_cond_timedwait(&told->changed, &told->lock, &until);
    pthread_mutex_unlock(&told->lock);
    assert_int_equal(err, 0);
    dispatch_sync_f(told->queue, NULL, nothing); /* a second call would be before this */
    assert_int_equal(told->calls, 1);
    assert_true(told->on_queue);
    void *report = told->report;
    dispatch_release(told->queue);
    free(told);
    return report;
}

static nw_establishment_report_t establishment_of(nw_connection_t connection) {
    struct told *told = tell();
    nw_connection_access_establishment_report_f(connection, told->queue, told, take_establishment);
    return await_told(told);
}

static nw_data_transfer_report_t collected(nw_data_transfer_report_t report) {
    struct told *told = tell();
    nw_data_transfer_report_collect_f(report, told->queue, told, take_transfer);
    return await_told(told);
}

struct handshakes {
    int count, stop_after;
    nw_protocol_definition_t protocol;
    uint64_t milliseconds, rtt;
};

static bool add_handshake(void *context, nw_protocol_definition_t protocol, uint64_t milliseconds,
                          uint64_t rtt) {
    struct handshakes *seen = context;
    seen->protocol = protocol;
    seen->milliseconds = milliseconds;
    seen->rtt = rtt;
    return ++seen->count != seen->stop_after;
}

struct resolutions {
    int count;
    nw_report_resolution_source_t source;
    nw_report_resolution_protocol_t protocol;
    uint64_t milliseconds;
    uint32_t endpoints;
    char successful[64], preferred[64];
};

static void name(nw_endpoint_t endpoint, char text[64]) {
    snprintf(text, 64, "%s", nw_endpoint_get_hostname(endpoint));
}

static bool add_resolution(void *context, nw_report_resolution_source_t source,
                           uint64_t milliseconds, uint32_t count, nw_endpoint_t successful,
                           nw_endpoint_t preferred) {
    struct resolutions *seen = context;
    seen->count++;
    seen->source = source;
    seen->milliseconds = milliseconds;
    seen->endpoints = count;
    name(successful, seen->successful);
    name(preferred, seen->preferred);
    return true;
}

static bool add_resolution_report(void *context, nw_resolution_report_t report) {
    struct resolutions *seen = context;
    seen->count++;
    seen->source = nw_resolution_report_get_source(report);
    seen->protocol = nw_resolution_report_get_protocol(report);
    seen->milliseconds = nw_resolution_report_get_milliseconds(report);
    seen->endpoints = nw_resolution_report_get_endpoint_count(report);
    nw_endpoint_t endpoint = nw_resolution_report_copy_successful_endpoint(report);
    name(endpoint, seen->successful);
    nw_release(endpoint);
    endpoint = nw_resolution_report_copy_preferred_endpoint(report);
    name(endpoint, seen->preferred);
    nw_release(endpoint);
    return true;
}

static void test_to_an_address(void **state) {
    (void)state;
    int fd;
    uint64_t before = now_ns();
    struct recorder *recorder = record_pair(AF_INET, &fd);
    uint64_t took = (now_ns() - before) / 1000000;
    nw_establishment_report_t report = establishment_of(recorder->connection);
    assert_non_null(report);
    assert_in_range(nw_establishment_report_get_duration_milliseconds(report), 0, took);
    assert_int_equal(nw_establishment_report_get_attempt_started_after_milliseconds(report), 0);
    assert_int_equal(nw_establishment_report_get_previous_attempt_count(report), 0);
    assert_false(nw_establishment_report_get_used_proxy(report));
    assert_false(nw_establishment_report_get_proxy_configured(report));
    assert_null(nw_establishment_report_copy_proxy_endpoint(report));
    struct resolutions none = {0};
    nw_establishment_report_enumerate_resolutions_f(report, &none, add_resolution);
    nw_establishment_report_enumerate_resolution_reports_f(report, &none, add_resolution_report);
    assert_int_equal(none.count, 0);
    struct handshakes seen = {0};
    nw_establishment_report_enumerate_protocols_f(report, &seen, add_handshake);
    assert_int_equal(seen.count, 1);
    nw_protocol_definition_t tcp = nw_protocol_copy_tcp_definition();
    assert_true(nw_protocol_definition_is_equal(seen.protocol, tcp));
    nw_release(tcp);
    assert_in_range(seen.milliseconds, 0, took);
    assert_in_range(seen.rtt, 0, took);
    nw_release(report);
    finish(recorder);
    close(fd);
}

static void test_to_a_name(void **state) {
    (void)state;
    uint16_t port;
    char text[8];
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_to("localhost", port_text(port, text), false);
    await_state(recorder, nw_connection_state_ready);
    nw_establishment_report_t report = establishment_of(recorder->connection);
    struct resolutions seen = {0}, again = {0};
    nw_establishment_report_enumerate_resolutions_f(report, &seen, add_resolution);
    nw_establishment_report_enumerate_resolution_reports_f(report, &again, add_resolution_report);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.source, nw_report_resolution_source_cache); /* known here */
    assert_int_equal(seen.endpoints, 2);
    assert_string_equal(seen.successful, "127.0.0.1"); /* nobody listens at the other */
    assert_string_equal(seen.preferred, "::1");
    assert_int_equal(again.count, 1);
    assert_int_equal(again.source, seen.source);
    assert_int_equal(again.protocol, nw_report_resolution_protocol_unknown);
    assert_int_equal(again.milliseconds, seen.milliseconds);
    assert_int_equal(again.endpoints, seen.endpoints);
    assert_string_equal(again.successful, seen.successful);
    assert_string_equal(again.preferred, seen.preferred);
    nw_release(report);
    finish(recorder);
    close(listening);
}

static void test_after_waiting(void **state) {
    (void)state;
    enum { PAUSE_MS = 30 };
    uint16_t port;
    int fd = peer_bound(AF_INET, SOCK_STREAM, &port);
    struct recorder *recorder = record_to_port(port, false);
    await_state(recorder, nw_connection_state_waiting);
    assert_null(establishment_of(recorder->connection));
    usleep(PAUSE_MS * 1000); /* the time that the report has to show */
    assert_int_equal(listen(fd, 1), 0);
    nw_connection_restart(recorder->connection);
    await_state(recorder, nw_connection_state_ready);
    nw_establishment_report_t report = establishment_of(recorder->connection);
    assert_int_equal(nw_establishment_report_get_previous_attempt_count(report), 1);
    assert_true(nw_establishment_report_get_attempt_started_after_milliseconds(report) >= PAUSE_MS);
    nw_release(report);
    finish(recorder);
    close(fd);
}

static void test_when_there_is_one(void **state) {
    (void)state;
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t parameters = tcp_parameters();
    nw_connection_t idle = nw_connection_create(endpoint, parameters);
    assert_null(establishment_of(idle)); /* never started */
    nw_release(idle);
    nw_release(parameters);
    nw_release(endpoint);
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    nw_establishment_report_t report = establishment_of(recorder->connection);
    assert_non_null(report); /* it was ready once */
    nw_release(report);
    discard(recorder);
    close(fd);
}

static void test_of_an_accepted_one(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(false, true);
    int fd = peer_connect(hearing_port(hearing));
    struct recorder *recorder = hearing_await(hearing, 0);
    await_state(recorder, nw_connection_state_ready);
    nw_establishment_report_t report = establishment_of(recorder->connection);
    assert_non_null(report);
    struct handshakes seen = {0};
    nw_establishment_report_enumerate_protocols_f(report, &seen, add_handshake);
    assert_int_equal(seen.count, 0); /* over before it was known here */
    assert_int_equal(nw_establishment_report_get_duration_milliseconds(report), 0);
    nw_release(report);
    close(fd);
    hearing_finish(hearing);
}

static void test_datagrams_have_no_handshake(void **state) {
    (void)state;
    uint16_t port;
    int fd = peer_udp(&port);
    struct recorder *recorder = record_to_port(port, true);
    await_state(recorder, nw_connection_state_ready);
    nw_establishment_report_t report = establishment_of(recorder->connection);
    struct handshakes seen = {0};
    nw_establishment_report_enumerate_protocols_f(report, &seen, add_handshake);
    assert_int_equal(seen.count, 0);
    nw_release(report);
    finish(recorder);
    close(fd);
}

/* --- data transfer reports --- */

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
static void never_told(void *context, nw_establishment_report_t report) {
    (void)context, (void)report;
    abort();
}

static void test_null(void **state) {
    (void)state;
    dispatch_queue_t queue = dispatch_queue_create("never", NULL);
    nw_connection_access_establishment_report_f(NULL, queue, NULL, never_told);
    nw_data_transfer_report_collect_f(NULL, queue, NULL, never);
    assert_null(nw_connection_create_new_data_transfer_report(NULL));
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_connection_access_establishment_report_f(recorder->connection, NULL, NULL, never_told);
    nw_connection_access_establishment_report_f(recorder->connection, queue, NULL, NULL);
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
    assert_int_equal(nw_establishment_report_get_duration_milliseconds(NULL), 0);
    assert_int_equal(nw_establishment_report_get_attempt_started_after_milliseconds(NULL), 0);
    assert_int_equal(nw_establishment_report_get_previous_attempt_count(NULL), 0);
    assert_false(nw_establishment_report_get_used_proxy(NULL));
    assert_false(nw_establishment_report_get_proxy_configured(NULL));
    assert_null(nw_establishment_report_copy_proxy_endpoint(NULL));
    struct handshakes handshakes = {0};
    nw_establishment_report_enumerate_protocols_f(NULL, &handshakes, add_handshake);
    struct resolutions resolutions = {0};
    nw_establishment_report_enumerate_resolutions_f(NULL, &resolutions, add_resolution);
    nw_establishment_report_enumerate_resolution_reports_f(NULL, &resolutions,
                                                           add_resolution_report);
    assert_int_equal(handshakes.count + resolutions.count, 0);
    assert_int_equal(nw_resolution_report_get_source(NULL), 0);
    assert_int_equal(nw_resolution_report_get_milliseconds(NULL), 0);
    assert_int_equal(nw_resolution_report_get_endpoint_count(NULL), 0);
    assert_int_equal(nw_resolution_report_get_protocol(NULL),
                     nw_report_resolution_protocol_unknown);
    assert_null(nw_resolution_report_copy_successful_endpoint(NULL));
    assert_null(nw_resolution_report_copy_preferred_endpoint(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_an_address),
        cmocka_unit_test(test_to_a_name),
        cmocka_unit_test(test_after_waiting),
        cmocka_unit_test(test_when_there_is_one),
        cmocka_unit_test(test_of_an_accepted_one),
        cmocka_unit_test(test_datagrams_have_no_handshake),
        cmocka_unit_test(test_tcp_counts),
        cmocka_unit_test(test_path_index),
        cmocka_unit_test(test_several_at_once),
        cmocka_unit_test(test_from_before_ready_to_the_end),
        cmocka_unit_test(test_ended_by_failure),
        cmocka_unit_test(test_never_ready),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_datagram_counts),
        cmocka_unit_test(test_datagrams_of_a_listener),
        cmocka_unit_test(test_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
