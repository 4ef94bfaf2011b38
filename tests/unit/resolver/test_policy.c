/*
 * test_policy.c - src/resolver/policy.c: the default table, scopes, and what a gai.conf changes.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "resolver/policy.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct in6_addr v6(const char *text) {
    struct in6_addr address;
    assert_int_equal(inet_pton(AF_INET6, text, &address), 1);
    return address;
}

/* RFC 6724 section 2.1, one address inside each prefix and one just outside. */
static void test_default(void **state) {
    (void)state;
    static const struct {
        const char *address;
        unsigned precedence, label;
    } rows[] = {
        {"::1", 50, 0},
        {"2a00::1", 40, 1},
        {"::ffff:192.0.2.1", 35, 4},
        {"2002:c000:201::1", 30, 2},
        {"2001:0:1::", 5, 5},
        {"fd12::1", 3, 13},
        {"fc00::", 3, 13},
        {"fe00::", 40, 1},
        {"::2", 1, 3},
        {"::192.0.2.1", 1, 3},
        {"fec0::1", 1, 11},
        {"feff::1", 1, 11},
        {"3ffe::1", 1, 12},
        {"3fff::1", 40, 1},
        {"2001:1::1", 40, 1},
        {"::fffe:0:0", 40, 1},
        {"2003::", 40, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct in6_addr a = v6(rows[i].address);
        assert_int_equal(nwi_policy_precedence(nwi_policy_default(), &a), rows[i].precedence);
        assert_int_equal(nwi_policy_label(nwi_policy_default(), &a), rows[i].label);
    }
}

static void test_scope(void **state) {
    (void)state;
    static const struct {
        const char *address;
        unsigned scope;
    } rows[] = {
        {"::1", NWI_SCOPE_LINK},
        {"fe80::1", NWI_SCOPE_LINK},
        {"febf::1", NWI_SCOPE_LINK},
        {"fec0::1", NWI_SCOPE_SITE},
        {"fd00::1", NWI_SCOPE_GLOBAL},
        {"2001:db8::1", NWI_SCOPE_GLOBAL},
        {"ff02::1", NWI_SCOPE_LINK},
        {"ff01::1", 1},
        {"ff0e::1", NWI_SCOPE_GLOBAL},
        {"ff15::1", NWI_SCOPE_SITE},
        {"::ffff:127.1.2.3", NWI_SCOPE_LINK},
        {"::ffff:169.254.0.1", NWI_SCOPE_LINK},
        {"::ffff:169.253.0.1", NWI_SCOPE_GLOBAL},
        {"::ffff:10.0.0.1", NWI_SCOPE_GLOBAL},
        {"::ffff:192.168.1.1", NWI_SCOPE_GLOBAL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct in6_addr a = v6(rows[i].address);
        assert_int_equal(nwi_policy_scope(nwi_policy_default(), &a), rows[i].scope);
    }
}

static unsigned complaints;

static void count_complaints(enum nwi_log_level level, const char *name, const char *event,
                             const char *message) {
    (void)level, (void)name, (void)event, (void)message;
    complaints++;
}

static void parse(const char *text, struct nwi_policy *policy) {
    complaints = 0;
    nwi_log_set_sink(count_complaints);
    nwi_policy_parse(text, strlen(text), policy);
    nwi_log_set_sink(NULL);
}

static void test_parse(void **state) {
    (void)state;
    static const char text[] = "# a comment, and an empty line\n"
                               "\n"
                               "reload no\r\n"
                               "  precedence\t::ffff:0:0/96   100 # prefer IPv4\n"
                               "precedence 2001:db8::1 7\n"
                               "scopev4 10.0.0.0/8 5\n"
                               "scopev4 ::ffff:0:0/96 14"; /* no newline at the end */
    struct nwi_policy policy;
    parse(text, &policy);
    assert_int_equal(complaints, 0);
    assert_int_equal(policy.precedence.count, 2);
    assert_int_equal(policy.label.count, nwi_policy_default()->label.count);
    struct in6_addr mapped = v6("::ffff:10.9.9.9"), host = v6("2001:db8::1"),
                    other = v6("2001:db8::2");
    assert_int_equal(nwi_policy_precedence(&policy, &mapped), 100);
    assert_int_equal(nwi_policy_precedence(&policy, &host), 7);
    assert_int_equal(nwi_policy_precedence(&policy, &other), 0); /* the defaults are gone */
    assert_int_equal(nwi_policy_scope(&policy, &mapped), 5);
}

static void test_nonsense(void **state) {
    (void)state;
    static const char *const lines[] = {
        "precedence",
        "precedence ::/0",
        "precedence ::/129 1",
        "precedence 10.0.0.0/33 1",
        "precedence ::/ 1",
        "precedence ::/-1 1",
        "precedence ::/0 -1",
        "precedence ::/0 1x",
        "precedence ::/0 99999999999",
        "precedence zz/0 1",
        "precedence ::/0 1 2",
        "wish ::/0 1",
        "precedence ::/0x 1",
        "label /1 1",
    };
    struct nwi_policy policy;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        parse(lines[i], &policy);
        assert_int_equal(complaints, 1);
        assert_memory_equal(&policy, nwi_policy_default(), sizeof policy);
    }
    char text[2048];
    memset(text, 'x', sizeof text);
    memcpy(text, "label ::/0 ", 11);
    text[1000] = '\n';
    text[1001] = '#';
    text[sizeof text - 1] = '\0';
    parse(text, &policy); /* an endless line, then an endless comment */
    assert_int_equal(complaints, 1);
}

static void test_too_many_rows(void **state) {
    (void)state;
    char text[4096] = "";
    for (int i = 0; i < NWI_POLICY_ROWS + 3; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "label %x::/16 %d\n", 0x2000 + i,
                 i);
    struct nwi_policy policy;
    parse(text, &policy);
    assert_int_equal(complaints, 3);
    assert_int_equal(policy.label.count, NWI_POLICY_ROWS);
}

static void test_read(void **state) {
    (void)state;
    struct nwi_policy policy;
    nwi_policy_read("/nonexistent/gai.conf", &policy);
    assert_memory_equal(&policy, nwi_policy_default(), sizeof policy);
    char path[] = "/tmp/test_policy.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "label ::/0 77\n";
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    nwi_policy_read(path, &policy);
    assert_int_equal(policy.label.count, 1);
    nwi_alloc_fail_at(1);
    nwi_policy_read(path, &policy);
    assert_true(nwi_alloc_fault_hit());
    nwi_alloc_fail_at(0);
    assert_int_equal(policy.label.count, 9);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),       cmocka_unit_test(test_scope),
        cmocka_unit_test(test_parse),         cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_too_many_rows), cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
