/*
 * test_nwpath.c - what nwpath writes for a report, and how it reads its command line.
 */
#include "nwcat_test.h"
#include "options.h"
#include "report.h"

/* A laptop: Ethernet in use, Wi-Fi behind it, an expensive modem refused, a link that is down. */
static struct nwpath_address wired_addresses[] = {
    {"192.0.2.10", 24, nw_address_state_usable},
    {"2001:db8::10", 64, nw_address_state_tentative},
};
static struct nwpath_gateway wired_gateways[] = {{"192.0.2.1", 100}, {NULL, 200}};
static struct nwpath_row rows[] = {
    {.name = "eth0",
     .index = 2,
     .type = nw_interface_type_wired,
     .why = "preferred",
     .mtu = 1500,
     .routed = true,
     .metric = 100,
     .quality = nw_link_quality_good,
     .addresses = wired_addresses,
     .address_count = 2,
     .gateways = wired_gateways,
     .gateway_count = 2},
    {.name = "wlan0",
     .index = 3,
     .type = nw_interface_type_wifi,
     .why = "behind eth0",
     .mtu = 1500,
     .verdict = nw_path_verdict_next,
     .reason = nw_path_verdict_reason_behind_metric,
     .routed = true,
     .metric = 600,
     .constrained = true},
    {.name = "wwan0",
     .index = 4,
     .type = nw_interface_type_cellular,
     .why = "too dear",
     .verdict = nw_path_verdict_refused,
     .reason = nw_path_verdict_reason_prohibited_expensive,
     .expensive = true,
     .ultra_constrained = true},
    {.name = "lo",
     .index = 1,
     .type = nw_interface_type_loopback,
     .why = "itself",
     .verdict = nw_path_verdict_refused,
     .reason = nw_path_verdict_reason_loopback},
};
static struct nwpath_way ways[] = {
    {.remote = "2001:db8::1",
     .source = "2001:db8::10",
     .interface = "eth0",
     .port = 443,
     .gateway = "fe80::1%eth0",
     .kind = nw_route_kind_unicast,
     .why = "default route",
     .order_why = "first",
     .table = 254,
     .metric = 1024,
     .has_match = true,
     .mtu = 1480},
    {.remote = "192.0.2.1",
     .port = 443,
     .verdict = nw_path_verdict_unusable,
     .why = "no route",
     .order_why = "rule 1",
     .order = nw_address_order_unusable_destination},
};

static struct nwpath_report laptop(void) {
    struct nwpath_report report = {
        .time = {.tv_sec = 1795593600, .tv_nsec = 123999999}, /* 2026-11-25, 08:00 */
        .satisfied = true,
        .status = nw_path_status_satisfied,
        .quality = nw_link_quality_good,
        .ipv4 = true,
        .dns = true,
        .interfaces = {{"eth0", nw_interface_type_wired}, {"wlan0", nw_interface_type_wifi}},
        .interface_count = 2,
        .gateways = {"192.0.2.1", "192.0.2.2"},
        .gateway_count = 2,
        .rows = rows,
        .row_count = 4,
        .ways = ways,
        .way_count = 2};
    return report;
}

static void expect(struct text_file *out, const char *expected) {
    char *text = text_close(out);
    assert_string_equal(text, expected);
    free(text);
}

static void lines(void **state) {
    (void)state;
    struct text_file out;
    struct nwpath_report report = laptop();
    text_open(&out);
    nwpath_write_line(&report, out.file);
    expect(&out, "2026-11-25T08:00:00.123Z satisfied eth0(wired) wlan0(wifi) ipv4 dns quality=good "
                 "gateways=192.0.2.1,192.0.2.2 -- eth0: preferred; wlan0: behind eth0; "
                 "wwan0: too dear\n");
    report.satisfied = false;
    report.lacks = 6;
    report.row_count = 0;
    text_open(&out);
    nwpath_write_path(&report, out.file);
    expect(&out, "unsatisfied eth0(wired) wlan0(wifi) ipv4 dns quality=good "
                 "gateways=192.0.2.1,192.0.2.2 (no IPv6)");
    struct nwpath_report none = {.status = nw_path_status_unsatisfied,
                                 .reason = nw_path_unsatisfied_reason_wifi_denied};
    text_open(&out);
    nwpath_write_line(&none, out.file);
    expect(&out, "1970-01-01T00:00:00.000Z unsatisfied (wifi-denied)\n");
}

