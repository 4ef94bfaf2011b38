/*
 * test_tls_cuts.c - a handshake that stops at each of its steps: cancelled there by the program, or
 * cut by the network, at either end.
 * What:   a relay between a client and a listener of ours lets so many octets through in each
 *         direction; then it waits for the cancel, or closes.
 * Runs:   loopback only; the relay on the test's thread.
 */
#include "secure.h"
#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

struct relay {
    int listening, client, server;
    uint16_t port;    /* for the client */
    size_t passed[2]; /* octets from the client, from the server */
};

static void relay_open(struct relay *relay, uint16_t server_port) {
    *relay = (struct relay){.client = -1};
    relay->listening = peer_listen(AF_INET, &relay->port);
    relay->server = peer_connect(server_port);
}

static void relay_accept(struct relay *relay) {
    relay->client = peer_accept(relay->listening);
}

static void relay_close(struct relay *relay) {
    close(relay->client);
    close(relay->server);
    close(relay->listening);
}

/* Passes on up to so many octets; false: `most` have been passed, or the end has come. */
static bool pass(int from, int to, size_t *passed, size_t most) {
    char bytes[64]; /* small steps: records come in pieces */
    size_t room = most - *passed < sizeof bytes ? most - *passed : sizeof bytes;
    ssize_t got = room > 0 ? read(from, bytes, room) : 0;
    if (got <= 0)
        return false;
    *passed += (size_t)got;
    peer_write(to, bytes, (size_t)got);
    return *passed < most;
}

/* Until `most` octets of the server's have been passed on, or nothing more comes. */
static void relay_run(struct relay *relay, size_t most) {
    enum { QUIET_MS = 2000 };
    bool open = most > 0;
    while (open) {
        struct pollfd both[2] = {{.fd = relay->client, .events = POLLIN},
                                 {.fd = relay->server, .events = POLLIN}};
        assert_true(poll(both, 2, QUIET_MS) > 0);
        if (both[0].revents != 0)
            open = pass(relay->client, relay->server, &relay->passed[0], SIZE_MAX);
        if (open && both[1].revents != 0)
            open = pass(relay->server, relay->client, &relay->passed[1], most);
    }
}

/* A server's flight has some 700 octets with one small certificate: none of these is all of it. */
enum { STEPS = 12, STEP = 50 };

static void each_step(void (*stop)(struct relay *relay, struct recorder *client)) {
    struct hearing *hearing = hear_secure(secure_server(NULL, NULL));
    for (int step = 0; step < STEPS; step++) {
        struct relay relay;
        relay_open(&relay, hearing_port(hearing));
        struct recorder *client = record_secure(relay.port);
        relay_accept(&relay);
        relay_run(&relay, (size_t)step * STEP);
        stop(&relay, client);
        struct recorder *server = hearing_await(hearing, step);
        await_state(server, nw_connection_state_failed);
        assert_int_equal(count_states(server, nw_connection_state_ready), 0);
    }
    hearing_finish(hearing);
}

static void cancel(struct relay *relay, struct recorder *client) {
    int send = record_send_text(client, "never");
    nw_connection_cancel(client->connection);
    await_state(client, nw_connection_state_cancelled);
    assert_error(await_tag(client, send), nw_error_domain_posix, ECANCELED);
    assert_int_equal(count_states(client, nw_connection_state_ready), 0);
    discard(client);
    relay_close(relay);
}

static void test_cancel_at_each_step(void **state) {
    (void)state;
    each_step(cancel);
}

/* Which of the three tells how far the ClientHello had come. */
static void cut(struct relay *relay, struct recorder *client) {
    relay_close(relay);
    const struct event *waiting = await_state(client, nw_connection_state_waiting);
    if (waiting->domain == nw_error_domain_tls)
        assert_int_equal(waiting->code, errSSLClosedNoNotify);
    else
        assert_true(waiting->code == ECONNRESET || waiting->code == EPIPE);
    assert_int_equal(count_states(client, nw_connection_state_ready), 0);
    finish(client);
}

static void test_cut_at_each_step(void **state) {
    (void)state;
    each_step(cut);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel_at_each_step),
        cmocka_unit_test(test_cut_at_each_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
