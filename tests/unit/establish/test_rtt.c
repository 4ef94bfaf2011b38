/*
 * test_rtt.c - round-trip times learnt and remembered by address.
 */
#include "establish/rtt.h"
#include "model/endpoint.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A chain of one layer without a descriptor: the kernel cannot be asked, so the time taken counts.
 */
static const struct nwi_layer_ops stream_ops = {
    .name = "fake", .traits = NWI_TRAIT_STREAM, .size = sizeof(struct nwi_layer)};
static const struct nwi_layer_ops message_ops = {.name = "fake", .size = sizeof(struct nwi_layer)};

static void learn(const char *host, const struct nwi_layer_ops *ops, nwi_ns took) {
    struct nwi_chain *chain = nwi_chain_create(NULL, NULL, NULL);
    nwi_chain_push(chain, nwi_layer_create(ops));
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, "443");
    nwi_rtt_learn(endpoint, chain, took);
    nw_release(endpoint);
    nwi_release(chain);
}

static nwi_ns known(const char *host, const char *port) {
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, port);
    nwi_ns rtt = nwi_rtt_known(nw_endpoint_get_address(endpoint));
    nw_release(endpoint);
    return rtt;
}

static void test_remembered_by_address(void **state) {
    (void)state;
    assert_int_equal(known("192.0.2.1", "443"), 0);
    learn("192.0.2.1", &stream_ops, 30 * NWI_MS);
    learn("2001:db8::1", &stream_ops, 50 * NWI_MS);
    assert_int_equal(known("192.0.2.1", "443"), 30 * NWI_MS);
    assert_int_equal(known("192.0.2.1", "80"), 30 * NWI_MS); /* the port does not count */
    assert_int_equal(known("2001:db8::1", "443"), 50 * NWI_MS);
    assert_int_equal(known("192.0.2.2", "443"), 0);
    learn("192.0.2.1", &stream_ops, 20 * NWI_MS); /* the latest holds */
    assert_int_equal(known("192.0.2.1", "443"), 20 * NWI_MS);
}

static void test_nothing_learnt(void **state) {
    (void)state;
    learn("127.0.0.1", &stream_ops, NWI_MS); /* loopback tells nothing about a network */
    assert_int_equal(known("127.0.0.1", "443"), 0);
    learn("192.0.2.9", &message_ops,
          NWI_MS); /* a datagram socket is "connected" without a packet */
    assert_int_equal(known("192.0.2.9", "443"), 0);
    learn("example.com", &stream_ops, NWI_MS); /* no address */
}

/* The table is small: whatever gives way to what, an answer is never another address's. */
static void test_never_the_wrong_one(void **state) {
    (void)state;
    char host[32];
    int kept = 0;
    for (int i = 1; i <= 1000; i++) {
        snprintf(host, sizeof host, "198.51.%d.%d", i / 250, i % 250 + 1);
        learn(host, &stream_ops, (nwi_ns)i * NWI_MS);
    }
    for (int i = 1; i <= 1000; i++) {
        snprintf(host, sizeof host, "198.51.%d.%d", i / 250, i % 250 + 1);
        nwi_ns rtt = known(host, "1");
        assert_true(rtt == 0 || rtt == (nwi_ns)i * NWI_MS);
        kept += rtt != 0;
    }
    assert_true(kept > 100 && kept <= 256);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_remembered_by_address),
        cmocka_unit_test(test_nothing_learnt),
        cmocka_unit_test(test_never_the_wrong_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
