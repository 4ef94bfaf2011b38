/*
 * test_timeline_report.c - src/establish/timeline_report.c: the establishment report out of written
 * records of events.
 */
#include "base/alloc.h"
#include "base/object.h"
#include "establish/timeline.h"
#include "model/establishment_report.h"
#include "model/tcp_options.h"
#include "model/tls_options.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS(n) ((n)*NWI_MS)

static nw_endpoint_t host, first, second;

static int set_up(void **state) {
    (void)state;
    host = nw_endpoint_create_host("example.com", "80");
    first = nw_endpoint_create_host("2001:db8::1", "80");
    second = nw_endpoint_create_host("192.0.2.1", "80");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    nw_release(host);
    nw_release(first);
    nw_release(second);
    return 0;
}

static void put(struct nwi_timeline *timeline, unsigned ms, unsigned attempt,
                enum nwi_timeline_event event, nw_endpoint_t endpoint, nwi_err err) {
    struct nwi_branch branch = {attempt != 0 || event == NWI_EVENT_RESOLVE_START, (uint8_t)attempt};
    nwi_timeline_record(timeline, MS(ms), branch, event, endpoint, err);
}

static void put_answer(struct nwi_timeline *timeline, unsigned ms, enum nwi_timeline_event event,
                       nw_report_resolution_source_t source,
                       nw_report_resolution_protocol_t protocol, unsigned count, nwi_err err) {
    nwi_timeline_add(timeline, MS(ms),
                     &(struct nwi_timeline_entry){.branch = {1, 0},
                                                  .event = event,
                                                  .endpoint = host,
                                                  .err = err,
                                                  .source = source,
                                                  .protocol = protocol,
                                                  .count = count});
}

static void put_ready(struct nwi_timeline *timeline, unsigned ms, unsigned attempt,
                      nw_endpoint_t endpoint, nwi_ns rtt) {
    nwi_timeline_add(timeline, MS(ms),
                     &(struct nwi_timeline_entry){.branch = {1, (uint8_t)attempt},
                                                  .event = NWI_EVENT_READY,
                                                  .endpoint = endpoint,
                                                  .rtt = rtt});
}

static void put_handshake(struct nwi_timeline *timeline, unsigned ms, unsigned attempt,
                          nw_endpoint_t endpoint, nwi_ns rtt) {
    nwi_timeline_add(timeline, MS(ms),
                     &(struct nwi_timeline_entry){.branch = {1, (uint8_t)attempt},
                                                  .event = NWI_EVENT_HANDSHAKE_START,
                                                  .endpoint = endpoint,
                                                  .rtt = rtt});
}

/* A name with both families; the first address is silent, the second wins. */
static struct nwi_timeline *race(struct nwi_timeline *timeline, unsigned at) {
    put(timeline, at, 0, NWI_EVENT_START, host, 0);
    put(timeline, at + 1, 0, NWI_EVENT_RESOLVE_START, host, 0);
    put_answer(timeline, at + 11, NWI_EVENT_ANSWER_AAAA, nw_report_resolution_source_query,
               nw_report_resolution_protocol_udp, 2, 0);
    put(timeline, at + 12, 1, NWI_EVENT_ATTEMPT_START, first, 0);
    put_answer(timeline, at + 31, NWI_EVENT_ANSWER_A, nw_report_resolution_source_query,
               nw_report_resolution_protocol_tcp, 3, 0);
    put(timeline, at + 262, 2, NWI_EVENT_ATTEMPT_START, second, 0);
    put_ready(timeline, at + 302, 2, second, MS(39));
    put(timeline, at + 302, 1, NWI_EVENT_ABANDONED, first, 0);
    return timeline;
}

