/*
 * test_sec_metadata.c - src/model/sec_metadata.c, sec_metadata_access.c.
 */
#include "misuse.h"

#include "base/alloc.h"
#include "dispatch/data.h"
#include "model/sec_metadata.h"
#include "model/tls_options.h"
#include <Security/session_metadata.h>
#include <Security/trust_evaluation.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A seed of the fuzzer holds a client and its root: two octets of length before each. */
static unsigned char octets[4096];
static sec_certificate_t make_certificate(bool root) {
    const unsigned char *at = octets + 1;
    size_t size = (size_t)(at[0] << 8 | at[1]);
    if (root) {
        at += 2 + size;
        size = (size_t)(at[0] << 8 | at[1]);
    }
    sec_certificate_t certificate = sec_certificate_create_with_bytes(at + 2, size);
    assert_non_null(certificate);
    return certificate;
}
static int setup(void **state) {
    char path[1024];
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/certificate/client",
             getenv("NW_SOURCE_ROOT"));
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    size_t size = fread(octets, 1, sizeof octets, file);
    fclose(file);
    return size > 0 ? misuse_setup(state) : -1;
}

static sec_protocol_metadata_t make(void) {
    sec_protocol_metadata_t m = nwi_sec_metadata_create();
    assert_non_null(m);
    return m;
}
static bool holds(dispatch_data_t data, const char *text) {
    dispatch_data_t other = nwi_data_create_copy(text, strlen(text));
    bool same = nwi_data_equal(data, other);
    nwi_release(other);
    return same;
}

static void an_empty_one_says_so(void **state) {
    (void)state;
    sec_protocol_metadata_t m = make();
    assert_null(sec_protocol_metadata_get_negotiated_protocol(m));
    assert_null(sec_protocol_metadata_copy_negotiated_protocol(m));
    assert_null(sec_protocol_metadata_get_server_name(m));
    assert_null(sec_protocol_metadata_copy_server_name(m));
    assert_null(sec_protocol_metadata_copy_peer_public_key(m));
    assert_int_equal(sec_protocol_metadata_get_negotiated_tls_protocol_version(m), 0);
    assert_int_equal(sec_protocol_metadata_get_negotiated_protocol_version(m), 0);
    assert_int_equal(sec_protocol_metadata_get_negotiated_tls_ciphersuite(m), 0);
    assert_int_equal(sec_protocol_metadata_get_negotiated_ciphersuite(m), 0);
    assert_false(sec_protocol_metadata_get_early_data_accepted(m));
    assert_false(sec_protocol_metadata_get_session_resumed(m));
    assert_null(sec_protocol_metadata_create_secret(m, 5, "label", 32)); /* no session */
    sec_release(m);
}

static void agreed_values(void **state) {
    (void)state;
    sec_protocol_metadata_t m = make();
    assert_true(nwi_sec_metadata_set_protocol(m, "h2-and-more", 2)); /* not ended by 0 */
    assert_true(nwi_sec_metadata_set_server_name(m, "old.example"));
    assert_true(nwi_sec_metadata_set_server_name(m, "example.com"));
    assert_true(nwi_sec_metadata_set_peer_public_key(m, "spki", 4));
    m->ciphersuite = tls_ciphersuite_AES_256_GCM_SHA384;
    m->early_data_accepted = m->resumed = true;
    assert_string_equal(sec_protocol_metadata_get_negotiated_protocol(m), "h2");
    assert_string_equal(sec_protocol_metadata_get_server_name(m), "example.com");
    assert_int_equal(sec_protocol_metadata_get_negotiated_tls_ciphersuite(m), 0x1302);
    assert_int_equal(sec_protocol_metadata_get_negotiated_ciphersuite(m), TLS_AES_256_GCM_SHA384);
    assert_true(sec_protocol_metadata_get_early_data_accepted(m));
    assert_true(sec_protocol_metadata_get_session_resumed(m));
    char *protocol = (char *)sec_protocol_metadata_copy_negotiated_protocol(m);
    char *name = (char *)sec_protocol_metadata_copy_server_name(m);
    dispatch_data_t key = sec_protocol_metadata_copy_peer_public_key(m);
    sec_release(m); /* copies outlive it */
    assert_string_equal(protocol, "h2");
    assert_string_equal(name, "example.com");
    assert_true(holds(key, "spki"));
    free(protocol), free(name), dispatch_release(key);
}

