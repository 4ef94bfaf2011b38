/*
 * test_no_memory.c - each allocation of a session's life fails once: it goes on or ends with an
 * error, nothing is lost in silence, nothing is left behind.
 */
#include "base/alloc.h"
#include "pair.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT = 20000 };
static char text[TEXT];

static void exchange(struct pair *pair) {
    struct sent sent = {0};
    pair_start(pair);
    if (pair->client.create_error != 0 || pair->server.create_error != 0)
        return;
    nwi_chain_window(pair->client.chain, 2 * TEXT);
    nwi_chain_window(pair->server.chain, 2 * TEXT);
    pair_run(pair);
    if (pair->client.connected && pair->server.connected && !pair->server.failed) {
        side_send(&pair->client, text, TEXT, true, &sent);
        pair_run(pair);
        assert_int_equal(sent.done, 1);
    }
}

/* Either all is well or somebody was told. */
static void assert_told(struct pair *pair) {
    bool told = pair->client.failed || pair->server.failed || pair->client.create_error != 0 ||
                pair->server.create_error != 0;
    bool well = pair->server.received == TEXT && pair->server.ended;
    assert_true(told || well);
}

/* Options and identities are there already. Returns whether the n-th allocation was reached. */
static bool fail_at(unsigned long n, void (*fill)(struct pair *pair)) {
    struct pair pair;
    pair_init(&pair);
    fill(&pair);
    nwi_alloc_fail_at(n);
    exchange(&pair);
    bool hit = nwi_alloc_fault_hit();
    nwi_alloc_fail_at(0);
    assert_told(&pair);
    pair_end(&pair);
    return hit;
}

static void with_key(struct pair *pair) {
    pair_add_key(pair);
}

static void with_certificates(struct pair *pair) {
    static sec_identity_t identity;
    if (identity == NULL)
        identity = make_identity("peer.example");
    sec_protocol_options_set_local_identity(side_options(&pair->server), identity);
    side_trust_authority(&pair->client);
}

static void run(void (*fill)(struct pair *pair)) {
    struct pair pair; /* what is made once per process is made now */
    pair_init(&pair);
    fill(&pair);
    exchange(&pair);
    assert_told(&pair);
    pair_end(&pair);
    nwi_data_pool_drain();
    nwi_alloc_count(true);
    long before = nwi_alloc_live();
    unsigned long n = 1;
    while (fail_at(n, fill))
        n++;
    nwi_data_pool_drain();
    assert_int_equal(nwi_alloc_live(), before);
    nwi_alloc_count(false);
    assert_true(n > 20);
}

static void test_keys(void **state) {
    (void)state;
    run(with_key);
}

static void test_certificates(void **state) {
    (void)state;
    run(with_certificates);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
