/* test_path.c - src/model/path.c. */
#include "misuse.h"

#include "model/endpoint.h"
#include "model/interface.h"
#include "model/path.h"
#include <string.h>

static nw_interface_t links[2];
static nw_endpoint_t gateways[2], local, remote;

static int make(void **state) {
    links[0] = nwi_interface_create("wlan0", 4, nw_interface_type_wifi);
    links[1] = nwi_interface_create("eth0", 3, nw_interface_type_wired);
    gateways[0] = nw_endpoint_create_host("192.0.2.254", "0");
    gateways[1] = nw_endpoint_create_host("fe80::1%lo", "0");
    local = nw_endpoint_create_host("192.0.2.1", "5000");
    remote = nw_endpoint_create_host("198.51.100.1", "80");
    return misuse_setup(state);
}

static int unmake(void **state) {
    for (int i = 0; i < 2; i++)
        nw_release(links[i]), nw_release(gateways[i]);
    nw_release(local), nw_release(remote);
    return misuse_teardown(state);
}

static struct nwi_path_facts full_facts(void) {
    return (struct nwi_path_facts){.status = nw_path_status_satisfied,
                                   .quality = nw_link_quality_good,
                                   .expensive = true,
                                   .constrained = true,
                                   .ultra_constrained = true,
                                   .has_ipv4 = true,
                                   .has_ipv6 = true,
                                   .has_dns = true,
                                   .interfaces = links,
                                   .interface_count = 2,
                                   .gateways = gateways,
                                   .gateway_count = 2,
                                   .local = local,
                                   .remote = remote};
}

static void tells_its_facts(void **state) {
    (void)state;
    struct nwi_path_facts facts = full_facts();
    nw_path_t path = nwi_path_create(&facts);
    assert_int_equal(nw_path_get_status(path), nw_path_status_satisfied);
    assert_int_equal(nw_path_get_link_quality(path), nw_link_quality_good);
    assert_true(nw_path_is_expensive(path) && nw_path_is_constrained(path) &&
                nw_path_is_ultra_constrained(path));
    assert_true(nw_path_has_ipv4(path) && nw_path_has_ipv6(path) && nw_path_has_dns(path));
    assert_true(nw_path_uses_interface_type(path, nw_interface_type_wifi));
    assert_true(nw_path_uses_interface_type(path, nw_interface_type_wired));
    assert_false(nw_path_uses_interface_type(path, nw_interface_type_cellular));
    nw_endpoint_t l = nw_path_copy_effective_local_endpoint(path);
    nw_endpoint_t r = nw_path_copy_effective_remote_endpoint(path);
    assert_ptr_equal(l, local);
    assert_ptr_equal(r, remote);
    nw_release(l), nw_release(r), nw_release(path);
}

static void empty_and_null(void **state) {
    (void)state;
    struct nwi_path_facts facts = {.status = nw_path_status_unsatisfied,
                                   .reason = nw_path_unsatisfied_reason_wifi_denied};
    nw_path_t path = nwi_path_create(&facts), none = NULL;
    assert_int_equal(nw_path_get_status(path), nw_path_status_unsatisfied);
    assert_int_equal(nw_path_get_unsatisfied_reason(path), nw_path_unsatisfied_reason_wifi_denied);
    assert_int_equal(nw_path_get_status(none), nw_path_status_invalid);
    assert_int_equal(nw_path_get_unsatisfied_reason(none),
                     nw_path_unsatisfied_reason_not_available);
    assert_int_equal(nw_path_get_link_quality(none), nw_link_quality_unknown);
    for (int i = 0; i < 2; i++) {
        nw_path_t p = i == 0 ? path : none;
        assert_false(nw_path_is_expensive(p) || nw_path_is_constrained(p) ||
                     nw_path_is_ultra_constrained(p) || nw_path_has_ipv4(p) ||
                     nw_path_has_ipv6(p) || nw_path_has_dns(p) ||
                     nw_path_uses_interface_type(p, nw_interface_type_other));
        assert_null(nw_path_copy_effective_local_endpoint(p));
        assert_null(nw_path_copy_effective_remote_endpoint(p));
    }
    nw_release(path);
}

struct walk {
    void *seen[4];
    size_t count, stop_after;
    nw_path_t release; /* released inside the first call */
};

static bool visit(struct walk *walk, void *object) {
    walk->seen[walk->count++] = object;
    nw_release(walk->release);
    walk->release = NULL;
    return walk->count < walk->stop_after;
}
static bool visit_interface(void *context, nw_interface_t interface) {
    return visit(context, interface);
}
static bool visit_gateway(void *context, nw_endpoint_t gateway) {
    return visit(context, gateway);
}

static void enumeration(void **state) {
    (void)state;
    struct nwi_path_facts facts = full_facts();
    nw_path_t path = nwi_path_create(&facts);
    struct walk all = {.stop_after = 9}, one = {.stop_after = 1}, ways = {.stop_after = 9};
    nw_path_enumerate_interfaces_f(path, &all, visit_interface);
    assert_int_equal(all.count, 2);
    assert_ptr_equal(all.seen[0], links[0]); /* the order is the order of preference */
    assert_ptr_equal(all.seen[1], links[1]);
    nw_path_enumerate_interfaces_f(path, &one, visit_interface);
    assert_int_equal(one.count, 1);
    ways.release = path; /* the caller's last reference, given up inside */
    nw_path_enumerate_gateways_f(path, &ways, visit_gateway);
    assert_int_equal(ways.count, 2);
    assert_ptr_equal(ways.seen[1], gateways[1]);
    assert_misuse(nw_path_enumerate_interfaces_f(NULL, &all, visit_interface));
    assert_misuse(nw_path_enumerate_gateways_f(NULL, &all, visit_gateway));
}

static void equality(void **state) {
    (void)state;
    struct nwi_path_facts facts = full_facts();
    nw_path_t a = nwi_path_create(&facts), b = nwi_path_create(&facts);
    assert_true(nw_path_is_equal(a, b));
    assert_true(nw_path_is_equal(a, a));
    assert_false(nw_path_is_equal(a, NULL));
    assert_false(nw_path_is_equal(NULL, NULL));
    struct nwi_path_facts other[12];
    for (int i = 0; i < 12; i++)
        other[i] = facts;
    other[0].status = nw_path_status_satisfiable;
    other[1].reason = nw_path_unsatisfied_reason_vpn_inactive;
    other[2].quality = nw_link_quality_minimal;
    other[3].expensive = other[4].constrained = other[5].ultra_constrained = false;
    other[6].has_ipv4 = other[7].has_ipv6 = other[8].has_dns = false;
    other[9].interface_count = 1;
    other[10].gateway_count = 1;
    other[11].local = NULL;
    for (int i = 0; i < 12; i++) {
        nw_path_t c = nwi_path_create(&other[i]);
        assert_false(nw_path_is_equal(a, c));
        nw_release(c);
    }
    nw_interface_t swapped[2] = {links[1], links[0]};
    facts.interfaces = swapped;
    nw_path_t c = nwi_path_create(&facts);
    assert_false(nw_path_is_equal(a, c));
    nw_release(a), nw_release(b), nw_release(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_its_facts),
        cmocka_unit_test(empty_and_null),
        cmocka_unit_test(enumeration),
        cmocka_unit_test(equality),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
