/*
 * test_ask.c - what a handshake asks the program: when, with what in hand, and what each answer
 * does.
 */
#include "fake/await.h"
#include "fake/made_identity.h"
#include "fake/misuses.h"
#include "pair.h"
#include "protocol/tls/private.h"
#include "trust/identity.h"
#include <Security/SecProtocolMetadata.h>
#include <Security/trust_evaluation.h>
#include <gnutls/abstract.h>

/* The handler gives this to the test's thread, which answers. */
static struct {
    sem_t event;
    void *context;
    sec_protocol_verify_complete_f verify;
    sec_protocol_challenge_complete_f challenge;
    sec_protocol_pre_shared_key_selection_complete_f key;
    char hint[32];
    bool hinted;
    int names, chain;
    int32_t verdict;
} asked;

static bool count_name(void *context, dispatch_data_t name) {
    (void)name;
    ++*(int *)context;
    return true;
}

static void on_verify(void *context, sec_protocol_metadata_t metadata, sec_trust_t trust,
                      sec_protocol_verify_complete_f complete, void *complete_context) {
    assert_ptr_equal(context, &asked);
    assert_non_null(metadata);
    asked.verdict = sec_trust_evaluate(trust);
    asked.verify = complete;
    asked.context = complete_context;
    sem_post(&asked.event);
}

static void on_challenge(void *context, sec_protocol_metadata_t metadata,
                         sec_protocol_challenge_complete_f complete, void *complete_context) {
    (void)context;
    asked.names = 0;
    sec_protocol_metadata_access_distinguished_names_f(metadata, &asked.names, (void *)count_name);
    asked.challenge = complete;
    asked.context = complete_context;
    sem_post(&asked.event);
}

static void on_key(void *context, sec_protocol_metadata_t metadata, dispatch_data_t hint,
                   sec_protocol_pre_shared_key_selection_complete_f complete,
                   void *complete_context) {
    (void)context;
    assert_non_null(metadata);
    memset(asked.hint, 0, sizeof asked.hint);
    asked.hinted = hint != NULL;
    if (hint != NULL)
        nwi_data_copy_out(hint, 0, asked.hint, sizeof asked.hint - 1);
    asked.key = complete;
    asked.context = complete_context;
    sem_post(&asked.event);
}

static const tls_protocol_version_t versions[] = {tls_protocol_version_TLSv12,
                                                  tls_protocol_version_TLSv13};

static void init(struct pair *pair, tls_protocol_version_t version) {
    pair_init(pair);
    sec_protocol_options_set_max_tls_protocol_version(side_options(&pair->client), version);
}

static void start(struct pair *pair) {
    pair_start(pair);
    pair_run(pair);
}

static void assert_error(const struct side *side, int code) {
    assert_int_equal(side->failed, 1);
    assert_int_equal(nwi_err_code(side->error), code);
}

static void assert_connected(const struct pair *pair) {
    assert_int_equal(pair->client.error, 0);
    assert_int_equal(pair->client.connected, 1);
    assert_int_equal(pair->server.connected, 1);
    assert_int_equal(pair->client.asking, 0);
}

/* --- verify --- */

static void start_verify(struct pair *pair, tls_protocol_version_t version) {
    init(pair, version);
    side_add_identity(&pair->server, "other.example"); /* the default evaluation would refuse */
    sec_protocol_options_set_verify_block_f(side_options(&pair->client), &asked, on_verify, NULL);
    start(pair);
    await(&asked.event);
    assert_int_equal(pair->client.asking, 1);
    assert_int_equal(pair->client.connected, 0);
    assert_int_not_equal(asked.verdict, 0);
}

static void test_verify_yes(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair pair;
        start_verify(&pair, versions[i]);
        pair_run(&pair);
        assert_int_equal(pair.client.connected, 0);
        asked.verify(asked.context, true);
        pair_run(&pair);
        assert_connected(&pair);
        pair_end(&pair);
    }
}

static void test_verify_no(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair pair;
        start_verify(&pair, versions[i]);
        asked.verify(asked.context, false);
        pair_run(&pair);
        assert_error(&pair.client, errSSLBadCert);
        assert_int_equal(pair.server.failed, 1);
        assert_int_not_equal(nwi_err_code(pair.server.error), errSSLClosedNoNotify);
        pair_end(&pair);
    }
}