static void versions_in_both_numberings(void **state) {
    (void)state;
    static const struct {
        tls_protocol_version_t wire;
        SSLProtocol old;
    } cases[] = {{0x0301, 4}, {0x0302, 7},  {0x0303, 8}, {0x0304, 10},
                 {0xFEFF, 9}, {0xFEFD, 11}, {0x0300, 0}, {0, 0}};
    sec_protocol_metadata_t m = make();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        m->version = cases[i].wire;
        assert_int_equal(sec_protocol_metadata_get_negotiated_tls_protocol_version(m),
                         cases[i].wire);
        assert_int_equal(sec_protocol_metadata_get_negotiated_protocol_version(m), cases[i].old);
    }
    sec_release(m);
}

/* --- lists --- */

struct seen {
    sec_protocol_metadata_t release; /* given back inside the first call */
    unsigned count;
    void *items[4], *others[4];
    uint16_t numbers[4];
};
static void note(struct seen *seen, void *item, void *other) {
    assert_true(seen->count < 4);
    sec_release(nwi_take(&seen->release));
    seen->items[seen->count] = item;
    seen->others[seen->count++] = other;
}
static void see_certificate(void *context, sec_certificate_t certificate) {
    note(context, certificate, NULL);
}
static void see_data(void *context, dispatch_data_t data) {
    note(context, data, NULL);
}
static void see_key(void *context, dispatch_data_t key, dispatch_data_t identity) {
    note(context, key, identity);
}
static void see_number(void *context, uint16_t number) {
    struct seen *seen = context;
    seen->numbers[seen->count] = number;
    note(seen, NULL, NULL);
}

static void chain_is_walked_leaf_first(void **state) {
    (void)state;
    struct seen seen = {0};
    sec_protocol_metadata_t m = make();
    assert_false(sec_protocol_metadata_access_peer_certificate_chain_f(m, &seen, see_certificate));
    sec_certificate_t chain[] = {make_certificate(false), make_certificate(true)};
    assert_true(nwi_sec_metadata_set_peer_chain(m, chain + 1, 1));
    assert_true(nwi_sec_metadata_set_peer_chain(m, chain, 2)); /* replaces */
    seen.release = m;
    assert_true(sec_protocol_metadata_access_peer_certificate_chain_f(m, &seen, see_certificate));
    assert_int_equal(seen.count, 2);
    assert_ptr_equal(seen.items[0], chain[0]);
    assert_ptr_equal(seen.items[1], chain[1]);
    sec_release(chain[0]), sec_release(chain[1]);
}

typedef bool (*access_data)(sec_protocol_metadata_t m, void *context, sec_access_data_f handler);
static unsigned reads;
static bool read_second_time(sec_protocol_metadata_t metadata) {
    if (reads++ == 0) { /* memory ran out half way */
        nwi_sec_metadata_add_item(&metadata->scts, "half", 4);
        return false;
    }
    return nwi_sec_metadata_set_peer_public_key(metadata, "spki", 4) &&
           nwi_sec_metadata_add_item(&metadata->scts, "whole", 5);
}

static void peer_is_read_when_asked_for(void **state) {
    (void)state;
    sec_protocol_metadata_t m = make();
    reads = 0;
    assert_true(nwi_sec_metadata_add_item(&m->shown, "der", 3));
    m->read_peer = read_second_time;
    assert_int_equal(sec_protocol_metadata_get_negotiated_tls_ciphersuite(m), 0);
    assert_int_equal(reads, 0); /* what needs no certificate reads none */
    assert_null(sec_protocol_metadata_copy_peer_public_key(m));
    assert_int_equal(m->shown.count, 1); /* kept for the next one who asks */
    dispatch_data_t key = sec_protocol_metadata_copy_peer_public_key(m);
    assert_true(holds(key, "spki"));
    dispatch_release(key);
    dispatch_release(sec_protocol_metadata_copy_peer_public_key(m));
    assert_int_equal(reads, 2);
    assert_int_equal(m->shown.count, 0);
    assert_int_equal(m->scts.count, 1); /* not half a list before it */
    sec_release(m);
}

