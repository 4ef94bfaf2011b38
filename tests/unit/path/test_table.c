/*
 * test_table.c - src/path/table.c over written networks, and over the one of this machine.
 */
#include "base/alloc.h"
#include "fake/fake_net.h"
#include "path/costs.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void types_and_order(void **state) {
    (void)state;
    static const struct {
        const char *name;
        nw_interface_type_t type;
        bool usable, v4, v6, routed;
        uint32_t metric;
    } expected[] = {
        {"eth0", nw_interface_type_wired, true, true, true, true, 100},
        {"wlan0", nw_interface_type_wifi, true, true, false, true, 600},
        {"wwan0", nw_interface_type_cellular, true, true, false, true, 700},
        {"br0", nw_interface_type_other, true, true, false, false, UINT32_MAX},
        {"tun0", nw_interface_type_other, true, false, false, false,
         UINT32_MAX}, /* link-local only */
        {"lo", nw_interface_type_loopback, true, true, true, false, UINT32_MAX},
        {"veth0", nw_interface_type_wired, false, true, false, false, UINT32_MAX}, /* no carrier */
    };
    struct nwi_path_table *table = net_laptop();
    assert_int_equal(table->interface_count, 7);
    for (size_t i = 0; i < 7; i++) {
        const struct nwi_path_interface *found = &table->interfaces[i];
        assert_string_equal(found->link.name, expected[i].name);
        assert_int_equal(found->type, expected[i].type);
        assert_int_equal(found->usable, expected[i].usable);
        assert_int_equal(found->has_v4, expected[i].v4);
        assert_int_equal(found->has_v6, expected[i].v6);
        assert_int_equal(found->routed, expected[i].routed);
        assert_int_equal(found->metric, expected[i].metric);
        assert_ptr_equal(nwi_path_table_find(table, found->link.index), found);
    }
    assert_int_equal(table->routes[0].metric, 100);
    assert_null(nwi_path_table_find(table, 99));
    nwi_release(table);
}