static void test_verify_twice(void **state) {
    (void)state;
    struct pair pair;
    start_verify(&pair, versions[1]);
    asked.verify(asked.context, true);
    misuses = 0;
    nwi_log_set_sink(count_misuse);
    asked.verify(asked.context, false);
    nwi_log_set_sink(NULL);
    assert_int_equal(misuses, 1);
    pair_run(&pair);
    assert_connected(&pair);
    pair_end(&pair);
}

static void test_verify_after_the_end(void **state) {
    (void)state;
    struct pair pair;
    start_verify(&pair, versions[1]);
    pair_end(&pair);
    asked.verify(asked.context, true);
}

/* A break is told while the program thinks; its answer comes too late. */
static void test_broken_while_asking(void **state) {
    (void)state;
    struct pair pair;
    start_verify(&pair, versions[1]);
    nwi_layer_failed(&pair.client.wire->base, nwi_posix(ECONNRESET));
    assert_int_equal(pair.client.failed, 1);
    assert_int_equal(pair.client.error, nwi_posix(ECONNRESET));
    asked.verify(asked.context, true);
    assert_int_equal(pair.client.connected, 0);
    pair_end(&pair);
}

static void test_server_verifies(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair pair;
        init(&pair, versions[i]);
        pair_add_certificate(&pair, "peer.example");
        side_add_identity(&pair.client, "client.example");
        sec_protocol_options_set_peer_authentication_required(side_options(&pair.server), true);
        sec_protocol_options_set_verify_block_f(side_options(&pair.server), &asked, on_verify,
                                                NULL);
        start(&pair);
        await(&asked.event);
        assert_int_equal(pair.server.connected, 0);
        asked.verify(asked.context, i == 0);
        pair_run(&pair);
        assert_int_equal(pair.server.connected, i == 0);
        if (i != 0)
            assert_error(&pair.server, errSSLBadCert);
        pair_end(&pair);
    }
}

/* --- challenge --- */

static void test_challenge(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct pair pair;
        bool shows = i >= 2;
        init(&pair, versions[i % 2]);
        pair_add_certificate(&pair, "peer.example");
        side_trust_authority(&pair.server);
        sec_protocol_options_set_peer_authentication_required(side_options(&pair.server), true);
        sec_protocol_options_set_challenge_block_f(side_options(&pair.client), NULL, on_challenge,
                                                   NULL);
        start(&pair);
        await(&asked.event);
        assert_int_equal(pair.client.connected, 0);
        assert_int_equal(asked.names, 1); /* the CA's */
        sec_identity_t identity = shows ? make_identity("client.example") : NULL;
        asked.challenge(asked.context, identity);
        nwi_release(identity);
        pair_run(&pair);
        assert_int_equal(pair.server.connected, shows);
        if (shows)
            assert_connected(&pair);
        else
            assert_error(&pair.server, errSSLCertificateRequired);
        pair_end(&pair);
    }
}

/* Doubles the CertificateRequest among the records of TLS 1.2 on their way to the client. */
static void double_request(struct wire *wire) {
    enum { HEADER = 5, REQUEST = 13 };
    size_t at = 0, size;
    while (at + HEADER < wire->length && wire->octets[at + HEADER] != REQUEST)
        at += HEADER + (size_t)(wire->octets[at + 3] << 8 | wire->octets[at + 4]);
    assert_true(at + HEADER < wire->length);
    size = HEADER + (size_t)(wire->octets[at + 3] << 8 | wire->octets[at + 4]);
    wire->room = wire->length + size;
    wire->octets = realloc(wire->octets, wire->room);
    assert_non_null(wire->octets);
    memmove(wire->octets + at + size, wire->octets + at, wire->length - at);
    wire->length += size;
}

/* The program is asked once; GnuTLS ends it at the second request. */
static void test_requested_twice(void **state) {
    (void)state;
    struct pair pair;
    init(&pair, versions[0]);
    pair_add_certificate(&pair, "peer.example");
    side_trust_authority(&pair.server);
    sec_protocol_options_set_peer_authentication_required(side_options(&pair.server), true);
    sec_protocol_options_set_challenge_block_f(side_options(&pair.client), NULL, on_challenge,
                                               NULL);
    pair.client.held = true;
    start(&pair);
    double_request(pair.client.wire);
    pair.client.held = false;
    pair_run(&pair);
    await(&asked.event);
    sec_identity_t identity = make_identity("client.example");
    asked.challenge(asked.context, identity);
    nwi_release(identity);
    pair_run(&pair);
    assert_int_equal(pair.client.asking, 0);
    assert_int_equal(pair.client.failed, 1);
    pair_end(&pair);
}

