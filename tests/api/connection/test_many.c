/*
 * test_many.c - many connections at once: ends at any moment, calls from several threads, peers
 * that do not disturb each other.
 * Runs:   loopback; the calls on threads of the test's own beside the client queues.
 */
#include "support.h"
#include <netinet/in.h>
#include <unistd.h>

/* Whatever the moment, the end is told once, as the last thing, and every completion has come
 * before it. */
static void assert_whole(struct recorder *recorder) {
    await_state(recorder, nw_connection_state_cancelled);
    settle(recorder);
    int events = event_count(recorder), completions = 0;
    for (int i = 0; i < events; i++)
        completions += event_at(recorder, i)->kind != EVENT_STATE;
    assert_int_equal(event_at(recorder, events - 1)->state, nw_connection_state_cancelled);
    assert_int_equal(count_states(recorder, nw_connection_state_cancelled), 1);
    assert_int_equal(completions, recorder->tags);
}

static void test_cancelled_at_any_moment(void **state) {
    (void)state;
    enum { ROUNDS = 150 };
    struct hearing *hearing = hear_on_any_port(false, true);
    char text[8];
    port_text(hearing_port(hearing), text);
    for (int i = 0; i < ROUNDS; i++) {
        struct recorder *recorder = record_to(i % 3 == 0 ? "localhost" : "127.0.0.1", text, false);
        record_send_text(recorder, "some content");
        record_receive(recorder, 1, 10);
        if (i % 5 == 0)
            await_state(recorder, nw_connection_state_ready);
        for (volatile int spin = 0; spin < i * 50; spin = spin + 1) /* another moment each time */
            ;
        if (i % 2 == 0)
            nw_connection_cancel(recorder->connection);
        else
            nw_connection_force_cancel(recorder->connection);
        assert_whole(recorder);
        discard(recorder);
    }
    assert_int_equal(hearing->states[nw_listener_state_failed], 0);
    hearing_finish(hearing);
}

/* --- several threads on one connection --- */

enum { THREADS = 4, EACH = 200 };

struct sender {
    pthread_t thread;
    struct recorder *recorder;
    int tags[EACH];
    char name;
};

static void *send_all(void *context) {
    struct sender *sender = context;
    for (int i = 0; i < EACH; i++) {
        char record[4] = {sender->name, (char)(i & 0xff), (char)(i >> 8), '\n'};
        sender->tags[i] = record_send(sender->recorder, record, sizeof record,
                                      NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
        char *description = nw_connection_copy_description(sender->recorder->connection);
        free(description);
    }
    return NULL;
}

/* The sends of each thread keep their order, and none is torn. */
static void test_senders_in_threads(void **state) {
    (void)state;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *recorder = record_to_port(port, false);
    struct sender senders[THREADS];
    for (int i = 0; i < THREADS; i++) {
        senders[i].recorder = recorder;
        senders[i].name = (char)('a' + i);
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    int fd = peer_accept(listening), next[THREADS] = {0};
    for (int i = 0; i < THREADS * EACH; i++) {
        char record[4];
        assert_int_equal(peer_read(fd, record, 4), 4);
        assert_int_equal(record[3], '\n');
        int who = record[0] - 'a';
        assert_in_range(who, 0, THREADS - 1);
        assert_int_equal((unsigned char)record[1] | (unsigned char)record[2] << 8, next[who]++);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(senders[i].thread, NULL);
        for (int j = 0; j < EACH; j++)
            assert_no_error(await_tag(recorder, senders[i].tags[j]));
    }
    finish(recorder);
    close(fd);
    close(listening);
}

static void *cancel_it(void *context) {
    nw_connection_cancel(((struct recorder *)context)->connection);
    return NULL;
}

/* Cancel in several threads, while others send: still one end. */
static void test_cancel_in_threads(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        uint16_t port;
        int listening = peer_listen(AF_INET, &port);
        struct recorder *recorder = record_to_port(port, false);
        pthread_t threads[THREADS];
        for (int i = 0; i < 20; i++)
            record_send_text(recorder, "x");
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, cancel_it, recorder), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        assert_whole(recorder);
        discard(recorder);
        close(listening);
    }
}

/* --- peers of one listener --- */

/* One peer floods a connection that nobody reads: the others are served meanwhile. */
static void test_a_flood_is_its_own_affair(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(true, true);
    uint16_t port = hearing_port(hearing), own;
    int flooding = peer_udp(&own), quiet = peer_udp(&own);
    char block[1000];
    fill_pattern(block, sizeof block, 0);
    for (int i = 0; i < 20; i++)
        peer_send_to(flooding, port, block, sizeof block);
    hearing_await_arrivals(hearing, 1);
    for (int i = 0; i < 2000; i++) {
        peer_send_to(flooding, port, block, sizeof block);
        if (i % 100 == 0)
            settle(hearing->heard[0]); /* lets the listener have its turn */
    }
    /* The socket is shared: a datagram may be lost while its buffer is full, as UDP may lose any.
     */
    struct recorder *recorder = NULL;
    for (uint64_t until = now_ns() + WAIT_SECONDS * 1000000000ull;
         recorder == NULL && now_ns() < until;) {
        peer_send_to(quiet, port, "and me?", 7);
        pthread_mutex_lock(&hearing->lock);
        if (hearing->arrived > 1)
            recorder = hearing->heard[1];
        pthread_mutex_unlock(&hearing->lock);
        settle(hearing->heard[0]);
    }
    assert_non_null(recorder);
    assert_string_equal(await_tag(recorder, record_receive_message(recorder))->bytes, "and me?");
    /* The flooded one has kept its first datagrams, whole. */
    const struct event *event =
        await_tag(hearing->heard[0], record_receive_message(hearing->heard[0]));
    assert_int_equal(event->size, sizeof block);
    assert_memory_equal(event->bytes, block, sizeof block);
    hearing_finish(hearing);
    close(flooding);
    close(quiet);
}

/* Nobody took the connection: the peer may try again, and gets another. */
static void test_datagram_peer_nobody_wanted(void **state) {
    (void)state;
    struct hearing *hearing = hear_on_any_port(true, false);
    uint16_t own;
    int fd = peer_udp(&own);
    peer_send_to(fd, hearing_port(hearing), "one", 3);
    hearing_await_arrivals(hearing, 1);
    for (int arrived = 1;
         arrived < 2;) { /* the first has to be gone before the next counts as new */
        peer_send_to(fd, hearing_port(hearing), "two", 3);
        pthread_mutex_lock(&hearing->lock);
        arrived = hearing->arrived;
        pthread_mutex_unlock(&hearing->lock);
    }
    hearing_finish(hearing);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancelled_at_any_moment),
        cmocka_unit_test(test_senders_in_threads),
        cmocka_unit_test(test_cancel_in_threads),
        cmocka_unit_test(test_a_flood_is_its_own_affair),
        cmocka_unit_test(test_datagram_peer_nobody_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
