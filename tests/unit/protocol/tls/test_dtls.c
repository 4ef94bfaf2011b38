/*
 * test_dtls.c - src/protocol/tls/{dtls,datagrams}.c over a bad wire, in the test's own time.
 */
#include "air.h"
#include "base/alloc.h"
#include "fake/await.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct air air; /* large */
enum { MINUTES = 2 };

static void assert_connected(void) {
    assert_int_equal(air.client.error, 0);
    assert_int_equal(air.server.error, 0);
    assert_int_equal(air.client.connected, 1);
    assert_int_equal(air.server.connected, 1);
}

static void begin(uint64_t seed, bool with_certificate) {
    air_init(&air, seed);
    if (with_certificate)
        pair_add_certificate(&air.pair, "peer.example");
    else
        pair_add_key(&air.pair);
}

/* A number in the first octets of a message of that size. */
static void say(struct end *end, unsigned number, size_t size, struct sent *sent) {
    unsigned char octets[AIR_DATAGRAM] = {0};
    memcpy(octets, &number, sizeof number);
    end_send(end, octets, size, false, sent);
}

static void clean_wire(void **state) {
    (void)state;
    for (int with_certificate = 0; with_certificate < 2; with_certificate++) {
        struct sent sent = {0};
        begin(1, with_certificate);
        air.cookies = nwi_dtls_cookies_create(nwi_now());
        nwi_ns took = air_shake(&air, MINUTES * 60 * NWI_SEC);
        assert_connected();
        assert_true(took <= 6 * 20 * NWI_MS); /* three round trips, nothing waited for */
        assert_true(air.sent <= 8);           /* flights share datagrams */
        say(&air.client, 7, 100, &sent);
        air_pass(&air, NWI_SEC);
        assert_int_equal(sent.done, 1);
        assert_int_equal(sent.error, 0);
        assert_int_equal(air.server.messages, 1);
        assert_int_equal(air.server.sizes[0], 100);
        assert_int_equal(air.server.last_number, 7);
        assert_false(air.server.context_missing);
        say(&air.server, 8, 1, &sent);
        air_pass(&air, NWI_SEC);
        assert_int_equal(air.client.messages, 1);
        air_end(&air);
    }
}

/* Whatever is lost, doubled or late, the handshake ends well, and no message is told twice. */
static void bad_wire(void **state) {
    (void)state;
    nwi_ns worst = 0;
    int unlucky = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        begin(seed, seed % 2 == 0);
        air.loss = 20;
        air.twice = 15;
        air.late = 30;
        if (seed % 3 != 0)
            air.cookies = nwi_dtls_cookies_create(nwi_now());
        nwi_ns took = air_shake(&air, MINUTES * 60 * NWI_SEC);
        worst = took > worst ? took : worst;
        if (!air.client.connected || !air.server.connected) { /* six times in a row: bad luck */
            assert_int_equal(air.client.error | air.server.error, nwi_tls(errSSLNetworkTimeout));
            assert_true(++unlucky <= 5);
            air_end(&air);
            continue;
        }
        for (unsigned i = 0; i < 30; i++)
            say(&air.client, i, 50, NULL);
        air_pass(&air, NWI_SEC);
        assert_in_range(air.server.messages, 10, 30);
        assert_connected();
        air_end(&air);
    }
    print_message("the slowest of 150 took %u ms\n", (unsigned)(worst / NWI_MS));
}

/* Nobody reads, and yet the last flight is sent again when the peer asks for it. */
static void last_flight_is_sent_again(void **state) {
    (void)state;
    for (int nobody_reads = 0; nobody_reads < 2; nobody_reads++) {
        begin(3, false);
        air.server.reads = nobody_reads == 0;
        air_start(&air);
        while (!air.server.connected)
            air_pass(&air, NWI_MS);
        assert_int_equal(air.client.connected, 0); /* its Finished is on its way */
        for (size_t i = 0; i < air.count; i++)
            free(air.flying[i].octets);
        air.count = 0;
        air.lose_from_server = 1;
        air_pass(&air, 30 * NWI_SEC);
        assert_connected();
        air_end(&air);
    }
}

