/*
 * test_tls.c - connections and listeners over TLS as a program sees them: states, content, both
 * ends of a stream, what is told of the handshake.
 * Runs:   loopback only; certificates are made on the spot.
 */
#include "secure.h"
#include <stdio.h>
#include <unistd.h>

struct pair {
    struct hearing *hearing;
    struct recorder *client, *server;
};

/* A ready pair of connections, both ours, over a pre-shared key. */
static struct pair psk_pair(void) {
    struct pair pair = {.hearing = hear_secure(secure_plain(add_key, NULL))};
    pair.client = record_secure_with(hearing_port(pair.hearing), secure_plain(add_key, NULL));
    await_state(pair.client, nw_connection_state_ready);
    pair.server = hearing_await(pair.hearing, 0);
    await_state(pair.server, nw_connection_state_ready);
    return pair;
}

static void end_pair(struct pair *pair) {
    finish(pair->client);
    hearing_finish(pair->hearing);
}

static void test_keys(void **state) {
    (void)state;
    struct pair pair = psk_pair();
    assert_int_equal(event_at(pair.client, 0)->state, nw_connection_state_preparing);
    assert_int_equal(event_at(pair.server, 0)->state, nw_connection_state_preparing);
    record_send_text(pair.client, "to the server");
    const struct event *got = receive_now(pair.server, 1, 100);
    assert_string_equal(got->bytes, "to the server");
    assert_true(got->final);
    assert_false(got->complete);
    record_send_text(pair.server, "and back");
    assert_string_equal(receive_now(pair.client, 1, 100)->bytes, "and back");
    end_pair(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
