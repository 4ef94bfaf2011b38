/*
 * test_states.c - the states of a connection: waiting and its reasons, restart, what is told
 * before, at and after.
 * Runs:   loopback only.
 */
#include "support.h"
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Both addresses of localhost refuse: `waiting` comes at once, with the reason. */
static void test_refused(void **state) {
    (void)state;
    uint16_t port;
    char text[8];
    int fd = peer_bound(AF_INET6, SOCK_STREAM,
                        &port); /* held, so that nobody else gets the port; ::1 refuses */
    uint64_t begin = now_ns();
    struct recorder *recorder = record_to("localhost", port_text(port, text), false);
    const struct event *waiting = await_state(recorder, nw_connection_state_waiting);
    assert_error(waiting, nw_error_domain_posix, ECONNREFUSED);
    assert_true(waiting->at - begin < 5000000000u); /* no timeout was waited for */
    assert_int_equal(event_at(recorder, 0)->state, nw_connection_state_preparing);
    assert_no_error(event_at(recorder, 0));
    finish(recorder);
    close(fd);
}

static void test_refused_by_one_address(void **state) {
    (void)state;
    uint16_t port;
    int fd = peer_bound(AF_INET, SOCK_STREAM, &port);
    struct recorder *recorder = record_to_port(port, false);
    assert_error(await_state(recorder, nw_connection_state_waiting), nw_error_domain_posix,
                 ECONNREFUSED);
    finish(recorder);
    close(fd);
}

/* A connection that waits is quiet: nothing is told again for as long as nothing changes. */
static void test_waiting_is_quiet(void **state) {
    (void)state;
    uint16_t port;
    int fd = peer_bound(AF_INET, SOCK_STREAM, &port);
    struct recorder *recorder = record_to_port(port, false);
    await_state(recorder, nw_connection_state_waiting);
    poll(NULL, 0, 300); /* the subject of the test is that nothing happens in this time */
    assert_int_equal(event_count(recorder), 2);
    finish(recorder);
    close(fd);
}

static void test_no_such_name(void **state) {
    (void)state;
    struct recorder *recorder =
        record_to("no-such-name.invalid", "80", false); /* RFC 6761 section 6.4 */
    const struct event *waiting = await_state(recorder, nw_connection_state_waiting);
    assert_int_equal(waiting->domain, nw_error_domain_dns);
    /* A machine without any resolver says so instead. */
    assert_true(waiting->code == kDNSServiceErr_NoSuchRecord ||
                waiting->code == kDNSServiceErr_ServiceNotRunning ||
                waiting->code == kDNSServiceErr_Timeout);
    finish(recorder);
}

static void test_no_such_path(void **state) {
    (void)state;
    nw_endpoint_t endpoint = endpoint_at_path("/nonexistent/libnw-test/socket");
    nw_parameters_t parameters = tcp_parameters();
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_connection_start(recorder->connection);
    assert_error(await_state(recorder, nw_connection_state_waiting), nw_error_domain_posix, ENOENT);
    nw_release(endpoint);
    nw_release(parameters);
    finish(recorder);
}

/* No interface of the required type: the connection waits for one. */
static void test_no_fitting_interface(void **state) {
    (void)state;
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t parameters = tcp_parameters();
    nw_parameters_prohibit_interface_type(parameters, nw_interface_type_loopback);
    nw_parameters_set_required_interface_type(parameters, nw_interface_type_cellular);
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_connection_start(recorder->connection);
    assert_error(await_state(recorder, nw_connection_state_waiting), nw_error_domain_posix,
                 ENETDOWN);
    nw_release(endpoint);
    nw_release(parameters);
    finish(recorder);
}

/* The server came up meanwhile: restart goes preparing -> ready. In any other state it does
 * nothing. */
static void test_restart(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_bound(AF_INET, SOCK_STREAM, &port);
    struct recorder *recorder = record_to_port(port, false);
    await_state(recorder, nw_connection_state_waiting);
    assert_int_equal(listen(listening, 1), 0);
    nw_connection_restart(recorder->connection);
    await_state(recorder, nw_connection_state_ready);
    nw_connection_restart(recorder->connection);
    settle(recorder);
    assert_int_equal(event_count(recorder), 4);
    assert_int_equal(event_at(recorder, 2)->state, nw_connection_state_preparing);
    assert_int_equal(event_at(recorder, 3)->state, nw_connection_state_ready);
    assert_no_error(event_at(recorder, 3));
    finish(recorder);
    close(listening);
}