/* The handshake keeps within what the path is said to carry, and less is said to the program. */
static void path_mtu(void **state) {
    (void)state;
    begin(4, true);
    air.maximum = 400;
    air_shake(&air, MINUTES * 60 * NWI_SEC);
    assert_connected();
    assert_in_range(air.largest, 300, 400);
    struct nwi_layer_facts facts = nwi_chain_facts(air.client.chain);
    assert_in_range(facts.maximum_datagram, 400 - 80, 400 - 20);
    unsigned before = air.largest = 0;
    say(&air.client, 1, facts.maximum_datagram, NULL);
    air_pass(&air, NWI_SEC);
    assert_true(air.largest > before && air.largest <= 400); /* it fills the datagram */
    assert_in_range(air.largest, 400 - 16, 400);
    assert_int_equal(air.server.messages, 1);
    air_end(&air);
}

/* A path that carries less than was said, and says so or does not. */
static void path_mtu_is_found(void **state) {
    (void)state;
    for (int says_so = 0; says_so < 2; says_so++) {
        begin(5, true);
        air.maximum = 9000;
        *(says_so ? &air.refused_above : &air.mtu) = 560;
        nwi_ns took = air_shake(&air, MINUTES * 60 * NWI_SEC);
        assert_connected();
        assert_true(took < 40 * NWI_SEC);
        air_end(&air);
    }
}

static void nobody_answers(void **state) {
    (void)state;
    begin(6, false);
    air.cut = true;
    nwi_ns took = air_shake(&air, 5 * 60 * NWI_SEC);
    assert_int_equal(air.client.failed, 1);
    assert_int_equal(air.client.error, nwi_tls_error(GNUTLS_E_TIMEDOUT, -1));
    assert_in_range(took / NWI_SEC, 60, 61);
    assert_in_range(air.sent_by_client, 6, 8); /* at 0, 1, 3, 7, 15, 31 s and so on */
    air_end(&air);
}

/* Records that cannot be decrypted are dropped without a word: neither end learns why. */
static void wrong_key(void **state) {
    (void)state;
    begin(17, false);
    dispatch_data_t key = nwi_data_create_copy("another key 6789", 16),
                    name = nwi_data_create_copy("name", 4);
    nwi_release(air.pair.client.options);
    air.pair.client.options = nwi_tls_options(nw_tls_create_options());
    sec_protocol_options_add_pre_shared_key(side_options(&air.pair.client), key, name);
    air_shake(&air, MINUTES * 60 * NWI_SEC);
    air_pass(&air, NWI_SEC);
    assert_int_equal(air.client.connected + air.server.connected, 0);
    assert_int_equal(air.client.error, nwi_tls(errSSLNetworkTimeout));
    assert_int_equal(air.server.error, nwi_tls(errSSLNetworkTimeout));
    dispatch_release(key);
    dispatch_release(name);
    air_end(&air);
}

static void refused(void **state) {
    (void)state;
    begin(7, false);
    air_start(&air);
    air.cut = true;
    nwi_layer_soft_error(air.client.layer, nwi_posix(ECONNREFUSED)); /* once means nothing yet */
    nwi_layer_soft_error(air.client.layer, nwi_posix(ECONNREFUSED));
    air_pass(&air, 900 * NWI_MS);
    assert_int_equal(air.client.failed, 0);
    air.send_error = nwi_posix(ECONNREFUSED);
    air_pass(&air, 200 * NWI_MS);
    assert_int_equal(air.client.failed, 1);
    assert_int_equal(air.client.error, nwi_posix(ECONNREFUSED));
    assert_int_equal(air.client.soft_errors, 0);
    air_end(&air);
}

static void refused_once(void **state) {
    (void)state;
    begin(8, false);
    air.send_error = nwi_posix(ECONNREFUSED);
    air_start(&air);
    air.send_error = 0;
    air_pass(&air, 5 * NWI_SEC);
    assert_connected();
    nwi_layer_soft_error(air.client.layer, nwi_posix(ECONNREFUSED)); /* now it is the reader's */
    assert_int_equal(air.client.soft_errors, 1);
    assert_int_equal(air.client.failed, 0);
    air.client.error = 0;
    struct sent sent = {0};
    air.send_error = nwi_posix(ENETUNREACH);
    say(&air.client, 1, 10, &sent);
    assert_int_equal(sent.error, nwi_posix(ENETUNREACH)); /* that of one message */
    air.send_error = 0;
    say(&air.server, 1, 10, &sent);
    air_pass(&air, NWI_SEC);
    assert_int_equal(air.client.messages, 1);
    air_end(&air);
}

