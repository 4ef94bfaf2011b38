/*
 * test_dtls.c - connections and listeners over DTLS as a program sees them: states, messages, ends,
 * and what a listener makes of strangers.
 * Runs:   loopback only; certificates are made on the spot.
 */
#include "secure.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct pair ready_pair(void) {
    return pair_with(datagram_server(NULL, NULL), datagram_client(NULL, NULL));
}

static void assert_message(const struct event *event, const char *text) {
    assert_no_error(event);
    assert_int_equal(event->size, strlen(text));
    assert_memory_equal(event->bytes, text, strlen(text));
    assert_true(event->complete); /* a message */
    assert_true(event->has_context);
    assert_false(event->final);
}

/* Messages keep their boundaries, both ways. */
static void exchange(struct pair *pair) {
    record_send_text(pair->client, "one");
    record_send_text(pair->client, "another");
    assert_message(receive_now(pair->server, 1, 100), "one");
    assert_message(await_tag(pair->server, record_receive_message(pair->server)), "another");
    record_send_text(pair->server, "and back");
    assert_message(receive_now(pair->client, 1, 100), "and back");
}

static void test_certificates(void **state) {
    (void)state;
    struct pair pair = ready_pair();
    assert_int_equal(event_at(pair.client, 0)->state, nw_connection_state_preparing);
    assert_int_equal(event_at(pair.client, 1)->state, nw_connection_state_ready);
    assert_int_equal(event_at(pair.server, 0)->state, nw_connection_state_preparing);
    assert_int_equal(event_at(pair.server, 1)->state, nw_connection_state_ready);
    exchange(&pair);
    end_pair(&pair);
}

static void test_keys(void **state) {
    (void)state;
    struct pair pair = pair_with(datagram_plain(add_key, NULL), datagram_plain(add_key, NULL));
    exchange(&pair);
    end_pair(&pair);
}

static void offer(void *context, sec_protocol_options_t options) {
    sec_protocol_options_add_tls_application_protocol(options, context);
}

static void test_metadata(void **state) {
    (void)state;
    struct pair pair = pair_with(datagram_server(offer, "coap"), datagram_client(offer, "coap"));
    for (int end = 0; end < 2; end++) {
        struct recorder *recorder = end == 0 ? pair.client : pair.server;
        sec_protocol_metadata_t sec = secured_by(recorder->connection);
        assert_int_equal(sec_protocol_metadata_get_negotiated_tls_protocol_version(sec),
                         tls_protocol_version_DTLSv12);
        assert_string_equal(sec_protocol_metadata_get_negotiated_protocol(sec), "coap");
        sec_release(sec);
    }
    end_pair(&pair);
}

/* What was asked for before it was ready is done after the handshake. */
static void test_before_ready(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(datagram_server(NULL, NULL));
    char text[8];
    nw_endpoint_t endpoint =
        nw_endpoint_create_host("127.0.0.1", port_text(hearing_port(hearing), text));
    nw_parameters_t parameters = datagram_client(NULL, NULL);
    struct recorder *client = record(nw_connection_create(endpoint, parameters));
    int sent = record_send_text(client, "early"), receive = record_receive_message(client);
    nw_connection_start(client->connection);
    struct recorder *server = hearing_await(hearing, 0);
    assert_message(await_tag(server, record_receive_message(server)), "early");
    record_send_text(server, "late");
    assert_message(await_tag(client, receive), "late");
    assert_true(await_tag(client, sent)->index >
                await_state(client, nw_connection_state_ready)->index);
    nw_release(endpoint);
    nw_release(parameters);
    finish(client);
    hearing_finish(hearing);
}

