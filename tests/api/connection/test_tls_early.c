/*
 * test_tls_early.c - sessions that are resumed, and idempotent content that goes with the
 * ClientHello: taken, refused, more than fits, never twice.
 * Source: RFC 8446 sections 2.3 and 4.2.10.
 * Runs:   loopback only.
 */
#include "secure.h"
#include <stdio.h>

static nw_parameters_t fast(nw_parameters_t parameters) {
    nw_parameters_set_fast_open_enabled(parameters, true);
    return parameters;
}

/* A connection that is used long enough to get a ticket. */
static void get_ticket(struct hearing *hearing, int index) {
    struct recorder *client = record_secure(hearing_port(hearing));
    struct recorder *server = hearing_await(hearing, index);
    record_send_text(server, "hello");
    assert_string_equal(receive_now(client, 5, 5)->bytes, "hello");
    finish(client);
}

static struct recorder *send_early(struct hearing *hearing, const void *bytes, size_t size) {
    struct recorder *client =
        record_secure_with(hearing_port(hearing), fast(secure_client(NULL, NULL)));
    dispatch_data_t content = dispatch_data_create_f(bytes, size, NULL, NULL, NULL);
    nw_connection_send_f(client->connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                         NULL, NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F);
    dispatch_release(content);
    return client;
}

static bool went_early(struct recorder *recorder) {
    sec_protocol_metadata_t sec = secured_by(recorder->connection);
    bool early = sec_protocol_metadata_get_early_data_accepted(sec);
    sec_release(sec);
    return early;
}

static void test_early_content(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(fast(secure_server(NULL, NULL)));
    get_ticket(hearing, 0);
    struct recorder *client = send_early(hearing, "early", 5);
    await_state(client, nw_connection_state_ready);
    struct recorder *server = hearing_await(hearing, 1);
    record_send_text(client, " and late");
    assert_string_equal(receive_now(server, 14, 14)->bytes, "early and late");
    assert_true(went_early(client));
    assert_true(went_early(server));
    record_send_text(server, "back");
    assert_string_equal(receive_now(client, 4, 4)->bytes, "back");
    finish(client);
    hearing_finish(hearing);
}

/* The first connection has no ticket: the content goes after the handshake, once. */
static void test_without_a_ticket(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(fast(secure_server(NULL, NULL)));
    struct recorder *client = send_early(hearing, "first", 5);
    await_state(client, nw_connection_state_ready);
    struct recorder *server = hearing_await(hearing, 0);
    record_send_text(client, " second");
    assert_string_equal(receive_now(server, 12, 12)->bytes, "first second");
    assert_false(went_early(client));
    finish(client);
    hearing_finish(hearing);
}

/* More than may go early: the rest follows where it belongs. */
static void test_much_early_content(void **state) {
    (void)state;
    enum { MUCH = 100000 };
    static char bytes[MUCH];
    struct hearing *hearing = hear_secure(fast(secure_server(NULL, NULL)));
    get_ticket(hearing, 0);
    fill_pattern(bytes, MUCH, 0);
    struct recorder *client = send_early(hearing, bytes, MUCH);
    record_send(client, NULL, 0, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true);
    struct recorder *server = hearing_await(hearing, 1);
    const struct event *last;
    assert_int_equal(receive_pattern(server, 4096, &last), MUCH);
    assert_true(last->complete && last->final);
    assert_true(went_early(client));
    finish(client);
    hearing_finish(hearing);
}

/* A server of the same name that takes nothing early: refused, and sent again after the handshake.
 */
static void test_refused_early_content(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(fast(secure_server(NULL, NULL)));
    get_ticket(hearing, 0);
    char port[8];
    nw_endpoint_t local =
        nw_endpoint_create_host("127.0.0.1", port_text(hearing_port(hearing), port));
    hearing_finish(hearing);
    nw_parameters_t parameters = secure_server(NULL, NULL); /* other ticket keys, nothing early */
    nw_parameters_set_local_endpoint(parameters, local);
    nw_parameters_set_reuse_local_address(parameters, true);
    hearing = hear(nw_listener_create(parameters));
    nw_release(local);
    nw_release(parameters);
    hearing->keep = true;
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_ready);
    struct recorder *client = send_early(hearing, "again", 5);
    await_state(client, nw_connection_state_ready);
    struct recorder *server = hearing_await(hearing, 0);
    record_send_text(client, ", once");
    assert_string_equal(receive_now(server, 11, 11)->bytes, "again, once");
    assert_false(went_early(client));
    finish(client);
    hearing_finish(hearing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_ticket),
        cmocka_unit_test(test_early_content),
        cmocka_unit_test(test_much_early_content),
        cmocka_unit_test(test_refused_early_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