static void table(void **state) {
    (void)state;
    struct text_file out;
    struct nwpath_report report = laptop();
    text_open(&out);
    struct nwpath_pen pen = {.out = out.file};
    assert_int_equal(nwpath_write_table(&report, &pen), 6);
    expect(&out,
           "  INTERFACE  TYPE      METRIC  ADDRESS                    GATEWAY    FLAGS            "
           "QUALITY  WHY\n"
           "* eth0       wired        100  192.0.2.10/24              192.0.2.1                   "
           "good     preferred\n"
           "                               2001:db8::10/64 tentative  on link\n"
           "+ wlan0      wifi         600                                        constrained      "
           "         behind eth0\n"
           "- wwan0      cellular                                                expensive,ultra  "
           "         too dear\n"
           "- lo         loopback                                                                 "
           "         itself\n");
    report.row_count = 1;
    rows[0].address_count = 1;
    text_open(&out);
    pen = (struct nwpath_pen){.out = out.file, .colour = true, .columns = 12};
    nwpath_write_table(&report, &pen);
    rows[0].address_count = 2;
    expect(&out,
           "\033[1m  INTERFACE \033[0m\n\033[32m* eth0      \033[0m\n\033[32m            \033[0m\n"
           "\033[32m    preferre\033[0m\n");
}

static void hosts(void **state) {
    (void)state;
    struct text_file out;
    struct nwpath_report report = laptop();
    report.row_count = 0;
    text_open(&out);
    struct nwpath_pen pen = {.out = out.file};
    nwpath_write_ways(&report, "host", "443", &pen);
    expect(&out, "host port 443: 2 addresses, tried in this order\n"
                 " 1. [2001:db8::1]:443  from 2001:db8::10  on eth0  mtu 1480\n"
                 "      way:   default route\n      order: first\n"
                 " 2. 192.0.2.1:443\n      way:   no route\n      order: rule 1\n"
                 "\npath: satisfied eth0(wired) wlan0(wifi) ipv4 dns quality=good "
                 "gateways=192.0.2.1,192.0.2.2\n"
                 "  INTERFACE  TYPE  METRIC  ADDRESS  GATEWAY  FLAGS  QUALITY  WHY\n");
    report.way_count = 0;
    strcpy(report.error, "no such name");
    text_open(&out);
    pen.out = out.file;
    nwpath_write_ways(&report, "host", NULL, &pen);
    char *text = text_close(&out);
    assert_int_equal(strncmp(text, "host: no such name\n\npath: ", 26), 0);
    free(text);
}