/* The program is told what fits, and that is what fits. */
static void test_sizes(void **state) {
    (void)state;
    static char bytes[65536];
    struct pair pair = ready_pair();
    struct recorder *plain = record_to_port(hearing_port(pair.hearing), true);
    await_state(plain, nw_connection_state_ready);
    uint32_t most = nw_connection_get_maximum_datagram_size(pair.server->connection);
    uint32_t bare = nw_connection_get_maximum_datagram_size(plain->connection);
    assert_in_range(bare, 1200, 65535);
    assert_in_range(most, 1000, 1260); /* of a peer the listener's socket knows no path */
    assert_true(nw_connection_get_maximum_datagram_size(pair.client->connection) < bare);
    assert_no_error(
        await_tag(pair.server, record_send(pair.server, bytes, most,
                                           NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true)));
    assert_int_equal(receive_now(pair.client, 1, 65536)->size, most);
    int large = record_send(pair.client, bytes, 17000, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    assert_error(await_tag(pair.client, large), nw_error_domain_posix, EMSGSIZE);
    exchange(&pair);
    finish(plain);
    end_pair(&pair);
}

/* The end of one side is told to the other, which plain UDP cannot. */
static void test_end(void **state) {
    (void)state;
    struct pair pair = ready_pair();
    record_send_text(pair.client, "last");
    record_send(pair.client, NULL, 0, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true);
    assert_message(receive_now(pair.server, 1, 100), "last");
    const struct event *end = receive_now(pair.server, 1, 100);
    assert_no_error(end);
    assert_true(end->final && end->complete);
    assert_false(end->has_content);
    assert_error(receive_now(pair.server, 1, 100), nw_error_domain_posix, ENODATA);
    record_send_text(pair.server, "on");
    assert_message(receive_now(pair.client, 1, 100), "on");
    end_pair(&pair);
}

static void test_cancel_is_an_end(void **state) {
    (void)state;
    struct pair pair = ready_pair();
    int receive = record_receive_message(pair.server);
    finish(pair.client);
    assert_true(await_tag(pair.server, receive)->final);
    hearing_finish(pair.hearing);
}

/* --- what does not become ready --- */

static void test_unknown_ca(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(datagram_server(NULL, NULL));
    struct recorder *client = record_secure_with(hearing_port(hearing), datagram_plain(NULL, NULL));
    const struct event *waiting = await_state(client, nw_connection_state_waiting);
    assert_int_equal(waiting->domain, nw_error_domain_tls);
    assert_int_equal(count_states(client, nw_connection_state_ready), 0);
    const struct event *failed = await_state(hearing_await(hearing, 0), nw_connection_state_failed);
    assert_int_equal(failed->domain, nw_error_domain_tls);
    finish(client);
    hearing_finish(hearing);
}

/* A peer that does not answer: a plain socket, which sees the hello and says nothing to the point.
 */
static void test_silence(void **state) {
    (void)state;
    uint16_t port;
    char bytes[2048];
    int fd = peer_udp(&port);
    struct recorder *client = record_secure_with(port, datagram_client(NULL, NULL));
    struct sockaddr_storage from;
    socklen_t length = sizeof from;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    for (int hellos = 0; hellos < 2; hellos++) { /* it is sent again */
        assert_int_equal(poll(&readable, 1, WAIT_SECONDS * 1000), 1);
        ssize_t size = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length);
        assert_true(size > 60 && bytes[0] == 22 && bytes[13] == 1);
        bytes[0] = 77; /* no record of DTLS */
        assert_int_equal(sendto(fd, bytes, (size_t)size, 0, (struct sockaddr *)&from, length),
                         size);
    }
    assert_int_equal(event_count(client), 1); /* preparing */
    finish(client);
    close(fd);
}

static void test_refused(void **state) {
    (void)state;
    uint16_t port;
    close(peer_udp(&port));
    struct recorder *client = record_secure_with(port, datagram_client(NULL, NULL));
    assert_error(await_state(client, nw_connection_state_waiting), nw_error_domain_posix,
                 ECONNREFUSED);
    finish(client);
}

/* --- the listener --- */