static void test_restart_refused_again(void **state) {
    (void)state;
    uint16_t port;
    int fd = peer_bound(AF_INET, SOCK_STREAM, &port);
    struct recorder *recorder = record_to_port(port, false);
    await_state(recorder, nw_connection_state_waiting);
    nw_connection_restart(recorder->connection);
    const struct event *again = await_count(recorder, 4);
    assert_int_equal(again->state, nw_connection_state_waiting);
    assert_error(again, nw_error_domain_posix, ECONNREFUSED);
    finish(recorder);
    close(fd);
}

static void test_started_twice(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_to_port(port, false);
    nw_connection_start(recorder->connection);
    await_state(recorder, nw_connection_state_ready);
    nw_connection_start(recorder->connection);
    settle(recorder);
    assert_int_equal(event_count(recorder), 2); /* preparing, ready */
    finish(recorder);
    close(listening);
}

/* Nobody else can undo a cancel. */
static void test_ends_are_ends(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_to_port(port, false);
    await_state(recorder, nw_connection_state_ready);
    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    nw_connection_restart(recorder->connection);
    nw_connection_start(recorder->connection);
    nw_connection_cancel(recorder->connection);
    nw_connection_force_cancel(recorder->connection);
    nw_connection_cancel_current_endpoint(recorder->connection);
    settle(recorder);
    assert_int_equal(event_count(recorder), 3);
    discard(recorder);
    close(listening);
}

static void test_no_queue(void **state) {
    (void)state;
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t parameters = tcp_parameters();
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_connection_start(connection); /* refused: nobody could be told */
    nw_path_t path = nw_connection_copy_current_path(connection);
    assert_null(path); /* still not started */
    nw_connection_cancel(connection);
    nw_release(connection);
    nw_release(endpoint);
    nw_release(parameters);
}

/* TLS within TLS is no stack that can be built: never something less in its place. */
static void test_unknown_stack_is_refused(void **state) {
    (void)state;
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t tls = nw_tls_create_options();
    nw_protocol_stack_prepend_application_protocol(stack, tls);
    nw_release(tls);
    nw_release(stack);
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    int send = record_send_text(recorder, "secret");
    int receive = record_receive(recorder, 1, 10);
    nw_connection_start(recorder->connection);
    assert_error(await_state(recorder, nw_connection_state_failed), nw_error_domain_posix, ENOTSUP);
    assert_error(await_tag(recorder, send), nw_error_domain_posix, ENOTSUP);
    assert_error(await_tag(recorder, receive), nw_error_domain_posix, ENOTSUP);
    assert_int_equal(count_states(recorder, nw_connection_state_ready), 0);
    nw_release(endpoint);
    nw_release(parameters);
    finish(recorder); /* failed -> cancelled */
}

/* --- what it tells about itself --- */

static bool see_interface(void *context, nw_interface_t interface) {
    if (nw_interface_get_type(interface) == nw_interface_type_loopback &&
        nw_interface_get_index(interface) == if_nametoindex(nw_interface_get_name(interface)))
        *(bool *)context = true;
    return true;
}

