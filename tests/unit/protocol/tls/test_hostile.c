/*
 * test_hostile.c - what lies between two ends does its worst: it cuts, changes, repeats, swaps and
 * drops records, puts alerts and records of impossible length between them, and sends octet by
 * octet.
 * What:   each handshake of `kinds` is run anew for each deed, at each record of both directions.
 *         Nobody hangs, nobody is connected by a handshake that was changed, and each end has the
 *         error that fits.
 * Source: RFC 8446 sections 5 and 6, RFC 5246 sections 6 and 7.
 */
#include "pair.h"
#include "protocol/tls/private.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    RECORD_HEADER = 5,
    RECORDS_MAX = 40,
    TYPE_CHANGE_CIPHER_SPEC = 20,
    TYPE_ALERT = 21,
    TYPE_HANDSHAKE = 22,
    TYPE_CONTENT = 23,
};

static const struct kind {
    const char *name;
    tls_protocol_version_t version;
    bool certificate, of_client;
} kinds[] = {
    {"TLS 1.3, a key in common", tls_protocol_version_TLSv13, false, false},
    {"TLS 1.3, certificates of both", tls_protocol_version_TLSv13, true, true},
    {"TLS 1.2, a key in common", tls_protocol_version_TLSv12, false, false},
    {"TLS 1.2, certificates of both", tls_protocol_version_TLSv12, true, true},
};
enum { KIND_COUNT = sizeof kinds / sizeof kinds[0] };

static sec_identity_t server_identity, client_identity;

static int make_identities(void **state) {
    (void)state;
    server_identity = make_identity("peer.example");
    client_identity = make_identity("client.example");
    return 0;
}

static int forget_identities(void **state) {
    (void)state;
    nwi_release(server_identity);
    nwi_release(client_identity);
    return 0;
}

static void init(struct pair *pair, const struct kind *kind) {
    pair_init(pair);
    sec_protocol_options_set_max_tls_protocol_version(side_options(&pair->client), kind->version);
    if (!kind->certificate) {
        pair_add_key(pair);
        if (kind->version == tls_protocol_version_TLSv12)
            sec_protocol_options_append_tls_ciphersuite(
                side_options(&pair->client), (tls_ciphersuite_t)TLS_PSK_WITH_AES_128_GCM_SHA256);
        return;
    }
    sec_protocol_options_set_local_identity(side_options(&pair->server), server_identity);
    side_trust_authority(&pair->client);
    if (!kind->of_client)
        return;
    sec_protocol_options_set_local_identity(side_options(&pair->client), client_identity);
    sec_protocol_options_set_peer_authentication_required(side_options(&pair->server), true);
    side_trust_authority(&pair->server);
}

/* --- record by record --- */

/* The size of the first record on its way to this side; 0: there is no whole one. */
static size_t record_size(const struct side *side) {
    const struct wire *wire = side->wire;
    if (wire == NULL || wire->length < RECORD_HEADER)
        return 0;
    size_t size = RECORD_HEADER + (size_t)(wire->octets[3] << 8 | wire->octets[4]);
    return wire->length < size ? 0 : size;
}

/* Delivers one record to the side that is held; all else goes on meanwhile. */
static void let_one_through(struct pair *pair, struct side *side) {
    side->stop_at = side->wire->delivered + record_size(side);
    side->held = false;
    pair_run(pair);
    side->held = true;
    side->stop_at = 0;
    pair_run(pair);
}

/* Starts a handshake and stops it with record `number` before the side. False: it has no such
 * record. */
static bool begin(struct pair *pair, const struct kind *kind, bool to_client, unsigned number) {
    struct side *side = to_client ? &pair->client : &pair->server;
    init(pair, kind);
    pair_start(pair);
    side->held = true;
    pair_run(pair);
    for (unsigned i = 0; i < number && record_size(side) > 0; i++)
        let_one_through(pair, side);
    return record_size(side) > 0;
}

static void insert(struct side *side, const void *octets, size_t size) {
    struct wire *wire = side->wire;
    wire->room = wire->length + size;
    unsigned char *fresh = malloc(wire->room);
    assert_non_null(fresh);
    memcpy(fresh, octets, size);
    memcpy(fresh + size, wire->octets, wire->length);
    free(wire->octets);
    wire->octets = fresh;
    wire->length += size;
}

static void drop(struct side *side, size_t size) {
    memmove(side->wire->octets, side->wire->octets + size, side->wire->length - size);
    side->wire->length -= size;
}

