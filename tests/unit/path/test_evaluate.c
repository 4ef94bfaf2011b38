/*
 * test_evaluate.c - src/path/evaluate.c: rules of parameters against written networks.
 */
#include "model/endpoint.h"
#include "model/interface.h"
#include "networks.h"
#include "path/costs.h"
#include "path/evaluate.h"
#include "path/rules.h"
#include <Network/Network.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void append(void *context, const char *text) {
    char *all = context;
    if (all[0] != '\0')
        strcat(all, " ");
    strcat(all, text);
}
static bool append_interface(void *context, nw_interface_t interface) {
    append(context, nw_interface_get_name(interface));
    return true;
}
static bool append_gateway(void *context, nw_endpoint_t gateway) {
    char text[128];
    socklen_t length;
    nwi_address_text(nwi_endpoint_sockaddr(gateway, &length), text, sizeof text);
    text[strcspn(text, "%")] = '\0'; /* the scope's name is this machine's business */
    append(context, text);
    return true;
}

/* "status interfaces": status s or u. */
static void expect_path(const struct nwi_path_table *table, nw_parameters_t rules,
                        const char *local, const char *remote, const char *expected) {
    char all[256] = "", port[] = "80";
    nw_endpoint_t l = local != NULL ? nw_endpoint_create_host(local, port) : NULL;
    nw_endpoint_t r = remote != NULL ? nw_endpoint_create_host(remote, port) : NULL;
    nw_path_t path = nwi_path_evaluate_in(table, rules, l, r);
    assert_non_null(path);
    append(all, nw_path_get_status(path) == nw_path_status_satisfied ? "s" : "u");
    nw_path_enumerate_interfaces_f(path, all, append_interface);
    assert_string_equal(all, expected);
    nw_endpoint_t kept = nw_path_copy_effective_local_endpoint(path);
    assert_ptr_equal(kept, l);
    nwi_release(kept);
    nwi_release(path);
    nwi_release(l);
    nwi_release(r);
}

/* "free" when the kernel may route, then the interfaces in order; "none": ENETDOWN. */
static void expect_choice(const struct nwi_path_table *table, nw_parameters_t rules,
                          const char *expected) {
    struct nwi_path_choice choice;
    char all[256] = "";
    nwi_err err = nwi_path_choose_in(table, rules, &choice);
    if (err != 0) {
        assert_int_equal(err, nwi_posix(ENETDOWN));
        assert_string_equal("none", expected);
        return;
    }
    if (choice.free)
        append(all, "free");
    for (unsigned i = 0; i < choice.count; i++)
        append(all, nwi_path_table_find(table, choice.interfaces[i])->link.name);
    assert_string_equal(all, expected);
}

static void without_rules(void **state) {
    struct network *n = *state;
    expect_path(n->laptop, NULL, NULL, NULL, "s eth0 wlan0 wwan0 br0 tun0");
    expect_path(n->laptop, n->rules, NULL, NULL, "s eth0 wlan0 wwan0 br0 tun0");
    expect_path(n->island, NULL, NULL, NULL, "u");
}

static void addresses_in_use(void **state) {
    struct network *n = *state;
    expect_path(n->laptop, NULL, "192.0.2.20", NULL, "s wlan0 eth0 wwan0 br0 tun0");
    expect_path(n->laptop, NULL, "10.8.0.1", NULL,
                "u eth0 wlan0 wwan0 br0 tun0"); /* its link has no carrier */
    expect_path(n->laptop, NULL, "192.0.2.99", NULL,
                "u eth0 wlan0 wwan0 br0 tun0"); /* nobody holds it */
    expect_path(n->laptop, NULL, "0.0.0.0", NULL, "s eth0 wlan0 wwan0 br0 tun0");
    expect_path(n->laptop, NULL, "127.0.0.1", "127.0.0.1", "s lo");
    expect_path(n->island, NULL, "127.0.0.1", "127.0.0.1", "s lo");
    expect_path(n->island, NULL, NULL, "127.0.0.1", "s lo");
    struct sockaddr path = {.sa_family = AF_UNIX};
    nw_endpoint_t file = nwi_endpoint_from_sockaddr(&path, sizeof path);
    if (file != NULL) {
        nw_path_t local = nwi_path_evaluate_in(n->island, NULL, NULL, file);
        assert_int_equal(nw_path_get_status(local), nw_path_status_satisfied);
        nwi_release(local);
        nwi_release(file);
    }
}

