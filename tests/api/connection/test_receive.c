/*
 * test_receive.c - receiving on streams: ranges, order, the end told once, a slow reader that loses
 * nothing.
 * Runs:   loopback only; a peer that must write more than fits does so on a thread of its own.
 */
#include "support.h"
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void test_end_is_told_once(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    peer_write(fd, "hello", 5);
    const struct event *first = receive_now(recorder, 5, 100);
    assert_no_error(first);
    assert_string_equal(first->bytes, "hello");
    assert_false(first->complete);
    assert_true(first->has_context &&
                first->final); /* one context for the stream, and it is the last */
    int at_end = record_receive(recorder, 1, 100), after = record_receive(recorder, 1, 100);
    shutdown(fd, SHUT_WR);
    const struct event *end = await_tag(recorder, at_end);
    assert_no_error(end);
    assert_true(end->complete && end->has_context && end->final);
    assert_int_equal(end->size, 0);
    assert_error(await_tag(recorder, after), nw_error_domain_posix, ENODATA);
    assert_error(receive_now(recorder, 1, 100), nw_error_domain_posix, ENODATA); /* never hangs */
    assert_error(await_tag(recorder, record_receive_message(recorder)), nw_error_domain_posix,
                 ENODATA);
    assert_int_equal(count_states(recorder, nw_connection_state_failed),
                     0); /* an end is no failure */
    finish(recorder);
    close(fd);
}

static void test_last_octets_with_the_end(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    peer_write(fd, "abc", 3);
    close(fd);
    const struct event *event =
        receive_now(recorder, 10, 100); /* fewer than the minimum: the end completes it */
    assert_no_error(event);
    assert_string_equal(event->bytes, "abc");
    assert_true(event->complete && event->final);
    finish(recorder);
}

/* Each of several receives gets its own range, in order. */
static void test_ranges(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET6, &fd);
    int tags[] = {
        record_receive(recorder, 3, 3),
        record_receive(recorder, 1, 2),
        record_receive(recorder, 5, 5),
        record_receive(recorder, 20, 20),
    };
    peer_write(fd, "abcdefghij", 10);
    assert_string_equal(await_tag(recorder, tags[0])->bytes, "abc");
    assert_string_equal(await_tag(recorder, tags[1])->bytes, "de");
    assert_string_equal(await_tag(recorder, tags[2])->bytes, "fghij");
    peer_write(fd, "0123456789", 10); /* only half of the minimum */
    peer_drained(fd);
    settle(recorder);
    peer_write(fd, "9876543210", 10);
    assert_string_equal(await_tag(recorder, tags[3])->bytes, "01234567899876543210");
    const struct event *last = NULL; /* in the order of the calls */
    for (int i = 0; i < 4; i++) {
        const struct event *event = await_tag(recorder, tags[i]);
        assert_true(last == NULL || event->index > last->index);
        last = event;
    }
    finish(recorder);
    close(fd);
}

static void test_odd_ranges(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    peer_write(fd, "abcdef", 6);
    peer_drained(fd);
    const struct event *event = receive_now(recorder, 0, 2); /* no minimum: at least one octet */
    assert_string_equal(event->bytes, "ab");
    event =
        receive_now(recorder, 10, 2); /* a minimum above the maximum can only mean the maximum */
    assert_string_equal(event->bytes, "cd");
    assert_error(receive_now(recorder, 0, 0), nw_error_domain_posix, EINVAL); /* room for nothing */
    assert_string_equal(receive_now(recorder, 1, UINT32_MAX)->bytes, "ef");
    finish(recorder);
    close(fd);
}

static void test_asked_before_start(void **state) {
    (void)state;
    uint16_t port;
    char text[8];
    int listening = peer_listen(AF_INET, &port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port_text(port, text));
    nw_parameters_t parameters = tcp_parameters();
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_release(endpoint);
    nw_release(parameters);
    int receive = record_receive(recorder, 1, 10), send = record_send_text(recorder, "early");
    nw_connection_start(recorder->connection);
    int fd = peer_accept(listening);
    char bytes[5];
    assert_int_equal(peer_read(fd, bytes, 5), 5);
    assert_memory_equal(bytes, "early", 5);
    peer_write(fd, "back", 4);
    assert_string_equal(await_tag(recorder, receive)->bytes, "back");
    assert_no_error(await_tag(recorder, send));
    finish(recorder);
    close(fd);
    close(listening);
}

/* On a stream the one message ends where the stream ends. */
static void test_message_of_a_stream(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    int tag = record_receive_message(recorder);
    peer_write(fd, "one ", 4);
    peer_drained(fd);
    peer_write(fd, "message", 7);
    peer_drained(fd);
    settle(recorder);
    assert_int_equal(event_count(recorder), 2); /* preparing, ready: not complete yet */
    close(fd);
    const struct event *event = await_tag(recorder, tag);
    assert_no_error(event);
    assert_string_equal(event->bytes, "one message");
    assert_true(event->complete && event->final);
    finish(recorder);
}