static void test_path(void **state) {
    (void)state;
    uint16_t port;
    char text[8];
    int listening = peer_listen(AF_INET, &port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("localhost", port_text(port, text));
    nw_parameters_t parameters = tcp_parameters();
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_release(parameters);
    assert_null(nw_connection_copy_current_path(recorder->connection)); /* before start */
    nw_connection_start(recorder->connection);
    await_state(recorder, nw_connection_state_ready);

    nw_endpoint_t given = nw_connection_copy_endpoint(recorder->connection);
    assert_string_equal(nw_endpoint_get_hostname(given),
                        "localhost"); /* not the address that won */
    nw_path_t path = nw_connection_copy_current_path(recorder->connection);
    assert_int_equal(nw_path_get_status(path), nw_path_status_satisfied);
    bool loopback = false;
    nw_path_enumerate_interfaces_f(path, &loopback, see_interface);
    assert_true(loopback);
    assert_true(nw_path_uses_interface_type(path, nw_interface_type_loopback));
    nw_endpoint_t remote = nw_path_copy_effective_remote_endpoint(path);
    nw_endpoint_t local = nw_path_copy_effective_local_endpoint(path);
    assert_int_equal(nw_endpoint_get_type(remote), nw_endpoint_type_address);
    assert_int_equal(nw_endpoint_get_port(remote), port);
    char *address = nw_endpoint_copy_address_string(local);
    assert_string_equal(address, "127.0.0.1");
    int fd = peer_accept(listening);
    struct sockaddr_in seen;
    socklen_t length = sizeof seen;
    assert_int_equal(getpeername(fd, (struct sockaddr *)&seen, &length), 0);
    assert_int_equal(nw_endpoint_get_port(local), ntohs(seen.sin_port));

    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    assert_null(nw_connection_copy_current_path(recorder->connection)); /* after cancel */
    free(address);
    nw_release(local);
    nw_release(remote);
    nw_release(path);
    nw_release(given);
    nw_release(endpoint);
    discard(recorder);
    close(fd);
    close(listening);
}

static void test_metadata(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_to_port(port, false);
    await_state(recorder, nw_connection_state_ready);
    nw_protocol_definition_t tcp = nw_protocol_copy_tcp_definition(),
                             udp = nw_protocol_copy_udp_definition();
    nw_protocol_metadata_t metadata =
        nw_connection_copy_protocol_metadata(recorder->connection, tcp);
    assert_non_null(metadata);
    assert_true(nw_protocol_metadata_is_tcp(metadata));
    assert_null(nw_connection_copy_protocol_metadata(recorder->connection, udp));
    assert_int_equal(nw_tcp_get_available_receive_buffer(metadata), 0);
    int fd = peer_accept(listening);
    peer_write(fd, "12345", 5);
    peer_drained(fd);
    assert_int_equal(nw_tcp_get_available_receive_buffer(metadata), 5);
    assert_int_equal(nw_tcp_get_available_send_buffer(metadata), 0); /* nothing is on its way */
    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    assert_null(nw_connection_copy_protocol_metadata(recorder->connection, tcp));
    nw_release(metadata);
    nw_release(tcp);
    nw_release(udp);
    discard(recorder);
    close(fd);
    close(listening);
}

static void check_description(struct recorder *recorder, const char *form, ...)
    __attribute__((format(printf, 2, 3)));

/* After the connection's number, which is as it comes. */
static void check_description(struct recorder *recorder, const char *form, ...) {
    char expected[256], *text = nw_connection_copy_description(recorder->connection);
    va_list values;
    va_start(values, form);
    vsnprintf(expected, sizeof expected, form, values);
    va_end(values);
    int skipped = 0;
    assert_int_equal(sscanf(text, "[C%*u %n", &skipped), 0);
    assert_true(skipped > 3);
    assert_string_equal(text + skipped, expected);
    free(text);
}

/* Endpoint, protocols, state; both ends and the interface while it stands. */
static void test_description(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_to_port(port, false);
    await_state(recorder, nw_connection_state_ready);
    int fd = peer_accept(listening);
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    assert_int_equal(getpeername(fd, (struct sockaddr *)&from, &length), 0);
    check_description(recorder, "127.0.0.1:%u tcp/ipv4, ready, 127.0.0.1:%u -> 127.0.0.1:%u by lo]",
                      port, ntohs(from.sin_port), port);
    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    check_description(recorder, "127.0.0.1:%u tcp/ipv4, cancelled]", port);
    discard(recorder);
    close(fd);
    close(listening);
    /* not started, and not resolved */
    nw_endpoint_t endpoint = nw_endpoint_create_host("host.invalid", "9");
    nw_parameters_t parameters = udp_parameters();
    recorder = record(nw_connection_create(endpoint, parameters));
    char *text = nw_connection_copy_description(recorder->connection);
    assert_non_null(strstr(text, " host.invalid:9 udp/ip, setup"));
    free(text);
    finish(recorder);
    nw_release(parameters);
    nw_release(endpoint);
}

static void test_parameters_are_copied(void **state) {
    (void)state;
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t parameters = tcp_parameters();
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_parameters_set_service_class(parameters,
                                    nw_service_class_background); /* too late for the connection */
    nw_parameters_t its = nw_connection_copy_parameters(connection);
    assert_int_equal(nw_parameters_get_service_class(its), nw_service_class_best_effort);
    nw_release(its);
    nw_release(connection);
    nw_release(parameters);
    nw_release(endpoint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_by_one_address),
        cmocka_unit_test(test_waiting_is_quiet),
        cmocka_unit_test(test_no_such_name),
        cmocka_unit_test(test_no_such_path),
        cmocka_unit_test(test_no_fitting_interface),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_restart_refused_again),
        cmocka_unit_test(test_started_twice),
        cmocka_unit_test(test_ends_are_ends),
        cmocka_unit_test(test_no_queue),
        cmocka_unit_test(test_unknown_stack_is_refused),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_parameters_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
