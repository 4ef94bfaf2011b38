/*
 * test_tls.c - connections and listeners over TLS as a program sees them: states, content, what is
 * told of the handshake, how it fails; how streams end is in test_tls_ends.c.
 * Runs:   loopback only; certificates are made on the spot.
 */
#include "secure.h"
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct pair ready_pair(void) {
    return pair_with(secure_server(NULL, NULL), secure_client(NULL, NULL));
}

static void exchange(struct pair *pair) {
    record_send_text(pair->client, "to the server");
    const struct event *got = receive_now(pair->server, 1, 100);
    assert_string_equal(got->bytes, "to the server");
    assert_true(got->final);
    assert_false(got->complete);
    record_send_text(pair->server, "and back");
    assert_string_equal(receive_now(pair->client, 1, 100)->bytes, "and back");
}

/* --- ready --- */

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
    struct pair pair = pair_with(secure_plain(add_key, NULL), secure_plain(add_key, NULL));
    exchange(&pair);
    end_pair(&pair);
}

/* What was asked to be sent and received before it was ready goes after the handshake, in order. */
static void test_before_ready(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(secure_server(NULL, NULL));
    char text[8];
    nw_endpoint_t endpoint =
        nw_endpoint_create_host("127.0.0.1", port_text(hearing_port(hearing), text));
    nw_parameters_t parameters = secure_client(NULL, NULL);
    struct recorder *client = record(nw_connection_create(endpoint, parameters));
    int sends[3] = {record_send_text(client, "one "), record_send_text(client, "two "),
                    record_send_text(client, "three")};
    int receive = record_receive(client, 5, 5);
    nw_connection_start(client->connection);
    struct recorder *server = hearing_await(hearing, 0);
    assert_string_equal(receive_now(server, 13, 13)->bytes, "one two three");
    record_send_text(server, "there");
    assert_string_equal(await_tag(client, receive)->bytes, "there");
    int ready = await_state(client, nw_connection_state_ready)->index;
    for (int i = 0; i < 3; i++) {
        assert_no_error(await_tag(client, sends[i]));
        assert_true(await_tag(client, sends[i])->index > ready);
    }
    nw_release(endpoint);
    nw_release(parameters);
    finish(client);
    hearing_finish(hearing);
}

enum { MUCH = 1 << 20, BY = 30000 };