static void lists_of_octets(void **state) {
    (void)state;
    static const struct {
        access_data access;
        size_t offset;
    } cases[] = {
        {sec_protocol_metadata_access_ocsp_response_f,
         offsetof(struct sec_protocol_metadata, ocsp_responses)},
        {sec_protocol_metadata_access_distinguished_names_f,
         offsetof(struct sec_protocol_metadata, distinguished_names)},
        {sec_protocol_metadata_access_signed_certificate_timestamps_f,
         offsetof(struct sec_protocol_metadata, scts)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen seen = {0};
        sec_protocol_metadata_t m = make();
        struct nwi_sec_items *items = (void *)((char *)m + cases[i].offset);
        assert_true(nwi_sec_metadata_add_item(items, "one", 3));
        assert_true(nwi_sec_metadata_add_item(items, "two", 3));
        for (size_t j = 0; j < sizeof cases / sizeof cases[0]; j++)
            assert_int_equal(cases[j].access(m, &seen, see_data), i == j);
        assert_int_equal(seen.count, 2);
        assert_true(holds(seen.items[0], "one") && holds(seen.items[1], "two"));
        seen = (struct seen){.release = m}; /* each walk holds the metadata */
        assert_true(cases[i].access(m, &seen, see_data));
        assert_int_equal(seen.count, 2);
    }
}

static void algorithms_and_keys(void **state) {
    (void)state;
    struct seen seen = {0};
    sec_protocol_metadata_t m = make();
    assert_false(
        sec_protocol_metadata_access_supported_signature_algorithms_f(m, &seen, see_number));
    assert_false(sec_protocol_metadata_access_pre_shared_keys_f(m, &seen, see_key));
    assert_int_equal(seen.count, 0);
    assert_true(nwi_sec_metadata_add_signature_algorithm(m, 0x0403));
    assert_true(nwi_sec_metadata_add_signature_algorithm(m, 0x0804));
    assert_true(
        sec_protocol_metadata_access_supported_signature_algorithms_f(m, &seen, see_number));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.numbers[0], 0x0403);
    assert_int_equal(seen.numbers[1], 0x0804);
    dispatch_data_t key = nwi_data_create_copy("key", 3), name = nwi_data_create_copy("id", 2);
    assert_true(nwi_sec_metadata_add_psk(m, key, name));
    seen = (struct seen){.release = m};
    assert_true(sec_protocol_metadata_access_pre_shared_keys_f(m, &seen, see_key));
    assert_int_equal(seen.count, 1);
    assert_ptr_equal(seen.items[0], key);
    assert_ptr_equal(seen.others[0], name);
    dispatch_release(key), dispatch_release(name);
}

/* --- comparison --- */

