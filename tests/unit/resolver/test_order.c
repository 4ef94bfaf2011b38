/*
 * test_order.c - src/resolver/order.c against the examples of RFC 6724 section 10 and each rule
 * alone.
 */
#include "resolver/order.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static union nwi_order_address address(const char *text) {
    union nwi_order_address a = {.in = {.sin_family = AF_INET}};
    if (inet_pton(AF_INET, text, &a.in.sin_addr) == 1)
        return a;
    a = (union nwi_order_address){.in6 = {.sin6_family = AF_INET6}};
    assert_int_equal(inet_pton(AF_INET6, text, &a.in6.sin6_addr), 1);
    return a;
}

struct pair {
    const char *destination, *source;
    enum { PLAIN, DEPRECATED, HOME, CARE_OF, HOME_AND_CARE_OF, TUNNELED, USED } what;
    unsigned prefix;
    nwi_ns rtt;
};

/* A destination, the source for it (NULL = none), and what is special about the two. */
#define FROM(to, from, ...)                                                                        \
    { .destination = (to), .source = (from), ##__VA_ARGS__ }

static struct nwi_order_candidate candidate(const struct pair *pair) {
    struct nwi_order_candidate c = {.destination = address(pair->destination),
                                    .source_prefix = pair->prefix,
                                    .rtt = pair->rtt,
                                    .context = (void *)pair};
    if (pair->source != NULL) {
        c.has_source = true;
        c.source = address(pair->source);
    }
    c.source_deprecated = pair->what == DEPRECATED;
    c.source_is_home = pair->what == HOME || pair->what == HOME_AND_CARE_OF;
    c.source_is_care_of = pair->what == CARE_OF || pair->what == HOME_AND_CARE_OF;
    c.tunneled = pair->what == TUNNELED;
    c.used = pair->what == USED;
    return c;
}

/* `first` goes before `second` by `rule`, whichever way round they come in. Rule 10: they keep
 * their order. */
static const struct example {
    unsigned rule;
    struct pair first, second;
} examples[] = {
    /* RFC 6724 section 10.2, all nine, in its order and with its addresses */
    {2, FROM("2001:db8:1::1", "2001:db8:1::2"), FROM("198.51.100.121", "169.254.13.78")},
    {2, FROM("198.51.100.121", "198.51.100.117"), FROM("2001:db8:1::1", "fe80::1")},
    {6, FROM("2001:db8:1::1", "2001:db8:1::2"), FROM("10.1.2.3", "10.1.2.4")},
    {8, FROM("fe80::1", "fe80::2"), FROM("2001:db8:1::1", "2001:db8:1::2")},
    {4, FROM("2001:db8:1::1", "2001:db8:3::1", .what = HOME),
     FROM("fe80::1", "fe80::2", .what = CARE_OF)},
    {3, FROM("2001:db8:1::1", "2001:db8:1::2"), FROM("fe80::1", "fe80::2", .what = DEPRECATED)},
    {9, FROM("2001:db8:1::1", "2001:db8:1::2"), FROM("2001:db8:3ffe::1", "2001:db8:3f44::2")},
    {5, FROM("2002:c633:6401::1", "2002:c633:6401::2"), FROM("2001:db8:1::1", "2002:c633:6401::2")},
    {6, FROM("2001:db8:1::1", "2001:db8:1::2"), FROM("2002:c633:6401::1", "2002:c633:6401::2")},
    /* rule 1: nothing to send from, though all else speaks for it */
    {1, FROM("198.51.100.1", "192.0.2.1"), FROM("2001:db8::1", NULL)},
    {6, FROM("2001:db8::1", NULL), FROM("198.51.100.1", NULL)},
    /* rule 2: a link-local destination is no match for a global source */
    {2, FROM("2001:db8::1", "2001:db8::2"), FROM("fe80::1", "2001:db8::2")},
    /* rule 4: the classes */
    {4, FROM("2001:db8::1", "2001:db8::2", .what = HOME_AND_CARE_OF),
     FROM("2001:db8::3", "2001:db8::4", .what = HOME)},
    {4, FROM("2001:db8::1", "2001:db8::2", .what = HOME_AND_CARE_OF),
     FROM("2001:db8::3", "2001:db8::4")},
    {4, FROM("2001:db8::1", "2001:db8::2"), FROM("2001:db8::3", "2001:db8::4", .what = CARE_OF)},
    /* rule 5: a unique local source does not fit a global destination, but IPv4 fits IPv4 */
    {5, FROM("198.51.100.1", "192.168.0.2"), FROM("2001:db8::1", "fd00::2")},
    /* a unique local destination from a unique local source fits, but IPv4 has the precedence */
    {6, FROM("198.51.100.1", "192.168.0.2"), FROM("fd00::1", "fd00::2")},
    /* localhost: ::1 before 127.0.0.1 */
    {6, FROM("::1", "::1"), FROM("127.0.0.1", "127.0.0.1")},
    /* rule 7 */
    {7, FROM("2001:db8::1", "2001:db8::2"), FROM("2001:db8::3", "2001:db8::4", .what = TUNNELED)},
    /* RFC 8305 section 4 */
    {8, FROM("2001:db8:2::1", "2001:db8:1::9", .rtt = 10 * NWI_MS),
     FROM("2001:db8:1::1", "2001:db8:1::9", .rtt = 20 * NWI_MS)},
    {8, FROM("2001:db8:2::1", "2001:db8:1::9", .rtt = 10 * NWI_SEC),
     FROM("2001:db8:1::1", "2001:db8:1::9")},
    {9, FROM("2001:db8:2::1", "2001:db8:2::9", .what = USED),
     FROM("2001:db8:3::1", "2001:db8:3::9")},
    /* rule 9 counts no further than the source's prefix: 64 bits, or what is known */
    {10, FROM("2001:db8::5000", "2001:db8::1"), FROM("2001:db8::2", "2001:db8::1")},
    {9, FROM("2001:db8::2", "2001:db8::1", .prefix = 128),
     FROM("2001:db8::5000", "2001:db8::1", .prefix = 128)},
    {10, FROM("2001:db8:8000::1", "2001:db8::1", .prefix = 32),
     FROM("2001:db8::2", "2001:db8::1", .prefix = 32)},
    /* IPv4: only with a known prefix */
    {10, FROM("192.0.2.200", "10.0.0.1"), FROM("10.0.0.2", "10.0.0.1")},
    {9, FROM("10.0.0.2", "10.0.0.1", .prefix = 24), FROM("192.0.2.200", "10.0.0.1", .prefix = 24)},
    {10, FROM("10.0.0.200", "10.0.0.1", .prefix = 24), FROM("10.0.0.2", "10.0.0.1", .prefix = 24)},
};

static void test_examples(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *e = &examples[i];
        for (int swapped = 0; swapped < 2; swapped++) {
            struct nwi_order_candidate c[2] = {candidate(swapped ? &e->second : &e->first),
                                               candidate(swapped ? &e->first : &e->second)};
            unsigned rule = nwi_order_rule(&c[0], &c[1], NULL);
            nwi_order_sort(c, 2, NULL);
            const struct pair *want = e->rule == 10 && swapped ? &e->second : &e->first;
            if (c[0].context != (void *)want || rule != e->rule)
                fail_msg("%s and %s: %s first by rule %u, should be %s by rule %u",
                         e->first.destination, e->second.destination,
                         ((const struct pair *)c[0].context)->destination, rule, want->destination,
                         e->rule);
        }
    }
}

