/*
 * test_name.c - patterns of a certificate against host names.
 */
#include "trust/name.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool matches(const char *pattern, const char *host) {
    return nwi_trust_pattern_matches(pattern, strlen(pattern), host);
}

static void test_names(void **state) {
    (void)state;
    assert_true(matches("a.example", "a.example"));
    assert_true(matches("A.Example", "a.eXAMPLE"));
    assert_true(matches("a.example", "a.example."));
    assert_true(matches("localhost", "localhost"));
    assert_true(matches("xn--bcher-kva.example", "xn--bcher-kva.example"));
    assert_false(matches("a.example", "b.example"));
    assert_false(matches("example", "a.example"));
    assert_false(matches("a.example", "example"));
    assert_false(matches("a.example", "a.example.."));
    assert_false(matches("a.example.", "a.example"));
    assert_false(matches(".a.example", "a.example"));
    assert_false(matches("a..example", "a..example"));
    assert_false(matches("", ""));
    assert_false(matches(".", "."));
    assert_false(matches("a_b.example", "a_b.example"));
    assert_false(matches("-a.example", "-a.example"));
    assert_false(matches("a-.example", "a-.example"));
    assert_false(matches("192.0.2.1", "192.0.2.1")); /* an address is no name */
}

static void test_wildcards(void **state) {
    (void)state;
    assert_true(matches("*.a.example", "x.a.example"));
    assert_true(matches("*.A.example", "X.a.EXAMPLE."));
    assert_false(matches("*.a.example", "a.example"));
    assert_false(matches("*.a.example", "x.y.a.example"));
    assert_false(matches("*.a.example", ".a.example"));
    assert_false(matches("*.a.example", "*.a.example")); /* no host has a star */
    assert_false(matches("*.example", "a.example"));
    assert_false(matches("*.co.uk", "a.co.uk"));
    assert_false(matches("*.CO.UK", "a.co.uk"));
    assert_true(matches("*.a.co.uk", "b.a.co.uk"));
    assert_false(matches("*", "example"));
    assert_false(matches("*.", "example."));
    assert_false(matches("x*.a.example", "xy.a.example"));
    assert_false(matches("a.*.example", "a.b.example"));
    assert_false(matches("*.*.example", "a.b.example"));
    assert_false(matches("xn--*.a.example", "xn--b.a.example"));
}

/* What stands behind a zero octet must not be forgotten. */
static void test_zero_octet(void **state) {
    (void)state;
    assert_false(nwi_trust_pattern_matches("a.example\0.b.example", 20, "a.example"));
    assert_false(nwi_trust_pattern_matches("a.example\0", 10, "a.example"));
    assert_true(nwi_trust_pattern_matches("a.exampleX", 9, "a.example"));
}

static void test_lengths(void **state) {
    char name[300];
    (void)state;
    memset(name, 'a', sizeof name);
    for (size_t i = 63; i < 253; i += 64)
        name[i] = '.';
    name[253] = '\0';
    assert_true(matches(name, name));
    strcpy(name + 253, "a");
    assert_false(matches(name, name));
    memset(name, 'a', 64);
    strcpy(name + 64, ".example");
    assert_false(matches(name, name)); /* a label of 64 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_zero_octet),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
