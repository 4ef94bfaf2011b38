/*
 * test_tls_ends.c - how a stream over TLS ends: by close_notify in each direction, by being cut, by
 * a reset, by being cancelled; the peer is GnuTLS over a plain socket.
 * Runs:   loopback only; certificates are made on the spot.
 */
#include "secure.h"
#include <unistd.h>

/* Our half-close: close_notify, then FIN; the other direction goes on until the peer ends it. */
static void test_half_close(void **state) {
    (void)state;
    struct tls_peer *peer;
    char text[8];
    struct recorder *recorder = record_tls_pair(&peer);
    record_send(recorder, "last", 4, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true);
    tls_peer_read(peer, text, 4);
    assert_string_equal(text, "last");
    assert_int_equal(tls_peer_end(peer), 0);
    assert_int_equal(peer_read_end(peer->fd), 0);
    tls_peer_write(peer, "reply");
    assert_string_equal(receive_now(recorder, 5, 100)->bytes, "reply");
    assert_error(await_tag(recorder, record_send_text(recorder, "more")), nw_error_domain_posix,
                 EPIPE);
    gnutls_bye(peer->session, GNUTLS_SHUT_WR);
    const struct event *end = receive_now(recorder, 1, 100);
    assert_true(end->complete && end->final);
    assert_false(end->has_content);
    assert_no_error(end);
    assert_error(receive_now(recorder, 1, 100), nw_error_domain_posix, ENODATA);
    assert_int_equal(count_states(recorder, nw_connection_state_failed), 0);
    finish(recorder);
    tls_peer_free(peer);
}

/* The end of the stream without close_notify is no end of data. What came before is told first. */
static void test_truncation(void **state) {
    (void)state;
    struct tls_peer *peer;
    struct recorder *recorder = record_tls_pair(&peer);
    tls_peer_write(peer, "all that there is");
    assert_string_equal(receive_now(recorder, 17, 17)->bytes, "all that there is");
    int receive = record_receive(recorder, 1, 100);
    tls_peer_free(peer);
    const struct event *end = await_tag(recorder, receive);
    assert_error(end, nw_error_domain_tls, errSSLClosedNoNotify);
    assert_false(end->complete);
    assert_error(await_state(recorder, nw_connection_state_failed), nw_error_domain_tls,
                 errSSLClosedNoNotify);
    finish(recorder);
}

static void test_reset(void **state) {
    (void)state;
    struct tls_peer *peer;
    struct recorder *recorder = record_tls_pair(&peer);
    int receive = record_receive(recorder, 1, 100);
    peer_reset(peer->fd);
    peer->fd = -1;
    assert_error(await_tag(recorder, receive), nw_error_domain_posix, ECONNRESET);
    assert_error(await_state(recorder, nw_connection_state_failed), nw_error_domain_posix,
                 ECONNRESET);
    tls_peer_free(peer);
    finish(recorder);
}

static void test_cancel_says_goodbye(void **state) {
    (void)state;
    struct tls_peer *peer;
    struct recorder *recorder = record_tls_pair(&peer);
    int receive = record_receive(recorder, 1, 100);
    finish(recorder); /* cancels */
    (void)receive;
    assert_int_equal(tls_peer_end(peer), 0);
    tls_peer_free(peer);
}

/* Small sends may wait for each other, but not beyond the end. */
static void test_cancel_after_sending(void **state) {
    (void)state;
    struct tls_peer *peer;
    char text[16];
    struct recorder *recorder = record_tls_pair(&peer);
    record_send_text(recorder, "last ");
    record_send_text(recorder, "words");
    finish(recorder); /* cancels */
    tls_peer_read(peer, text, 10);
    assert_string_equal(text, "last words");
    assert_int_equal(tls_peer_end(peer), 0);
    tls_peer_free(peer);
}

static void test_force_cancel_resets(void **state) {
    (void)state;
    struct tls_peer *peer;
    struct recorder *recorder = record_tls_pair(&peer);
    nw_connection_force_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    discard(recorder);
    assert_int_equal(peer_read_end(peer->fd), ECONNRESET);
    tls_peer_free(peer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_cancel_says_goodbye),
        cmocka_unit_test(test_cancel_after_sending),
        cmocka_unit_test(test_force_cancel_resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
