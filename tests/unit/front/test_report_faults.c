/*
 * test_report_faults.c - reports while memory or a system call fails: never lost, never told twice,
 * at worst without numbers.
 */
#include "../../api/connection/reports.h"
#include "base/alloc.h"
#include "fake/fake_sys.h"
#include <unistd.h>

enum { ROUNDS_MAX = 100 };

static void take_establishment(void *context, nw_establishment_report_t report) {
    take(context, report);
}

static void take_transfer(void *context, nw_data_transfer_report_t report) {
    take(context, report);
}

/* A whole life of both reports with the n-th allocation failing. False: it was not reached. */
static bool report_with_fault(unsigned n) {
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    struct told *established = tell(), *transferred = tell();
    settle(recorder);
    nwi_alloc_fail_at(n);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    nw_connection_access_establishment_report_f(recorder->connection, established->queue,
                                                established, take_establishment);
    if (report != NULL)
        nw_data_transfer_report_collect_f(report, transferred->queue, transferred, take_transfer);
    else
        take(transferred, NULL);
    nw_establishment_report_t establishment = await_report(established);
    bool hit = nwi_alloc_fault_hit();
    nwi_alloc_fail_at(0);
    await_calls(transferred, 1);
    if (!hit) {
        assert_non_null(establishment);
        assert_non_null(report);
        assert_int_equal(nw_data_transfer_report_get_path_count(report), 1);
    }
    if (report != NULL)
        assert_int_equal(nw_data_transfer_report_get_state(report),
                         nw_data_transfer_report_state_collected);
    nw_release(establishment);
    nw_release(forget(transferred));
    nw_release(report);
    finish(recorder);
    close(fd);
    return hit;
}

static void test_no_memory(void **state) {
    (void)state;
    unsigned n = 1;
    while (n < ROUNDS_MAX && report_with_fault(n))
        n++;
    assert_in_range(n, 5, ROUNDS_MAX - 1); /* some were reached */
}

/* The kernel does not tell: what we have counted is told, and the connection goes on. */
static void test_kernel_that_does_not_tell(void **state) {
    (void)state;
    int fd;
    char bytes[8];
    struct recorder *recorder = record_pair(AF_INET, &fd);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    struct told *told = tell();
    assert_no_error(await_tag(recorder, record_send_text(recorder, "hello")));
    assert_int_equal(peer_read(fd, bytes, 5), 5);
    settle(recorder);
    fake_sys_install();
    fake_sys_fail(FAKE_GETSOCKOPT, 1, 1, ENOPROTOOPT);
    nw_data_transfer_report_collect_f(report, told->queue, told, take_transfer);
    nw_release(await_report(told));
    fake_sys_remove();
    assert_int_equal(nw_data_transfer_report_get_path_count(report), 1);
    assert_int_equal(nw_data_transfer_report_get_sent_application_byte_count(report, 0), 5);
    assert_int_equal(nw_data_transfer_report_get_sent_transport_byte_count(report, 0), 5);
    assert_int_equal(nw_data_transfer_report_get_sent_ip_packet_count(report, 0), 0);
    nw_release(report);
    finish(recorder);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_kernel_that_does_not_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