static void test_many(void **state) {
    (void)state;
    enum { MANY = 30 };
    struct hearing *hearing = hear_secure(datagram_server(NULL, NULL));
    struct recorder *clients[MANY];
    for (int i = 0; i < MANY; i++)
        clients[i] = record_secure_with(hearing_port(hearing), datagram_client(NULL, NULL));
    for (int i = 0; i < MANY; i++) {
        char text[16];
        snprintf(text, sizeof text, "client %02d", i);
        await_state(clients[i], nw_connection_state_ready);
        record_send_text(clients[i], text);
    }
    for (int i = 0; i < MANY; i++) {
        struct recorder *server = hearing_await(hearing, i);
        const struct event *got = receive_now(server, 1, 100);
        record_send(server, got->bytes, got->size, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    }
    for (int i = 0; i < MANY; i++) {
        char text[16];
        snprintf(text, sizeof text, "client %02d", i);
        assert_message(receive_now(clients[i], 1, 100), text);
    }
    for (int i = 0; i < MANY; i++)
        finish(clients[i]);
    hearing_finish(hearing);
}

/* Who does not bring his cookie back is no connection, whatever he sends. */
static void test_strangers(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(datagram_server(NULL, NULL));
    uint16_t port;
    char hello[2048], answer[2048];
    int catcher = peer_udp(&port), strangers = 0;
    struct recorder *client = record_secure_with(port, datagram_client(NULL, NULL));
    struct pollfd readable = {.fd = catcher, .events = POLLIN};
    assert_int_equal(poll(&readable, 1, WAIT_SECONDS * 1000), 1);
    ssize_t size = recv(catcher, hello, sizeof hello, 0);
    assert_true(size > 0);
    finish(client);
    for (; strangers < 20; strangers++) {
        uint16_t unused;
        int fd = peer_udp(&unused);
        struct pollfd answered = {.fd = fd, .events = POLLIN};
        peer_send_to(fd, hearing_port(hearing), "who is there", 12);
        peer_send_to(fd, hearing_port(hearing), hello, (size_t)size);
        assert_int_equal(poll(&answered, 1, WAIT_SECONDS * 1000), 1);
        ssize_t length = recv(fd, answer, sizeof answer, 0);
        assert_true(length > 0 && length < size);
        assert_int_equal(answer[13], 3); /* HelloVerifyRequest */
        close(fd);
    }
    assert_int_equal(hearing->arrived, 0);
    client = record_secure_with(hearing_port(hearing), datagram_client(NULL, NULL));
    await_state(client, nw_connection_state_ready);
    assert_int_equal(hearing->arrived, 1);
    close(catcher);
    finish(client);
    hearing_finish(hearing);
}

/* A client that begins anew from the same port, as after a restart, is a new connection; the old
 * one ends with it, and only then. */
static void test_restart(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(datagram_server(NULL, NULL));
    struct recorder *clients[2];
    nw_endpoint_t local = NULL;
    for (int i = 0; i < 2; i++) {
        nw_parameters_t parameters = datagram_client(NULL, NULL);
        nw_parameters_set_reuse_local_address(parameters, true);
        if (local != NULL)
            nw_parameters_set_local_endpoint(parameters, local);
        clients[i] = record_secure_with(hearing_port(hearing), parameters);
        await_state(clients[i], nw_connection_state_ready);
        struct recorder *server = hearing_await(hearing, i);
        await_state(server, nw_connection_state_ready);
        record_send_text(clients[i], "here");
        assert_message(receive_now(server, 1, 100), "here");
        if (i > 0)
            break;
        nw_path_t path = nw_connection_copy_current_path(clients[0]->connection);
        local = nw_path_copy_effective_local_endpoint(path);
        assert_non_null(local);
        nw_release(path);
        nw_connection_force_cancel(clients[0]->connection); /* without a word */
        await_state(clients[0], nw_connection_state_cancelled);
        assert_int_equal(count_states(server, nw_connection_state_failed), 0);
    }
    assert_error(await_state(hearing_await(hearing, 0), nw_connection_state_failed),
                 nw_error_domain_posix, ECONNRESET);
    assert_int_equal(count_states(hearing_await(hearing, 1), nw_connection_state_failed), 0);
    nw_release(local);
    discard(clients[0]);
    finish(clients[1]);
    hearing_finish(hearing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_before_ready),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_cancel_is_an_end),
        cmocka_unit_test(test_unknown_ca),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
