/*
 * test_view.c - src/path/view.c over written networks: what a monitor's path lists, and which
 * changes are worth a wait.
 */
#include "base/alloc.h"
#include "fake/fake_net.h"
#include "model/path.h"
#include "path/view.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* "STATUS NAMES FAMILIES GATEWAYS", in a buffer that the next call uses again. */
static const char *text_of(nw_path_t path) {
    static char text[256];
    size_t length = (size_t)snprintf(text, sizeof text, "%d ", path->facts.status);
    for (size_t i = 0; i < path->facts.interface_count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s ",
                                   nw_interface_get_name(path->facts.interfaces[i]));
    length += (size_t)snprintf(text + length, sizeof text - length, "%s%s",
                               path->facts.has_ipv4 ? "4" : "", path->facts.has_ipv6 ? "6" : "");
    for (size_t i = 0; i < path->facts.gateway_count; i++) {
        const char *host = nw_endpoint_get_hostname(path->facts.gateways[i]);
        length += (size_t)snprintf(text + length, sizeof text - length, " %.*s",
                                   (int)strcspn(host, "%"), host); /* the scope has no name here */
    }
    return text;
}

static void assert_view(struct nwi_path_view view, const struct nwi_path_table *table,
                        const char *expected) {
    nw_path_t path = nwi_path_view_path(&view, table);
    assert_string_equal(text_of(path), expected);
    nwi_release(path);
}

static void views(void **state) {
    (void)state;
    struct nwi_path_table *table = net_laptop();
    enum { WIFI = 1u << nw_interface_type_wifi, WIRED = 1u << nw_interface_type_wired };
    assert_view((struct nwi_path_view){0}, table,
                "1 eth0 wlan0 wwan0 46 192.0.2.1 fe80::1 100.64.0.10");
    assert_view((struct nwi_path_view){.prohibited_types = WIRED}, table,
                "1 wlan0 wwan0 4 192.0.2.1 100.64.0.10");
    assert_view((struct nwi_path_view){.typed = true, .type = nw_interface_type_wifi}, table,
                "1 wlan0 4 192.0.2.1");
    assert_view((struct nwi_path_view){.typed = true, .type = nw_interface_type_loopback}, table,
                "1 lo 46");
    assert_view((struct nwi_path_view){.typed = true, .type = nw_interface_type_other}, table,
                "2 "); /* a bridge with an address, a tunnel: none has a route */
    assert_view((struct nwi_path_view){.ethernet = true}, table, "1 eth0 ");
    struct nwi_path_view cellular = {
        .typed = true, .type = nw_interface_type_wifi, .prohibited_types = WIFI};
    nw_path_t path = nwi_path_view_path(&cellular, table);
    assert_int_equal(path->facts.status, nw_path_status_unsatisfied);
    assert_int_equal(path->facts.reason, nw_path_unsatisfied_reason_wifi_denied);
    nwi_release(path);
    nwi_release(table);
    table = net_island();
    assert_view((struct nwi_path_view){0}, table, "2 ");
    nwi_release(table);
}

/* The preferred interface decides about cost. */
static void costs(void **state) {
    (void)state;
    struct nwi_path_table *table = net_laptop();
    struct nwi_path_view any = {0};
    table->interfaces[1].expensive = table->interfaces[1].constrained = true;
    nw_path_t path = nwi_path_view_path(&any, table);
    assert_false(nw_path_is_expensive(path));
    nwi_release(path);
    any.prohibited_types = 1u << nw_interface_type_wired;
    table->interfaces[1].quality = nw_link_quality_moderate;
    path = nwi_path_view_path(&any, table);
    assert_true(nw_path_is_expensive(path));
    assert_true(nw_path_is_constrained(path));
    assert_int_equal(nw_path_get_link_quality(path), nw_link_quality_moderate);
    nwi_release(path);
    nwi_release(table);
}

