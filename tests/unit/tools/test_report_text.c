/*
 * test_report_text.c - both reports in words, from made-up values.
 */
#include "nwcat_test.h"
#include "report.h"

static struct nwcat_report tcp_report(void) {
    return (struct nwcat_report){
        .number = 3,
        .established = true,
        .took_ms = 250,
        .resolution_count = 1,
        .resolutions = {{.source = "query",
                         .protocol = "udp",
                         .ms = 12,
                         .endpoints = 2,
                         .preferred = "[2001:db8::1]:80",
                         .successful = "192.0.2.1:80"}},
        .handshake_count = 1,
        .handshakes = {{.protocol = "tcp", .ms = 40, .rtt_ms = 39}},
        .measured_ms = 1500,
        .path_count = 1,
        .paths = {{.interface_name = "wlan0",
                   .interface_type = "wifi",
                   .radio = "wifi-ax",
                   .content_in = 1,
                   .content_out = 2048,
                   .transport_in = 3,
                   .transport_out = 4096,
                   .packets_in = 5,
                   .packets_out = 6,
                   .again_in = 0,
                   .again_out = 1024,
                   .disordered = 8,
                   .rtt_ms = 40,
                   .rtt_min_ms = 39,
                   .rtt_variance_ms = 0}},
    };
}

static char *print(const struct nwcat_report *report) {
    struct text_file out;
    text_open(&out);
    nwcat_report_print(report, out.file);
    return text_close(&out);
}

static void test_tcp(void **state) {
    (void)state;
    struct nwcat_report report = tcp_report();
    char *text = print(&report);
    assert_string_equal(text,
                        "Establishment of connection 3\n"
                        "  took             250 ms\n"
                        "  name             2 addresses from a server over udp, 12 ms\n"
                        "                   [2001:db8::1]:80 tried first, 192.0.2.1:80 connected\n"
                        "  TCP handshake    40 ms, round trip 39 ms\n"
                        "  proxy            none\n"
                        "Transfer of connection 3\n"
                        "  measured         1500 ms\n"
                        "  over             wlan0 (wifi, wifi-ax)\n"
                        "                           sent    received\n"
                        "  content              2.00 KiB         1 B\n"
                        "  transport            4.00 KiB         3 B\n"
                        "  packets                     6           5\n"
                        "  again                1.00 KiB         0 B\n"
                        "  out of order                          8 B\n"
                        "  round trip       40 ms, at least 39 ms, varies by < 1 ms\n");
    free(text);
}

static void test_after_waiting(void **state) {
    (void)state;
    struct nwcat_report report = tcp_report();
    report.previous_attempts = 2;
    report.started_after_ms = 700;
    report.proxy_used = true;
    snprintf(report.proxy, sizeof report.proxy, "proxy.example:1080");
    snprintf(report.resolutions[0].preferred, sizeof report.resolutions[0].preferred,
             "192.0.2.1:80");
    report.resolutions[0].protocol = NULL;
    report.resolutions[0].source = "cache";
    report.resolutions[0].endpoints = 1;
    char *text = print(&report);
    assert_non_null(strstr(text, "250 ms, begun 700 ms after the start, attempt 3\n"));
    assert_non_null(strstr(text, "1 address from cache, 12 ms\n"));
    assert_non_null(strstr(text, " 192.0.2.1:80 tried first, and connected\n"));
    assert_non_null(strstr(text, "proxy            proxy.example:1080\n"));
    free(text);
}

static void test_what_is_left_out(void **state) {
    (void)state;
    struct nwcat_report report = tcp_report();
    report.untimed = true;
    report.accepted = true;
    char *text = print(&report);
    assert_null(strstr(text, "Establishment"));
    assert_null(strstr(text, "again"));
    assert_null(strstr(text, "round trip"));
    assert_non_null(strstr(text, "packets"));
    free(text);
    report.established = false;
    text = print(&report);
    assert_string_equal(text, "Connection 3 was not established\n");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_after_waiting),
        cmocka_unit_test(test_what_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
