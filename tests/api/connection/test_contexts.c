/*
 * test_contexts.c - content contexts at work: order, priority, antecedent, expiration, the end;
 * idempotent content and batches.
 * Runs:   loopback only. What is queued before start is ordered by the contexts alone once the connection is ready.
 */
#include "support.h"
#include <netinet/in.h>
#include <unistd.h>

struct pair {
    struct recorder *recorder; /* not started */
    int listening, fd;
};

static struct pair prepare(void) {
    struct pair pair = {.fd = -1};
    uint16_t port;
    char text[8];
    pair.listening = peer_listen(AF_INET, &port);
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", port_text(port, text));
    nw_parameters_t parameters = tcp_parameters();
    pair.recorder = record(nw_connection_create(endpoint, parameters));
    nw_release(endpoint);
    nw_release(parameters);
    return pair;
}

static void start(struct pair *pair) {
    nw_connection_start(pair->recorder->connection);
    pair->fd = peer_accept(pair->listening);
    await_state(pair->recorder, nw_connection_state_ready);
}

static void end(struct pair *pair) {
    finish(pair->recorder);
    if (pair->fd >= 0)
        close(pair->fd);
    close(pair->listening);
}

static void expect(struct pair *pair, const char *text) {
    char bytes[256];
    size_t size = strlen(text);
    assert_true(size < sizeof bytes);
    assert_int_equal(peer_read(pair->fd, bytes, size), size);
    assert_memory_equal(bytes, text, size);
}

static int send_in(struct pair *pair, nw_content_context_t context, const char *text,
                   bool complete) {
    return record_send(pair->recorder, text, strlen(text), context, complete);
}

static void test_priority(void **state) {
    (void)state;
    struct pair pair = prepare();
    nw_content_context_t low = nw_content_context_create("low"),
                         high = nw_content_context_create("high");
    nw_content_context_set_relative_priority(low, 0.1);
    nw_content_context_set_relative_priority(high, 0.9);
    send_in(&pair, low, "low1 ", true);
    send_in(&pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "plain1 ", true);
    send_in(&pair, high, "high1 ", true);
    send_in(&pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "plain2 ", true);
    int last = send_in(&pair, high, "high2 ", true);
    start(&pair);
    expect(&pair, "high1 high2 plain1 plain2 low1 ");
    assert_no_error(await_tag(pair.recorder, last));
    nw_release(low);
    nw_release(high);
    end(&pair);
}

/* A begun context is finished before another one's content, whatever its priority. */
static void test_contiguity(void **state) {
    (void)state;
    struct pair pair = prepare();
    start(&pair);
    nw_content_context_t open = nw_content_context_create("open"),
                         high = nw_content_context_create("high");
    nw_content_context_set_relative_priority(high, 1.0);
    assert_no_error(await_tag(pair.recorder, send_in(&pair, open, "begun ", false)));
    int waits = send_in(&pair, high, "high ", true);
    int waits_too = send_in(&pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "plain", true);
    settle(pair.recorder);
    assert_int_equal(event_count(pair.recorder), 3); /* preparing, ready, the first send */
    assert_no_error(await_tag(pair.recorder, send_in(&pair, open, "goes on ", false)));
    assert_no_error(await_tag(pair.recorder, send_in(&pair, open, "done ", true)));
    assert_no_error(await_tag(pair.recorder, waits));
    assert_no_error(await_tag(pair.recorder, waits_too));
    expect(&pair, "begun goes on done high plain");
    nw_release(open);
    nw_release(high);
    end(&pair);
}

static void test_antecedent(void **state) {
    (void)state;
    struct pair pair = prepare();
    nw_content_context_t first = nw_content_context_create("first"),
                         second = nw_content_context_create("second");
    nw_content_context_set_antecedent(second, first);
    nw_content_context_set_relative_priority(second, 1.0);
    int later = send_in(&pair, second, "second ", true);
    send_in(&pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "other ", true);
    start(&pair);
    expect(&pair, "other ");
    assert_int_equal(count_states(pair.recorder, nw_connection_state_ready), 1);
    send_in(&pair, first, "first ", true);
    expect(&pair, "first second ");
    assert_no_error(await_tag(pair.recorder, later));
    nw_release(first);
    nw_release(second);
    end(&pair);
}

/* Who waits for what failed, fails. */
static void test_antecedent_fails(void **state) {
    (void)state;
    struct pair pair = prepare();
    nw_content_context_t first = nw_content_context_create("first"),
                         second = nw_content_context_create("second");
    nw_content_context_set_antecedent(second, first);
    nw_content_context_set_expiration_milliseconds(first, 1);
    int expired = send_in(&pair, first, "first", true),
        orphan = send_in(&pair, second, "second", true);
    assert_error(await_tag(pair.recorder, expired), nw_error_domain_posix,
                 ETIMEDOUT); /* never started */
    start(&pair);
    assert_true(await_tag(pair.recorder, orphan)->domain == nw_error_domain_posix);
    send_in(&pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "alone", true);
    expect(&pair, "alone"); /* and not a word of the two */
    nw_release(first);
    nw_release(second);
    end(&pair);
}

static void test_expiration_in_time(void **state) {
    (void)state;
    struct pair pair = prepare();
    nw_content_context_t context = nw_content_context_create("soon");
    nw_content_context_set_expiration_milliseconds(context, 60000);
    int tag = send_in(&pair, context, "in time", true);
    start(&pair);
    expect(&pair, "in time");
    assert_no_error(await_tag(pair.recorder, tag));
    nw_release(context);
    end(&pair);
}