static void peers(void **state) {
    (void)state;
    sec_protocol_metadata_t a = make(), b = make();
    assert_true(sec_protocol_metadata_peers_are_equal(a, a));
    assert_true(sec_protocol_metadata_peers_are_equal(a, b));
    assert_true(sec_protocol_metadata_peers_are_equal(NULL, NULL));
    assert_false(sec_protocol_metadata_peers_are_equal(a, NULL));
    assert_false(sec_protocol_metadata_peers_are_equal(NULL, a));
    nwi_sec_metadata_set_protocol(a, "h2", 2); /* no matter of whom we spoke with */
    a->version = 0x0304;
    assert_true(sec_protocol_metadata_peers_are_equal(a, b));
    nwi_sec_metadata_set_server_name(a, "a.example");
    assert_false(sec_protocol_metadata_peers_are_equal(a, b));
    nwi_sec_metadata_set_server_name(b, "b.example");
    assert_false(sec_protocol_metadata_peers_are_equal(a, b));
    nwi_sec_metadata_set_server_name(b, "a.example");
    assert_true(sec_protocol_metadata_peers_are_equal(a, b));
    nwi_sec_metadata_set_peer_public_key(a, "k", 1);
    assert_false(sec_protocol_metadata_peers_are_equal(a, b));
    nwi_sec_metadata_set_peer_public_key(b, "k", 1);
    assert_true(sec_protocol_metadata_peers_are_equal(a, b));
    sec_certificate_t leaf = make_certificate(false), again = make_certificate(false),
                      root = make_certificate(true);
    sec_certificate_t two[] = {again, root};
    nwi_sec_metadata_set_peer_chain(a, &leaf, 1);
    assert_false(sec_protocol_metadata_peers_are_equal(a, b));
    nwi_sec_metadata_set_peer_chain(b, &root, 1);
    assert_false(sec_protocol_metadata_peers_are_equal(a, b));
    nwi_sec_metadata_set_peer_chain(b, two, 2);
    assert_false(sec_protocol_metadata_peers_are_equal(a, b));
    nwi_sec_metadata_set_peer_chain(b, &again, 1); /* another object of the same certificate */
    assert_true(sec_protocol_metadata_peers_are_equal(a, b));
    sec_release(leaf), sec_release(again), sec_release(root), sec_release(a), sec_release(b);
}

static void challenges(void **state) {
    (void)state;
    sec_protocol_metadata_t a = make(), b = make();
    assert_true(sec_protocol_metadata_challenge_parameters_are_equal(a, b));
    assert_true(sec_protocol_metadata_challenge_parameters_are_equal(NULL, NULL));
    assert_false(sec_protocol_metadata_challenge_parameters_are_equal(a, NULL));
    nwi_sec_metadata_set_server_name(a, "a.example"); /* no matter of what was asked */
    assert_true(sec_protocol_metadata_challenge_parameters_are_equal(a, b));
    nwi_sec_metadata_add_item(&a->distinguished_names, "one", 3);
    assert_false(sec_protocol_metadata_challenge_parameters_are_equal(a, b));
    nwi_sec_metadata_add_item(&b->distinguished_names, "one", 3);
    assert_true(sec_protocol_metadata_challenge_parameters_are_equal(a, b));
    nwi_sec_metadata_add_signature_algorithm(a, 1);
    assert_false(sec_protocol_metadata_challenge_parameters_are_equal(a, b));
    nwi_sec_metadata_add_signature_algorithm(b, 2);
    assert_false(sec_protocol_metadata_challenge_parameters_are_equal(a, b));
    b->signature_algorithms[0] = 1;
    assert_true(sec_protocol_metadata_challenge_parameters_are_equal(a, b));
    sec_release(a), sec_release(b);
}

/* --- exported secrets --- */

struct session {
    unsigned asked;
    bool refuse, has_context;
    size_t label_length, context_length;
};
static bool give_secret(void *owner, const char *label, size_t label_length, const uint8_t *context,
                        size_t context_length, size_t length, uint8_t *ret_secret) {
    struct session *session = owner;
    session->asked++;
    session->has_context = context != NULL;
    session->label_length = label_length;
    session->context_length = context_length;
    if (session->refuse)
        return false;
    memset(ret_secret, label[0], length);
    return true;
}
static const struct nwi_sec_exporter_ops ops = {give_secret};