/* RFC 6347 section 4.1.2.7: invalid records end nothing; section 4.1.2.6: nor are they told twice.
 */
static void garbage(void **state) {
    (void)state;
    unsigned char octets[1400];
    begin(9, false);
    air.twice = 100;
    air_start(&air);
    for (unsigned i = 0; i < 400; i++) {
        for (size_t k = 0; k < sizeof octets; k++)
            octets[k] = (unsigned char)(i * 31 + k * k * 7 + k / 3);
        if (i % 4 == 1) /* looks like a record */
            memcpy(octets, "\x16\xfe\xfd\0\0\0\0\0\0\0\x09\0\x20", 13);
        if (i % 4 == 2)
            memcpy(octets, "\x17\xfe\xfd\0\1\0\0\0\0\0\x09\0\x20", 13);
        if (i % 4 == 3)
            memcpy(octets, "\x15\xfe\xfd\0\1\0\0\0\0\0\x09\0\x02\2\x28", 15);
        air_inject(&air, i % 2 == 0, octets, i % 5 == 0 ? 0 : (i * 37) % sizeof octets);
        air_pass(&air, NWI_MS);
        if (i == 200)
            for (unsigned m = 0; m < 20; m++)
                say(m % 2 == 0 ? &air.server : &air.client, m, 100, NULL);
    }
    air_pass(&air, 10 * NWI_SEC);
    assert_connected();
    assert_int_equal(air.server.messages, 10);
    assert_int_equal(air.client.messages, 10);
    air_end(&air);
}

/* Before there are keys a damaged datagram may end a handshake, for it could be the peer's; never
 * in anything but an error. Afterwards it is lost, and nothing of it is told. */
static void damage(void **state) {
    (void)state;
    int ended_well = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        begin(seed, seed % 2 == 0);
        air.damaged = 20;
        if (seed % 3 == 0)
            air.cookies = nwi_dtls_cookies_create(nwi_now());
        air_shake(&air, MINUTES * 60 * NWI_SEC);
        if (air.client.connected && air.server.connected) {
            ended_well++;
            for (unsigned i = 0; i < 30; i++)
                say(&air.client, 9, 50, NULL);
            air_pass(&air, NWI_SEC);
            assert_connected();
            assert_in_range(air.server.messages, 10, 30);
            for (size_t i = 0; i < air.server.messages; i++)
                assert_int_equal(air.server.sizes[i], 50);
            assert_int_equal(air.server.last_number, 9);
        } else {
            assert_true(air.client.error != 0 || air.server.error != 0);
        }
        air_end(&air);
    }
    assert_true(ended_well > 30);
    print_message("%d of 100 ended well\n", ended_well);
}

static void sizes(void **state) {
    (void)state;
    struct sent sent = {0};
    begin(10, false);
    air_shake(&air, NWI_SEC);
    assert_connected();
    say(&air.client, 1, 16000, &sent); /* the network may cut it: that is the program's affair */
    assert_int_equal(sent.error, 0);
    say(&air.client, 2, 16384, &sent);
    assert_int_equal(sent.done, 2);
    assert_int_equal(sent.error, nwi_posix(EMSGSIZE));
    end_send(&air.client, NULL, 0, false, &sent); /* GnuTLS makes no empty records */
    assert_int_equal(sent.error, NWI_ERR_INVAL);
    say(&air.client, 3, 4, &sent);
    air_pass(&air, NWI_SEC);
    assert_int_equal(air.server.messages, 2);
    assert_int_equal(air.server.sizes[0], 16000);
    assert_int_equal(air.server.last_number, 3);
    air_end(&air);
}

