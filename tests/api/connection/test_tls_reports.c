/*
 * test_tls_reports.c - what is told of a connection over TLS: its handshake apart from TCP's, and
 * content apart from what goes over the wire; and a handshake that begins with TCP's.
 * Runs:   loopback only; fast open in a network namespace of its own.
 */
#include "reports.h"
#include "secure.h"
#include <Network/establishment_timeline.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static void take_establishment(void *context, nw_establishment_report_t report) {
    take(context, report);
}

struct handshakes {
    int count;
    bool is_tcp[4], is_tls[4];
    uint64_t milliseconds;
};

static bool add_handshake(void *context, nw_protocol_definition_t protocol, uint64_t milliseconds,
                          uint64_t rtt) {
    struct handshakes *seen = context;
    nw_protocol_definition_t tcp = nw_protocol_copy_tcp_definition();
    nw_protocol_definition_t tls = nw_protocol_copy_tls_definition();
    (void)rtt;
    assert_true(seen->count < 4);
    seen->is_tcp[seen->count] = nw_protocol_definition_is_equal(protocol, tcp);
    seen->is_tls[seen->count++] = nw_protocol_definition_is_equal(protocol, tls);
    seen->milliseconds += milliseconds;
    nw_release(tcp);
    nw_release(tls);
    return true;
}

static void test_establishment(void **state) {
    (void)state;
    struct tls_peer *peer;
    struct recorder *recorder = record_tls_pair(&peer);
    struct told *told = tell();
    nw_connection_access_establishment_report_f(recorder->connection, told->queue, told,
                                                take_establishment);
    nw_establishment_report_t report = await_report(told);
    assert_non_null(report);
    struct handshakes seen = {0};
    nw_establishment_report_enumerate_protocols_f(report, &seen, add_handshake);
    assert_int_equal(seen.count, 2);
    assert_true(seen.is_tcp[0] && seen.is_tls[1]);
    assert_true(seen.milliseconds <= nw_establishment_report_get_duration_milliseconds(report));
    nw_release(report);
    finish(recorder);
    tls_peer_free(peer);
}

static bool add_word(void *context, uint64_t nanoseconds, const char *name, const char *event,
                     nw_endpoint_t endpoint, nw_error_t error) {
    char *words = context;
    (void)nanoseconds, (void)name, (void)endpoint, (void)error;
    strcat(strcat(words, event), " ");
    return true;
}

static void test_timeline(void **state) {
    (void)state;
    struct tls_peer *peer;
    struct recorder *recorder = record_tls_pair(&peer);
    char words[256] = "";
    nw_establishment_timeline_t timeline =
        nw_connection_copy_establishment_timeline(recorder->connection);
    nw_establishment_timeline_enumerate_f(timeline, words, add_word);
    assert_string_equal(words, "start attempt-start handshake-start ready ");
    nw_release(timeline);
    finish(recorder);
    tls_peer_free(peer);
}

static void take_transfer(void *context, nw_data_transfer_report_t report) {
    take(context, report);
}

/* The program's octets are counted as it gave and got them; below there are more. */
static void test_transfer(void **state) {
    (void)state;
    struct tls_peer *peer;
    char text[16];
    struct recorder *recorder = record_tls_pair(&peer);
    nw_data_transfer_report_t report =
        nw_connection_create_new_data_transfer_report(recorder->connection);
    settle(recorder);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "eleven octs")));
    tls_peer_read(peer, text, 11);
    tls_peer_write(peer, "seven o");
    assert_int_equal(receive_now(recorder, 7, 100)->size, 7);
    struct told *told = tell();
    nw_data_transfer_report_collect_f(report, told->queue, told, take_transfer);
    nw_release(await_report(told));
    uint64_t sent = nw_data_transfer_report_get_sent_application_byte_count(report, NW_ALL_PATHS);
    uint64_t got =
        nw_data_transfer_report_get_received_application_byte_count(report, NW_ALL_PATHS);
    assert_int_equal(sent, 11);
    assert_int_equal(got, 7);
    assert_true(nw_data_transfer_report_get_sent_transport_byte_count(report, NW_ALL_PATHS) >
                sent + 16);
    assert_true(nw_data_transfer_report_get_received_transport_byte_count(report, NW_ALL_PATHS) >
                got + 16);
    nw_release(report);
    finish(recorder);
    tls_peer_free(peer);
}

/* --- fast open: in the child, which is alone in its network --- */

static unsigned long count_of(const char *name) {
    char names[8192], values[8192];
    FILE *file = fopen("/proc/net/netstat", "re");
    unsigned long count = 0;
    assert_non_null(file);
    while (fgets(names, sizeof names, file) != NULL && fgets(values, sizeof values, file) != NULL) {
        char *next_name, *next_value;
        char *n = strtok_r(names, " \n", &next_name), *v = strtok_r(values, " \n", &next_value);
        for (; n != NULL && v != NULL;
             n = strtok_r(NULL, " \n", &next_name), v = strtok_r(NULL, " \n", &next_value))
            if (strcmp(n, name) == 0)
                count = strtoul(v, NULL, 10);
    }
    fclose(file);
    return count;
}

static void early_tcp(void *context, nw_protocol_options_t options) {
    (void)context;
    nw_tcp_options_set_enable_fast_open(options, true);
}

static nw_parameters_t fast(nw_parameters_t parameters) {
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t transport = nw_protocol_stack_copy_transport_protocol(stack);
    early_tcp(NULL, transport);
    nw_release(transport);
    nw_release(stack);
    return parameters;
}

/* The first connection brings a cookie; the ClientHello of the next is in the SYN. */
static void test_fast_open(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(fast(secure_server(NULL, NULL)));
    for (int i = 0; i < 3; i++) {
        struct recorder *client =
            record_secure_with(hearing_port(hearing), fast(secure_client(NULL, NULL)));
        await_state(client, nw_connection_state_ready);
        struct recorder *server = hearing_await(hearing, i);
        record_send_text(client, "hello");
        assert_string_equal(receive_now(server, 5, 5)->bytes, "hello");
        assert_int_equal(count_of("TCPFastOpenActive"), i);
        assert_int_equal(count_of("TCPFastOpenPassive"), i);
        finish(client);
    }
    hearing_finish(hearing);
}

/* The server has gone since it gave its cookie: its refusal answers the ClientHello. */
static void test_fast_open_refused(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(fast(secure_server(NULL, NULL)));
    uint16_t port = hearing_port(hearing);
    struct recorder *client = record_secure_with(port, fast(secure_client(NULL, NULL)));
    await_state(client, nw_connection_state_ready);
    hearing_await(hearing, 0);
    finish(client);
    hearing_finish(hearing);
    client = record_secure_with(port, fast(secure_client(NULL, NULL)));
    assert_error(await_state(client, nw_connection_state_waiting), nw_error_domain_posix,
                 ECONNREFUSED);
    finish(client);
}

static bool make_network(void) {
    return system("ip link set lo up && sysctl -qw net.ipv4.tcp_fastopen=3") == 0;
}

static void test_alone(void **state) {
    (void)state;
    int status = run_self("network", CLONE_NEWNET);
    if (status == CANNOT)
        skip(); /* no namespaces here */
    assert_int_equal(status, 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest network[] = {
        cmocka_unit_test(test_fast_open),
        cmocka_unit_test(test_fast_open_refused),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_establishment),
        cmocka_unit_test(test_timeline),
        cmocka_unit_test(test_transfer),
        cmocka_unit_test(test_alone),
    };
    if (argc > 1 && strcmp(argv[1], "network") == 0)
        return !make_network() ? CANNOT
                               : cmocka_run_group_tests_name("network", network, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
