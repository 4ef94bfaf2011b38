/*
 * test_reports.c - the establishment report of connections to plain sockets.
 * Runs:   loopback only.
 */
#include "reports.h"
#include <stdio.h>
#include <unistd.h>

static void take_establishment(void *context, nw_establishment_report_t report) {
    take(context, report);
}

static nw_establishment_report_t establishment_of(nw_connection_t connection) {
    struct told *told = tell();
    nw_connection_access_establishment_report_f(connection, told->queue, told, take_establishment);
    return await_report(told);
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

/* --- misuse --- */

static void never_told(void *context, nw_establishment_report_t report) {
    (void)context, (void)report;
    abort();
}

static void test_null(void **state) {
    (void)state;
    int fd;
    dispatch_queue_t queue = dispatch_queue_create("never", NULL);
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_connection_access_establishment_report_f(NULL, queue, NULL, never_told);
    nw_connection_access_establishment_report_f(recorder->connection, NULL, NULL, never_told);
    nw_connection_access_establishment_report_f(recorder->connection, queue, NULL, NULL);
    finish(recorder);
    close(fd);
    dispatch_release(queue);
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
        cmocka_unit_test(test_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