/* Three families of wishes in one answer, in every order in which they can come in. */
static void test_all_orders(void **state) {
    (void)state;
    static const struct pair sorted[] = {
        {"2001:db8:1::1", "2001:db8:1::2", PLAIN, 0, 0},     /* shares 64 bits */
        {"2001:db8:2::1", "2001:db8:1::2", PLAIN, 0, 0},     /* fewer */
        {"198.51.100.1", "192.0.2.1", PLAIN, 0, 0},          /* less precedence */
        {"2002:c633:6401::1", "2001:db8:1::2", PLAIN, 0, 0}, /* label does not match */
        {"2001:db8:9::1", NULL, PLAIN, 0, 0},                /* unusable */
    };
    enum { N = sizeof sorted / sizeof sorted[0] };
    for (unsigned code = 0; code < 120; code++) {
        unsigned left[N] = {0, 1, 2, 3, 4}, rest = code, count = N;
        struct nwi_order_candidate c[N];
        for (unsigned i = 0; i < N; i++, count--) {
            unsigned pick = rest % count;
            rest /= count;
            c[i] = candidate(&sorted[left[pick]]);
            memmove(&left[pick], &left[pick + 1], (count - pick - 1) * sizeof left[0]);
        }
        nwi_order_sort(c, N, NULL);
        for (unsigned i = 0; i < N; i++)
            assert_ptr_equal(c[i].context, &sorted[i]);
    }
    nwi_order_sort(NULL, 0, NULL);
}

