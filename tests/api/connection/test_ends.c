/*
 * test_ends.c - how connections end: half-close, cancel and its order, force cancel, a broken pipe.
 * Runs:   loopback only.
 */
#include "support.h"
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A connection that is not going to become ready: the backlog of its peer is full, so SYNs are
 * dropped. */
struct hanging {
    struct recorder *recorder;
    int fds[8], count;
};

static struct hanging hang(void) {
    struct hanging hanging = {.count = 1};
    uint16_t port;
    hanging.fds[0] = peer_bound(AF_INET, SOCK_STREAM, &port);
    assert_int_equal(listen(hanging.fds[0], 0), 0);
    while (hanging.count < 4) {
        struct sockaddr_in to = {
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0x7f000001)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        (void)connect(fd, (struct sockaddr *)&to,
                      sizeof to); /* the first are taken, the next wait */
        hanging.fds[hanging.count++] = fd;
    }
    hanging.recorder = record_to_port(port, false);
    await_state(hanging.recorder, nw_connection_state_preparing);
    return hanging;
}

static void unhang(struct hanging *hanging) {
    for (int i = 0; i < hanging->count; i++)
        close(hanging->fds[i]);
}

/* --- half-close --- */

static void test_we_close_first(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    int sent = record_send(recorder, "request", 7, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true);
    char bytes[20];
    assert_int_equal(peer_read(fd, bytes, sizeof bytes), 7); /* all of it, then the end */
    assert_memory_equal(bytes, "request", 7);
    assert_no_error(await_tag(recorder, sent));
    peer_write(fd, "answer", 6); /* the other direction is still open */
    assert_string_equal(receive_now(recorder, 6, 6)->bytes, "answer");
    assert_error(await_tag(recorder, record_send_text(recorder, "more")), nw_error_domain_posix,
                 EPIPE);
    peer_write(fd, "!", 1); /* that error concerned the send alone */
    assert_string_equal(receive_now(recorder, 1, 6)->bytes, "!");
    assert_int_equal(event_count(recorder), 6);
    close(fd);
    assert_true(receive_now(recorder, 1, 6)->complete);
    finish(recorder);
}

static void test_we_close_without_content(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    int first = record_send(recorder, "all", 3, NW_CONNECTION_DEFAULT_STREAM_CONTEXT, false);
    int last = record_send(recorder, NULL, 0, NW_CONNECTION_DEFAULT_STREAM_CONTEXT, true);
    char bytes[20];
    assert_int_equal(peer_read(fd, bytes, sizeof bytes), 3);
    assert_no_error(await_tag(recorder, first));
    assert_no_error(await_tag(recorder, last));
    finish(recorder);
    close(fd);
}

/* An ordinary message may be complete: the stream goes on. */
static void test_complete_is_not_final(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "one")));
    assert_no_error(await_tag(recorder, record_send_text(recorder, "two")));
    char bytes[6];
    assert_int_equal(peer_read(fd, bytes, 6), 6);
    assert_memory_equal(bytes, "onetwo", 6);
    finish(recorder);
    assert_int_equal(peer_read_end(fd), 0); /* the cancel closed it in order */
    close(fd);
}

static void test_peer_closes_first(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    shutdown(fd, SHUT_WR);
    assert_true(receive_now(recorder, 1, 6)->complete);
    assert_no_error(await_tag(recorder, record_send_text(recorder, "still here")));
    char bytes[10];
    assert_int_equal(peer_read(fd, bytes, sizeof bytes), 10);
    assert_int_equal(count_states(recorder, nw_connection_state_ready), 1);
    assert_int_equal(event_count(recorder), 4); /* no change of state */
    finish(recorder);
    close(fd);
}

/* --- cancel --- */

/* Completions with ECANCELED, in order; then `cancelled`; then nothing. */
static void assert_cancelled_last(struct recorder *recorder, const int tags[], int count) {
    await_state(recorder, nw_connection_state_cancelled);
    settle(recorder);
    int events = event_count(recorder);
    const struct event *last = event_at(recorder, events - 1);
    assert_int_equal(last->kind, EVENT_STATE);
    assert_int_equal(last->state, nw_connection_state_cancelled);
    assert_no_error(last);
    for (int i = 0; i < count; i++) {
        const struct event *event = await_tag(recorder, tags[i]);
        assert_error(event, nw_error_domain_posix, ECANCELED);
        assert_true(event->index < last->index);
    }
}

static void test_cancel_ends_receives(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    int tags[] = {record_receive(recorder, 1, 10), record_receive(recorder, 5, 10),
                  record_receive_message(recorder)};
    nw_connection_cancel(recorder->connection);
    nw_connection_cancel(recorder->connection); /* harmless */
    assert_cancelled_last(recorder, tags, 3);
    assert_int_equal(peer_read_end(fd), 0);
    discard(recorder);
    close(fd);
}

