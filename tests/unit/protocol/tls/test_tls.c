/*
 * test_tls.c - two ends over memory: handshake, content both ways, the end of each direction.
 */
#include "pair.h"
#include "protocol/tls/private.h"
#include <Security/SecProtocolMetadata.h>
#include <Security/protocol_settings.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(const struct side *side, const char *text) {
    assert_int_equal(side->received, strlen(text));
    assert_memory_equal(side->text, text, strlen(text));
}

static void assert_failed(const struct side *side, int code) {
    assert_int_equal(side->failed, 1);
    assert_int_equal(nwi_err_code(side->error), code);
}

static void make_open(struct pair *pair) {
    pair_init(pair);
    pair_add_key(pair);
    pair_shake(pair);
    nwi_chain_window(pair->client.chain, 1 << 20);
    nwi_chain_window(pair->server.chain, 1 << 20);
}

static void test_content_both_ways(void **state) {
    (void)state;
    struct pair pair;
    struct sent sent = {0};
    make_open(&pair);
    side_send(&pair.client, "hello", 5, false, &sent);
    assert_int_equal(sent.done, 1);
    assert_int_equal(sent.error, 0);
    side_send(&pair.server, "welcome", 7, false, &sent);
    pair_run(&pair);
    assert_text(&pair.server, "hello");
    assert_text(&pair.client, "welcome");
    pair_end(&pair);
}

static void test_nothing_is_read_that_nobody_asked_for(void **state) {
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair_add_key(&pair);
    pair_shake(&pair);
    side_send(&pair.client, "hello", 5, false, NULL);
    pair_run(&pair);
    assert_int_equal(pair.server.received, 0);
    assert_true(pair.server.wire->length > 0);
    nwi_chain_window(pair.server.chain, 5);
    pair_run(&pair);
    assert_text(&pair.server, "hello");
    assert_int_equal(pair.server.wire->window, 0);
    pair_end(&pair);
}

