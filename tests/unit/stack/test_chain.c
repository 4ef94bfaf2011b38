/*
 * test_chain.c - the driver over layers that record what is asked of them.
 */
#include "base/object.h"
#include "dispatch/data.h"
#include "stack/chain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* --- a layer that writes its letter into a log for each operation --- */

static char log_text[256];

static void say(const char *what) {
    strncat(log_text, what, sizeof log_text - strlen(log_text) - 1);
}

struct fake {
    struct nwi_layer base;
    bool connects_later;
    nwi_err connect_err;
};

static nwi_err fake_connect(struct nwi_layer *layer) {
    struct fake *fake = (struct fake *)layer;
    say("connect ");
    if (fake->connect_err != 0)
        return fake->connect_err;
    if (!fake->connects_later)
        nwi_layer_connected(layer);
    return 0;
}
static void fake_disconnect(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why) {
    assert_int_equal(why, NWI_ERR_CANCELED);
    say(layer->ops->name);
    say(how == NWI_DISCONNECT_ABORT ? "-abort " : "-close ");
}
static void fake_output(struct nwi_layer *layer, struct nwi_send *send) {
    say(layer->ops->name);
    say("-out ");
    if (layer->below != NULL)
        nwi_layer_output(layer, send);
    else
        send->done(send, 0);
}
static void fake_window(struct nwi_layer *layer, size_t octets) {
    (void)layer;
    say(octets == 7 ? "window7 " : "window? ");
}
static void fake_free(struct nwi_layer *layer) {
    say(layer->ops->name);
    say("-free ");
}

static void fake_writable(struct nwi_layer *layer) {
    say("writable ");
    nwi_layer_writable(layer);
}
static void fake_failed(struct nwi_layer *layer, nwi_err err) {
    say("failed ");
    nwi_layer_failed(layer, err == nwi_posix(ENODATA) ? nwi_posix(EPIPE) : err);
}
static void fake_go_on(struct nwi_layer *layer) {
    say(layer->ops->name);
    say("-on ");
}

static const struct nwi_layer_ops bottom_ops = {
    .name = "bottom",
    .traits = NWI_TRAIT_STREAM,
    .size = sizeof(struct fake),
    .connect = fake_connect,
    .disconnect = fake_disconnect,
    .output = fake_output,
    .go_on = fake_go_on,
    .window = fake_window,
    .free = fake_free,
};
static const struct nwi_layer_ops silent_ops = {.name = "silent", .size = sizeof(struct fake)};
static const struct nwi_layer_ops top_ops = {
    .name = "top",
    .traits = NWI_TRAIT_STREAM,
    .size = sizeof(struct fake),
    .disconnect = fake_disconnect,
    .output = fake_output,
    .writable = fake_writable,
    .failed = fake_failed,
    .go_on = fake_go_on,
    .free = fake_free,
};

/* --- an owner --- */

static int connected, failed, inputs;
static nwi_err failure;
static bool may_ask;
static struct nwi_chain *stop_inside; /* stopped by the owner inside the event */

static void owner_connected(void *owner) {
    (void)owner;
    connected++;
    if (stop_inside != NULL)
        nwi_chain_stop(stop_inside, NWI_DISCONNECT_GRACEFUL, NWI_ERR_CANCELED);
}
static void owner_progress(void *owner, struct nwi_layer *layer) {
    (void)owner;
    say(layer->ops->name);
    say("-progress ");
    if (stop_inside != NULL)
        nwi_chain_stop(stop_inside, NWI_DISCONNECT_GRACEFUL, NWI_ERR_CANCELED);
}
static bool owner_asking(void *owner, bool begins) {
    (void)owner;
    say(begins ? "asking " : "answered ");
    return may_ask;
}
static void owner_writable(void *owner) {
    (void)owner;
    say("owner-writable ");
}
static void owner_failed(void *owner, nwi_err err) {
    (void)owner;
    failed++;
    failure = err;
}
static nwi_err owner_input(void *owner, struct nwi_input *input) {
    (void)owner;
    inputs++;
    nwi_input_drop(input);
    return 0;
}
static const struct nwi_chain_events events = {
    .connected = owner_connected,
    .failed = owner_failed,
    .input = owner_input,
};
static const struct nwi_chain_events attentive_events = {
    .connected = owner_connected,
    .progress = owner_progress,
    .asking = owner_asking,
    .writable = owner_writable,
    .failed = owner_failed,
};