/* --- one link, as it changes --- */
enum { V4 = 1, V6 = 2, ROUTE4 = 4, ROUTE6 = 8, RUNNING = 16, ALL = 31 };
static struct nwi_path_table *table_with(unsigned what) {
    struct nwi_link link = {.index = ETH0,
                            .name = "eth0",
                            .flags = what & RUNNING ? UP : IFF_UP,
                            .arp_type = ARPHRD_ETHER};
    struct nwi_link_address addresses[2];
    struct nwi_default_route routes[2];
    size_t address_count = 0, route_count = 0;
    if (what & V4)
        addresses[address_count++] = net_address(ETH0, "192.0.2.10", 24, 0);
    if (what & V6)
        addresses[address_count++] = net_address(ETH0, "2001:db8::10", 64, 0);
    if (what & ROUTE4)
        routes[route_count++] = net_route(ETH0, "192.0.2.1", 100);
    if (what & ROUTE6)
        routes[route_count++] = net_route(ETH0, "2001:db8::1", 100);
    return nwi_path_table_create(&(struct nwi_path_records){.links = &link,
                                                            .link_count = 1,
                                                            .addresses = addresses,
                                                            .address_count = address_count,
                                                            .routes = routes,
                                                            .route_count = route_count,
                                                            .is_wireless = net_wireless});
}

static void families(void **state) {
    (void)state;
    static const struct {
        unsigned what;
        const char *expected;
    } cases[] = {
        {ALL, "1 eth0 46 192.0.2.1 2001:db8::1"},
        {ALL & ~ROUTE6, "1 eth0 4 192.0.2.1"},
        {ALL & ~V4, "1 eth0 6 192.0.2.1 2001:db8::1"},
        {RUNNING | V4 | ROUTE6, "2 "}, /* an address of one, a route of the other */
        {RUNNING | V4 | V6, "2 "},
        {RUNNING | ROUTE4 | ROUTE6, "2 "},
        {ALL & ~RUNNING, "2 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nwi_path_table *table = table_with(cases[i].what);
        assert_view((struct nwi_path_view){0}, table, cases[i].expected);
        nwi_release(table);
    }
}

static bool is_setback(unsigned before, unsigned after) {
    struct nwi_path_view any = {0};
    struct nwi_path_table *was = table_with(before), *is = table_with(after);
    nw_path_t told = nwi_path_view_path(&any, was), next = nwi_path_view_path(&any, is);
    bool answer = nwi_path_is_setback(told, next, is);
    nwi_release(told);
    nwi_release(next);
    nwi_release(was);
    nwi_release(is);
    return answer;
}

static void setbacks(void **state) {
    (void)state;
    assert_true(is_setback(ALL, ALL & ~ROUTE4));
    assert_true(is_setback(ALL, ALL & ~(V4 | ROUTE4)));
    assert_true(is_setback(ALL, RUNNING)); /* all gone but the link */
    assert_false(is_setback(ALL, 0));      /* no carrier: a fact at once */
    assert_false(is_setback(ALL, ALL & ~RUNNING));
    assert_false(is_setback(ALL & ~ROUTE6, ALL)); /* more than before */
    assert_false(is_setback(ALL, ALL));
    assert_false(is_setback(RUNNING, ALL));
    /* another link of that number, or none */
    struct nwi_path_view any = {0};
    struct nwi_path_table *table = table_with(ALL), *island = net_island();
    nw_path_t told = nwi_path_view_path(&any, table), next = nwi_path_view_path(&any, island);
    assert_false(nwi_path_is_setback(told, next, island));
    memcpy(table->interfaces[0].link.name, "eth1", 5);
    assert_false(nwi_path_is_setback(told, next, table));
    nwi_release(told);
    nwi_release(next);
    nwi_release(table);
    nwi_release(island);
}

static void no_memory(void **state) {
    (void)state;
    struct nwi_path_view any = {0};
    struct nwi_path_table *table = net_laptop();
    unsigned failures = 0;
    for (unsigned long n = 1;; n++) {
        nwi_alloc_count(true);
        long live = nwi_alloc_live();
        nwi_alloc_fail_at(n);
        nw_path_t path = nwi_path_view_path(&any, table);
        bool hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_int_equal(path == NULL, hit);
        nwi_release(path);
        assert_int_equal(nwi_alloc_live(), live);
        if (!hit)
            break;
        failures++;
    }
    assert_true(failures > 5);
    nwi_release(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views),    cmocka_unit_test(costs),     cmocka_unit_test(families),
        cmocka_unit_test(setbacks), cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
