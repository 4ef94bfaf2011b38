/*
 * test_tls_blocks.c - the handlers of TLS as blocks, whose completions are blocks too.
 * Runs:   loopback only. Built by clang, whatever builds the library.
 */
#include "secure.h"
#include <Block.h>

static struct {
    dispatch_queue_t queue, other;
    _Atomic int verified, challenged, chosen; /* seq_cst: counters of a test */
} scene;

static void require_client(void *context, sec_protocol_options_t options) {
    (void)context;
    sec_certificate_t ca = certificate_of(&papers()->ca);
    sec_protocol_options_set_peer_authentication_required(options, true);
    sec_protocol_options_add_trust_anchor(options, ca);
    sec_release(ca);
}

/* Both answer from another queue, with a copy of the completion. */
static void ask_with_blocks(void *context, sec_protocol_options_t options) {
    (void)context;
    sec_protocol_options_set_verify_block(
        options,
        ^(sec_protocol_metadata_t metadata, sec_trust_t trust,
          sec_protocol_verify_complete_t complete) {
            (void)metadata;
            bool trusted = sec_trust_evaluate(trust) == 0;
            scene.verified++;
            dispatch_async(scene.other, ^{
                complete(trusted);
            });
        },
        scene.queue);
    sec_protocol_options_set_challenge_block(
        options,
        ^(sec_protocol_metadata_t metadata, sec_protocol_challenge_complete_t complete) {
            (void)metadata;
            scene.challenged++;
            dispatch_async(scene.other, ^{
                sec_identity_t identity = identity_of(&papers()->client);
                complete(identity);
                sec_release(identity);
            });
        },
        scene.queue);
}

static void test_verify_and_challenge(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(secure_server(require_client, NULL));
    struct recorder *recorder =
        record_secure_with(hearing_port(hearing), secure_client(ask_with_blocks, NULL));
    await_state(recorder, nw_connection_state_ready);
    await_state(hearing_await(hearing, 0), nw_connection_state_ready);
    assert_int_equal(scene.verified, 1);
    assert_int_equal(scene.challenged, 1);
    finish(recorder);
    hearing_finish(hearing);
}

static void choose_key(void *context, sec_protocol_options_t options) {
    add_key(context, options);
    sec_protocol_options_set_pre_shared_key_selection_block(
        options,
        ^(sec_protocol_metadata_t metadata, dispatch_data_t hint,
          sec_protocol_pre_shared_key_selection_complete_t complete) {
            (void)metadata, (void)hint;
            scene.chosen++;
            dispatch_data_t name = dispatch_data_create("us", 2, NULL, NULL);
            complete(name);
            dispatch_release(name);
        },
        scene.queue);
}

static void test_key(void **state) {
    (void)state;
    struct hearing *hearing = hear_secure(secure_plain(add_key, NULL));
    struct recorder *recorder =
        record_secure_with(hearing_port(hearing), secure_plain(choose_key, NULL));
    await_state(recorder, nw_connection_state_ready);
    assert_int_equal(scene.chosen, 1);
    finish(recorder);
    hearing_finish(hearing);
}

int main(void) {
    scene.queue = dispatch_queue_create("questions", NULL);
    scene.other = dispatch_queue_create("answers", NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_and_challenge),
        cmocka_unit_test(test_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