static void send_pattern(struct recorder *recorder) {
    static char bytes[MUCH];
    fill_pattern(bytes, sizeof bytes, 0);
    for (size_t at = 0; at < sizeof bytes; at += BY)
        record_send(recorder, bytes + at, sizeof bytes - at < BY ? sizeof bytes - at : BY,
                    NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    record_send(recorder, NULL, 0, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true);
}

/* Both directions at once, each ended by its sender, to the last octet. */
static void test_much(void **state) {
    (void)state;
    struct pair pair = ready_pair();
    const struct event *last;
    send_pattern(pair.client);
    send_pattern(pair.server);
    assert_int_equal(receive_pattern(pair.server, 100000, &last), MUCH);
    assert_true(last->complete && last->final);
    assert_no_error(last);
    assert_int_equal(receive_pattern(pair.client, 7777, &last), MUCH);
    assert_true(last->complete && last->final);
    end_pair(&pair);
}

static void test_many(void **state) {
    (void)state;
    enum { MANY = 40 };
    struct hearing *hearing = hear_secure(secure_server(NULL, NULL));
    struct recorder *clients[MANY];
    for (int i = 0; i < MANY; i++)
        clients[i] = record_secure(hearing_port(hearing));
    for (int i = 0; i < MANY; i++) {
        char text[16];
        snprintf(text, sizeof text, "client %02d", i);
        record_send_text(clients[i], text);
    }
    int seen[MANY] = {0};
    for (int i = 0; i < MANY; i++) {
        struct recorder *server = hearing_await(hearing, i);
        const struct event *got = receive_now(server, 9, 9);
        seen[atoi(got->bytes + 7)]++;
        record_send(server, got->bytes, got->size, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(seen[i], 1);
        assert_int_equal(atoi(receive_now(clients[i], 9, 9)->bytes + 7), i);
    }
    for (int i = 0; i < MANY; i++)
        finish(clients[i]);
    hearing_finish(hearing);
}

/* --- what is told --- */

static void count_one(void *context, sec_certificate_t certificate) {
    assert_non_null(certificate);
    ++*(int *)context;
}

static void offer(void *context, sec_protocol_options_t options) {
    for (const char *const *name = context; *name != NULL; name++)
        sec_protocol_options_add_tls_application_protocol(options, *name);
}

static void test_metadata(void **state) {
    (void)state;
    const char *server_takes[] = {"http/1.1", NULL}, *client_offers[] = {"h2", "http/1.1", NULL};
    struct pair pair =
        pair_with(secure_server(offer, server_takes), secure_client(offer, client_offers));
    struct recorder *ends[] = {pair.client, pair.server};
    for (int i = 0; i < 2; i++) {
        sec_protocol_metadata_t sec = secured_by(ends[i]->connection);
        assert_int_equal(sec_protocol_metadata_get_negotiated_tls_protocol_version(sec),
                         tls_protocol_version_TLSv13);
        assert_string_equal(sec_protocol_metadata_get_negotiated_protocol(sec), "http/1.1");
        assert_int_not_equal(sec_protocol_metadata_get_negotiated_tls_ciphersuite(sec), 0);
        if (i == 1) /* an address is not sent as a name */
            assert_null(sec_protocol_metadata_get_server_name(sec));
        int certificates = 0;
        sec_protocol_metadata_access_peer_certificate_chain_f(sec, &certificates, count_one);
        assert_int_equal(certificates > 0, i == 0);
        sec_release(sec);
    }
    sec_protocol_metadata_t one = secured_by(pair.client->connection),
                            two = secured_by(pair.server->connection);
    dispatch_data_t here = sec_protocol_metadata_create_secret(one, 5, "label", 32);
    dispatch_data_t there = sec_protocol_metadata_create_secret(two, 5, "label", 32);
    const void *bytes[2];
    size_t size;
    dispatch_data_t maps[2] = {dispatch_data_create_map(here, &bytes[0], &size),
                               dispatch_data_create_map(there, &bytes[1], &size)};
    assert_int_equal(size, 32);
    assert_memory_equal(bytes[0], bytes[1], 32);
    dispatch_release(maps[0]);
    dispatch_release(maps[1]);
    dispatch_release(here);
    dispatch_release(there);
    sec_release(one);
    sec_release(two);
    end_pair(&pair);
}

/* What a received context brings: TLS's metadata, and still after the connection's end. */
struct arrived {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool here;
    nw_protocol_metadata_t tls; /* owned */
};

static void take_context(void *context, dispatch_data_t content, nw_content_context_t received,
                         bool complete, nw_error_t error) {
    struct arrived *arrived = context;
    nw_protocol_definition_t tls = nw_protocol_copy_tls_definition();
    (void)content, (void)complete, (void)error;
    pthread_mutex_lock(&arrived->lock);
    arrived->tls =
        received != NULL ? nw_content_context_copy_protocol_metadata(received, tls) : NULL;
    arrived->here = true;
    pthread_cond_signal(&arrived->changed);
    pthread_mutex_unlock(&arrived->lock);
    nw_release(tls);
}

static void test_received_metadata(void **state) {
    (void)state;
    struct pair pair = ready_pair();
    struct arrived arrived = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, NULL};
    nw_connection_receive_f(pair.client->connection, 1, 10, &arrived, take_context);
    record_send_text(pair.server, "x");
    pthread_mutex_lock(&arrived.lock);
    while (!arrived.here)
        pthread_cond_wait(&arrived.changed, &arrived.lock);
    pthread_mutex_unlock(&arrived.lock);
    end_pair(&pair);
    assert_true(nw_protocol_metadata_is_tls(arrived.tls));
    sec_protocol_metadata_t sec = nw_tls_copy_sec_protocol_metadata(arrived.tls);
    assert_int_equal(sec_protocol_metadata_get_negotiated_tls_protocol_version(sec),
                     tls_protocol_version_TLSv13);
    sec_release(sec);
    nw_release(arrived.tls);
}

static void test_description(void **state) {
    (void)state;
    struct pair pair = ready_pair();
    char *text = nw_connection_copy_description(pair.client->connection);
    assert_non_null(strstr(text, " tls/tcp/ipv4, ready"));
    free(text);
    end_pair(&pair);
    nw_parameters_t parameters = secure_client(NULL, NULL);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_protocol_definition_t tls = nw_protocol_copy_tls_definition();
    assert_null(nw_connection_copy_protocol_metadata(connection, tls));
    nw_release(tls);
    nw_release(connection);
    nw_release(endpoint);
    nw_release(parameters);
}

/* --- handshakes that fail --- */

static void name_it(void *context, sec_protocol_options_t options) {
    sec_protocol_options_set_tls_server_name(options, context);
}

static struct recorder *refuse(struct hearing **ret_hearing, nw_parameters_t client, int code) {
    *ret_hearing = hear_secure(secure_server(NULL, NULL));
    struct recorder *recorder = record_secure_with(hearing_port(*ret_hearing), client);
    assert_error(await_state(recorder, nw_connection_state_waiting), nw_error_domain_tls, code);
    return recorder;
}

static void test_wrong_name(void **state) {
    (void)state;
    struct hearing *hearing;
    struct recorder *recorder =
        refuse(&hearing, secure_client(name_it, "other.example"), errSSLHostNameMismatch);
    assert_int_equal(await_state(hearing_await(hearing, 0), nw_connection_state_failed)->domain,
                     nw_error_domain_tls);
    finish(recorder);
    hearing_finish(hearing);
}

/* The name that is set is checked in place of the endpoint's, and sent. */
static void test_name_that_is_set(void **state) {
    (void)state;
    struct pair pair = pair_with(secure_server(NULL, NULL), secure_client(name_it, "localhost"));
    sec_protocol_metadata_t sec = secured_by(pair.server->connection);
    assert_string_equal(sec_protocol_metadata_get_server_name(sec), "localhost");
    sec_release(sec);
    end_pair(&pair);
}

/* An address with a zone: the zone is ours, the certificate has the address. */
static void test_address_with_a_zone(void **state) {
    (void)state;
    uint16_t port;
    char text[8];
    int listening = peer_listen(AF_INET6, &port);
    nw_parameters_t parameters = secure_client(NULL, NULL);
    nw_endpoint_t endpoint = nw_endpoint_create_host("::1%lo", port_text(port, text));
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_connection_start(recorder->connection);
    struct tls_peer *peer =
        tls_peer(peer_accept(listening), GNUTLS_SERVER, &papers()->server, NULL);
    assert_int_equal(tls_peer_shake(peer), 0);
    await_state(recorder, nw_connection_state_ready);
    nw_release(endpoint);
    nw_release(parameters);
    finish(recorder);
    tls_peer_free(peer);
    close(listening);
}

static void trust_nobody(void *context, sec_protocol_options_t options) {
    (void)context;
    sec_protocol_options_set_system_anchors_enabled(options, false);
}

/* It waits, and is quiet: nothing is tried again until asked for; then all begins anew. */
static void test_wrong_authority(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_secure(port);
    struct tls_peer *peer =
        tls_peer(peer_accept(listening), GNUTLS_SERVER, &papers()->stranger, NULL);
    assert_true(tls_peer_shake(peer) == 0 || tls_peer_end(peer) != 0);
    const struct event *waiting = await_state(recorder, nw_connection_state_waiting);
    assert_int_equal(waiting->domain, nw_error_domain_tls);
    tls_peer_free(peer);
    settle(recorder);
    assert_int_equal(event_count(recorder), 2);
    nw_connection_restart(recorder->connection);
    peer = tls_peer(peer_accept(listening), GNUTLS_SERVER, &papers()->server, NULL);
    assert_int_equal(tls_peer_shake(peer), 0);
    await_state(recorder, nw_connection_state_ready);
    assert_int_equal(count_states(recorder, nw_connection_state_waiting), 1);
    assert_int_equal(count_states(recorder, nw_connection_state_preparing), 2);
    finish(recorder);
    tls_peer_free(peer);
    close(listening);
}

static void test_no_authority(void **state) {
    (void)state;
    struct hearing *hearing;
    struct recorder *recorder =
        refuse(&hearing, secure_plain(trust_nobody, NULL), errSSLNoRootCert);
    finish(recorder);
    hearing_finish(hearing);
}

/* Settings with which no handshake can succeed: no network would help. */
static void no_version(void *context, sec_protocol_options_t options) {
    (void)context;
    sec_protocol_options_set_min_tls_protocol_version(options, tls_protocol_version_TLSv13);
    sec_protocol_options_set_max_tls_protocol_version(options, tls_protocol_version_TLSv12);
}

static void test_impossible_settings(void **state) {
    (void)state;
    struct recorder *recorder = record_secure_with(9, secure_client(no_version, NULL));
    assert_error(await_state(recorder, nw_connection_state_failed), nw_error_domain_tls,
                 errSSLBadConfiguration);
    finish(recorder);
}

/* One address of a name has a server that cannot prove itself: the next is tried at once. */
static void test_next_address(void **state) {
    (void)state;
    uint16_t port;
    char text[8];
    int six = peer_listen(AF_INET6, &port);
    int four = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(four, (struct sockaddr *)&address, sizeof address) != 0) { /* somebody else's port */
        close(six);
        close(four);
        skip();
    }
    assert_int_equal(listen(four, 1), 0);
    nw_parameters_t parameters = secure_client(NULL, NULL);
    nw_endpoint_t endpoint = nw_endpoint_create_host("localhost", port_text(port, text));
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_connection_start(recorder->connection);
    struct pollfd both[2] = {{.fd = six, .events = POLLIN}, {.fd = four, .events = POLLIN}};
    assert_true(poll(both, 2, WAIT_SECONDS * 1000) > 0);
    int first = both[0].revents != 0 ? six : four, second = first == six ? four : six;
    struct tls_peer *bad = tls_peer(peer_accept(first), GNUTLS_SERVER, &papers()->stranger, NULL);
    assert_true(tls_peer_shake(bad) != 0 || tls_peer_end(bad) != 0);
    struct tls_peer *good = tls_peer(peer_accept(second), GNUTLS_SERVER, &papers()->server, NULL);
    assert_int_equal(tls_peer_shake(good), 0);
    await_state(recorder, nw_connection_state_ready);
    assert_int_equal(count_states(recorder, nw_connection_state_waiting), 0);
    nw_release(endpoint);
    nw_release(parameters);
    finish(recorder);
    tls_peer_free(bad);
    tls_peer_free(good);
    close(six);
    close(four);
}