/* What no rule separates stays as it came. */
static void test_stable(void **state) {
    (void)state;
    struct pair same = {"192.0.2.1", "192.0.2.2", PLAIN, 0, 0};
    struct nwi_order_candidate c[6];
    int marks[6];
    for (int i = 0; i < 6; i++) {
        c[i] = candidate(&same);
        c[i].context = &marks[i];
    }
    nwi_order_sort(c, 6, NULL);
    for (int i = 0; i < 6; i++)
        assert_ptr_equal(c[i].context, &marks[i]);
    assert_int_equal(nwi_order_compare(&c[0], &c[1], NULL), 0);
}

/* RFC 6724 section 10.3.1: a table that prefers IPv4 turns the third example around. */
static void test_prefer_v4(void **state) {
    (void)state;
    static const char text[] = "precedence ::1/128 50\nprecedence ::/0 40\n"
                               "precedence ::ffff:0:0/96 100\nprecedence 2002::/16 30\n";
    struct nwi_policy policy;
    nwi_policy_parse(text, strlen(text), &policy);
    struct pair v6 = {"2001:db8:1::1", "2001:db8:1::2", PLAIN, 0, 0};
    struct pair v4 = {"10.1.2.3", "10.1.2.4", PLAIN, 0, 0};
    struct nwi_order_candidate c[2] = {candidate(&v6), candidate(&v4)};
    nwi_order_sort(c, 2, &policy);
    assert_ptr_equal(c[0].context, &v4);
}

/* Rule 9 compares within one family only, which shows when the table gives both one precedence. */
static void test_prefix_of_one_family(void **state) {
    (void)state;
    static const char text[] = "precedence ::/0 40\n";
    struct nwi_policy policy;
    nwi_policy_parse(text, strlen(text), &policy);
    struct pair v6 = FROM("2001:db8:1::1", "2001:db8:1::2");
    struct pair v4 = FROM("10.1.2.3", "10.1.2.4", .prefix = 24);
    struct nwi_order_candidate a = candidate(&v6), b = candidate(&v4);
    assert_int_equal(nwi_order_rule(&a, &b, &policy), 10);
    assert_int_equal(nwi_order_compare(&b, &a, &policy), 0);
}

/* The number agrees with the comparison wherever rules 1 to 8 decide, and the place does after
 * that. */
static void test_rank(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *e = &examples[i];
        struct nwi_order_candidate first = candidate(&e->first), second = candidate(&e->second);
        if (e->rule > 8 || first.rtt != second.rtt) {
            assert_int_equal(nwi_order_rank(&first, 0, NULL), nwi_order_rank(&second, 0, NULL));
            assert_true(nwi_order_rank(&first, 0, NULL) < nwi_order_rank(&second, 1, NULL));
        } else if (nwi_order_rank(&first, 5000, NULL) >= nwi_order_rank(&second, 0, NULL)) {
            fail_msg("%s (%x) is not before %s (%x)", e->first.destination,
                     nwi_order_rank(&first, 5000, NULL), e->second.destination,
                     nwi_order_rank(&second, 0, NULL));
        }
    }
    /* Places and precedences that do not fit count as the largest. */
    struct pair v6 = FROM("2001:db8::1", "2001:db8::2");
    struct nwi_order_candidate c = candidate(&v6);
    assert_int_equal(nwi_order_rank(&c, 1u << 20, NULL), nwi_order_rank(&c, 8191, NULL));
    struct nwi_policy high;
    nwi_policy_parse("precedence ::/0 300\n", 20, &high);
    assert_true(nwi_order_rank(&c, 0, &high) < nwi_order_rank(&c, 0, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples), cmocka_unit_test(test_all_orders),
        cmocka_unit_test(test_stable),   cmocka_unit_test(test_prefer_v4),
        cmocka_unit_test(test_rank),     cmocka_unit_test(test_prefix_of_one_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
