/*
 * test_evaluate.c - src/path/evaluate.c: rules of parameters against written networks.
 */
#include "fake/fake_net.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "path/evaluate.h"
#include <Network/Network.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct network {
    struct nwi_path_table *laptop, *island;
    nw_parameters_t rules;
};
static int setup(void **state) {
    static struct network network;
    network = (struct network){net_laptop(), net_island(), nw_parameters_create()};
    *state = &network;
    return network.laptop != NULL && network.island != NULL && network.rules != NULL ? 0 : -1;
}
static int teardown(void **state) {
    struct network *network = *state;
    nwi_release(network->laptop);
    nwi_release(network->island);
    nwi_release(network->rules);
    return 0;
}

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
    unsigned index = 77;
    assert_int_equal(nwi_path_allows_in(n->laptop, NULL, &index), 0);
    assert_int_equal(index, 0);
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_wifi);
    expect_path(n->laptop, n->rules, NULL, NULL, "s wlan0");
    assert_int_equal(nwi_path_allows_in(n->laptop, n->rules, &index), 0);
    assert_int_equal(index, WLAN0);
    assert_int_equal(nwi_path_allows_in(n->island, n->rules, &index), nwi_posix(ENETDOWN));
    assert_int_equal(index, WLAN0); /* untouched */
    expect_path(n->island, n->rules, NULL, NULL, "u");
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_wifi);
    expect_path(n->laptop, n->rules, NULL, NULL, "u");
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_other);
    expect_path(n->laptop, n->rules, NULL, NULL, "s eth0 wwan0 br0 tun0");
    assert_int_equal(nwi_path_allows_in(n->laptop, n->rules, &index), 0);
    assert_int_equal(index, ETH0);
    nw_parameters_clear_prohibited_interface_types(n->rules);
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_loopback);
    expect_path(n->laptop, n->rules, NULL, NULL, "s lo");
    assert_int_equal(nwi_path_allows_in(n->laptop, n->rules, &index), 0);
    assert_int_equal(index, LO);
}

static void loopback_leads_nowhere_else(void **state) {
    struct network *n = *state;
    unsigned index = 77;
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_wired);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_wifi);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_cellular);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_other);
    assert_int_equal(nwi_path_allows_in(n->laptop, n->rules, &index), nwi_posix(ENETDOWN));
    assert_int_equal(nwi_path_allows_itself_in(n->laptop, n->rules), 0);
    nw_parameters_prohibit_interface_type(n->rules, nw_interface_type_loopback);
    assert_int_equal(nwi_path_allows_itself_in(n->laptop, n->rules), nwi_posix(ENETDOWN));
}

static void named_interfaces(void **state) {
    struct network *n = *state;
    unsigned index;
    nw_interface_t eth0 = nwi_interface_create("eth0", ETH0, nw_interface_type_wired);
    nw_interface_t gone = nwi_interface_create("eth9", 9, nw_interface_type_wired);
    nw_parameters_prohibit_interface(n->rules, eth0);
    expect_path(n->laptop, n->rules, NULL, NULL, "s wlan0 wwan0 br0 tun0");
    nw_parameters_clear_prohibited_interfaces(n->rules);
    nw_parameters_prohibit_interface(n->rules,
                                     gone); /* excludes nothing that exists: routed freely */
    assert_int_equal(nwi_path_allows_in(n->laptop, n->rules, &index), 0);
    assert_int_equal(index, 0);
    nw_parameters_require_interface(n->rules, eth0);
    expect_path(n->laptop, n->rules, NULL, NULL, "s eth0");
    nw_parameters_require_interface(n->rules, gone);
    expect_path(n->laptop, n->rules, NULL, NULL, "u");
    assert_int_equal(nwi_path_allows_in(n->laptop, n->rules, &index), nwi_posix(ENETDOWN));
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

static void live_questions(void **state) {
    struct network *n = *state;
    unsigned index = 5;
    assert_int_equal(nwi_path_allows(n->rules, &index), 0);
    assert_int_equal(index, 0);
    nw_parameters_set_required_interface_type(n->rules, nw_interface_type_loopback);
    assert_int_equal(nwi_path_allows(n->rules, &index), 0);
    nw_path_t path = nwi_path_evaluate(n->rules, NULL, NULL);
    assert_int_equal(nw_path_get_status(path), nw_path_status_satisfied);
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
        T(loopback_leads_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