static void test_a_race(void **state) {
    (void)state;
    struct nwi_timeline *timeline = race(nwi_timeline_create(), 1000);
    nw_establishment_report_t report = nwi_timeline_report(timeline, &nwi_tcp_definition, NULL);
    nwi_release(timeline);
    assert_non_null(report);
    assert_true(report->duration == MS(302));
    assert_true(report->started_after == 0);
    assert_int_equal(report->previous_attempts, 0);
    assert_int_equal(report->handshake_count, 1);
    assert_ptr_equal(report->handshakes[0].protocol, &nwi_tcp_definition);
    assert_true(report->handshakes[0].duration == MS(40));
    assert_true(report->handshakes[0].rtt == MS(39));
    nw_resolution_report_t resolution = report->resolution;
    assert_int_equal(resolution->source, nw_report_resolution_source_query);
    assert_int_equal(resolution->protocol, nw_report_resolution_protocol_tcp); /* of the winner's */
    assert_true(resolution->duration == MS(30));
    assert_int_equal(resolution->endpoint_count, 5);
    assert_ptr_equal(resolution->preferred, first);
    assert_ptr_equal(resolution->successful, second);
    nw_release(report);
}

/* TLS above TCP: each has its own part of the attempt, and the round trip as it was known then. The
 * handshakes of the other address, and of a round before, are not the winner's. */
static void test_a_handshake_above(void **state) {
    (void)state;
    struct nwi_timeline *timeline = nwi_timeline_create();
    put(timeline, 0, 0, NWI_EVENT_START, host, 0);
    put(timeline, 1, 2, NWI_EVENT_ATTEMPT_START, second, 0);
    put_handshake(timeline, 5, 2, second, MS(4));
    put(timeline, 9, 2, NWI_EVENT_ATTEMPT_FAILED, second, nwi_err_make(NWI_DOMAIN_TLS, -9807));
    put(timeline, 9, 0, NWI_EVENT_FAILED, host, nwi_err_make(NWI_DOMAIN_TLS, -9807));
    put(timeline, 1000, 0, NWI_EVENT_START, host, 0);
    put(timeline, 1000, 1, NWI_EVENT_ATTEMPT_START, first, 0);
    put_handshake(timeline, 1030, 1, first, MS(30));
    put(timeline, 1100, 2, NWI_EVENT_ATTEMPT_START, second, 0);
    put_handshake(timeline, 1120, 2, second, MS(19));
    put_ready(timeline, 1165, 2, second, MS(21));
    nw_establishment_report_t report =
        nwi_timeline_report(timeline, &nwi_tcp_definition, &nwi_tls_definition);
    assert_int_equal(report->handshake_count, 2);
    assert_ptr_equal(report->handshakes[0].protocol, &nwi_tcp_definition);
    assert_true(report->handshakes[0].duration == MS(20));
    assert_true(report->handshakes[0].rtt == MS(19));
    assert_ptr_equal(report->handshakes[1].protocol, &nwi_tls_definition);
    assert_true(report->handshakes[1].duration == MS(45));
    assert_true(report->handshakes[1].rtt == MS(21));
    nw_release(report);
    report = nwi_timeline_report(timeline, NULL, &nwi_tls_definition); /* over datagrams */
    assert_int_equal(report->handshake_count, 1);
    assert_ptr_equal(report->handshakes[0].protocol, &nwi_tls_definition);
    assert_true(report->handshakes[0].duration == MS(45));
    nw_release(report);
    nwi_release(timeline);
}

/* An answer with an error has no addresses, and one that comes after `ready` was not needed. */
static void test_answers_that_do_not_count(void **state) {
    (void)state;
    struct nwi_timeline *timeline = nwi_timeline_create();
    put(timeline, 0, 0, NWI_EVENT_START, host, 0);
    put(timeline, 0, 0, NWI_EVENT_RESOLVE_START, host, 0);
    put_answer(timeline, 5, NWI_EVENT_ANSWER_A, nw_report_resolution_source_cache,
               nw_report_resolution_protocol_unknown, 1, 0);
    put(timeline, 5, 1, NWI_EVENT_ATTEMPT_START, second, 0);
    put_answer(timeline, 6, NWI_EVENT_ANSWER_AAAA, nw_report_resolution_source_query,
               nw_report_resolution_protocol_udp, 0, nwi_dns(NWI_DNS_NO_SUCH_RECORD));
    put_ready(timeline, 7, 1, second, 0);
    put_answer(timeline, 8, NWI_EVENT_ANSWER_AAAA, nw_report_resolution_source_query,
               nw_report_resolution_protocol_udp, 9, 0);
    nw_establishment_report_t report = nwi_timeline_report(timeline, &nwi_tcp_definition, NULL);
    assert_int_equal(report->resolution->endpoint_count, 1);
    assert_int_equal(report->resolution->source, nw_report_resolution_source_cache);
    assert_ptr_equal(report->resolution->preferred, second);
    assert_true(report->handshakes[0].rtt == 0);
    nw_release(report);
    nwi_release(timeline);
}