/* --- much data, nobody there to take it --- */

enum { BIG = 4 * 1024 * 1024 };

struct writer {
    pthread_t thread;
    int fd;
    size_t size;
};

static void *write_and_close(void *context) {
    struct writer *writer = context;
    char *bytes = malloc(writer->size);
    if (bytes != NULL) {
        fill_pattern(bytes, writer->size, 0);
        for (size_t done = 0; done < writer->size;) {
            ssize_t count = send(writer->fd, bytes + done, writer->size - done, MSG_NOSIGNAL);
            if (count < 0)
                break; /* the reader will miss the rest, and say so */
            done += (size_t)count;
        }
    }
    free(bytes);
    close(writer->fd);
    return NULL;
}

static void test_slow_reader(void **state) {
    (void)state;
    struct writer writer = {.size = BIG};
    struct recorder *recorder = record_pair(AF_INET, &writer.fd);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_and_close, &writer), 0);
    const struct event *last;
    assert_int_equal(receive_pattern(recorder, 50000, &last), BIG);
    assert_no_error(last);
    assert_true(last->complete && last->final);
    pthread_join(writer.thread, NULL);
    assert_int_equal(count_states(recorder, nw_connection_state_failed), 0);
    finish(recorder);
}

enum { ARRIVED = 60000 };

/* A connection whose peer's octets have all been acknowledged; none of them has been asked for. */
static struct recorder *pair_with_arrived(int *fd) {
    struct recorder *recorder = record_pair(AF_INET, fd);
    char *bytes = malloc(ARRIVED);
    fill_pattern(bytes, ARRIVED, 0);
    peer_write(*fd, bytes, ARRIVED);
    peer_drained(*fd);
    free(bytes);
    return recorder;
}

/* All had been sent, acknowledged and closed before the first receive. */
static void test_late_reader(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = pair_with_arrived(&fd);
    close(fd);
    const struct event *last;
    assert_int_equal(receive_pattern(recorder, 700, &last), ARRIVED);
    assert_no_error(last);
    finish(recorder);
}

/* A reset takes nothing away that had arrived before it. */
static void test_reset_behind_data(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = pair_with_arrived(&fd);
    peer_reset(fd);
    const struct event *last;
    assert_int_equal(receive_pattern(recorder, 700, &last), ARRIVED);
    assert_error(last, nw_error_domain_posix, ECONNRESET);
    assert_error(await_state(recorder, nw_connection_state_failed), nw_error_domain_posix,
                 ECONNRESET);
    assert_error(receive_now(recorder, 1, 10), nw_error_domain_posix, ECONNRESET);
    finish(recorder);
}

/* A pending receive gets what had come in for it, together with the error. */
static void test_reset_in_mid_receive(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    int tag = record_receive(recorder, 100, 100);
    peer_write(fd, "part", 4);
    peer_drained(fd);
    peer_reset(fd);
    const struct event *event = await_tag(recorder, tag);
    assert_string_equal(event->bytes, "part");
    assert_error(event, nw_error_domain_posix, ECONNRESET);
    assert_false(event->complete);
    finish(recorder);
}

/* Nobody asks, nobody reads: the peer is held back by the window. */
static void test_window_closes(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    static const char block[65536];
    size_t taken = 0;
    for (ssize_t count; (count = send(fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0;)
        if ((taken += (size_t)count) > 256u * 1024 * 1024)
            fail_msg("there is no end to what is read ahead");
    assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
    finish(recorder);
    close(fd);
}

static void test_local_socket(void **state) {
    (void)state;
    char folder[] = "/tmp/nw-receive-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listening, 1), 0);
    nw_endpoint_t endpoint = endpoint_at_path(path);
    nw_parameters_t parameters = tcp_parameters();
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_release(endpoint);
    nw_release(parameters);
    nw_connection_start(recorder->connection);
    int fd = peer_accept(listening);
    await_state(recorder, nw_connection_state_ready);
    peer_write(fd, "local", 5);
    assert_string_equal(receive_now(recorder, 5, 5)->bytes, "local");
    assert_no_error(await_tag(recorder, record_send_text(recorder, "too")));
    char bytes[3];
    assert_int_equal(peer_read(fd, bytes, 3), 3);
    close(fd);
    assert_true(receive_now(recorder, 1, 5)->complete);
    finish(recorder);
    close(listening);
    unlink(path);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end_is_told_once),
        cmocka_unit_test(test_last_octets_with_the_end),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_odd_ranges),
        cmocka_unit_test(test_asked_before_start),
        cmocka_unit_test(test_message_of_a_stream),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_late_reader),
        cmocka_unit_test(test_reset_behind_data),
        cmocka_unit_test(test_reset_in_mid_receive),
        cmocka_unit_test(test_window_closes),
        cmocka_unit_test(test_local_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