static void secrets(void **state) {
    (void)state;
    struct session session = {0};
    sec_protocol_metadata_t m = make();
    nwi_sec_metadata_attach(m, &ops, &session);
    dispatch_data_t secret = sec_protocol_metadata_create_secret(m, 5, "label", 3);
    assert_true(holds(secret, "lll"));
    assert_true(session.label_length == 5 && !session.has_context && session.context_length == 0);
    dispatch_release(secret);
    const uint8_t context[] = {1, 2};
    secret = sec_protocol_metadata_create_secret_with_context(m, 1, "x", 2, context, 4);
    assert_true(holds(secret, "xxxx"));
    assert_true(session.label_length == 1 && session.has_context && session.context_length == 2);
    dispatch_release(secret);
    /* An empty context is a context. */
    secret = sec_protocol_metadata_create_secret_with_context(m, 1, "x", 0, context, 1);
    assert_true(session.has_context && session.context_length == 0);
    dispatch_release(secret);
    session.refuse = true;
    assert_null(sec_protocol_metadata_create_secret(m, 1, "x", 1));
    session = (struct session){0};
    assert_misuse(assert_null(sec_protocol_metadata_create_secret(m, 1, NULL, 1)));
    assert_misuse(assert_null(sec_protocol_metadata_create_secret(m, 0, "x", 1)));
    assert_misuse(assert_null(sec_protocol_metadata_create_secret(m, 1, "x", 0)));
    assert_misuse(assert_null(sec_protocol_metadata_create_secret(m, 1, "x", 65536)));
    assert_misuse(
        assert_null(sec_protocol_metadata_create_secret_with_context(m, 1, "x", 2, NULL, 1)));
    assert_misuse(assert_null(
        sec_protocol_metadata_create_secret_with_context(m, 1, "x", 65536, context, 1)));
    nwi_alloc_fail_at(1);
    assert_null(sec_protocol_metadata_create_secret(m, 1, "x", 3000));
    nwi_alloc_fail_at(0);
    nwi_sec_metadata_detach(m);
    nwi_sec_metadata_detach(m);
    nwi_sec_metadata_detach(NULL);
    assert_null(sec_protocol_metadata_create_secret(m, 1, "x", 1));
    assert_int_equal(session.asked, 0); /* the session is gone: never called */
    sec_release(m);
}

/* Another thread asks all the time; after detaching, the session's memory may go at once. */
static void *ask_until_none(void *metadata) {
    for (dispatch_data_t secret;
         (secret = sec_protocol_metadata_create_secret(metadata, 1, "x", 1)) != NULL;)
        dispatch_release(secret);
    return NULL;
}

static void detach_while_asked(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct session *session = calloc(1, sizeof *session);
        assert_non_null(session);
        sec_protocol_metadata_t m = make();
        nwi_sec_metadata_attach(m, &ops, session);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, ask_until_none, m), 0);
        nwi_sec_metadata_detach(m);
        free(session);
        assert_int_equal(pthread_join(thread, NULL), 0);
        sec_release(m);
    }
}

/* --- misuse, memory --- */

static void null_is_refused(void **state) {
    (void)state;
    struct seen seen = {0};
    sec_protocol_metadata_t m = make();
    assert_misuse(assert_null(sec_protocol_metadata_get_negotiated_protocol(NULL)));
    assert_misuse(assert_null(sec_protocol_metadata_copy_negotiated_protocol(NULL)));
    assert_misuse(assert_null(sec_protocol_metadata_get_server_name(NULL)));
    assert_misuse(assert_null(sec_protocol_metadata_copy_server_name(NULL)));
    assert_misuse(assert_null(sec_protocol_metadata_copy_peer_public_key(NULL)));
    assert_misuse(sec_protocol_metadata_get_negotiated_tls_protocol_version(NULL));
    assert_misuse(sec_protocol_metadata_get_negotiated_protocol_version(NULL));
    assert_misuse(sec_protocol_metadata_get_negotiated_tls_ciphersuite(NULL));
    assert_misuse(sec_protocol_metadata_get_negotiated_ciphersuite(NULL));
    assert_misuse(assert_false(sec_protocol_metadata_get_early_data_accepted(NULL)));
    assert_misuse(assert_false(sec_protocol_metadata_get_session_resumed(NULL)));
    assert_misuse(assert_null(sec_protocol_metadata_create_secret(NULL, 1, "x", 1)));
    assert_misuse(
        sec_protocol_metadata_access_peer_certificate_chain_f(NULL, &seen, see_certificate));
    assert_misuse(sec_protocol_metadata_access_ocsp_response_f(NULL, &seen, see_data));
    assert_misuse(sec_protocol_metadata_access_supported_signature_algorithms_f(NULL, &seen, NULL));
    assert_misuse(sec_protocol_metadata_access_pre_shared_keys_f(NULL, &seen, see_key));
    assert_misuse(sec_protocol_metadata_access_distinguished_names_f(m, &seen, NULL));
    assert_misuse(sec_protocol_metadata_access_pre_shared_keys_f(m, &seen, NULL));
    sec_release(m);
}