/* What a handler asks for on the way out is answered too, and still before `cancelled`. */
static void ask_again(struct recorder *recorder, const struct event *event) {
    if (event->kind == EVENT_RECEIVE && event->code == ECANCELED && recorder->tags < 3)
        record_receive(recorder, 1, 10);
}

static void test_asking_on_the_way_out(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    recorder->on_event = ask_again;
    int tags[] = {record_receive(recorder, 1, 10), 1, 2};
    nw_connection_cancel(recorder->connection);
    assert_cancelled_last(recorder, tags, 3);
    discard(recorder);
    close(fd);
}

/* A machine under load may take its time once, but not each time. */
enum { TRIES = 5, PROMPT = 50000000 /* nanoseconds */ };

static bool cancelled_promptly(struct recorder *recorder, const int tags[], int count) {
    uint64_t begin = now_ns();
    nw_connection_cancel(recorder->connection);
    assert_cancelled_last(recorder, tags, count);
    assert_int_equal(count_states(recorder, nw_connection_state_ready), 0);
    bool prompt = await_state(recorder, nw_connection_state_cancelled)->at - begin < PROMPT;
    discard(recorder);
    return prompt;
}

static void test_cancel_while_preparing(void **state) {
    (void)state;
    bool prompt = false;
    for (int i = 0; i < TRIES && !prompt; i++) {
        struct hanging hanging = hang();
        int tags[] = {record_send_text(hanging.recorder, "never"),
                      record_send_text(hanging.recorder, "sent"),
                      record_receive(hanging.recorder, 1, 10)};
        prompt = cancelled_promptly(hanging.recorder, tags, 3);
        unhang(&hanging);
    }
    assert_true(prompt);
}

static void test_cancel_while_resolving(void **state) {
    (void)state;
    bool prompt = false;
    for (int i = 0; i < TRIES && !prompt; i++) {
        struct recorder *recorder = record_to("no-such-name.invalid", "80", false);
        int tag = record_send_text(recorder, "never");
        prompt = cancelled_promptly(recorder, &tag, 1);
    }
    assert_true(prompt);
}

static void test_cancel_while_waiting(void **state) {
    (void)state;
    uint16_t port;
    int fd = peer_bound(AF_INET, SOCK_STREAM, &port);
    struct recorder *recorder = record_to_port(port, false);
    int tags[] = {record_send_text(recorder, "never"), record_receive(recorder, 1, 1)};
    await_state(recorder, nw_connection_state_waiting);
    settle(recorder);
    assert_int_equal(event_count(recorder), 2); /* what was queued goes on waiting */
    nw_connection_cancel(recorder->connection);
    assert_cancelled_last(recorder, tags, 2);
    discard(recorder);
    close(fd);
}

static void test_cancel_before_start(void **state) {
    (void)state;
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", "9");
    nw_parameters_t parameters = tcp_parameters();
    struct recorder *recorder = record(nw_connection_create(endpoint, parameters));
    nw_release(endpoint);
    nw_release(parameters);
    int tag = record_send_text(recorder, "never");
    nw_connection_cancel(recorder->connection);
    assert_cancelled_last(recorder, &tag, 1);
    nw_connection_start(recorder->connection); /* too late */
    settle(recorder);
    assert_int_equal(event_count(recorder), 2);
    discard(recorder);
}

/* The socket buffers are full, the peer does not read: the sends that are left end with the cancel.
 */
