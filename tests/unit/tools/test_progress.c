/*
 * test_progress.c - octets, rates and the progress line as text.
 */
#include "nwcat_test.h"
#include "progress.h"

#include <math.h>

static void octets(double value, const char *expected) {
    char text[32];
    nwcat_format_octets(text, sizeof text, value);
    assert_string_equal(text, expected);
}

static void units(void **state) {
    (void)state;
    octets(0, "0 B");
    octets(999, "999 B");
    octets(1000, "0.98 KiB");
    octets(1024, "1.00 KiB");
    octets(1536, "1.50 KiB");
    octets(100 * 1024, "100 KiB");
    octets(1048576.0 * 12.34, "12.3 MiB");
    octets(pow(2, 60), "1024 PiB");
}

static void rate_settles(void **state) {
    (void)state;
    double rate = nwcat_progress_rate(0, 1000, 1);
    assert_true(rate == 1000); /* the first is taken as it is */
    for (int i = 0; i < 100; i++)
        rate = nwcat_progress_rate(rate, 400, 0.2);
    assert_true(fabs(rate - 2000) < 1);
    assert_true(nwcat_progress_rate(rate, 5, 0) == rate);
}

static void lines(void **state) {
    (void)state;
    char text[160];
    struct nwcat_progress progress = {.received = 2048, .rate = 1024};
    nwcat_progress_line(text, sizeof text, &progress);
    assert_string_equal(text, "received 2.00 KiB, 1.00 KiB/s");
    progress = (struct nwcat_progress){.sent = 1048576, .total = 4194304, .rate = 32768};
    nwcat_progress_line(text, sizeof text, &progress);
    assert_string_equal(text, "sent 1.00 MiB of 4.00 MiB (25%), 32.0 KiB/s, 1:36 left");
    progress = (struct nwcat_progress){.sent = 10, .received = 20, .rate = 0};
    nwcat_progress_line(text, sizeof text, &progress);
    assert_string_equal(text, "sent 10 B, received 20 B, 0 B/s");
    nwcat_progress_line(text, 10, &progress); /* cut, never overrun */
    assert_string_equal(text, "sent 10 B");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units),
        cmocka_unit_test(rate_settles),
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