static void facts(void **state) {
    struct network *n = *state;
    char all[256] = "";
    nw_path_t path = nwi_path_evaluate_in(n->laptop, NULL, NULL, NULL);
    assert_true(nw_path_has_ipv4(path));
    assert_true(nw_path_has_ipv6(path));
    assert_true(nw_path_has_dns(path));
    assert_false(nw_path_is_expensive(path));
    assert_true(nw_path_uses_interface_type(path, nw_interface_type_wired));
    nw_path_enumerate_gateways_f(path, all, append_gateway);
    assert_string_equal(all, "192.0.2.1 fe80::1 192.0.2.1 100.64.0.10");
    nwi_release(path);
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_cellular);
    path = nwi_path_evaluate_in(n->laptop, n->rules, NULL, NULL);
    assert_true(nw_path_is_expensive(path));
    assert_false(nw_path_has_ipv6(path));
    nwi_release(path);
}

static void rule_by_rule(void **state) {
    struct network *n = *state;
    expect_choice(n->laptop, NULL, "free eth0 wlan0 wwan0 br0 tun0");
    expect_choice(n->island, NULL, "free"); /* the attempt will tell */
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_wifi);
    expect_path(n->laptop, n->rules, NULL, NULL, "s wlan0");
    expect_choice(n->laptop, n->rules, "wlan0");
    expect_choice(n->island, n->rules, "none");
    expect_path(n->island, n->rules, NULL, NULL, "u");
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_wifi);
    expect_path(n->laptop, n->rules, NULL, NULL, "u");
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_other);
    expect_path(n->laptop, n->rules, NULL, NULL, "s eth0 wwan0 br0 tun0");
    expect_choice(n->laptop, n->rules, "eth0 wwan0 br0 tun0");
    nw_parameters_clear_prohibited_interface_types(n->rules);
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_loopback);
    expect_path(n->laptop, n->rules, NULL, NULL, "s lo");
    expect_choice(n->laptop, n->rules, "lo");
}

static void loopback_leads_nowhere_else(void **state) {
    struct network *n = *state;
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_wired);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_wifi);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_cellular);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_other);
    expect_choice(n->laptop, n->rules, "none");
    assert_int_equal(nwi_path_allows_itself_in(n->laptop, n->rules), 0);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_loopback);
    assert_int_equal(nwi_path_allows_itself_in(n->laptop, n->rules), nwi_posix(ENETDOWN));
}

static void named_interfaces(void **state) {
    struct network *n = *state;
    nw_interface_t eth0 = nwi_interface_create("eth0", ETH0, nw_interface_type_wired);
    nw_interface_t gone = nwi_interface_create("eth9", 9, nw_interface_type_wired);
    nw_parameters_prohibit_interface(n->rules, eth0);
    expect_path(n->laptop, n->rules, NULL, NULL, "s wlan0 wwan0 br0 tun0");
    nw_parameters_clear_prohibited_interfaces(n->rules);
    nw_parameters_prohibit_interface(n->rules, gone); /* it may come and take the default route */
    expect_choice(n->laptop, n->rules, "eth0 wlan0 wwan0 br0 tun0");
    nw_parameters_require_interface(n->rules, eth0);
    expect_path(n->laptop, n->rules, NULL, NULL, "s eth0");
    nw_parameters_require_interface(n->rules, gone);
    expect_path(n->laptop, n->rules, NULL, NULL, "u");
    expect_choice(n->laptop, n->rules, "none");
    nwi_release(eth0);
    nwi_release(gone);
}

static void costs(void **state) {
    struct network *n = *state;
    nw_parameters_set_prohibit_expensive(n->rules, true);
    expect_path(n->laptop, n->rules, NULL, NULL, "s eth0 wlan0 br0 tun0");
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_cellular);
    expect_path(n->laptop, n->rules, NULL, NULL, "u");
}

/* Costs that no kernel tells, of the interface named; the table is made anew. */
static const char *costly_name;
static struct nwi_path_costs costly;
static void fill_costs(const struct nwi_link *link, struct nwi_path_costs *costs) {
    nw_interface_type_t type = costs->type;
    if (costly_name != NULL && strcmp(link->name, costly_name) == 0) {
        *costs = costly;
        costs->type = type;
    }
}
static const struct nwi_path_costs_source costs_source = {.fill = fill_costs};

static struct nwi_path_table *laptop_where(const char *name, struct nwi_path_costs costs) {
    costly_name = name;
    costly = costs;
    nwi_path_set_costs(&costs_source);
    struct nwi_path_table *table = net_laptop();
    nwi_path_set_costs(NULL);
    return table;
}

