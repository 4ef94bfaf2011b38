/*
 * test_explain.c - src/path/explain.c: the judgement on each interface of written networks, and
 * that it never disagrees with the path.
 */
#include "base/alloc.h"
#include "model/interface.h"
#include "model/path.h"
#include "networks.h"
#include "path/explain.h"
#include <Network/Network.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* What the path has is used or next, in its order; what it has not is neither. */
static void agrees(nw_path_explanation_t whole) {
    const struct nwi_path_facts *facts = &whole->path->facts;
    for (size_t i = 0; i < whole->interface_count; i++) {
        bool in_path = whole->interfaces[i]->verdict <= nw_path_verdict_next;
        assert_int_equal(in_path,
                         i < facts->interface_count && facts->status == nw_path_status_satisfied);
        if (in_path)
            assert_true(
                nwi_interface_is_equal(facts->interfaces[i], whole->interfaces[i]->interface));
    }
}

/* One line an interface: "name verdict reason text". */
static void expect(const struct nwi_path_table *table, nw_parameters_t rules,
                   const char *expected) {
    char all[1024] = "", line[256];
    nw_path_explanation_t whole = nwi_path_explain_in(table, rules);
    assert_non_null(whole);
    agrees(whole);
    for (size_t i = 0; i < whole->interface_count; i++) {
        const struct nw_interface_explanation *e = whole->interfaces[i];
        snprintf(line, sizeof line, "%s %c %d %s\n", e->interface->name, "uner"[e->verdict],
                 e -> reason, e -> text);
        if (e->verdict == nw_path_verdict_unusable)
            line[strlen(e->interface->name) + 1] = '-';
        strcat(all, line);
    }
    assert_string_equal(all, expected);
    nwi_release(whole);
}

static void preferences(void **state) {
    struct network *network = *state;
    expect(network->laptop, NULL,
           "eth0 u 0 preferred: default route, metric 100\n"
           "wlan0 n 11 behind eth0: its metric 100 is lower than 600\n"
           "wwan0 n 11 behind wlan0: its metric 600 is lower than 700\n"
           "br0 - 36 no default route\n"
           "tun0 - 36 no default route\n"
           "lo e 26 loopback leads to this machine only\n"
           "veth0 - 31 no carrier\n");
    expect(network->island, NULL, "lo e 26 loopback leads to this machine only\n");
}

static void rules(void **state) {
    struct network *network = *state;
    nw_parameters_set_prohibit_expensive(network->rules, true);
    nw_parameters_prohibit_interface_type(network->rules, nw_interface_type_wired);
    nw_interface_t bridge = nwi_interface_create("br0", BR0, nw_interface_type_other);
    nw_parameters_prohibit_interface(network->rules, bridge);
    expect(network->laptop, network->rules,
           "wlan0 u 1 the only one that fits: default route, metric 600\n"
           "eth0 e 23 type wired is prohibited\n"
           "wwan0 e 24 expensive interfaces are prohibited\n"
           "br0 e 22 br0 is prohibited\n"
           "tun0 - 36 no default route\n"
           "lo e 26 loopback leads to this machine only\n"
           "veth0 - 31 no carrier\n");
    nw_parameters_set_required_interface_type(network->rules, nw_interface_type_wifi);
    nw_path_explanation_t whole = nwi_path_explain_in(network->laptop, network->rules);
    assert_string_equal(whole->interfaces[0]->text,
                        "the only one that fits: default route, metric 600");
    assert_string_equal(whole->interfaces[1]->text, "type wifi is required, this is wired");
    nwi_release(whole);
    nw_parameters_require_interface(network->rules, bridge);
    whole = nwi_path_explain_in(network->laptop, network->rules);
    assert_int_equal(nw_path_get_status(whole->path), nw_path_status_unsatisfied);
    assert_string_equal(whole->interfaces[0]->text, "br0 is required");
    agrees(whole);
    nwi_release(whole);
    nwi_release(bridge);
}

static nw_path_verdict_reason_t lacking(unsigned flags, uint32_t first, uint32_t second) {
    struct nwi_link link = {.index = ETH0, .name = "eth0", .flags = flags, .mtu = 1500};
    struct nwi_link_address addresses[] = {net_address(ETH0, "2001:db8::1", 64, first),
                                           net_address(ETH0, "2001:db8::2", 64, second)};
    struct nwi_path_table *table = nwi_path_table_create(
        &(struct nwi_path_records){.links = &link,
                                   .link_count = 1,
                                   .addresses = addresses,
                                   .address_count = first == UINT32_MAX ? 0 : 2,
                                   .is_wireless = net_wireless});
    nw_path_explanation_t whole = nwi_path_explain_in(table, NULL);
    assert_int_equal(whole->interfaces[0]->verdict, nw_path_verdict_unusable);
    assert_int_equal(whole->interfaces[0]->address_count, first == UINT32_MAX ? 0 : 2);
    nw_path_verdict_reason_t reason = whole->interfaces[0]->reason;
    nwi_release(whole);
    nwi_release(table);
    return reason;
}

static void unusable(void **state) {
    (void)state;
    assert_int_equal(lacking(0, 0, 0), nw_path_verdict_reason_down);
    assert_int_equal(lacking(IFF_UP, 0, 0), nw_path_verdict_reason_no_carrier);
    assert_int_equal(lacking(UP, UINT32_MAX, 0), nw_path_verdict_reason_no_address);
    assert_int_equal(lacking(UP, IFA_F_TENTATIVE, IFA_F_TENTATIVE | IFA_F_DEPRECATED),
                     nw_path_verdict_reason_tentative);
    assert_int_equal(lacking(UP, IFA_F_DADFAILED, IFA_F_TENTATIVE),
                     nw_path_verdict_reason_tentative);
    assert_int_equal(lacking(UP, IFA_F_DADFAILED, IFA_F_DADFAILED),
                     nw_path_verdict_reason_duplicate);
}

static void facts(void **state) {
    struct network *network = *state;
    nw_path_explanation_t whole = nwi_path_explain_in(network->laptop, NULL);
    const struct nw_interface_explanation *eth0 = whole->interfaces[0],
                                          *wwan0 = whole->interfaces[2];
    assert_int_equal(eth0->address_count, 3);
    assert_int_equal(eth0->addresses[1].prefix_length, 64);
    assert_int_equal(eth0->addresses[1].state, nw_address_state_usable);
    assert_int_equal(eth0->gateway_count, 2);
    assert_int_equal(eth0->gateways[0].metric, 100);
    assert_int_equal(eth0->metric, 100);
    assert_int_equal(eth0->mtu, 1500);
    assert_false(eth0->expensive);
    assert_true(wwan0->expensive);
    nwi_release(whole);
}

static void no_memory(void **state) {
    struct network *network = *state;
    for (unsigned long n = 1;; n++) {
        nwi_alloc_count(true);
        long live = nwi_alloc_live();
        nwi_alloc_fail_at(n);
        nw_path_explanation_t whole = nwi_path_explain_in(network->laptop, NULL);
        bool hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_int_equal(whole == NULL, hit);
        nwi_release(whole);
        assert_int_equal(nwi_alloc_live(), live);
        nwi_alloc_count(false);
        if (!hit)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(preferences, setup, teardown),
        cmocka_unit_test_setup_teardown(rules, setup, teardown),
        cmocka_unit_test_setup_teardown(facts, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
        cmocka_unit_test(unusable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
