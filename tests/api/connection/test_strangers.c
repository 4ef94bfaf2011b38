/*
 * test_strangers.c - datagrams of peers that a listener cannot take at the moment: at its limit, or
 * because its client is behind.
 * What:   a peer's first datagrams wait, within bounds, and are its connection's first ones.
 * Runs:   loopback only. A peer that has its connection already tells when the port has read so far:
 *         one socket keeps the order of all.
 */
#include "support.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scene {
    struct hearing *hearing;
    uint16_t port;
    int marker; /* socket of the peer that is in */
    struct recorder *known;
};

static int stranger(void) {
    uint16_t own;
    return peer_udp(&own);
}

/* The first peer is in. */
static struct scene begin(void) {
    struct scene scene = {.hearing = hear_on_any_port(true, true), .marker = stranger()};
    scene.port = hearing_port(scene.hearing);
    peer_send_to(scene.marker, scene.port, "known", 5);
    scene.known = hearing_await(scene.hearing, 0);
    assert_string_equal(await_tag(scene.known, record_receive_message(scene.known))->bytes,
                        "known");
    return scene;
}

/* Everything sent before has been read by the port. */
static void await_read(struct scene *scene) {
    int tag = record_receive_message(scene->known);
    peer_send_to(scene->marker, scene->port, "mark", 4);
    assert_string_equal(await_tag(scene->known, tag)->bytes, "mark");
}

static void assert_next(struct recorder *recorder, const char *text) {
    const struct event *event = await_tag(recorder, record_receive_message(recorder));
    assert_no_error(event);
    assert_string_equal(event->bytes, text);
}

static void end(struct scene *scene) {
    hearing_finish(scene->hearing);
    close(scene->marker);
}

static void test_at_the_limit(void **state) {
    (void)state;
    struct scene scene = begin();
    int one = stranger(), two = stranger();
    nw_listener_set_new_connection_limit(scene.hearing->listener, 0);
    peer_send_to(one, scene.port, "first of one", 12);
    peer_send_to(two, scene.port, "first of two", 12);
    peer_send_to(one, scene.port, "second of one", 13);
    await_read(&scene);
    assert_int_equal(scene.hearing->arrived, 1);
    nw_listener_set_new_connection_limit(scene.hearing->listener, 1);
    struct recorder *of_one = hearing_await(scene.hearing, 1);
    assert_next(of_one, "first of one");
    await_read(&scene);
    assert_int_equal(scene.hearing->arrived, 2); /* one was allowed, in the order of coming */
    nw_listener_set_new_connection_limit(scene.hearing->listener, 1);
    assert_next(hearing_await(scene.hearing, 2), "first of two");
    assert_next(of_one, "second of one");
    end(&scene);
    close(one);
    close(two);
}

/* One that sends and sends takes no places of others, and loses its own later ones. */
static void test_a_few_each(void **state) {
    (void)state;
    struct scene scene = begin();
    int one = stranger(), two = stranger();
    char text[8];
    nw_listener_set_new_connection_limit(scene.hearing->listener, 0);
    for (int i = 0; i < 300; i++) {
        peer_send_to(one, scene.port, text, (size_t)snprintf(text, sizeof text, "%d", i));
        if (i % 50 == 49)
            await_read(&scene); /* a socket buffer holds only so many */
    }
    peer_send_to(two, scene.port, "two", 3);
    await_read(&scene);
    nw_listener_set_new_connection_limit(scene.hearing->listener, 2);
    struct recorder *of_one = hearing_await(scene.hearing, 1);
    assert_next(hearing_await(scene.hearing, 2), "two");
    peer_send_to(one, scene.port, "later", 5);
    for (int i = 0; i < 4; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_next(of_one, text);
    }
    assert_next(of_one, "later");
    end(&scene);
    close(one);
    close(two);
}

/* More peers than wait: the first 256 come in later. Their octets are bounded as well. */
static void fill(size_t size, int sent, int kept) {
    struct scene scene = begin();
    int *peers = calloc((size_t)sent, sizeof *peers);
    char *bytes = calloc(1, size);
    nw_listener_set_new_connection_limit(scene.hearing->listener, 0);
    for (int i = 0; i < sent; i++) {
        peers[i] = stranger();
        memcpy(bytes, &i, sizeof i);
        peer_send_to(peers[i], scene.port, bytes, size);
        if (i % 4 == 3)
            await_read(&scene);
    }
    await_read(&scene);
    nw_listener_set_new_connection_limit(scene.hearing->listener,
                                         NW_LISTENER_INFINITE_CONNECTION_LIMIT);
    for (int i = 0; i < kept; i++) {
        struct recorder *recorder = hearing_await(scene.hearing, i + 1);
        const struct event *event = await_tag(recorder, record_receive_message(recorder));
        assert_int_equal(event->size, size);
        assert_memory_equal(event->bytes, &i, sizeof i);
    }
    await_read(&scene);
    assert_int_equal(scene.hearing->arrived, kept + 1);
    for (int i = 0; i < sent; i++)
        close(peers[i]);
    free(peers);
    free(bytes);
    end(&scene);
}
static void test_so_many_wait(void **state) {
    (void)state;
    fill(sizeof(int), 270, 256);
}
static void test_so_many_octets_wait(void **state) {
    (void)state;
    fill(32 * 1024, 12, 8);
}

static void block_queue(void *context) {
    dispatch_semaphore_wait(context, DISPATCH_TIME_FOREVER);
}

/* The client does not take its connections: 128 wait for it, the rest in front of the door. */
static void test_client_is_behind(void **state) {
    (void)state;
    enum { PEERS = 200 };
    struct scene scene = begin();
    int peers[PEERS];
    dispatch_semaphore_t go = dispatch_semaphore_create(0);
    dispatch_async_f(scene.hearing->queue, go, block_queue);
    for (int i = 0; i < PEERS; i++) {
        peers[i] = stranger();
        peer_send_to(peers[i], scene.port, &i, sizeof i);
        if (i % 50 == 49)
            await_read(&scene);
    }
    assert_int_equal(scene.hearing->arrived, 1);
    dispatch_semaphore_signal(go);
    for (int i = 0; i < PEERS; i++) {
        struct recorder *recorder = hearing_await(scene.hearing, i + 1);
        const struct event *event = await_tag(recorder, record_receive_message(recorder));
        assert_memory_equal(event->bytes, &i, sizeof i);
        close(peers[i]);
    }
    dispatch_release(go);
    end(&scene);
}

/* The listener goes while some wait: nothing of theirs stays (seen by the leak checker). */
static void test_listener_goes(void **state) {
    (void)state;
    struct scene scene = begin();
    int one = stranger();
    nw_listener_set_new_connection_limit(scene.hearing->listener, 0);
    peer_send_to(one, scene.port, "one", 3);
    await_read(&scene);
    nw_listener_cancel(scene.hearing->listener);
    hearing_await_state(scene.hearing, nw_listener_state_cancelled);
    await_read(&scene); /* existing connections live on */
    assert_int_equal(scene.hearing->arrived, 1);
    end(&scene);
    close(one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_the_limit),     cmocka_unit_test(test_a_few_each),
        cmocka_unit_test(test_so_many_wait),     cmocka_unit_test(test_so_many_octets_wait),
        cmocka_unit_test(test_client_is_behind), cmocka_unit_test(test_listener_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