/* Lets go, lets both read, and then ends both streams, so that whoever still waits learns it. */
static void finish(struct pair *pair) {
    struct side *sides[] = {&pair->client, &pair->server};
    pair->client.held = pair->server.held = false;
    pair_run(pair);
    for (int i = 0; i < 2; i++) {
        nwi_chain_window(sides[i]->chain, 1 << 16);
        if (sides[i]->wire != NULL)
            sides[i]->wire->final_coming = true;
        pair_run(pair);
    }
}

/* What holds whatever was done: an error of TLS once, or none. */
static void check_end(const struct side *side) {
    assert_true(side->failed == 0 || side->failed == 1);
    assert_int_equal(side->failed == 1, side->error != 0);
    if (side->failed) {
        assert_int_equal(nwi_err_domain(side->error), NWI_DOMAIN_TLS);
        assert_in_range(-nwi_err_code(side->error), 9800, 9899);
    }
}

typedef void deed(struct pair *pair, struct side *side, unsigned argument);

/* Does it to a handshake that has begun. */
static void do_and_finish(struct pair *pair, struct side *side, deed *do_it, unsigned argument) {
    do_it(pair, side, argument);
    finish(pair);
    check_end(&pair->client);
    check_end(&pair->server);
}

/* Does it before record `number`; false: there is none. The pair is for the caller to end. */
static bool run(struct pair *pair, const struct kind *kind, bool to_client, unsigned number,
                deed *do_it, unsigned argument) {
    struct side *side = to_client ? &pair->client : &pair->server;
    if (!begin(pair, kind, to_client, number))
        return false;
    do_and_finish(pair, side, do_it, argument);
    return true;
}

/* In TLS 1.3 these are for the eyes of those in between; nobody is bound by them (RFC 8446 section
 * 5). */
static bool is_ornament(const struct kind *kind, const struct side *side) {
    return kind->version == tls_protocol_version_TLSv13 &&
           side->wire->octets[0] == TYPE_CHANGE_CIPHER_SPEC;
}

static bool both_connected(const struct pair *pair) {
    return pair->client.connected && pair->server.connected;
}

/* --- deeds --- */

static void alert(struct pair *pair, struct side *side, unsigned code) {
    const unsigned char record[] = {TYPE_ALERT, 3, 3, 0, 2, 2, (unsigned char)code};
    (void)pair;
    insert(side, record, sizeof record);
}

/* In the clear an alert is heard as what it says; a client's before its hello is no TLS yet. */
static void test_alerts(void **state) {
    static const struct {
        unsigned code;
        int err;
    } alerts[] = {
        {10, errSSLPeerUnexpectedMsg},   {20, errSSLPeerBadRecordMac},
        {40, errSSLPeerHandshakeFail},   {42, errSSLPeerBadCert},
        {45, errSSLPeerCertExpired},     {48, errSSLPeerUnknownCA},
        {70, errSSLPeerProtocolVersion}, {80, errSSLPeerInternalError},
        {112, errSSLUnrecognizedName},   {115, errSSLUnknownPSKIdentity},
    };
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        for (int to_client = 0; to_client < 2; to_client++)
            for (unsigned i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
                struct pair pair;
                struct side *side = to_client ? &pair.client : &pair.server;
                if (!to_client && kinds[k].version == tls_protocol_version_TLSv13)
                    continue; /* what follows its hello is encrypted */
                assert_true(run(&pair, &kinds[k], to_client, !to_client, alert, alerts[i].code));
                assert_int_equal(side->failed, 1);
                assert_int_equal(nwi_err_code(side->error), alerts[i].err);
                pair_end(&pair);
            }
}

/* At each step: whoever gets it ends, before or after the keys are there. */
static void test_alert_at_each_step(void **state) {
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        for (int to_client = 0; to_client < 2; to_client++)
            for (unsigned n = 0; n < RECORDS_MAX; n++) {
                struct pair pair;
                struct side *side = to_client ? &pair.client : &pair.server;
                bool there = run(&pair, &kinds[k], to_client, n, alert, 40);
                if (there)
                    assert_int_equal(side->failed, 1);
                pair_end(&pair);
                if (!there)
                    break;
            }
}