static void pieces_make_one_message(void **state) {
    (void)state;
    struct sent sent = {0};
    begin(11, false);
    air_shake(&air, NWI_SEC);
    unsigned before = air.sent;
    side_send_data(&(struct side){.chain = air.client.chain}, nwi_data_create_copy("1234", 4), true,
                   false, &sent);
    assert_int_equal(sent.done, 0);
    side_send_data(&(struct side){.chain = air.client.chain}, nwi_data_create_copy("567", 3), false,
                   false, &sent);
    assert_int_equal(air.sent, before); /* it is not complete */
    end_send(&air.client, "89", 2, false, &sent);
    assert_int_equal(sent.done, 3);
    assert_int_equal(air.sent, before + 1);
    air_pass(&air, NWI_SEC);
    assert_int_equal(air.server.messages, 1);
    assert_int_equal(air.server.sizes[0], 9);
    air_end(&air);
}

/* What nobody asks for waits, within bounds, and in order. */
static void read_ahead_is_bounded(void **state) {
    (void)state;
    begin(12, false);
    air.server.reads = false;
    air_shake(&air, NWI_SEC);
    for (unsigned i = 0; i < 100; i++)
        say(&air.client, i, 20, NULL);
    air_pass(&air, NWI_SEC);
    assert_int_equal(air.server.messages, 0);
    assert_in_range(air.server.count, 100 - 17, 99); /* the rest is with the layer below */
    nwi_chain_window(air.server.chain, 1);
    assert_int_equal(air.server.messages, 1);
    assert_int_equal(air.server.last_number, 0);
    air.server.reads = true;
    nwi_chain_window(air.server.chain, 1);
    air_pass(&air, NWI_SEC);
    assert_int_equal(air.server.messages, 100);
    assert_int_equal(air.server.last_number, 99);
    air_end(&air);
}

/* close_notify of a final message, and of a graceful end. */
static void ends(void **state) {
    (void)state;
    struct sent sent = {0};
    begin(13, false);
    air_shake(&air, NWI_SEC);
    end_send(&air.client, "bye", 3, true, &sent);
    assert_int_equal(sent.done, 1);
    end_send(&air.client, "more", 4, false, &sent);
    assert_int_equal(sent.error, nwi_posix(EPIPE));
    air_pass(&air, NWI_SEC);
    assert_int_equal(air.server.messages, 1);
    assert_true(air.server.ended);
    assert_false(air.server.context_missing);
    say(&air.server, 5, 10, &sent); /* the other direction goes on */
    air_pass(&air, NWI_SEC);
    assert_int_equal(air.client.messages, 1);
    nwi_chain_stop(air.server.chain, NWI_DISCONNECT_GRACEFUL, 0);
    air_pass(&air, NWI_SEC);
    assert_true(air.client.ended);
    assert_int_equal(air.client.failed, 0);
    air_end(&air);
}

static void bare_end(void **state) {
    (void)state;
    struct sent sent = {0};
    begin(14, false);
    air_shake(&air, NWI_SEC);
    unsigned before = air.sent;
    end_send(&air.client, NULL, 0, true, &sent);
    assert_int_equal(sent.done, 1);
    assert_int_equal(sent.error, 0);
    assert_int_equal(air.sent, before + 1); /* the alert alone */
    air_pass(&air, NWI_SEC);
    assert_true(air.server.ended);
    assert_int_equal(air.server.messages, 0);
    air_end(&air);
}

/* A refusal is told to both. */
static void refusal(void **state) {
    (void)state;
    begin(15, true);
    air.pair.client.host = "other.example";
    air_shake(&air, MINUTES * 60 * NWI_SEC);
    air_pass(&air, NWI_SEC);
    assert_int_equal(air.client.failed, 1);
    assert_int_equal(nwi_err_domain(air.client.error), NWI_DOMAIN_TLS);
    assert_int_equal(air.server.failed, 1); /* by the alert */
    assert_int_equal(nwi_err_domain(air.server.error), NWI_DOMAIN_TLS);
    assert_int_equal(air.server.connected, 0);
    air_end(&air);
}

/* --- questions to the program --- */

static struct {
    sem_t event;
    void *context;
    sec_protocol_challenge_complete_f challenge;
    sec_protocol_pre_shared_key_selection_complete_f key;
    bool hinted;
} asked;

static void on_challenge(void *context, sec_protocol_metadata_t metadata,
                         sec_protocol_challenge_complete_f complete, void *complete_context) {
    (void)context, (void)metadata;
    asked.challenge = complete;
    asked.context = complete_context;
    sem_post(&asked.event);
}