static void address_states(void **state) {
    (void)state;
    static const struct {
        uint32_t flags;
        bool usable;
    } cases[] = {{0, true},
                 {IFA_F_TEMPORARY, true},
                 {IFA_F_PERMANENT, true},
                 {IFA_F_TENTATIVE, false},
                 {IFA_F_TENTATIVE | IFA_F_OPTIMISTIC, true},
                 {IFA_F_DEPRECATED, true}, /* the last resort, but one */
                 {IFA_F_DADFAILED, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nwi_link_address address = net_address(ETH0, "2001:db8::1", 64, cases[i].flags);
        struct nwi_path_table *table =
            nwi_path_table_create(&(struct nwi_path_records){.links = &net_laptop_links[3],
                                                             .link_count = 1,
                                                             .addresses = &address,
                                                             .address_count = 1,
                                                             .is_wireless = net_wireless});
        assert_int_equal(table->interfaces[0].usable, cases[i].usable);
        nwi_release(table);
    }
}

static const char *holder(const struct nwi_path_table *table, const char *text) {
    struct sockaddr_storage address;
    socklen_t length;
    assert_true(nwi_address_parse(text, 80, &address, &length));
    const struct nwi_path_interface *found =
        nwi_path_table_find_address(table, (struct sockaddr *)&address);
    return found != NULL ? found->link.name : "none";
}

static void who_holds_an_address(void **state) {
    (void)state;
    struct nwi_path_table *table = net_laptop();
    assert_string_equal(holder(table, "192.0.2.20"), "wlan0");
    assert_string_equal(holder(table, "::ffff:192.0.2.20"), "wlan0");
    assert_string_equal(holder(table, "2001:db8::10"), "eth0");
    assert_string_equal(holder(table, "fe80::10%2"), "eth0");
    assert_string_equal(holder(table, "fe80::10%3"), "none");
    assert_string_equal(holder(table, "127.0.0.1"), "lo");
    assert_string_equal(holder(table, "127.9.9.9"), "lo");
    assert_string_equal(holder(table, "::1"), "lo");
    assert_string_equal(holder(table, "192.0.2.11"), "none");
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert_null(nwi_path_table_find_address(table, &local));
    nwi_release(table);
}

static void equality(void **state) {
    (void)state;
    struct nwi_path_table *a = net_laptop(), *b = net_laptop();
    assert_true(nwi_path_table_equal(a, b));
    struct nwi_path_table *island = net_island();
    assert_false(nwi_path_table_equal(a, island));
    b->has_dns = false;
    assert_false(nwi_path_table_equal(a, b));
    b->has_dns = true;
    b->addresses[3].flags |= IFA_F_DEPRECATED;
    assert_false(nwi_path_table_equal(a, b));
    b->addresses[3].flags = a->addresses[3].flags | IFA_F_PERMANENT; /* nobody reads this one */
    assert_true(nwi_path_table_equal(a, b));
    b->routes[1].metric++;
    assert_false(nwi_path_table_equal(a, b));
    b->routes[1].metric--;
    b->interfaces[2].link.flags &= ~(unsigned)IFF_RUNNING;
    assert_false(nwi_path_table_equal(a, b));
    nwi_release(a);
    nwi_release(b);
    nwi_release(island);
}

static void fill(const struct nwi_link *link, struct nwi_path_costs *costs) {
    if (strcmp(link->name, "wwan0") == 0) {
        assert_true(costs->expensive); /* until somebody knows better */
        assert_int_equal(costs->type, nw_interface_type_cellular);
        costs->expensive = false;
        costs->ultra_constrained = true;
    } else if (strcmp(link->name, "wlan0") == 0) {
        assert_false(costs->expensive);
        costs->type = nw_interface_type_cellular;
        costs->constrained = true;
        costs->quality = nw_link_quality_good;
    }
}

/* What the kernel cannot know comes from the source of costs, and each of it makes a difference. */
static void costs(void **state) {
    (void)state;
    static const struct nwi_path_costs_source source = {.fill = fill};
    struct nwi_path_table *plain = net_laptop();
    assert_true(plain->interfaces[2].expensive);
    assert_false(plain->interfaces[1].expensive);
    nwi_path_set_costs(&source);
    struct nwi_path_table *told = net_laptop(), *same = net_laptop();
    nwi_path_set_costs(NULL);
    assert_false(told->interfaces[2].expensive);
    assert_true(told->interfaces[2].ultra_constrained);
    assert_int_equal(told->interfaces[1].type, nw_interface_type_cellular);
    assert_true(told->interfaces[1].constrained);
    assert_int_equal(told->interfaces[1].quality, nw_link_quality_good);
    assert_false(nwi_path_table_equal(plain, told));
    assert_true(nwi_path_table_equal(told, same));
    same->interfaces[0].expensive = true;
    assert_false(nwi_path_table_equal(told, same));
    same->interfaces[0].expensive = false;
    same->interfaces[0].quality = nw_link_quality_minimal;
    assert_false(nwi_path_table_equal(told, same));
    nwi_release(plain);
    nwi_release(told);
    nwi_release(same);
}

static void this_machine(void **state) {
    (void)state;
    struct nwi_path_table *table = NULL;
    assert_int_equal(nwi_path_table_read(&table), 0);
    assert_string_equal(holder(table, "127.0.0.1"), "lo");
    nwi_release(table);
    for (unsigned long n = 1;; n++) { /* each allocation failing in turn */
        nwi_alloc_count(true);
        long live = nwi_alloc_live();
        table = NULL;
        nwi_alloc_fail_at(n);
        nwi_err err = nwi_path_table_read(&table);
        bool hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        assert_int_equal(err, hit ? NWI_ERR_NOMEM : 0);
        assert_true((table != NULL) == (err == 0));
        nwi_release(table);
        assert_int_equal(nwi_alloc_live(), live);
        if (!hit)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_and_order),
        cmocka_unit_test(address_states),
        cmocka_unit_test(who_holds_an_address),
        cmocka_unit_test(equality),
        cmocka_unit_test(costs),
        cmocka_unit_test(this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