/* The certificate names a key whose exponent has 16,000 bits; who signs is another. */
static sec_identity_t make_costly_identity(void) {
    enum { EXPONENT = 2000 };
    struct made_identity made;
    struct nwi_identity_key key = {0};
    unsigned char octets[EXPONENT];
    gnutls_datum_t modulus, exponent = {octets, EXPONENT}, der;
    gnutls_pubkey_t public;
    memset(octets, 0xff, sizeof octets);
    made_identity_create(&made, GNUTLS_PK_RSA, "costly.example", NULL, false);
    assert_int_equal(gnutls_privkey_init(&key.key), 0);
    assert_int_equal(gnutls_privkey_import_x509(key.key, made.key, GNUTLS_PRIVKEY_IMPORT_COPY), 0);
    assert_int_equal(
        gnutls_x509_privkey_export_rsa_raw(made.key, &modulus, NULL, NULL, NULL, NULL, NULL), 0);
    assert_int_equal(gnutls_pubkey_init(&public), 0);
    assert_int_equal(gnutls_pubkey_import_rsa_raw(public, &modulus, &exponent), 0);
    assert_int_equal(gnutls_x509_crt_set_pubkey(made.crt, public), 0);
    assert_int_equal(gnutls_x509_crt_sign2(made.crt, made.crt, made.key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(made.crt, GNUTLS_X509_FMT_DER, &der), 0);
    sec_certificate_t leaf = nwi_certificate_create(der.data, der.size);
    sec_identity_t identity = nwi_identity_create(&leaf, 1, &key);
    assert_non_null(identity);
    nwi_release(leaf);
    gnutls_free(der.data);
    gnutls_free(modulus.data);
    gnutls_pubkey_deinit(public);
    made_identity_free(&made);
    return identity;
}

/* A signature by a key that would keep us busy is not even looked at, whoever verifies. */
static void test_costly_key(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair pair;
        init(&pair, versions[i]);
        pair_add_certificate(&pair, "peer.example");
        side_trust_authority(&pair.server);
        sec_protocol_options_set_peer_authentication_required(side_options(&pair.server), true);
        sec_protocol_options_set_challenge_block_f(side_options(&pair.client), NULL, on_challenge,
                                                   NULL);
        start(&pair);
        await(&asked.event);
        sec_identity_t identity = make_costly_identity();
        asked.challenge(asked.context, identity);
        nwi_release(identity);
        pair_run(&pair);
        assert_error(&pair.server, errSSLBadCert);
        pair_end(&pair);
    }
}

static void test_no_challenge_without_a_request(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair pair;
        init(&pair, versions[i]);
        pair_add_certificate(&pair, "peer.example");
        sec_protocol_options_set_challenge_block_f(side_options(&pair.client), NULL, on_challenge,
                                                   NULL);
        pair.client.chunk = 1;
        start(&pair);
        assert_connected(&pair);
        pair_end(&pair);
    }
}

/* --- pre-shared keys --- */

static void start_key(struct pair *pair, tls_protocol_version_t version) {
    init(pair, version);
    dispatch_data_t wrong = nwi_data_create_copy("xxxxxxxxxxxxxxxx", 16),
                    first = nwi_data_create_copy("first", 5),
                    hint = nwi_data_create_copy("take name", 9);
    sec_protocol_options_add_pre_shared_key(side_options(&pair->client), wrong, first);
    pair_add_key(pair);
    sec_protocol_options_set_tls_pre_shared_key_identity_hint(side_options(&pair->server), hint);
    sec_protocol_options_set_pre_shared_key_selection_block_f(side_options(&pair->client), NULL,
                                                              on_key, NULL);
    dispatch_release(wrong);
    dispatch_release(first);
    dispatch_release(hint);
    start(pair);
    await(&asked.event);
    assert_int_equal(pair->client.asking, 1);
}

static void answer_key(const char *name) {
    dispatch_data_t data = name != NULL ? nwi_data_create_copy(name, strlen(name)) : NULL;
    asked.key(asked.context, data);
    nwi_release(data);
}

