/*
 * test_cache.c - src/resolver/cache.c in time that the test makes.
 */
#include "base/alloc.h"
#include "resolver/cache.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct nwi_answer *answer_of(uint32_t address, uint32_t ttl) {
    union nwi_inet a = {.in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)}};
    struct nwi_answer *answer = nwi_answer_create(AF_INET, &a, 1, ttl);
    assert_non_null(answer);
    return answer;
}
static void put(struct nwi_cache *cache, const char *name, uint32_t address, uint32_t ttl,
                nwi_ns now) {
    struct nwi_answer *answer = answer_of(address, ttl);
    nwi_cache_put(cache, name, answer, now);
    nwi_release(answer);
}

static void time_to_live(void **state) {
    (void)state;
    struct nwi_cache *cache = nwi_cache_create(0);
    uint32_t ttl = 0;
    put(cache, "a.test", 1, 10, 1000 * NWI_SEC);
    struct nwi_answer *found = nwi_cache_get(cache, "a.test", AF_INET, 1000 * NWI_SEC, &ttl);
    assert_non_null(found);
    assert_int_equal(ttl, 10);
    assert_null(nwi_cache_get(cache, "a.test", AF_INET6, 1000 * NWI_SEC, &ttl));
    assert_null(nwi_cache_get(cache, "b.test", AF_INET, 1000 * NWI_SEC, &ttl));
    assert_non_null(nwi_cache_get(cache, "a.test", AF_INET, 1010 * NWI_SEC - 1, &ttl));
    assert_int_equal(ttl, 1); /* rounded up: never 0 while it is good */
    assert_null(nwi_cache_get(cache, "a.test", AF_INET, 1010 * NWI_SEC, &ttl));
    assert_int_equal(nwi_cache_count(cache), 0); /* gone for good */
    put(cache, "a.test", 1, 0, 0);
    assert_int_equal(nwi_cache_count(cache), 0);
    put(cache, "a.test", 1, 5, 0);
    put(cache, "a.test", 2, 0, 0); /* a newer answer not to be kept puts out the older one */
    assert_int_equal(nwi_cache_count(cache), 0);
    put(cache, "a.test", 1, UINT32_MAX, 1000 * NWI_SEC);
    assert_non_null(nwi_cache_get(cache, "a.test", AF_INET, 2000 * NWI_SEC, &ttl));
    nwi_cache_free(cache);
}

static void bound_and_order_of_use(void **state) {
    (void)state;
    struct nwi_cache *cache = nwi_cache_create(3);
    uint32_t ttl;
    put(cache, "a", 1, 9, 0);
    put(cache, "b", 2, 9, 0);
    put(cache, "c", 3, 9, 0);
    assert_non_null(nwi_cache_get(cache, "a", AF_INET, 1, &ttl)); /* b is now unused longest */
    put(cache, "d", 4, 9, 0);
    assert_int_equal(nwi_cache_count(cache), 3);
    assert_null(nwi_cache_get(cache, "b", AF_INET, 1, &ttl));
    assert_non_null(nwi_cache_get(cache, "a", AF_INET, 1, &ttl));
    assert_non_null(nwi_cache_get(cache, "c", AF_INET, 1, &ttl));
    put(cache, "c", 5, 9, 0); /* replaced, not doubled */
    assert_int_equal(nwi_cache_count(cache), 3);
    assert_int_equal(
        ntohl(nwi_cache_get(cache, "c", AF_INET, 1, &ttl)->addresses[0].in.sin_addr.s_addr), 5);
    nwi_cache_flush(cache);
    assert_int_equal(nwi_cache_count(cache), 0);
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "n%d", i);
        put(cache, name, 1, 9, 0);
    }
    assert_int_equal(nwi_cache_count(cache), 3);
    nwi_cache_free(cache);
    nwi_cache_free(NULL);
}

static void memory_runs_out(void **state) {
    (void)state;
    nwi_alloc_fail_at(1);
    assert_null(nwi_cache_create(0));
    struct nwi_cache *cache = nwi_cache_create(0);
    struct nwi_answer *answer = answer_of(1, 9);
    nwi_alloc_fail_at(1);
    nwi_cache_put(cache, "a", answer, 0);
    assert_true(nwi_alloc_fault_hit());
    nwi_alloc_fail_at(0);
    assert_int_equal(nwi_cache_count(cache), 0);
    nwi_release(answer);
    nwi_cache_free(cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_to_live),
        cmocka_unit_test(bound_and_order_of_use),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