static void json(void **state) {
    (void)state;
    struct text_file out;
    struct nwpath_report report = laptop();
    report.rows = &rows[1];
    report.row_count = 1;
    text_open(&out);
    nwpath_write_json(&report, NULL, NULL, out.file);
    expect(&out,
           "{\"time\":\"2026-11-25T08:00:00.123Z\",\"event\":\"path\",\"status\":\"satisfied\","
           "\"reason\":null,\"ipv4\":true,\"ipv6\":false,\"dns\":true,\"expensive\":false,"
           "\"constrained\":false,\"ultra_constrained\":false,\"quality\":\"good\","
           "\"used\":[\"eth0\",\"wlan0\"],\"gateways\":[\"192.0.2.1\",\"192.0.2.2\"],"
           "\"interfaces\":[{\"name\":\"wlan0\",\"index\":3,\"type\":\"wifi\",\"verdict\":\"next\","
           "\"reason\":\"behind-metric\",\"text\":\"behind eth0\",\"metric\":600,\"mtu\":1500,"
           "\"expensive\":false,\"constrained\":true,\"ultra_constrained\":false,\"quality\":null,"
           "\"addresses\":[],\"gateways\":[]}]}\n");
    report.row_count = 0;
    report.ways = &ways[1];
    report.way_count = 1;
    report.interface_count = report.gateway_count = 0;
    text_open(&out);
    nwpath_write_json(&report, "host", NULL, out.file);
    expect(&out,
           "{\"time\":\"2026-11-25T08:00:00.123Z\",\"event\":\"explanation\",\"host\":\"host\","
           "\"port\":null,\"error\":null,\"addresses\":[{\"address\":\"192.0.2.1\","
           "\"verdict\":\"unusable\",\"route\":\"none\",\"interface\":null,\"source\":null,"
           "\"gateway\":null,\"table\":0,\"metric\":null,\"prefix\":null,\"mtu\":0,"
           "\"text\":\"no route\",\"rule\":1,\"order\":\"rule 1\"}],\"path\":{"
           "\"status\":\"satisfied\",\"reason\":null,\"ipv4\":true,\"ipv6\":false,\"dns\":true,"
           "\"expensive\":false,\"constrained\":false,\"ultra_constrained\":false,"
           "\"quality\":\"good\",\"used\":[],\"gateways\":[],\"interfaces\":[]}}\n");
}

static int parse(struct nwpath_options *options, unsigned count, const char *const *words) {
    char *argv[24] = {(char *)"nwpath"};
    for (unsigned i = 0; i < count; i++)
        argv[i + 1] = (char *)words[i];
    struct text_file out, err;
    text_open(&out);
    text_open(&err);
    int status = nwpath_options_parse(options, (int)count + 1, argv, out.file, err.file);
    free(text_close(&out));
    free(text_close(&err));
    return status;
}
#define PARSE(o, ...)                                                                              \
    parse((o), sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                             \
          (const char *const[]){__VA_ARGS__})

static void options(void **state) {
    (void)state;
    struct nwpath_options o;
    assert_int_equal(PARSE(&o, "--require-type", "wired", "--prohibit-type", "wifi",
                           "--prohibit-type", "other", "--no-expensive", "-6", "--for", "1.5",
                           "--changes", "12", "--color"),
                     NWPATH_RUN);
    assert_int_equal(o.required_type, nw_interface_type_wired);
    assert_int_equal(o.prohibited_types,
                     1u << nw_interface_type_wifi | 1u << nw_interface_type_other);
    assert_true(o.no_expensive && !o.no_constrained && o.family == 6 && o.count == 12);
    assert_true(o.seconds > 1.4 && o.seconds < 1.6);
    assert_int_equal(o.colour, TOOL_ALWAYS);
    assert_int_equal(PARSE(&o, "host", "https", "--json", "--once", "--color=never"), NWPATH_RUN);
    assert_string_equal(o.host, "host");
    assert_string_equal(o.port, "https");
    assert_true(o.json && o.count == 1 && o.colour == TOOL_NEVER);
    assert_int_equal(PARSE(&o, "--changes", "-1"), NWPATH_USAGE);
    assert_int_equal(PARSE(&o, "host", "0"), NWPATH_USAGE);
    assert_int_equal(PARSE(&o, "host", "8o"), NWPATH_USAGE);
    assert_int_equal(PARSE(&o, ""), NWPATH_USAGE);
    assert_int_equal(PARSE(&o, "--version"), NWPATH_OK);
    const char *many[2 * NWPATH_NAMES_MAX] = {0};
    for (unsigned i = 0; i < 2 * NWPATH_NAMES_MAX; i += 2) {
        many[i] = "--prohibit-interface";
        many[i + 1] = "eth0";
    }
    assert_int_equal(parse(&o, 20, many), NWPATH_RUN);
    assert_int_equal(o.prohibited_count, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines), cmocka_unit_test(table),   cmocka_unit_test(hosts),
        cmocka_unit_test(json),  cmocka_unit_test(options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
