/*
 * fuzz_tls.c - TLS handshakes, at both ends, over memory.
 * What:   the first octet says which handshake (a key in common or certificates of both, TLS 1.2 or
 *         1.3), how many octets come at a time, and what the rest is: octets that one end gets
 *         instead of its peer's; or changes to the octets between two real ends: some are changed,
 *         dropped, repeated, put in between, or the stream ends. Whatever it is, each end has one
 *         end and an error of TLS for it, content is a beginning of what was sent, and nothing
 *         hangs.
 * Runs:   one thread; the keys are random, so a change of something encrypted may end otherwise when
 *         it is run again.
 */
#include "fuzz.h"
#include "unit/protocol/tls/pair.h"

enum {
    KIND = 0x03,       /* bits of the first octet */
    RAW = 0x04,        /* the rest are octets for one end... */
    RAW_CLIENT = 0x08, /* ...for the client */
    SINGLE = 0x10,     /* octet by octet */
    KIND_CERTIFICATES = 1,
    KIND_OLD = 2,
    CHANGE_SIZE = 5,
    CHANGES_MAX = 16,
};
static const char said[] = "what the client says";

static sec_identity_t server_identity, client_identity;

static void set_up(void) {
    fuzz_log_nothing();
    server_identity = make_identity("peer.example");
    client_identity = make_identity("client.example");
}

static void configure(struct pair *pair, uint8_t how) {
    sec_protocol_options_t client, server;
    pair_init(pair);
    client = side_options(&pair->client), server = side_options(&pair->server);
    if (how & KIND_OLD) {
        sec_protocol_options_set_max_tls_protocol_version(client, tls_protocol_version_TLSv12);
        sec_protocol_options_append_tls_ciphersuite(
            client, (tls_ciphersuite_t)TLS_PSK_WITH_AES_128_GCM_SHA256);
    }
    if (how & KIND_CERTIFICATES) {
        sec_protocol_options_set_local_identity(server, server_identity);
        sec_protocol_options_set_local_identity(client, client_identity);
        sec_protocol_options_set_peer_authentication_required(server, true);
        side_trust_authority(&pair->client);
        side_trust_authority(&pair->server);
    } else {
        pair_add_key(pair);
    }
    if (how & SINGLE)
        pair->client.chunk = pair->server.chunk = 1;
}

/* --- what is done to the octets --- */

static void insert(struct side *side, const uint8_t *octets, size_t size) {
    struct wire *wire = side->wire;
    unsigned char *fresh = malloc(wire->length + size + 1);
    CHECK(fresh != NULL);
    memcpy(fresh, octets, size);
    if (wire->length > 0)
        memcpy(fresh + size, wire->octets, wire->length);
    free(wire->octets);
    wire->octets = fresh;
    wire->length += size;
    wire->room = wire->length + 1;
}

static void drop(struct side *side, size_t size) {
    struct wire *wire = side->wire;
    if (size > wire->length)
        size = wire->length;
    memmove(wire->octets, wire->octets + size, wire->length - size);
    wire->length -= size;
}

/* The first octets on their way to the side. */
static void change(struct side *side, unsigned what, uint8_t value, size_t count) {
    uint8_t octets[UINT8_MAX];
    size_t there = side->wire->length < count ? side->wire->length : count;
    switch (what) {
    case 0:
        for (size_t i = 0; i < there; i++)
            side->wire->octets[i] ^= value;
        break;
    case 1:
        drop(side, count);
        break;
    case 2:
        memset(octets, value, count);
        insert(side, octets, count);
        break;
    case 3:
        memcpy(octets, side->wire->octets, there);
        insert(side, octets, there);
        break;
    case 4:
        insert(side, (const uint8_t[]){21, 3, 3, 0, 2, 1 + (count & 1), value}, 7);
        break;
    case 5:
        insert(side, (const uint8_t[]){value, 3, 3, 0, 4, 0, 0, 0, 0}, 9);
        break;
    default:
        side->wire->final_coming = true;
        side->wire->length = 0;
        break;
    }
}

/* Each change is CHANGE_SIZE octets: what, and to whom; after how many octets more (two); a value;
 * a count. */
static void change_all(struct pair *pair, const uint8_t *data, size_t size) {
    for (unsigned i = 0; i < CHANGES_MAX && size >= CHANGE_SIZE; i++) {
        struct side *side = data[0] & 0x80 ? &pair->client : &pair->server;
        if (side->wire == NULL)
            return;
        size_t further = (size_t)(data[1] << 8 | data[2]) & 0xfff;
        side->stop_at = side->wire->delivered + further;
        side->held = side->stop_at == 0;
        pair_run(pair);
        side->held = false;
        side->stop_at = 0;
        if (side->wire != NULL && side->wire->length > 0)
            change(side, data[0] & 7, data[3], data[4]);
        data += CHANGE_SIZE;
        size -= CHANGE_SIZE;
    }
}

/* --- what holds --- */

static void check_side(const struct side *side) {
    CHECK(side->failed <= 1 && side->connected <= 1);
    CHECK((side->failed == 1) == (side->error != 0));
    CHECK(!side->failed || nwi_err_domain(side->error) == NWI_DOMAIN_TLS);
}

static void check_all(struct pair *pair) {
    check_side(&pair->client);
    check_side(&pair->server);
    CHECK(pair->client.received == 0);
    CHECK(pair->server.received <= sizeof said &&
          (pair->server.received == 0 ||
           memcmp(pair->server.text, said, pair->server.received) == 0));
}

static void end_stream(struct pair *pair, struct side *side) {
    if (side->wire != NULL)
        side->wire->final_coming = true;
    pair_run(pair);
    CHECK(side->failed || side->ended || side->wire == NULL || side->wire->window == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pair pair;
    if (server_identity == NULL)
        set_up();
    if (size < 1)
        return 0;
    configure(&pair, data[0]);
    struct side *side = data[0] & RAW_CLIENT ? &pair.client : &pair.server;
    if (data[0] & RAW)
        side->peer->blocked = true;
    pair_start(&pair);
    if (data[0] & RAW)
        insert(side, data + 1, size - 1);
    else
        change_all(&pair, data + 1, size - 1);
    pair_run(&pair);
    nwi_chain_window(pair.client.chain, 1 << 16);
    nwi_chain_window(pair.server.chain, 1 << 16);
    if (pair.client.connected && !pair.client.failed)
        side_send(&pair.client, said, sizeof said, false, NULL);
    pair_run(&pair);
    end_stream(&pair, &pair.client);
    end_stream(&pair, &pair.server);
    check_all(&pair);
    pair_end(&pair);
    return 0;
}