static void costs_of_any_interface(void **state) {
    struct network *n = *state;
    struct nwi_path_table *metered =
        laptop_where("eth0", (struct nwi_path_costs){.expensive = true});
    struct nwi_path_table *saving =
        laptop_where("wlan0", (struct nwi_path_costs){.constrained = true});
    expect_choice(metered, NULL, "free eth0 wlan0 wwan0 br0 tun0");
    nw_parameters_set_prohibit_expensive(n->rules, true);
    expect_choice(metered, n->rules, "wlan0 br0 tun0"); /* cellular is expensive, too */
    nw_parameters_set_prohibit_expensive(n->rules, false);
    nw_parameters_set_prohibit_constrained(n->rules, true);
    expect_choice(saving, n->rules, "eth0 wwan0 br0 tun0");
    nwi_release(metered);
    nwi_release(saving);
}

static void path_tells_costs(void **state) {
    (void)state;
    struct nwi_path_table *poor = laptop_where(
        "eth0", (struct nwi_path_costs){
                    .expensive = true, .constrained = true, .quality = nw_link_quality_minimal});
    nw_path_t path = nwi_path_evaluate_in(poor, NULL, NULL, NULL);
    assert_true(nw_path_is_expensive(path));
    assert_true(nw_path_is_constrained(path));
    assert_int_equal(nw_path_get_link_quality(path), nw_link_quality_minimal);
    nwi_release(path);
    nw_endpoint_t wifi = nw_endpoint_create_host("192.0.2.20", "0");
    path = nwi_path_evaluate_in(poor, NULL, wifi, NULL); /* what is said is of the one in use */
    assert_false(nw_path_is_expensive(path));
    nwi_release(path);
    nwi_release(wifi);
    nwi_release(poor);
}

/* Refused although no rule was made; by a rule, and then only, allowed. */
static void ultra_constrained(void **state) {
    struct network *n = *state;
    struct nwi_path_table *satellite =
        laptop_where("eth0", (struct nwi_path_costs){.ultra_constrained = true});
    expect_choice(satellite, NULL, "wlan0 wwan0 br0 tun0");
    expect_choice(satellite, n->rules, "wlan0 wwan0 br0 tun0");
    expect_path(satellite, n->rules, NULL, NULL, "s wlan0 wwan0 br0 tun0");
    nw_parameters_set_allow_ultra_constrained(n->rules, true);
    expect_choice(satellite, n->rules, "free eth0 wlan0 wwan0 br0 tun0");
    assert_true(nwi_path_table_saw_ultra_constrained());
    nwi_release(satellite);
}

static void expect_reason(const struct nwi_path_table *table, nw_parameters_t rules,
                          nw_path_unsatisfied_reason_t reason) {
    nw_path_t path = nwi_path_evaluate_in(table, rules, NULL, NULL);
    assert_int_equal(nw_path_get_status(path), nw_path_status_unsatisfied);
    assert_int_equal(nw_path_get_unsatisfied_reason(path), reason);
    nwi_release(path);
}

/* Said only where a prohibition takes away what would have served. */
static void reasons(void **state) {
    struct network *n = *state;
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_cellular);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_cellular);
    expect_reason(n->laptop, n->rules, nw_path_unsatisfied_reason_cellular_denied);
    nw_parameters_clear_prohibited_interface_types(n->rules);
    nw_parameters_set_prohibit_expensive(n->rules, true);
    expect_reason(n->laptop, n->rules, nw_path_unsatisfied_reason_cellular_denied);
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_wifi);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_wifi);
    expect_reason(n->laptop, n->rules, nw_path_unsatisfied_reason_wifi_denied);
    expect_reason(n->island, n->rules, nw_path_unsatisfied_reason_not_available);
}

static void vpn_is_inactive(void **state) {
    struct network *n = *state;
    struct nwi_link links[] = {
        {.index = TUN0, .name = "tun0", .kind = "wireguard", .flags = 0, .arp_type = ARPHRD_NONE}};
    struct nwi_path_table *down = nwi_path_table_create(
        &(struct nwi_path_records){.links = links, .link_count = 1, .is_wireless = net_wireless});
    nw_interface_t tun0 = nwi_interface_create("tun0", TUN0, nw_interface_type_other);
    expect_reason(down, n->rules, nw_path_unsatisfied_reason_not_available);
    nw_parameters_require_interface(n->rules, tun0);
    expect_reason(down, n->rules, nw_path_unsatisfied_reason_vpn_inactive);
    nwi_release(tun0);
    nwi_release(down);
}

