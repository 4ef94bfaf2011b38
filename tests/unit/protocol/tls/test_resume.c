/*
 * test_resume.c - short handshakes, and content that goes with the ClientHello.
 */
#include "base/alloc.h"
#include "model/parameters.h"
#include "model/sec_metadata.h"
#include "pair.h"
#include "protocol/tls/sessions.h"
#include <Security/SecProtocolMetadata.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const tls_protocol_version_t versions[] = {tls_protocol_version_TLSv12,
                                                  tls_protocol_version_TLSv13};

/* Both ends keep their options, as the connections of one program and one listener do. */
static void again(struct pair *pair) {
    struct nwi_tls_options *client = nwi_retain(pair->client.options),
                           *server = nwi_retain(pair->server.options);
    nw_endpoint_t remote = nwi_retain(pair->client.remote);
    pair_end(pair);
    pair_init(pair);
    nwi_release(pair->client.options);
    nwi_release(pair->server.options);
    pair->client.options = client;
    pair->server.options = server;
    pair->client.remote = remote;
}

static void init(struct pair *pair, tls_protocol_version_t version) {
    nwi_tls_sessions_forget(NULL);
    pair_init(pair);
    pair_add_certificate(pair, "peer.example");
    sec_protocol_options_set_max_tls_protocol_version(side_options(&pair->client), version);
    pair->client.remote = nw_endpoint_create_host("peer.example", "443");
}

/* Reads what came, so that tickets come in. */
static void exchange(struct pair *pair) {
    nwi_chain_window(pair->client.chain, 100);
    side_send(&pair->server, "x", 1, false, NULL);
    pair_run(pair);
    assert_int_equal(pair->client.received, 1);
}

static bool resumed(struct side *side, bool *ret_early) {
    nw_protocol_metadata_t metadata = nwi_chain_copy_metadata(side->chain, &nwi_tls_definition);
    sec_protocol_metadata_t sec = nw_tls_copy_sec_protocol_metadata(metadata);
    bool answer = ((struct sec_protocol_metadata *)sec)->resumed;
    if (ret_early != NULL)
        *ret_early = sec_protocol_metadata_get_early_data_accepted(sec);
    nwi_release(sec);
    nwi_release(metadata);
    return answer;
}

static void test_resumption(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair pair;
        init(&pair, versions[i]);
        pair_shake(&pair);
        exchange(&pair);
        assert_false(resumed(&pair.client, NULL));
        assert_true(nwi_tls_sessions_count() > 0);
        again(&pair);
        pair_shake(&pair);
        assert_true(resumed(&pair.client, NULL));
        assert_true(resumed(&pair.server, NULL));
        exchange(&pair);
        pair_end(&pair);
    }
}

static void test_resumption_can_be_off(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct pair pair;
        init(&pair, versions[i % 2]);
        sec_protocol_options_set_tls_resumption_enabled(
            side_options(i < 2 ? &pair.client : &pair.server), false);
        pair_shake(&pair);
        exchange(&pair);
        again(&pair);
        pair_shake(&pair);
        assert_false(resumed(&pair.server, NULL));
        pair_end(&pair);
    }
}

static void test_another_endpoint_does_not_resume(void **state) {
    (void)state;
    struct pair pair;
    init(&pair, versions[1]);
    pair_shake(&pair);
    exchange(&pair);
    again(&pair);
    nwi_release(pair.client.remote);
    pair.client.remote = nw_endpoint_create_host("peer.example", "444");
    pair_shake(&pair);
    assert_false(resumed(&pair.client, NULL));
    pair_end(&pair);
}

/* --- early content --- */

static nw_parameters_t with_fast_open(void) {
    nw_parameters_t parameters = nw_parameters_create();
    nw_parameters_set_fast_open_enabled(parameters, true);
    return parameters;
}

static void start_early(struct pair *pair, struct nwi_early *early, nw_parameters_t parameters) {
    init(pair, versions[1]);
    pair->client.parameters = pair->server.parameters = parameters;
    pair->client.early = early;
    pair_shake(pair);
    exchange(pair);
    assert_int_equal(early->sent, 0); /* there was no session yet */
    again(pair);
    pair->client.parameters = parameters;
    pair->client.early = early;
}

static void test_early_content(void **state) {
    (void)state;
    struct pair pair;
    bool accepted;
    nw_parameters_t parameters = with_fast_open();
    struct nwi_early early = {.content = nwi_data_create_copy("early", 5)};
    start_early(&pair, &early, parameters);
    pair.server.parameters = parameters;
    pair_shake(&pair);
    assert_int_equal(early.sent, 5);
    assert_true(resumed(&pair.client, &accepted));
    assert_true(accepted);
    side_send(&pair.client, " late", 5, false, NULL);
    nwi_chain_window(pair.server.chain, 100);
    pair_run(&pair);
    assert_int_equal(pair.server.received, 10);
    assert_memory_equal(pair.server.text, "early late", 10);
    pair_end(&pair);
    dispatch_release(early.content);
    nwi_release(parameters);
}

static void test_early_content_refused(void **state) {
    (void)state;
    struct pair pair;
    bool accepted;
    nw_parameters_t parameters = with_fast_open();
    struct nwi_early early = {.content = nwi_data_create_copy("early", 5)};
    start_early(&pair, &early, parameters);
    pair_shake(&pair); /* the server takes none this time */
    assert_int_equal(early.sent, 0);
    assert_true(resumed(&pair.client, &accepted));
    assert_false(accepted);
    side_send(&pair.client, "early", 5, false, NULL);
    nwi_chain_window(pair.server.chain, 100);
    pair_run(&pair);
    assert_int_equal(pair.server.received, 5);
    pair_end(&pair);
    dispatch_release(early.content);
    nwi_release(parameters);
}

/* A piece that finds no memory ends the stream; it does not go missing in it. */
static void test_early_content_without_memory(void **state) {
    (void)state;
    enum { SIZE = 10000 }; /* several pieces */
    static char text[SIZE];
    memset(text, 'e', SIZE);
    bool hit = true;
    for (unsigned long n = 1; hit; n++) {
        struct pair pair;
        nw_parameters_t parameters = with_fast_open();
        struct nwi_early early = {.content = nwi_data_create_copy(text, SIZE)};
        start_early(&pair, &early, parameters);
        pair.server.parameters = parameters;
        pair_shake(&pair);
        assert_int_equal(early.sent, SIZE);
        nwi_alloc_fail_at(n);
        nwi_chain_window(pair.server.chain, 2 * SIZE);
        hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_true(pair.server.failed == 1 || pair.server.received == SIZE);
        pair_end(&pair);
        dispatch_release(early.content);
        nwi_release(parameters);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resumption),
        cmocka_unit_test(test_resumption_can_be_off),
        cmocka_unit_test(test_another_endpoint_does_not_resume),
        cmocka_unit_test(test_early_content),
        cmocka_unit_test(test_early_content_refused),
        cmocka_unit_test(test_early_content_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