/* A version of DTLS says the same of TLS: docs/tls.md. */
static void test_key_by_hint(void **state) {
    (void)state;
    static const tls_protocol_version_t highest[] = {tls_protocol_version_TLSv12,
                                                     tls_protocol_version_DTLSv12};
    for (int i = 0; i < 2; i++) {
        struct pair pair;
        start_key(&pair, highest[i]);
        assert_string_equal(asked.hint, "take name");
        answer_key("name");
        pair_run(&pair);
        assert_connected(&pair);
        pair_end(&pair);
    }
}

static void test_key_before_the_hello(void **state) {
    (void)state;
    struct pair pair;
    start_key(&pair, tls_protocol_version_TLSv13);
    assert_false(asked.hinted);
    answer_key("name");
    pair_run(&pair);
    assert_connected(&pair);
    pair_end(&pair);
}

static void test_no_key(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct pair pair;
        start_key(&pair, versions[i % 2]);
        answer_key(i < 2 ? NULL : "unknown");
        pair_run(&pair);
        assert_int_equal(pair.client.connected, 0);
        assert_int_equal(pair.client.failed, 1);
        assert_int_equal(pair.server.failed, 1);
        pair_end(&pair);
    }
}

/* --- new keys --- */

static void on_key_update(void *context, sec_protocol_metadata_t metadata,
                          sec_protocol_key_update_complete_f complete, void *complete_context) {
    (void)context;
    assert_non_null(metadata);
    complete(complete_context);
    sem_post(&asked.event);
}

static void test_key_update(void **state) {
    (void)state;
    struct pair pair;
    init(&pair, tls_protocol_version_TLSv13);
    pair_add_certificate(&pair, "peer.example");
    sec_protocol_options_set_key_update_block_f(side_options(&pair.client), NULL, on_key_update,
                                                NULL);
    start(&pair);
    assert_connected(&pair);
    struct tls *server = (struct tls *)pair.server.chain->top;
    assert_int_equal(gnutls_session_key_update(server->session, GNUTLS_KU_PEER), 0);
    side_send(&pair.server, "with new keys", 13, false, NULL);
    nwi_chain_window(pair.client.chain, 100);
    nwi_chain_window(pair.server.chain, 100);
    pair_run(&pair);
    assert_int_equal(pair.client.received, 13);
    await(&asked.event);
    side_send(&pair.client, "so have we", 10, false, NULL);
    pair_run(&pair);
    assert_int_equal(pair.server.received, 10);
    pair_end(&pair);
}

/* --- an owner that has had enough --- */

static bool stop_at_begin;

static bool on_asking_stop(void *owner, bool begins) {
    struct side *side = owner;
    if (begins == stop_at_begin)
        nwi_chain_stop(side->chain, NWI_DISCONNECT_GRACEFUL, NWI_ERR_CANCELED);
    return true;
}

static const struct nwi_chain_events impatient = {.asking = on_asking_stop};

/* Inside the call that says that a question begins, or that it is answered. */
static void test_stopped_inside_asking(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct pair pair;
        init(&pair, versions[i % 2]);
        side_add_identity(&pair.server, "peer.example");
        sec_protocol_options_set_verify_block_f(side_options(&pair.client), &asked, on_verify,
                                                NULL);
        pair_start(&pair);
        stop_at_begin = i < 2;
        nwi_chain_set_owner(pair.client.chain, &impatient, &pair.client);
        pair_run(&pair);
        if (!stop_at_begin) {
            await(&asked.event);
            asked.verify(asked.context, true);
        }
        assert_null(pair.client.chain->top);
        assert_int_equal(pair.client.connected, 0);
        pair_end(&pair);
    }
}

int main(void) {
    event_init(&asked.event);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verify_yes),
        cmocka_unit_test(test_verify_no),
        cmocka_unit_test(test_verify_twice),
        cmocka_unit_test(test_verify_after_the_end),
        cmocka_unit_test(test_broken_while_asking),
        cmocka_unit_test(test_server_verifies),
        cmocka_unit_test(test_challenge),
        cmocka_unit_test(test_requested_twice),
        cmocka_unit_test(test_costly_key),
        cmocka_unit_test(test_no_challenge_without_a_request),
        cmocka_unit_test(test_key_by_hint),
        cmocka_unit_test(test_key_before_the_hello),
        cmocka_unit_test(test_no_key),
        cmocka_unit_test(test_key_update),
        cmocka_unit_test(test_stopped_inside_asking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