static void test_reused_context(void **state) {
    (void)state;
    struct pair pair = prepare();
    start(&pair);
    nw_content_context_t context = nw_content_context_create("again");
    for (int i = 0; i < 3; i++)
        assert_no_error(await_tag(pair.recorder, send_in(&pair, context, "again ", true)));
    expect(&pair, "again again again ");
    nw_release(context);
    end(&pair);
}

/* A final context of one's own ends the stream; what comes behind it is refused. */
static void test_own_final_context(void **state) {
    (void)state;
    struct pair pair = prepare();
    nw_content_context_t last = nw_content_context_create("last");
    nw_content_context_set_is_final(last, true);
    int goes = send_in(&pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "first ", true);
    int ends = send_in(&pair, last, "last", true);
    int refused = send_in(&pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "too late", true);
    int refused_too =
        record_send(pair.recorder, NULL, 0, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true);
    start(&pair);
    expect(&pair, "first last");
    assert_int_equal(peer_read_end(pair.fd), 0);
    assert_no_error(await_tag(pair.recorder, goes));
    assert_no_error(await_tag(pair.recorder, ends));
    assert_error(await_tag(pair.recorder, refused), nw_error_domain_posix, EPIPE);
    assert_error(await_tag(pair.recorder, refused_too), nw_error_domain_posix, EPIPE);
    nw_release(last);
    end(&pair);
}

static void test_default_stream(void **state) {
    (void)state;
    struct pair pair = prepare();
    start(&pair);
    assert_no_error(await_tag(pair.recorder,
                              send_in(&pair, NW_CONNECTION_DEFAULT_STREAM_CONTEXT, "one ", false)));
    assert_no_error(await_tag(pair.recorder,
                              send_in(&pair, NW_CONNECTION_DEFAULT_STREAM_CONTEXT, "two ", false)));
    assert_no_error(await_tag(pair.recorder,
                              send_in(&pair, NW_CONNECTION_DEFAULT_STREAM_CONTEXT, "end", true)));
    expect(&pair, "one two end");
    assert_int_equal(peer_read_end(pair.fd), 0);
    end(&pair);
}

/* Shared by all: nobody can make them say something else. */
static void test_predefined_contexts_do_not_change(void **state) {
    (void)state;
    nw_content_context_set_is_final(NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    nw_content_context_set_is_final(NW_CONNECTION_FINAL_MESSAGE_CONTEXT, false);
    nw_content_context_set_relative_priority(NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, 1.0);
    assert_false(nw_content_context_get_is_final(NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT));
    assert_true(nw_content_context_get_is_final(NW_CONNECTION_FINAL_MESSAGE_CONTEXT));
    assert_true(nw_content_context_get_is_final(NW_CONNECTION_DEFAULT_STREAM_CONTEXT));
    assert_true(nw_content_context_get_relative_priority(NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT) ==
                0.5);
}

static void test_nothing_to_send(void **state) {
    (void)state;
    struct pair pair = prepare();
    start(&pair);
    int nothing = record_send(pair.recorder, NULL, 0, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, false);
    assert_error(await_tag(pair.recorder, nothing), nw_error_domain_posix, EINVAL);
    int only_complete =
        record_send(pair.recorder, NULL, 0, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true);
    assert_no_error(await_tag(pair.recorder, only_complete));
    send_in(&pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "on", true);
    expect(&pair, "on");
    end(&pair);
}

static void test_idempotent(void **state) {
    (void)state;
    struct pair pair = prepare();
    dispatch_data_t content = dispatch_data_create_f("replayable ", 11, NULL, NULL, NULL);
    nw_connection_send_f(pair.recorder->connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                         true, NULL, NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F);
    dispatch_release(content);
    int tag = send_in(&pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "plain", true);
    start(&pair);
    expect(&pair, "replayable plain");
    assert_no_error(await_tag(pair.recorder, tag));
    settle(pair.recorder);
    assert_int_equal(event_count(pair.recorder), 3); /* preparing, ready, one completion */
    end(&pair);
}

/* --- batch --- */

struct batch {
    struct pair *pair;
    int tags[4];
    bool ran, quiet;
};

static void work(void *context) {
    struct batch *batch = context;
    for (int i = 0; i < 3; i++)
        batch->tags[i] = send_in(batch->pair, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, "abc", true);
    batch->tags[3] = record_receive(batch->pair->recorder, 1, 10);
    settle(batch->pair->recorder);
    batch->quiet =
        event_count(batch->pair->recorder) == 2; /* nothing goes before the batch returns */
    batch->ran = true;
}

static void test_batch(void **state) {
    (void)state;
    struct pair pair = prepare();
    start(&pair);
    struct batch batch = {.pair = &pair};
    peer_write(pair.fd, "answer", 6);
    peer_drained(pair.fd);
    nw_connection_batch_f(pair.recorder->connection, &batch, work);
    assert_true(batch.ran); /* synchronously */
    assert_true(batch.quiet);
    expect(&pair, "abcabcabc");
    for (int i = 0; i < 3; i++)
        assert_no_error(await_tag(pair.recorder, batch.tags[i]));
    assert_string_equal(await_tag(pair.recorder, batch.tags[3])->bytes, "answer");
    end(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priority),
        cmocka_unit_test(test_contiguity),
        cmocka_unit_test(test_antecedent),
        cmocka_unit_test(test_antecedent_fails),
        cmocka_unit_test(test_expiration_in_time),
        cmocka_unit_test(test_reused_context),
        cmocka_unit_test(test_own_final_context),
        cmocka_unit_test(test_default_stream),
        cmocka_unit_test(test_predefined_contexts_do_not_change),
        cmocka_unit_test(test_nothing_to_send),
        cmocka_unit_test(test_idempotent),
        cmocka_unit_test(test_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
