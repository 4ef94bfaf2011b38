/* test_patience.c - the options of resolv.conf about time. */
#include "resolver/patience.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *text, unsigned timeout_ms, unsigned tries) {
    unsigned got_timeout = 7, got_tries = 7;
    nwi_patience_parse(text, &got_timeout, &got_tries);
    assert_int_equal(got_timeout, timeout_ms);
    assert_int_equal(got_tries, tries);
}

static void said(void **state) {
    (void)state;
    expect("options timeout:1 attempts:2\n", 1000, 2);
    expect("nameserver 192.0.2.1\nsearch a b\noptions\trotate  attempts:3\ttimeout:4 edns0", 4000,
           3);
    expect("options timeout:1\noptions timeout:2\r\n", 2000, 7); /* the last word counts */
    expect("options timeout:99 attempts:4294967297\n", 30000, 5);
    expect("options timeout:0 attempts:0\n", 1000, 1);
}

static void not_said(void **state) {
    (void)state;
    expect("", 7, 7);
    expect("options\ntimeout:1", 7, 7);
    expect("options ", 7, 7);
    expect("optionstimeout:1", 7, 7);
    expect(" options timeout:1\n# options timeout:1\n", 7, 7); /* keywords start their line */
    expect("options timeout: timeout:x timeout:1s attempts:-1 timeouts:2", 7, 7);
    nwi_patience_read("/nonexistent", &(unsigned){1}, &(unsigned){1});
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(said), cmocka_unit_test(not_said)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