static void oversize(struct pair *pair, struct side *side, unsigned size) {
    unsigned char *record = calloc(1, RECORD_HEADER + size);
    assert_non_null(record);
    (void)pair;
    memcpy(record, side->wire->octets, 3); /* the type and version of the one that was due */
    record[3] = (unsigned char)(size >> 8);
    record[4] = (unsigned char)size;
    insert(side, record, RECORD_HEADER + size);
    free(record);
}

static void announce(struct pair *pair, struct side *side, unsigned size) {
    (void)pair;
    side->wire->octets[3] = (unsigned char)(size >> 8);
    side->wire->octets[4] = (unsigned char)size;
}

/* More than 2^14 + 2048 octets (RFC 5246 section 6.2.3) is an overflow, told by the header alone.
 */
static void test_oversized_records(void **state) {
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        for (int to_client = 0; to_client < 2; to_client++)
            for (unsigned n = 0; n < RECORDS_MAX; n++) {
                struct pair pair;
                struct side *side = to_client ? &pair.client : &pair.server;
                bool there = run(&pair, &kinds[k], to_client, n, oversize, 0x4900);
                if (there)
                    assert_int_equal(side->failed, 1);
                pair_end(&pair);
                if (!there)
                    break;
                assert_true(run(&pair, &kinds[k], to_client, n, announce, 0xffff));
                assert_int_equal(side->failed, 1);
                assert_int_equal(nwi_err_code(side->error), errSSLRecordOverflow);
                pair_end(&pair);
            }
}

static void swap(struct pair *pair, struct side *side, unsigned argument) {
    struct wire *wire = side->wire;
    size_t first = record_size(side);
    (void)pair, (void)argument;
    unsigned char *copy = malloc(first);
    assert_non_null(copy);
    memcpy(copy, wire->octets, first);
    drop(side, first);
    size_t second = record_size(side);
    if (second > 0) {
        memmove(wire->octets + second + first, wire->octets + second, wire->length - second);
        memcpy(wire->octets + second, copy, first);
        wire->length += first;
    }
    free(copy);
}

static void repeat(struct pair *pair, struct side *side, unsigned argument) {
    size_t size = record_size(side);
    unsigned char *copy = malloc(size);
    assert_non_null(copy);
    (void)pair, (void)argument;
    memcpy(copy, side->wire->octets, size);
    insert(side, copy, size);
    free(copy);
}

static void lose(struct pair *pair, struct side *side, unsigned argument) {
    (void)pair, (void)argument;
    drop(side, record_size(side));
}

static void retype(struct pair *pair, struct side *side, unsigned type) {
    (void)pair;
    side->wire->octets[0] = (unsigned char)type;
}

static void insert_record(struct pair *pair, struct side *side, unsigned type) {
    const unsigned char record[] = {(unsigned char)type, 3, 3, 0, 4, 0, 0, 0, 0};
    (void)pair;
    insert(side, record, sizeof record);
}

/* What is encrypted in TLS 1.3 looks like content on the outside, whatever it is (RFC 8446 section
 * 5.2), and GnuTLS does not look there. */
static bool is_in_vain(const struct side *side, deed *do_it) {
    return do_it == retype && side->wire->octets[0] == TYPE_CONTENT;
}

/* What must never become a connection at the end to which it is done. */
static void test_wrong_records(void **state) {
    static const struct {
        deed *do_it;
        unsigned argument;
    } deeds[] = {
        {swap, 0},
        {repeat, 0},
        {lose, 0},
        {retype, TYPE_CONTENT},
        {retype, 99},
        {insert_record, TYPE_HANDSHAKE}, /* a HelloRequest, or nothing that is known */
        {insert_record, 99},
    };
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        for (int to_client = 0; to_client < 2; to_client++)
            for (unsigned d = 0; d < sizeof deeds / sizeof deeds[0]; d++)
                for (unsigned n = 0; n < RECORDS_MAX; n++) {
                    struct pair pair;
                    struct side *side = to_client ? &pair.client : &pair.server;
                    if (!begin(&pair, &kinds[k], to_client, n)) {
                        pair_end(&pair);
                        break;
                    }
                    if (is_ornament(&kinds[k], side) || side->connected ||
                        is_in_vain(side, deeds[d].do_it)) {
                        pair_end(&pair);
                        continue;
                    }
                    do_and_finish(&pair, side, deeds[d].do_it, deeds[d].argument);
                    /* The repetition of the very last one comes too late for that. */
                    bool late = deeds[d].do_it == repeat && side->connected;
                    if ((side->connected && !late) || !side->failed)
                        print_message("%s, record %u to the %s, deed %u\n", kinds[k].name, n,
                                      to_client ? "client" : "server", d);
                    assert_true(late || !side->connected);
                    assert_int_equal(side->failed, 1);
                    pair_end(&pair);
                }
}