static void test_rounds_before(void **state) {
    (void)state;
    struct nwi_timeline *timeline = nwi_timeline_create();
    for (unsigned i = 0; i < 2; i++) {
        put(timeline, 100 * i, 0, NWI_EVENT_START, host, 0);
        put(timeline, 100 * i + 1, 1, NWI_EVENT_ATTEMPT_START, first, 0);
        put(timeline, 100 * i + 2, 1, NWI_EVENT_ATTEMPT_FAILED, first, nwi_posix(ECONNREFUSED));
        put(timeline, 100 * i + 2, 0, NWI_EVENT_FAILED, host, nwi_posix(ECONNREFUSED));
    }
    assert_null(nwi_timeline_report(timeline, &nwi_tcp_definition, NULL)); /* not ready */
    race(timeline, 500);
    nw_establishment_report_t report = nwi_timeline_report(timeline, &nwi_tcp_definition, NULL);
    assert_int_equal(report->previous_attempts, 2);
    assert_true(report->started_after == MS(500));
    assert_true(report->duration == MS(302));
    assert_ptr_equal(report->resolution->preferred, first);
    nw_release(report);
    nwi_release(timeline);
}

/* Of a connection that has tried for ever the record keeps the end; the count keeps all. */
static void test_events_dropped(void **state) {
    (void)state;
    enum { ROUNDS = NWI_TIMELINE_CAPACITY };
    struct nwi_timeline *timeline = nwi_timeline_create();
    for (unsigned i = 0; i < ROUNDS; i++) {
        put(timeline, i, 0, NWI_EVENT_START, host, 0);
        put(timeline, i, 0, NWI_EVENT_FAILED, host, nwi_posix(ENETUNREACH));
    }
    race(timeline, ROUNDS);
    nw_establishment_report_t report = nwi_timeline_report(timeline, &nwi_tcp_definition, NULL);
    assert_int_equal(report->previous_attempts, ROUNDS);
    assert_true(report->started_after == MS(ROUNDS));
    nw_release(report);
    nwi_release(timeline);
}

static void test_without_handshake_or_record(void **state) {
    (void)state;
    struct nwi_timeline *timeline = race(nwi_timeline_create(), 0);
    nw_establishment_report_t report = nwi_timeline_report(timeline, NULL, NULL);
    assert_int_equal(report->handshake_count, 0);
    nw_release(report);
    nwi_release(timeline);
    assert_null(nwi_timeline_report(NULL, NULL, NULL));
    timeline = nwi_timeline_create();
    assert_null(nwi_timeline_report(timeline, NULL, NULL)); /* empty */
    nwi_release(timeline);
}

static void test_no_memory(void **state) {
    (void)state;
    struct nwi_timeline *timeline = race(nwi_timeline_create(), 0);
    unsigned n = 1;
    for (;; n++) {
        nwi_alloc_count(true);
        nwi_alloc_fail_at(n);
        nw_establishment_report_t report = nwi_timeline_report(timeline, &nwi_tcp_definition, NULL);
        bool hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_true(hit == (report == NULL));
        nw_release(report);
        assert_int_equal(nwi_alloc_live(), 0);
        nwi_alloc_count(false);
        if (!hit)
            break;
    }
    assert_int_equal(n, 3); /* the report and its resolution */
    nwi_release(timeline);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_race),
        cmocka_unit_test(test_a_handshake_above),
        cmocka_unit_test(test_answers_that_do_not_count),
        cmocka_unit_test(test_rounds_before),
        cmocka_unit_test(test_events_dropped),
        cmocka_unit_test(test_without_handshake_or_record),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