static void test_large_content(void **state) {
    (void)state;
    enum { SIZE = 1000 * 1000 };
    struct pair pair;
    struct sent sent = {0};
    make_open(&pair);
    char *bytes = malloc(SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    side_send(&pair.client, bytes, SIZE, false, &sent);
    pair_run(&pair);
    assert_int_equal(pair.server.received, SIZE);
    assert_memory_equal(pair.server.text, bytes, SIZE);
    assert_int_equal(sent.done, 1);
    free(bytes);
    pair_end(&pair);
}

static void test_half_close_and_end(void **state) {
    (void)state;
    struct pair pair;
    struct sent sent = {0};
    make_open(&pair);
    side_send(&pair.client, "last", 4, true, &sent);
    pair_run(&pair);
    assert_int_equal(sent.done, 1);
    assert_text(&pair.server, "last");
    assert_true(pair.server.ended);
    assert_int_equal(pair.server.failed, 0);
    side_send(&pair.client, "more", 4, false, &sent);
    assert_int_equal(sent.error, nwi_posix(EPIPE));
    side_send(&pair.server, "answer", 6, true, &sent); /* the other direction goes on */
    pair_run(&pair);
    assert_text(&pair.client, "answer");
    assert_true(pair.client.ended);
    assert_int_equal(pair.client.failed, 0);
    pair_end(&pair);
}

static void test_end_without_close_notify(void **state) {
    (void)state;
    struct pair pair;
    make_open(&pair);
    side_send(&pair.client, "hello", 5, false, NULL);
    pair_run(&pair);
    pair.server.wire->final_coming = true;
    pair_run(&pair);
    assert_text(&pair.server, "hello");
    assert_false(pair.server.ended);
    assert_failed(&pair.server, errSSLClosedNoNotify);
    pair_end(&pair);
}

static void test_cancel_says_goodbye(void **state) {
    (void)state;
    struct pair pair;
    make_open(&pair);
    nwi_chain_stop(pair.client.chain, NWI_DISCONNECT_GRACEFUL, NWI_ERR_CANCELED);
    pair_run(&pair);
    assert_true(pair.server.ended);
    assert_int_equal(pair.server.failed, 0);
    pair_end(&pair);
    make_open(&pair);
    nwi_chain_stop(pair.client.chain, NWI_DISCONNECT_ABORT, NWI_ERR_CANCELED);
    pair_run(&pair);
    assert_false(pair.server.ended);
    assert_failed(&pair.server, errSSLClosedNoNotify);
    pair_end(&pair);
}

static void test_octet_by_octet(void **state) {
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair_add_key(&pair);
    pair.client.chunk = pair.server.chunk = 1;
    pair_shake(&pair);
    nwi_chain_window(pair.server.chain, 100);
    side_send(&pair.client, "hello", 5, false, NULL);
    pair_run(&pair);
    assert_text(&pair.server, "hello");
    pair_end(&pair);
}

static void test_truncated_handshakes(void **state) {
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair_add_key(&pair);
    pair_shake(&pair);
    size_t to_client = pair.client.wire->delivered, to_server = pair.server.wire->delivered;
    pair_end(&pair);
    for (size_t at = 1; at < to_client + to_server; at++) {
        bool client = at < to_client;
        struct side *side = client ? &pair.client : &pair.server;
        pair_init(&pair);
        pair_add_key(&pair);
        side->stop_at = client ? at : at - to_client + 1;
        side->cut = true;
        pair_start(&pair);
        pair_run(&pair);
        if (side->stop_at < (client ? to_client : to_server)) {
            assert_int_equal(side->connected, 0);
            assert_failed(side, errSSLClosedNoNotify);
        }
        pair_end(&pair);
    }
}

static void test_no_key_in_common(void **state) {
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair_add_key(&pair);
    dispatch_release(pair.server.options->sec->psks[0].identity);
    pair.server.options->sec->psks[0].identity = nwi_data_create_copy("other", 5);
    pair_start(&pair);
    pair_run(&pair);
    assert_int_equal(pair.client.connected, 0);
    assert_int_equal(pair.server.failed, 1);
    assert_int_equal(pair.client.failed, 1); /* the alert got there */
    assert_int_not_equal(nwi_err_code(pair.client.error), errSSLClosedNoNotify);
    pair_end(&pair);
}

/* --- certificates --- */

static void test_certificate(void **state) {
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair_add_certificate(&pair, "peer.example");
    sec_protocol_options_add_tls_application_protocol(side_options(&pair.client), "one");
    sec_protocol_options_add_tls_application_protocol(side_options(&pair.client), "two");
    sec_protocol_options_add_tls_application_protocol(side_options(&pair.server), "two");
    sec_protocol_options_add_tls_application_protocol(side_options(&pair.server), "one");
    pair_shake(&pair);
    nw_protocol_metadata_t metadata =
        nwi_chain_copy_metadata(pair.client.chain, &nwi_tls_definition);
    assert_non_null(metadata);
    sec_protocol_metadata_t sec = nw_tls_copy_sec_protocol_metadata(metadata);
    assert_string_equal(sec_protocol_metadata_get_negotiated_protocol(sec), "two");
    assert_string_equal(sec_protocol_metadata_get_server_name(sec), "peer.example");
    assert_int_equal(sec_protocol_metadata_get_negotiated_tls_protocol_version(sec),
                     tls_protocol_version_TLSv13);
    nwi_release(sec);
    nwi_release(metadata);
    pair_end(&pair);
}

static void test_wrong_name(void **state) {
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair_add_certificate(&pair, "other.example");
    pair_start(&pair);
    pair_run(&pair);
    assert_failed(&pair.client, errSSLHostNameMismatch);
    assert_int_equal(pair.server.failed, 1);
    assert_int_not_equal(nwi_err_code(pair.server.error), errSSLClosedNoNotify);
    pair_end(&pair);
}

static void test_client_certificates(void **state) {
    (void)state;
    struct pair pair;
    for (int shows = 0; shows < 2; shows++) {
        pair_init(&pair);
        pair_add_certificate(&pair, "peer.example");
        sec_protocol_options_set_peer_authentication_required(side_options(&pair.server), true);
        side_trust_authority(&pair.server);
        if (shows)
            side_add_identity(&pair.client, "client.example");
        pair_start(&pair);
        pair_run(&pair);
        assert_int_equal(pair.server.connected, shows);
        if (!shows)
            assert_failed(&pair.server, errSSLCertificateRequired);
        pair_end(&pair);
    }
}

/* The parts of both suites make others, which a server would like better than the second. */
static void test_exact_suites(void **state) {
    (void)state;
    const tls_ciphersuite_t server[] = {tls_ciphersuite_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
                                        tls_ciphersuite_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
                            client[] = {tls_ciphersuite_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                                        tls_ciphersuite_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256};
    struct pair pair;
    pair_init(&pair);
    pair_add_certificate(&pair, "peer.example");
    sec_protocol_options_set_exact_tls_ciphersuites(side_options(&pair.server), server, 2);
    sec_protocol_options_set_exact_tls_ciphersuites(side_options(&pair.client), client, 2);
    pair_shake(&pair);
    struct tls *tls = (struct tls *)pair.server.chain->top;
    assert_int_equal(nwi_tls_suite_of(tls->session), server[1]);
    pair_end(&pair);
}

/* RFC 7918: a client sends before the server's Finished, when it is told to, and not with an exact
 * list of suites, which could not be kept to by then. */
static void test_false_start(void **state) {
    (void)state;
    for (int starts = 0; starts < 3; starts++) {
        struct pair pair;
        const tls_ciphersuite_t suite = tls_ciphersuite_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256;
        pair_init(&pair);
        pair_add_certificate(&pair, "peer.example");
        sec_protocol_options_set_max_tls_protocol_version(side_options(&pair.client),
                                                          tls_protocol_version_TLSv12);
        sec_protocol_options_set_tls_false_start_enabled(side_options(&pair.client), starts > 0);
        if (starts == 2)
            sec_protocol_options_set_exact_tls_ciphersuites(side_options(&pair.client), &suite, 1);
        pair_start(&pair);
        pair.server.stop_at = pair.server.wire->length; /* the ClientHello and nothing else */
        pair_run(&pair);
        assert_int_equal(pair.client.error, 0);
        assert_int_equal(pair.client.connected, starts == 1);
        if (starts == 1)
            side_send(&pair.client, "early", 5, false, NULL);
        pair.server.stop_at = 0;
        pair_run(&pair);
        nwi_chain_window(pair.server.chain, 100);
        nwi_chain_window(pair.client.chain, 100);
        side_send(&pair.server, "answer", 6, false, NULL);
        pair_run(&pair);
        assert_int_equal(pair.server.received, starts == 1 ? 5 : 0);
        assert_text(&pair.client, "answer");
        pair_end(&pair);
    }
}

/* A server's own parameters of finite-field Diffie-Hellman are taken, or refused when malformed. */
static void test_dh_parameters(void **state) {
    (void)state;
    const tls_ciphersuite_t suite = 0x00AA; /* TLS_DHE_PSK_WITH_AES_128_GCM_SHA256 */
    struct pair pair;
    gnutls_dh_params_t made;
    gnutls_datum_t der;
    assert_int_equal(gnutls_dh_params_init(&made), 0);
    assert_int_equal(gnutls_dh_params_import_raw(made, &gnutls_ffdhe_2048_group_prime,
                                                 &gnutls_ffdhe_2048_group_generator),
                     0);
    assert_int_equal(gnutls_dh_params_export2_pkcs3(made, GNUTLS_X509_FMT_DER, &der), 0);
    for (int sound = 0; sound < 2; sound++) {
        pair_init(&pair);
        pair_add_key(&pair);
        dispatch_data_t parameters = nwi_data_create_copy(der.data, sound ? der.size : 7);
        sec_protocol_options_set_tls_diffie_hellman_parameters(side_options(&pair.server),
                                                               parameters);
        dispatch_release(parameters);
        sec_protocol_options_set_exact_tls_ciphersuites(side_options(&pair.client), &suite, 1);
        sec_protocol_options_append_tls_ciphersuite(side_options(&pair.server), suite);
        pair_start(&pair);
        if (sound) {
            pair_run(&pair);
            assert_int_equal(pair.server.error, 0);
            assert_int_equal(pair.client.connected, 1);
            struct tls *tls = (struct tls *)pair.client.chain->top;
            assert_int_equal(gnutls_dh_get_prime_bits(tls->session), 2048);
        } else {
            assert_int_equal(nwi_err_code(pair.server.create_error), errSSLBadConfiguration);
        }
        pair_end(&pair);
    }
    gnutls_free(der.data);
    gnutls_dh_params_deinit(made);
}

/* Several sends in one record, one send in several: the pieces come out as they went in. */
static void test_pieces(void **state) {
    (void)state;
    struct pair pair;
    struct sent sent = {0};
    make_open(&pair);
    char text[3000];
    size_t size = 0;
    for (int i = 0; i < 300; i++) {
        char piece[16];
        size_t length = (size_t)snprintf(piece, sizeof piece, "%d,", i);
        memcpy(text + size, piece, length);
        size += length;
        side_send_data(&pair.client, nwi_data_create_copy(piece, length), i < 299, false, &sent);
    }
    assert_int_equal(sent.done, 300);
    size_t on_the_wire = pair.server.wire->length;
    assert_true(on_the_wire < size + 40); /* one record */
    pair_run(&pair);
    assert_int_equal(pair.server.received, size);
    assert_memory_equal(pair.server.text, text, size);
    pair_end(&pair);
}

/* What the wire does not take completes later, and the sender is told when there is room. */
static void test_back_pressure(void **state) {
    (void)state;
    enum { SIZE = 300 * 1000 };
    struct pair pair;
    struct sent first = {0}, second = {0};
    make_open(&pair);
    char *bytes = calloc(1, SIZE);
    assert_non_null(bytes);
    pair.client.blocked = true;
    side_send(&pair.client, bytes, SIZE, false, &first);
    side_send(&pair.client, "tail", 4, false, &second);
    assert_int_equal(first.done + second.done, 0);
    assert_true(nwi_chain_congested(pair.client.chain));
    side_unblock(&pair.client);
    assert_int_equal(first.done, 1);
    assert_int_equal(second.done, 1);
    assert_true(pair.client.writable > 0);
    assert_false(nwi_chain_congested(pair.client.chain));
    pair_run(&pair);
    assert_int_equal(pair.server.received, SIZE + 4);
    free(bytes);
    pair_end(&pair);
}

static bool export(struct side *side, unsigned char *secret) {
    nw_protocol_metadata_t metadata = nwi_chain_copy_metadata(side->chain, &nwi_tls_definition);
    sec_protocol_metadata_t sec = nw_tls_copy_sec_protocol_metadata(metadata);
    dispatch_data_t data = sec_protocol_metadata_create_secret(sec, 5, "label", 32);
    if (data != NULL)
        nwi_data_copy_out(data, 0, secret, 32);
    bool done = data != NULL;
    nwi_release(data);
    nwi_release(sec);
    nwi_release(metadata);
    return done;
}

static void test_exported_secrets(void **state) {
    (void)state;
    struct pair pair;
    unsigned char client[32], server[32] = {0};
    make_open(&pair);
    assert_true(export(&pair.client, client));
    assert_true(export(&pair.server, server));
    assert_memory_equal(client, server, 32);
    nw_protocol_metadata_t metadata =
        nwi_chain_copy_metadata(pair.client.chain, &nwi_tls_definition);
    pair_end(&pair);
    sec_protocol_metadata_t sec = nw_tls_copy_sec_protocol_metadata(metadata);
    assert_null(sec_protocol_metadata_create_secret(sec, 5, "label", 32)); /* the session is gone */
    nwi_release(sec);
    nwi_release(metadata);
}

/* What came last may be asked for its metadata when the connection is gone: the program holds its
 * context, which holds the layer. */
static void test_metadata_after_the_end(void **state) {
    (void)state;
    struct pair pair;
    make_open(&pair);
    struct nwi_layer *layer = nwi_retain(nwi_chain_secure_layer(pair.client.chain));
    pair_end(&pair);
    nw_protocol_metadata_t metadata = layer->ops->copy_metadata(layer, &nwi_tls_definition);
    nwi_release(layer);
    sec_protocol_metadata_t sec = nw_tls_copy_sec_protocol_metadata(metadata);
    assert_null(sec_protocol_metadata_create_secret(sec, 5, "label", 32));
    nwi_release(sec);
    nwi_release(metadata);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_both_ways),
        cmocka_unit_test(test_nothing_is_read_that_nobody_asked_for),
        cmocka_unit_test(test_large_content),
        cmocka_unit_test(test_half_close_and_end),
        cmocka_unit_test(test_end_without_close_notify),
        cmocka_unit_test(test_cancel_says_goodbye),
        cmocka_unit_test(test_octet_by_octet),
        cmocka_unit_test(test_truncated_handshakes),
        cmocka_unit_test(test_no_key_in_common),
        cmocka_unit_test(test_certificate),
        cmocka_unit_test(test_wrong_name),
        cmocka_unit_test(test_client_certificates),
        cmocka_unit_test(test_exact_suites),
        cmocka_unit_test(test_false_start),
        cmocka_unit_test(test_dh_parameters),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_back_pressure),
        cmocka_unit_test(test_exported_secrets),
        cmocka_unit_test(test_metadata_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