/* A peer that speaks something else, that closes, that says nothing: each is refused or given up,
 * and none keeps others from being served. */
static void test_strange_peers(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(secure_server(NULL, NULL));
    uint16_t port = hearing_port(hearing);
    int silent = peer_connect(port);
    struct recorder *first = hearing_await(hearing, 0);
    int talker = peer_connect(port);
    peer_write(talker, "GET / HTTP/1.0\r\n\r\n", 18);
    struct recorder *second = hearing_await(hearing, 1);
    assert_int_equal(await_state(second, nw_connection_state_failed)->domain, nw_error_domain_tls);
    int closer = peer_connect(port);
    close(closer);
    struct recorder *third = hearing_await(hearing, 2);
    await_state(third, nw_connection_state_failed);
    struct recorder *client = record_secure(port);
    await_state(client, nw_connection_state_ready);
    assert_int_equal(count_states(first, nw_connection_state_failed), 0);
    assert_int_equal(count_states(first, nw_connection_state_ready), 0);
    finish(client);
    hearing_finish(hearing);
    close(silent);
    close(talker);
}

static void one_second(void *context, nw_protocol_options_t options) {
    (void)context;
    nw_tcp_options_set_connection_timeout(options, 1);
}

static void nothing_special(void *context, nw_protocol_options_t options) {
    (void)context, (void)options;
}