/* --- octets --- */

static void flip(struct pair *pair, struct side *side, unsigned at) {
    (void)pair;
    side->wire->octets[at] ^= 0x41;
}

/* Octets by a stride, from another place in each record. */
static void test_changed_octets(void **state) {
    enum { STRIDE = 47, VERSION = 1, VERSION_END = 3 };
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        for (int to_client = 0; to_client < 2; to_client++)
            for (unsigned n = 0; n < RECORDS_MAX; n++) {
                struct pair pair;
                struct side *side = to_client ? &pair.client : &pair.server;
                bool there = begin(&pair, &kinds[k], to_client, n);
                size_t size = there ? record_size(side) : 0;
                bool harmless = there && (is_ornament(&kinds[k], side) || side->connected);
                /* GnuTLS does not look at the one octet of a ChangeCipherSpec, which says nothing
                 * (RFC 5246 section 7.1). */
                if (there && side->wire->octets[0] == TYPE_CHANGE_CIPHER_SPEC)
                    size = RECORD_HEADER;
                pair_end(&pair);
                if (!there)
                    break;
                for (size_t at = n * 7 % STRIDE; at < size && !harmless; at += STRIDE) {
                    if (at >= VERSION && at < VERSION_END)
                        continue; /* not to be looked at (RFC 8446 section 5.1) */
                    assert_true(begin(&pair, &kinds[k], to_client, n));
                    flip(&pair, side, (unsigned)(at < record_size(side) ? at : 0));
                    finish(&pair);
                    check_end(&pair.client);
                    check_end(&pair.server);
                    if (both_connected(&pair))
                        print_message("%s, record %u to the %s, octet %zu\n", kinds[k].name, n,
                                      to_client ? "client" : "server", at);
                    assert_false(both_connected(&pair));
                    pair_end(&pair);
                }
            }
}

static void test_cut_streams(void **state) {
    enum { STRIDE = 61 };
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        for (int to_client = 0; to_client < 2; to_client++)
            for (size_t at = 1;; at += STRIDE) {
                struct pair pair;
                struct side *side = to_client ? &pair.client : &pair.server;
                init(&pair, &kinds[k]);
                side->stop_at = at;
                side->cut = true;
                pair_start(&pair);
                pair_run(&pair);
                check_end(&pair.client);
                check_end(&pair.server);
                bool over = side->connected > 0;
                if (!over) {
                    assert_int_equal(side->failed, 1);
                    assert_int_equal(nwi_err_code(side->error), errSSLClosedNoNotify);
                }
                pair_end(&pair);
                if (over)
                    break;
            }
}

static void test_octet_by_octet(void **state) {
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        struct pair pair;
        init(&pair, &kinds[k]);
        pair.client.chunk = pair.server.chunk = 1;
        pair_shake(&pair);
        nwi_chain_window(pair.server.chain, 100);
        side_send(&pair.client, "hello", 5, false, NULL);
        pair_run(&pair);
        assert_int_equal(pair.server.received, 5);
        pair_end(&pair);
    }
}

/* After the handshake, a record that nobody could have made. */
static void test_forged_content(void **state) {
    static const unsigned char forged[] = {
        TYPE_CONTENT, 3,   3,   0,   32,  'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x',
        'x',          'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x',
        'x',          'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x'};
    (void)state;
    for (unsigned k = 0; k < KIND_COUNT; k++)
        for (int to_client = 0; to_client < 2; to_client++) {
            struct pair pair;
            struct side *side = to_client ? &pair.client : &pair.server;
            init(&pair, &kinds[k]);
            pair_shake(&pair);
            nwi_chain_window(side->chain, 1000);
            pair_run(&pair);
            insert(side, forged, sizeof forged);
            pair_run(&pair);
            assert_int_equal(side->received, 0);
            assert_int_equal(side->failed, 1);
            assert_int_equal(nwi_err_code(side->error), errSSLBadRecordMac);
            pair_end(&pair);
        }
}

/* --- no end of requests --- */

/* A server asks a client that it does not read from to negotiate anew, time and again: what the
 * client answers may not pile up. */