static void test_cancel_ends_sends(void **state) {
    (void)state;
    enum { SENDS = 8, SIZE = 4 * 1024 * 1024 };
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    char *bytes = calloc(1, SIZE);
    int tags[SENDS];
    for (int i = 0; i < SENDS; i++)
        tags[i] = record_send(recorder, bytes, SIZE, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    free(bytes);
    nw_connection_cancel(recorder->connection);
    await_state(recorder, nw_connection_state_cancelled);
    for (int i = 0; i < SENDS; i++)
        await_tag(recorder, tags[i]);
    assert_error(await_tag(recorder, tags[SENDS - 1]), nw_error_domain_posix, ECANCELED);
    assert_int_equal(event_count(recorder), 2 + SENDS + 1); /* each exactly once */
    discard(recorder);
    close(fd);
}

static void test_force_cancel(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    int tag = record_receive(recorder, 1, 10);
    nw_connection_force_cancel(recorder->connection);
    nw_connection_force_cancel(recorder->connection);
    assert_cancelled_last(recorder, &tag, 1);
    assert_int_equal(peer_read_end(fd), ECONNRESET);
    discard(recorder);
    close(fd);
}

static void test_cancel_current_endpoint(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    int tag = record_receive(recorder, 1, 10);
    nw_connection_cancel_current_endpoint(recorder->connection); /* it was the only one */
    assert_error(await_state(recorder, nw_connection_state_failed), nw_error_domain_posix,
                 ECANCELED);
    assert_error(await_tag(recorder, tag), nw_error_domain_posix, ECANCELED);
    finish(recorder);
    close(fd);
}

/* The caller's reference is not what keeps a started connection alive. */
static void test_released_while_running(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    int tag = record_receive(recorder, 4, 4);
    nw_connection_t connection = recorder->connection;
    recorder->connection = NULL;
    nw_release(nw_retain(connection));
    nw_release(connection);
    peer_write(fd, "here", 4);
    assert_string_equal(await_tag(recorder, tag)->bytes, "here");
    nw_connection_cancel(connection); /* alive still: it has not told its end */
    await_state(recorder, nw_connection_state_cancelled);
    discard(recorder);
    close(fd);
}

/* --- a broken pipe --- */

/* Sends until the connection has noticed; the error of the last completion. */
static int send_until_broken(struct recorder *recorder) {
    static const char block[4096];
    for (;;) {
        const struct event *event =
            await_tag(recorder, record_send(recorder, block, sizeof block,
                                            NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true));
        if (event->domain != nw_error_domain_invalid)
            return event->code;
    }
}

static void test_broken_pipe(void **state) {
    (void)state;
    struct sigaction before;
    assert_int_equal(sigaction(SIGPIPE, NULL, &before), 0);
    assert_true(before.sa_handler == SIG_DFL); /* a signal would end this process */
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    peer_reset(fd);
    int code = send_until_broken(recorder);
    assert_true(code == ECONNRESET || code == EPIPE);
    const struct event *failed = await_state(recorder, nw_connection_state_failed);
    assert_true(failed->code == ECONNRESET || failed->code == EPIPE);
    struct sigaction after;
    assert_int_equal(sigaction(SIGPIPE, NULL, &after), 0);
    assert_true(after.sa_handler == SIG_DFL); /* the library left it alone */
    finish(recorder);
}

/* A peer that closed with our data unread resets when more comes: no signal either. */
static void test_peer_gone(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    close(fd);
    int code = send_until_broken(recorder);
    assert_true(code == ECONNRESET || code == EPIPE);
    await_state(recorder, nw_connection_state_failed);
    finish(recorder);
}

/* Idle, nothing asked for, nothing to send: a reset is noticed all the same. */
static void test_reset_while_receiving(void **state) {
    (void)state;
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    int tag = record_receive(recorder, 1, 10);
    peer_reset(fd);
    assert_error(await_tag(recorder, tag), nw_error_domain_posix, ECONNRESET);
    assert_error(await_state(recorder, nw_connection_state_failed), nw_error_domain_posix,
                 ECONNRESET);
    nw_connection_restart(recorder->connection); /* an end cannot be restarted */
    settle(recorder);
    assert_int_equal(event_count(recorder), 4);
    finish(recorder);
}

/* What came before a reset is there to be read however late, also what was read along with the
 * octets asked for; only then is the break told. */
static void test_reset_loses_nothing_that_came(void **state) {
    (void)state;
    enum { SIZE = 1000, STEP = 10 };
    char bytes[SIZE];
    int fd;
    struct recorder *recorder = record_pair(AF_INET, &fd);
    fill_pattern(bytes, sizeof bytes, 0);
    peer_write(fd, bytes, sizeof bytes);
    assert_int_equal(receive_now(recorder, STEP, STEP)->size, STEP);
    peer_reset(fd);
    send_until_broken(recorder); /* the break has been seen */
    for (int at = STEP; at < SIZE; at += STEP) {
        assert_int_equal(count_states(recorder, nw_connection_state_failed), 0);
        const struct event *event = receive_now(recorder, STEP, STEP);
        assert_int_equal(event->size, STEP);
        assert_memory_equal(event->bytes, bytes + at, STEP);
    }
    assert_int_equal(receive_now(recorder, 1, STEP)->size, 0);
    await_state(recorder, nw_connection_state_failed);
    finish(recorder);
}

int main(void) {
    signal(SIGPIPE, SIG_DFL); /* whatever started us */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_we_close_first),
        cmocka_unit_test(test_we_close_without_content),
        cmocka_unit_test(test_complete_is_not_final),
        cmocka_unit_test(test_peer_closes_first),
        cmocka_unit_test(test_cancel_ends_receives),
        cmocka_unit_test(test_asking_on_the_way_out),
        cmocka_unit_test(test_cancel_while_preparing),
        cmocka_unit_test(test_cancel_while_resolving),
        cmocka_unit_test(test_cancel_while_waiting),
        cmocka_unit_test(test_cancel_before_start),
        cmocka_unit_test(test_cancel_ends_sends),
        cmocka_unit_test(test_force_cancel),
        cmocka_unit_test(test_cancel_current_endpoint),
        cmocka_unit_test(test_released_while_running),
        cmocka_unit_test(test_broken_pipe),
        cmocka_unit_test(test_peer_gone),
        cmocka_unit_test(test_reset_while_receiving),
        cmocka_unit_test(test_reset_loses_nothing_that_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