/* A server that accepts and says nothing: the attempt ends when its time is up. */
static void test_silent_server(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_secure_with(
        port, nw_parameters_create_secure_tcp_f(NULL, nothing_special, NULL, one_second));
    int fd = peer_accept(listening);
    assert_error(await_state(recorder, nw_connection_state_waiting), nw_error_domain_posix,
                 ETIMEDOUT);
    finish(recorder);
    close(fd);
    close(listening);
}

/* A peer that comes in and says nothing: likewise. */
static void test_silent_client(void **state) {
    (void)state;
    nw_parameters_t parameters = secure_server(NULL, NULL);
    nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
    nw_protocol_options_t tcp = nw_protocol_stack_copy_transport_protocol(stack);
    one_second(NULL, tcp);
    nw_release(tcp);
    nw_release(stack);
    struct hearing *hearing = hear_secure(parameters);
    int fd = peer_connect(hearing_port(hearing));
    struct recorder *server = hearing_await(hearing, 0);
    assert_error(await_state(server, nw_connection_state_failed), nw_error_domain_posix, ETIMEDOUT);
    int how = peer_read_end(fd);
    assert_true(how == 0 || how == ECONNRESET);
    close(fd);
    hearing_finish(hearing);
}

/* Cancelled before the peer has said anything. */
static void test_cancel_in_handshake(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_secure(port);
    int fd = peer_accept(listening);
    char hello[1];
    assert_int_equal(peer_read(fd, hello, 1), 1); /* it has begun */
    int send = record_send_text(recorder, "never");
    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    assert_error(await_tag(recorder, send), nw_error_domain_posix, ECANCELED);
    assert_int_equal(count_states(recorder, nw_connection_state_ready), 0);
    discard(recorder);
    peer_read_end(fd);
    close(fd);
    close(listening);
}

/* A listener that cannot prove itself says so at once. */
static void test_listener_without_identity(void **state) {
    (void)state;
    nw_parameters_t parameters = secure_plain(NULL, NULL);
    struct hearing *hearing = hear(nw_listener_create(parameters));
    nw_release(parameters);
    hearing_start(hearing);
    hearing_await_state(hearing, nw_listener_state_failed);
    assert_int_equal(hearing->code, errSSLBadConfiguration);
    hearing_finish(hearing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_before_ready),
        cmocka_unit_test(test_much),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_received_metadata),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_wrong_name),
        cmocka_unit_test(test_name_that_is_set),
        cmocka_unit_test(test_address_with_a_zone),
        cmocka_unit_test(test_wrong_authority),
        cmocka_unit_test(test_no_authority),
        cmocka_unit_test(test_impossible_settings),
        cmocka_unit_test(test_next_address),
        cmocka_unit_test(test_strange_peers),
        cmocka_unit_test(test_silent_server),
        cmocka_unit_test(test_silent_client),
        cmocka_unit_test(test_cancel_in_handshake),
        cmocka_unit_test(test_listener_without_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
