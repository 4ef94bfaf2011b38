/*
 * test_ports.c - reading of ports, ranges and lists.
 */
#include "nwcat_test.h"
#include "ports.h"

static void accepts(const char *text, unsigned count, unsigned first) {
    struct nwcat_ports ports;
    char piece[32];
    assert_true(nwcat_ports_parse(&ports, text, false, piece, sizeof piece));
    assert_int_equal(ports.count, count);
    assert_int_equal(nwcat_ports_next(&ports, 0), first);
}

static void refuses(const char *text, const char *faulty) {
    struct nwcat_ports ports;
    char piece[32] = "?";
    assert_false(nwcat_ports_parse(&ports, text, false, piece, sizeof piece));
    assert_string_equal(piece, faulty);
}

static void lists(void **state) {
    (void)state;
    accepts("80", 1, 80);
    accepts("20-30", 11, 20);
    accepts("30-30", 1, 30);
    accepts("443,80,8000-8001", 4, 80);
    accepts("1-65535", 65535, 1);
    accepts("10-20,15-25", 16, 10); /* what overlaps is counted once */
}

static void walks_in_order(void **state) {
    (void)state;
    struct nwcat_ports ports;
    char piece[32];
    assert_true(nwcat_ports_parse(&ports, "65535,443,63-65", false, piece, sizeof piece));
    static const uint16_t expected[] = {63, 64, 65, 443, 65535, 0};
    uint16_t port = 0;
    for (unsigned i = 0; i < 6; i++) {
        port = nwcat_ports_next(&ports, port);
        assert_int_equal(port, expected[i]);
    }
    assert_int_equal(nwcat_ports_next(&ports, 65535), 0);
}

static void faults_are_named(void **state) {
    (void)state;
    refuses("", "");
    refuses("0", "0");
    refuses("65536", "65536");
    refuses("80,", "");
    refuses("80,x-y", "x-y");
    refuses("30-20", "30-20");
    refuses("-5", "-5");
    refuses("5-", "5-");
    refuses("1-99999999999999999999", "1-99999999999999999999");
    refuses("no-such-service-name-here", "no-such-service-name-here");
    refuses(" 80", " 80");
    refuses("80 ", "80 ");
}

static void single_ports(void **state) {
    (void)state;
    assert_true(nwcat_port_is_valid("0", false));
    assert_true(nwcat_port_is_valid("65535", false));
    assert_false(nwcat_port_is_valid("65536", false));
    assert_false(nwcat_port_is_valid("", false));
    assert_false(nwcat_port_is_valid("+80", false));
    assert_false(nwcat_port_is_valid("8o", true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(walks_in_order),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(single_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