static struct fake *bottom;

static struct nwi_chain *make_chain(void) {
    struct nwi_chain *chain = nwi_chain_create(NULL, NULL, NULL);
    assert_non_null(chain);
    bottom = (struct fake *)nwi_layer_create(&bottom_ops);
    nwi_chain_push(chain, &bottom->base);
    nwi_chain_push(chain, nwi_layer_create(&silent_ops));
    nwi_chain_push(chain, nwi_layer_create(&top_ops));
    nwi_chain_set_owner(chain, &events, chain);
    log_text[0] = '\0';
    connected = failed = inputs = 0;
    failure = 0;
    stop_inside = NULL;
    return chain;
}

static void test_connects_upwards_and_stops_downwards(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    assert_int_equal(nwi_chain_connect(chain), 0);
    assert_int_equal(connected,
                     1); /* layers without a connect are connected with their neighbour */
    nwi_chain_stop(chain, NWI_DISCONNECT_GRACEFUL, NWI_ERR_CANCELED);
    assert_string_equal(log_text, "connect top-close top-free bottom-close bottom-free ");
    nwi_release(chain);
}

static void test_connects_later_and_once(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    bottom->connects_later = true;
    assert_int_equal(nwi_chain_connect(chain), 0);
    assert_int_equal(connected, 0);
    nwi_layer_connected(&bottom->base);
    nwi_layer_connected(&bottom->base);
    assert_int_equal(connected, 1);
    nwi_release(chain);
    assert_non_null(
        strstr(log_text, "top-abort top-free bottom-abort bottom-free")); /* release stops it */
}

static void test_refusal_comes_back(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    bottom->connect_err = nwi_posix(ECONNREFUSED);
    assert_int_equal(nwi_chain_connect(chain), nwi_posix(ECONNREFUSED));
    assert_int_equal(connected + failed, 0);
    nwi_release(chain);
}

static void test_owner_may_stop_inside_an_event(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    stop_inside = chain;
    assert_int_equal(nwi_chain_connect(chain), 0);
    assert_int_equal(connected, 1);
    assert_null(chain->top);
    nwi_release(chain);
}

static void test_failure_is_told_once(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    nwi_chain_connect(chain);
    nwi_layer_failed(&bottom->base, nwi_posix(ECONNRESET));
    nwi_layer_failed(&bottom->base, nwi_posix(EPIPE));
    assert_int_equal(failed, 1);
    assert_int_equal(failure, nwi_posix(ECONNRESET));
    nwi_release(chain);
}

static void test_progress_of_each_layer_but_the_top(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    nwi_chain_set_owner(chain, &attentive_events, chain);
    assert_int_equal(nwi_chain_connect(chain), 0);
    assert_string_equal(log_text, "connect bottom-progress silent-progress ");
    assert_int_equal(connected, 1);
    nwi_release(chain);
}

static void test_owner_may_stop_inside_progress(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    nwi_chain_set_owner(chain, &attentive_events, chain);
    stop_inside = chain;
    assert_int_equal(nwi_chain_connect(chain), 0);
    assert_int_equal(connected, 0);
    assert_null(strstr(log_text, "silent-progress"));
    nwi_release(chain);
}

