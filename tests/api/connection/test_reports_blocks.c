/*
 * test_reports_blocks.c - every call of <Network/connection_report.h> that takes a block, used
 * once.
 * Runs:   loopback only. Built by clang, whatever builds the library.
 */
#include "support.h"
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

static void await(sem_t *semaphore) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

/* Blocks copy plain variables: what they change lives here, by reference. */
struct seen {
    sem_t told;
    nw_establishment_report_t establishment;
    nw_data_transfer_report_t transfer;
    int protocols, resolutions, reports;
    uint32_t endpoints;
    bool is_tcp;
};

static void look_at_protocols(struct seen *seen) {
    nw_establishment_report_enumerate_protocols(
        seen->establishment,
        ^bool(nw_protocol_definition_t protocol, uint64_t handshake, uint64_t rtt) {
            nw_protocol_definition_t tcp = nw_protocol_copy_tcp_definition();
            (void)handshake, (void)rtt;
            seen->is_tcp = nw_protocol_definition_is_equal(protocol, tcp);
            seen->protocols++;
            nw_release(tcp);
            return true;
        });
}

static void look_at_resolutions(struct seen *seen) {
    nw_establishment_report_enumerate_resolutions(
        seen->establishment,
        ^bool(nw_report_resolution_source_t source, uint64_t milliseconds, uint32_t count,
              nw_endpoint_t successful, nw_endpoint_t preferred) {
            (void)milliseconds;
            assert_int_equal(source, nw_report_resolution_source_cache);
            assert_non_null(successful);
            assert_non_null(preferred);
            seen->endpoints = count;
            seen->resolutions++;
            return true;
        });
    nw_establishment_report_enumerate_resolution_reports(
        seen->establishment, ^bool(nw_resolution_report_t report) {
            assert_int_equal(nw_resolution_report_get_endpoint_count(report), seen->endpoints);
            seen->reports++;
            return true;
        });
}

static void test_every_block(void **state) {
    (void)state;
    uint16_t port;
    char text[8];
    static struct seen storage;
    struct seen *seen = &storage;
    sem_init(&seen->told, 0, 0);
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_to("localhost", port_text(port, text), false);
    await_state(recorder, nw_connection_state_ready);
    nw_connection_access_establishment_report(recorder->connection, recorder->queue,
                                              ^(nw_establishment_report_t report) {
                                                  seen->establishment = nw_retain(report);
                                                  sem_post(&seen->told);
                                              });
    await(&seen->told);
    assert_non_null(seen->establishment);
    look_at_protocols(seen);
    look_at_resolutions(seen);
    assert_int_equal(seen->protocols, 1);
    assert_true(seen->is_tcp);
    assert_int_equal(seen->resolutions, 1);
    assert_int_equal(seen->reports, 1);
    nw_release(seen->establishment);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "hello")));
    nw_data_transfer_report_collect(report, recorder->queue, ^(nw_data_transfer_report_t same) {
        seen->transfer = same;
        sem_post(&seen->told);
    });
    await(&seen->told);
    assert_ptr_equal(seen->transfer, report);
    assert_int_equal(nw_data_transfer_report_get_sent_application_byte_count(report, NW_ALL_PATHS),
                     5);
    nw_release(report);
    finish(recorder);
    close(listening);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