static void test_renegotiation_without_end(void **state) {
    (void)state;
    struct pair pair;
    init(&pair, &kinds[3]);
    pair_shake(&pair);
    nwi_chain_window(pair.client.chain, 100);
    pair.client.blocked = true;
    struct tls *server = (struct tls *)nwi_chain_secure_layer(pair.server.chain);
    const struct tls *client = (struct tls *)nwi_chain_secure_layer(pair.client.chain);
    for (int i = 0; i < 100 && !pair.client.failed; i++) {
        assert_int_equal(gnutls_rehandshake(server->session), 0);
        nwi_tls_flush(server, NULL, false);
        pair_run(&pair);
        assert_true(client->in_flight < 1024);
    }
    side_unblock(&pair.client);
    pair_run(&pair);
    assert_int_equal(pair.client.failed, 1);
    pair_end(&pair);
}

/* --- a message without end --- */

/* Puts a record of the handshake's type on the wire, after the handshake: the server's next record,
 * encrypted as TLS 1.3 does (RFC 8446 section 5.2). */
static void send_handshake(struct pair *pair, const unsigned char *octets, size_t size) {
    enum { NONCE = 12, TAG = 16 };
    struct tls *server = (struct tls *)nwi_chain_secure_layer(pair->server.chain);
    gnutls_datum_t mac, iv, key;
    unsigned char number[8], nonce[NONCE], plain[4096];
    struct wire *wire = pair->client.wire;
    gnutls_aead_cipher_hd_t cipher;
    assert_int_equal(gnutls_record_get_state(server->session, 0, &mac, &iv, &key, number), 0);
    assert_int_equal(iv.size, NONCE);
    memcpy(nonce, iv.data, NONCE);
    for (int i = 0; i < 8; i++)
        nonce[NONCE - 8 + i] ^= number[i];
    for (int i = 7; i >= 0 && ++number[i] == 0; i--)
        continue;
    assert_int_equal(gnutls_record_set_state(server->session, 0, number), 0);
    assert_true(size < sizeof plain);
    memcpy(plain, octets, size);
    plain[size] = TYPE_HANDSHAKE;
    size_t length = size + 1 + TAG;
    wire->room = wire->length + RECORD_HEADER + length;
    wire->octets = realloc(wire->octets, wire->room);
    assert_non_null(wire->octets);
    unsigned char *record = wire->octets + wire->length;
    memcpy(
        record,
        (unsigned char[]){TYPE_CONTENT, 3, 3, (unsigned char)(length >> 8), (unsigned char)length},
        RECORD_HEADER);
    assert_int_equal(gnutls_aead_cipher_init(&cipher, gnutls_cipher_get(server->session), &key), 0);
    assert_int_equal(gnutls_aead_cipher_encrypt(cipher, nonce, NONCE, record, RECORD_HEADER, TAG,
                                                plain, size + 1, record + RECORD_HEADER, &length),
                     0);
    gnutls_aead_cipher_deinit(cipher);
    wire->length += RECORD_HEADER + length;
}

/* A ticket that says it has 16 MiB is not gathered until they are there; nor with content between
 * its records, which RFC 8446 section 5.1 forbids. */
static void test_message_without_end(void **state) {
    (void)state;
    static const unsigned char header[4] = {4, 0xff, 0xff, 0xff};
    static unsigned char more[4000];
    for (int mixed = 0; mixed < 2; mixed++) {
        struct pair pair;
        int sent = 0;
        init(&pair, &kinds[1]);
        pair_shake(&pair);
        nwi_chain_window(pair.client.chain, 1 << 20);
        pair_run(&pair);
        send_handshake(&pair, header, sizeof header);
        for (; sent < 1000 && !pair.client.failed; sent++) {
            send_handshake(&pair, more, sizeof more);
            if (mixed)
                side_send(&pair.server, "x", 1, false, NULL);
            pair_run(&pair);
        }
        assert_int_equal(pair.client.failed, 1);
        assert_true(sent < 100);
        pair_end(&pair);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_alert_at_each_step),
        cmocka_unit_test(test_oversized_records),
        cmocka_unit_test(test_wrong_records),
        cmocka_unit_test(test_changed_octets),
        cmocka_unit_test(test_cut_streams),
        cmocka_unit_test(test_octet_by_octet),
        cmocka_unit_test(test_forged_content),
        cmocka_unit_test(test_renegotiation_without_end),
        cmocka_unit_test(test_message_without_end),
    };
    return cmocka_run_group_tests(tests, make_identities, forget_identities);
}