static void on_key(void *context, sec_protocol_metadata_t metadata, dispatch_data_t hint,
                   sec_protocol_pre_shared_key_selection_complete_f complete,
                   void *complete_context) {
    (void)context, (void)metadata;
    asked.hinted = hint != NULL;
    asked.key = complete;
    asked.context = complete_context;
    sem_post(&asked.event);
}

/* Until the client has a question out; then much time passes, and what comes meanwhile waits. */
static void await_question(void) {
    air_start(&air);
    for (int i = 0; i < 120 * 100 && air.client.asking == 0; i++)
        air_pass(&air, 10 * NWI_MS);
    assert_int_equal(air.client.asking, 1);
    await(&asked.event);
    air_pass(&air, 5 * NWI_SEC);
    assert_int_equal(air.client.connected + air.client.failed, 0);
}

static void bad_air(uint64_t seed) {
    air.seed = seed;
    air.twice = 20;
    air.late = 40;
    air.maximum = seed % 2 == 0 ? 1472 : 300; /* messages in pieces */
    air.loss = seed % 4 == 0 ? 10 : 0;
}

static void challenge(void **state) {
    (void)state;
    event_init(&asked.event);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        begin(seed, true);
        bad_air(seed);
        side_trust_authority(&air.pair.server);
        sec_protocol_options_set_peer_authentication_required(side_options(&air.pair.server), true);
        sec_protocol_options_set_challenge_block_f(side_options(&air.pair.client), NULL,
                                                   on_challenge, NULL);
        await_question();
        sec_identity_t identity = make_identity("client.example");
        asked.challenge(asked.context, identity);
        nwi_release(identity);
        air_pass(&air, 40 * NWI_SEC);
        assert_connected();
        assert_int_equal(air.client.asking, 0);
        air_end(&air);
    }
}

static void key_by_hint(void **state) {
    (void)state;
    event_init(&asked.event);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        begin(seed, false);
        bad_air(seed);
        dispatch_data_t hint = nwi_data_create_copy("take it", 7),
                        name = nwi_data_create_copy("name", 4);
        sec_protocol_options_set_tls_pre_shared_key_identity_hint(side_options(&air.pair.server),
                                                                  hint);
        sec_protocol_options_set_pre_shared_key_selection_block_f(side_options(&air.pair.client),
                                                                  NULL, on_key, NULL);
        await_question();
        assert_true(asked.hinted);
        asked.key(asked.context, name);
        air_pass(&air, 40 * NWI_SEC);
        assert_connected();
        dispatch_release(hint);
        dispatch_release(name);
        air_end(&air);
    }
}

/* Any one allocation of ours may fail: the ends agree all the same, or say why not. */
static void no_memory(void **state) {
    (void)state;
    bool hit = true;
    for (unsigned long n = 1; hit && n < 400; n++) {
        begin(16, false);
        air_start(&air);
        nwi_alloc_fail_at(n);
        air_pass(&air, 10 * NWI_SEC);
        say(&air.client, 1, 10, NULL);
        say(&air.server, 1, 10, NULL);
        air_pass(&air, NWI_SEC);
        hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        if (air.client.failed == 0 && air.server.failed == 0)
            assert_connected();
        else
            assert_true(air.client.error == NWI_ERR_NOMEM || air.server.error == NWI_ERR_NOMEM ||
                        nwi_err_domain(air.client.error) == NWI_DOMAIN_TLS);
        air_end(&air);
    }
    assert_false(hit); /* the last round had no fault left */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_wire),
        cmocka_unit_test(bad_wire),
        cmocka_unit_test(last_flight_is_sent_again),
        cmocka_unit_test(path_mtu),
        cmocka_unit_test(path_mtu_is_found),
        cmocka_unit_test(nobody_answers),
        cmocka_unit_test(wrong_key),
        cmocka_unit_test(refused),
        cmocka_unit_test(refused_once),
        cmocka_unit_test(garbage),
        cmocka_unit_test(damage),
        cmocka_unit_test(sizes),
        cmocka_unit_test(pieces_make_one_message),
        cmocka_unit_test(read_ahead_is_bounded),
        cmocka_unit_test(ends),
        cmocka_unit_test(bare_end),
        cmocka_unit_test(refusal),
        cmocka_unit_test(challenge),
        cmocka_unit_test(key_by_hint),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