static void test_questions_are_asked_of_the_owner(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    assert_true(nwi_layer_asking(&bottom->base, true)); /* an owner that does not mind */
    nwi_chain_set_owner(chain, &attentive_events, chain);
    may_ask = false;
    assert_false(nwi_layer_asking(&bottom->base, true));
    may_ask = true;
    assert_true(nwi_layer_asking(&bottom->base, true));
    assert_true(nwi_layer_asking(&bottom->base, false));
    nwi_chain_go_on(chain);
    assert_string_equal(log_text, "asking asking answered top-on bottom-on ");
    nwi_release(chain);
}

static void test_layers_hear_of_what_is_below(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    nwi_chain_set_owner(chain, &attentive_events, chain);
    nwi_layer_writable(&bottom->base);
    nwi_layer_failed(&bottom->base, nwi_posix(ENODATA));
    assert_string_equal(log_text, "writable owner-writable failed ");
    assert_int_equal(failed, 1);
    assert_int_equal(failure, nwi_posix(EPIPE));
    nwi_release(chain);
}

static int done_count;
static nwi_err done_err;
static void send_done(struct nwi_send *send, nwi_err err) {
    (void)send;
    done_count++;
    done_err = err;
}

static void test_sends_pass_layers_without_output(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    nwi_chain_connect(chain);
    struct nwi_send send = {.done = send_done};
    log_text[0] = '\0';
    done_count = 0;
    nwi_chain_send(chain, &send);
    assert_string_equal(log_text, "top-out bottom-out ");
    assert_int_equal(done_count, 1);
    nwi_chain_stop(chain, NWI_DISCONNECT_ABORT, NWI_ERR_CANCELED);
    nwi_chain_send(chain, &send); /* consumed all the same */
    assert_int_equal(done_count, 2);
    assert_int_equal(done_err, nwi_posix(ENOTCONN));
    nwi_release(chain);
}

static void test_input_and_window_pass_through(void **state) {
    (void)state;
    struct nwi_chain *chain = make_chain();
    nwi_chain_connect(chain);
    log_text[0] = '\0';
    nwi_chain_window(chain, 7);
    assert_string_equal(log_text, "window7 ");
    struct nwi_input input = {.content = nwi_data_create_copy("x", 1)};
    assert_int_equal(nwi_layer_deliver(&bottom->base, &input), 0);
    assert_int_equal(inputs, 1);
    nwi_chain_set_owner(chain, NULL, NULL); /* nobody listens: dropped, not leaked */
    input = (struct nwi_input){.content = nwi_data_create_copy("x", 1)};
    assert_int_equal(nwi_layer_deliver(&bottom->base, &input), 0);
    assert_int_equal(inputs, 1);
    assert_true(nwi_chain_is_stream(chain));
    nwi_release(chain);
}

static void test_list_of_sends_fails_whole(void **state) {
    (void)state;
    struct nwi_send_list list = STAILQ_HEAD_INITIALIZER(list);
    struct nwi_send one = {.done = send_done}, two = {.done = send_done};
    STAILQ_INSERT_TAIL(&list, &one, link);
    STAILQ_INSERT_TAIL(&list, &two, link);
    done_count = 0;
    nwi_send_list_fail(&list, nwi_posix(EPIPE));
    assert_int_equal(done_count, 2);
    assert_int_equal(done_err, nwi_posix(EPIPE));
    assert_true(STAILQ_EMPTY(&list));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connects_upwards_and_stops_downwards),
        cmocka_unit_test(test_connects_later_and_once),
        cmocka_unit_test(test_refusal_comes_back),
        cmocka_unit_test(test_owner_may_stop_inside_an_event),
        cmocka_unit_test(test_failure_is_told_once),
        cmocka_unit_test(test_sends_pass_layers_without_output),
        cmocka_unit_test(test_input_and_window_pass_through),
        cmocka_unit_test(test_list_of_sends_fails_whole),
        cmocka_unit_test(test_progress_of_each_layer_but_the_top),
        cmocka_unit_test(test_owner_may_stop_inside_progress),
        cmocka_unit_test(test_questions_are_asked_of_the_owner),
        cmocka_unit_test(test_layers_hear_of_what_is_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
