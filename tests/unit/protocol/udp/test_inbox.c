/*
 * test_inbox.c - src/protocol/udp/inbox.c: order, bounds, memory.
 */
#include "base/alloc.h"
#include "dispatch/data.h"
#include "protocol/udp/inbox.h"
#include "stack/chain.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct nwi_input input_of(size_t size) {
    static const char bytes[4096];
    struct nwi_input input = {.complete = true};
    if (size > 0)
        input.content = nwi_data_create_copy(bytes, size);
    return input;
}

static bool add(struct nwi_udp_inbox *inbox, size_t size, size_t octets_max) {
    struct nwi_input input = input_of(size);
    bool added = nwi_udp_inbox_add(inbox, &input, octets_max);
    if (!added)
        nwi_input_drop(&input);
    return added;
}

static void assert_taken(struct nwi_udp_inbox *inbox, size_t size) {
    struct nwi_input input;
    assert_true(nwi_udp_inbox_take(inbox, &input));
    assert_int_equal(input.content != NULL ? dispatch_data_get_size(input.content) : 0, size);
    nwi_input_drop(&input);
}

/* The ring turns, and grows in every position of its beginning. */
static void order(void **state) {
    (void)state;
    struct nwi_udp_inbox inbox = {0};
    size_t in = 0, out = 0;
    for (size_t round = 0; round < 60; round++) {
        for (size_t i = 0; i < 3 + round % 5; i++)
            assert_true(add(&inbox, in++, SIZE_MAX));
        for (size_t i = 0; i < 2 + round % 4; i++)
            assert_taken(&inbox, out++);
    }
    assert_true(in > out + 64); /* it has grown several times */
    while (out < in)
        assert_taken(&inbox, out++);
    struct nwi_input input;
    assert_false(nwi_udp_inbox_take(&inbox, &input));
    nwi_udp_inbox_clear(&inbox);
}

static void bounds(void **state) {
    (void)state;
    struct nwi_udp_inbox inbox = {0};
    for (int i = 0; i < NWI_UDP_INBOX_COUNT; i++)
        assert_true(add(&inbox, 0, 0)); /* empty ones count as well */
    assert_false(add(&inbox, 0, SIZE_MAX));
    assert_taken(&inbox, 0);
    assert_true(add(&inbox, 0, 0));
    nwi_udp_inbox_clear(&inbox);
    assert_true(add(&inbox, 60, 100));
    assert_false(add(&inbox, 41, 100));
    assert_true(add(&inbox, 40, 100));
    assert_false(add(&inbox, 1, 100));
    assert_taken(&inbox, 60);
    assert_true(add(&inbox, 60, 100));
    nwi_udp_inbox_clear(&inbox);
    assert_true(add(&inbox, 100, 100)); /* nothing counts any more */
    nwi_udp_inbox_clear(&inbox);
}

static void memory(void **state) {
    (void)state;
    nwi_alloc_count(true);
    long before = nwi_alloc_live();
    struct nwi_udp_inbox inbox = {0};
    nwi_alloc_fail_at(1);
    assert_false(add(&inbox, 0, SIZE_MAX));
    for (int i = 0; i < 4; i++)
        assert_true(add(&inbox, 0, SIZE_MAX));
    nwi_alloc_fail_at(1);
    assert_false(add(&inbox, 0, SIZE_MAX)); /* it would have to grow: what it has stays */
    assert_true(nwi_alloc_fault_hit());
    for (int i = 0; i < 4; i++)
        assert_taken(&inbox, 0);
    assert_int_equal(nwi_alloc_live() - before, 1); /* a small ring is kept */
    for (int i = 0; i < 40; i++)
        assert_true(add(&inbox, 10, SIZE_MAX));
    for (int i = 0; i < 40; i++)
        assert_taken(&inbox, 10);
    assert_int_equal(nwi_alloc_live() - before, 0); /* a large one is not */
    nwi_alloc_fail_at(0);
    nwi_alloc_count(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),
        cmocka_unit_test(bounds),
        cmocka_unit_test(memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