static void peer_to_peer(void **state) {
    struct network *n = *state;
    struct nwi_link links[] = {
        {.index = 3, .name = "p2p-wlan0-0", .flags = UP, .arp_type = ARPHRD_ETHER}};
    struct nwi_link_address addresses[] = {net_address(3, "192.168.49.2", 24, 0)};
    struct nwi_path_table *table =
        nwi_path_table_create(&(struct nwi_path_records){.links = links,
                                                         .link_count = 1,
                                                         .addresses = addresses,
                                                         .address_count = 1,
                                                         .is_wireless = net_wireless});
    expect_path(table, n->rules, NULL, NULL, "u");
    nw_parameters_set_include_peer_to_peer(n->rules, true);
    expect_path(table, n->rules, NULL, NULL, "s p2p-wlan0-0");
    nwi_release(table);
}

static void local_endpoint(void **state) {
    struct network *n = *state;
    nw_endpoint_t wifi = nw_endpoint_create_host("192.0.2.20", "0");
    nw_endpoint_t nobodys = nw_endpoint_create_host("203.0.113.1", "0");
    struct nwi_path_choice choice;
    nw_parameters_set_local_endpoint(n->rules, wifi);
    expect_choice(n->laptop, n->rules, "wlan0");
    assert_int_equal(nwi_path_choose_in(n->laptop, n->rules, &choice), 0);
    assert_true(choice.may_be_routed);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_wifi);
    expect_choice(n->laptop, n->rules, "none");
    nw_parameters_clear_prohibited_interface_types(n->rules);
    nw_parameters_set_local_endpoint(n->rules, nobodys); /* bind() will tell */
    expect_choice(n->laptop, n->rules, "free eth0 wlan0 wwan0 br0 tun0");
    nwi_release(wifi);
    nwi_release(nobodys);
}

static void local_network(void **state) {
    struct network *n = *state;
    static const struct {
        const char *address;
        bool local;
    } cases[] = {
        {"192.0.2.77", true},        {"192.0.3.1", false},
        {"::ffff:192.0.2.77", true}, {"10.9.200.1", true},
        {"100.64.0.10", false}, /* a modem's link is not shared */
        {"192.0.2.10", false},  /* its own address: goes by loopback */
        {"127.0.0.5", false},        {"::1", false},
        {"224.0.0.251", true},       {"ff02::fb", true},
        {"255.255.255.255", true},   {"169.254.7.7", true},
        {"2001:db8::99", true},      {"2001:db8:0:1::1", false},
        {"198.51.100.1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sockaddr_storage address;
        socklen_t length;
        assert_true(nwi_address_parse(cases[i].address, 80, &address, &length));
        if (nwi_path_is_local_network(n->laptop, (struct sockaddr *)&address) != cases[i].local)
            fail_msg("%s", cases[i].address);
    }
    n->laptop->local_network_denied = true;
    nw_endpoint_t near = nw_endpoint_create_host("192.0.2.77", "80");
    nw_path_t path = nwi_path_evaluate_in(n->laptop, n->rules, NULL, near);
    assert_int_equal(nw_path_get_status(path), nw_path_status_unsatisfied);
    assert_int_equal(nw_path_get_unsatisfied_reason(path),
                     nw_path_unsatisfied_reason_local_network_denied);
    nwi_release(path);
    nwi_release(near);
}

static void live_questions(void **state) {
    struct network *n = *state;
    struct nwi_path_choice choice;
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_loopback);
    assert_int_equal(nwi_path_choose(n->rules, &choice), 0);
    assert_int_equal(choice.count, 1);
    nw_path_t path = nwi_path_evaluate(n->rules, NULL, NULL);
    assert_int_equal(nw_path_get_status(path), nw_path_status_satisfied);
    nwi_release(path);
    path = nwi_path_evaluate_denied(n->rules);
    assert_int_equal(nw_path_get_status(path), nw_path_status_unsatisfied);
    assert_int_equal(nw_path_get_unsatisfied_reason(path),
                     nw_path_unsatisfied_reason_local_network_denied);
    nwi_release(path);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(without_rules),
        T(addresses_in_use),
        T(facts),
        T(rule_by_rule),
        T(named_interfaces),
        T(costs),
        T(live_questions),
        T(costs_of_any_interface),
        T(path_tells_costs),
        T(ultra_constrained),
        T(reasons),
        T(vpn_is_inactive),
        T(peer_to_peer),
        T(local_endpoint),
        T(local_network),
        T(loopback_leads_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
