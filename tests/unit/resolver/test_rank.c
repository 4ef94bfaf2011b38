/*
 * test_rank.c - src/resolver/rank.c: what the kernel says of each address decides its place.
 */
#include "base/object.h"
#include "fake/fake_sys.h"
#include "resolver/private.h"
#include "sys/address.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct nwi_answer *answer(int family, const char *first, const char *second) {
    union nwi_inet addresses[2] = {{.in = {.sin_family = (sa_family_t)family}},
                                   {.in = {.sin_family = (sa_family_t)family}}};
    const char *texts[2] = {first, second};
    size_t count = second != NULL ? 2 : 1;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(inet_pton(family, texts[i],
                                   family == AF_INET ? (void *)&addresses[i].in.sin_addr
                                                     : (void *)&addresses[i].in6.sin6_addr),
                         1);
    struct nwi_answer *made = nwi_answer_create(family, addresses, count, 1);
    assert_non_null(made);
    return made;
}

static const char *text(const struct nwi_resolved *r) {
    static char buffer[NWI_ADDRESS_TEXT_SIZE];
    return nwi_address_text_port((const struct sockaddr *)&r->address, buffer, sizeof buffer);
}

static const struct nwi_resolve_options options = {.port = 443, .interface_index = 0};

/* What cannot be reached goes last, and has a higher rank than anything that can. */
static void test_unreachable_last(void **state) {
    (void)state;
    struct nwi_resolved sorted[NWI_ANSWER_MAX];
    struct nwi_answer *loopback = answer(AF_INET, "127.0.0.1", "127.0.0.2");
    fake_sys_install();
    fake_sys_fail(FAKE_CONNECT, 1, 1, ENETUNREACH);
    assert_int_equal(nwi_rank(loopback, &options, nwi_policy_default(), sorted), 2);
    assert_int_equal(fake_sys_faults(FAKE_CONNECT), 1);
    fake_sys_remove();
    assert_string_equal(text(&sorted[0]), "127.0.0.2:443");
    assert_string_equal(text(&sorted[1]), "127.0.0.1:443");
    assert_true(sorted[0].rank < UINT32_C(1) << 31 && sorted[1].rank >= UINT32_C(1) << 31);
    nwi_release(loopback);
}

/* What no rule separates stays in the server's order, with rising ranks. */
static void test_order_kept(void **state) {
    (void)state;
    struct nwi_resolved sorted[NWI_ANSWER_MAX];
    struct nwi_answer *loopback = answer(AF_INET, "127.0.0.9", "127.0.0.2");
    assert_int_equal(nwi_rank(loopback, &options, nwi_policy_default(), sorted), 2);
    assert_string_equal(text(&sorted[0]), "127.0.0.9:443");
    assert_true(sorted[0].rank < sorted[1].rank);
    nwi_release(loopback);
}

/* Ranks compare over both families: ::1 first, unless the table says otherwise, or there is no
 * IPv6. */
static void test_families(void **state) {
    (void)state;
    static const char prefer_v4[] = "precedence ::ffff:0:0/96 100\n";
    struct nwi_resolved v6[NWI_ANSWER_MAX], v4[NWI_ANSWER_MAX];
    struct nwi_policy policy;
    struct nwi_answer *six = answer(AF_INET6, "::1", NULL),
                      *four = answer(AF_INET, "127.0.0.1", NULL);
    nwi_rank(six, &options, nwi_policy_default(), v6);
    nwi_rank(four, &options, nwi_policy_default(), v4);
    bool has_v6 = v6[0].rank < UINT32_C(1) << 31;
    assert_true(has_v6 == (v6[0].rank < v4[0].rank));
    nwi_policy_parse(prefer_v4, strlen(prefer_v4), &policy);
    nwi_rank(six, &options, &policy, v6);
    nwi_rank(four, &options, &policy, v4);
    assert_true(v4[0].rank < v6[0].rank);
    fake_sys_install();
    fake_sys_fail(FAKE_SOCKET, 1, 1, EAFNOSUPPORT);
    nwi_rank(six, &options, nwi_policy_default(), v6);
    fake_sys_remove();
    nwi_rank(four, &options, nwi_policy_default(), v4);
    assert_true(v4[0].rank < v6[0].rank);
    nwi_release(six);
    nwi_release(four);
}

/* A link-local address gets the scope of the interface asked for. */
static void test_scope(void **state) {
    (void)state;
    struct nwi_resolved sorted[NWI_ANSWER_MAX];
    struct nwi_answer *local = answer(AF_INET6, "fe80::1", "2001:db8::1");
    struct nwi_resolve_options bound = {.port = 443, .interface_index = 1};
    assert_int_equal(nwi_rank(local, &bound, nwi_policy_default(), sorted), 2);
    for (int i = 0; i < 2; i++) {
        const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)&sorted[i].address;
        bool is_local = IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr);
        assert_int_equal(address->sin6_scope_id, is_local ? 1 : 0);
        assert_int_equal(ntohs(address->sin6_port), 443);
    }
    nwi_release(local);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unreachable_last),
        cmocka_unit_test(test_order_kept),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