static void fillers_without_memory_change_nothing(void **state) {
    (void)state;
    sec_protocol_metadata_t m = make();
    sec_certificate_t leaf = make_certificate(false);
    nwi_sec_metadata_set_server_name(m, "old");
#define FAILING(call)                                                                              \
    do {                                                                                           \
        nwi_alloc_fail_at(1);                                                                      \
        assert_false(call);                                                                        \
        assert_true(nwi_alloc_fault_hit());                                                        \
        nwi_alloc_fail_at(0);                                                                      \
    } while (0)
    FAILING(nwi_sec_metadata_set_server_name(m, "new"));
    assert_string_equal(m->server_name, "old");
    FAILING(nwi_sec_metadata_set_protocol(m, "h2", 2));
    FAILING(nwi_sec_metadata_set_peer_chain(m, &leaf, 1));
    FAILING(nwi_sec_metadata_set_peer_public_key(m, "k", 1));
    FAILING(nwi_sec_metadata_add_item(&m->scts, "x", 1));
    nwi_alloc_fail_at(2); /* the item is made, the list cannot grow */
    assert_false(nwi_sec_metadata_add_item(&m->scts, "x", 1));
    nwi_alloc_fail_at(0);
    FAILING(nwi_sec_metadata_add_signature_algorithm(m, 1));
    FAILING(nwi_sec_metadata_add_psk(m, NULL, NULL));
    assert_true(m->negotiated_protocol == NULL && m->peer_chain_count == 0 &&
                m->peer_public_key == NULL && m->scts.count == 0 &&
                m->signature_algorithm_count == 0 && m->psk_count == 0);
    nwi_alloc_fail_at(1);
    assert_null(nwi_sec_metadata_create());
    nwi_alloc_fail_at(1);
    assert_null(nwi_tls_metadata_create(nwi_retain(m)));
    nwi_alloc_fail_at(0);
    assert_null(nwi_tls_metadata_create(NULL));
    sec_release(leaf), sec_release(m);
}

static void tls_metadata_shows_it(void **state) {
    (void)state;
    sec_protocol_metadata_t m = make();
    nw_protocol_metadata_t tls = nwi_tls_metadata_create(m); /* consumes it */
    nw_protocol_definition_t definition = nw_protocol_copy_tls_definition();
    nw_protocol_definition_t shown = nw_protocol_metadata_copy_definition(tls);
    assert_true(nw_protocol_metadata_is_tls(tls));
    assert_true(nw_protocol_definition_is_equal(definition, shown));
    sec_protocol_metadata_t copy = nw_tls_copy_sec_protocol_metadata(tls);
    assert_ptr_equal(copy, m);
    nw_release(tls);
    assert_ptr_equal(sec_retain(copy), copy); /* either family's calls count it */
    nw_release(copy), sec_release(copy);
    nw_release(definition), nw_release(shown);
    assert_misuse(assert_null(nw_tls_copy_sec_protocol_metadata(NULL)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_says_so),
        cmocka_unit_test(agreed_values),
        cmocka_unit_test(versions_in_both_numberings),
        cmocka_unit_test(chain_is_walked_leaf_first),
        cmocka_unit_test(peer_is_read_when_asked_for),
        cmocka_unit_test(lists_of_octets),
        cmocka_unit_test(algorithms_and_keys),
        cmocka_unit_test(peers),
        cmocka_unit_test(challenges),
        cmocka_unit_test(secrets),
        cmocka_unit_test(detach_while_asked),
        cmocka_unit_test(null_is_refused),
        cmocka_unit_test(fillers_without_memory_change_nothing),
        cmocka_unit_test(tls_metadata_shows_it),
    };
    return cmocka_run_group_tests(tests, setup, misuse_teardown);
}
