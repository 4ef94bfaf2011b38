/*
 * test_ways.c - src/establish/ways.c: addresses that every machine can reach (its own), in order,
 * and with every allocation and system call failing once. Routes that a test sets are in tests/lab.
 */
#include "base/alloc.h"
#include "establish/ways.h"
#include "fake/fake_sys.h"
#include "path/monitor.h"
#include "sys/address.h"
#include <Network/Network.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 4 };
static const char *const texts[COUNT] = {"127.0.0.1", "::1", "127.0.0.2", "127.0.0.1"};

/* Whole or NULL. */
static nw_path_explanation_t explain(struct nwi_path_table *table, nwi_err *ret_err) {
    struct sockaddr_storage addresses[COUNT];
    socklen_t length;
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(nwi_address_parse(texts[i], 80, &addresses[i], &length));
    nw_path_explanation_t whole = nwi_path_explanation_create();
    *ret_err =
        whole != NULL ? nwi_ways_add(whole, table, NULL, addresses, COUNT, true) : NWI_ERR_NOMEM;
    return *ret_err == 0 ? whole : nwi_release(whole);
}

static int setup(void **state) {
    *state = nwi_path_copy_table();
    return *state != NULL ? 0 : -1;
}
static int teardown(void **state) {
    nwi_release(*state);
    return 0;
}

/* IPv6 by its precedence; then IPv4, the double left out. */
static void order(void **state) {
    nwi_err err;
    nw_path_explanation_t whole = explain(*state, &err);
    assert_int_equal(err, 0);
    assert_int_equal(whole->address_count, 3);
    static const char *const expected[] = {"::1", "127.0.0.1", "127.0.0.2"};
    static const nw_address_order_t orders[] = {nw_address_order_first, nw_address_order_precedence,
                                                nw_address_order_as_answered};
    for (size_t i = 0; i < 3; i++) {
        const struct nw_address_explanation *way = whole->addresses[i];
        assert_string_equal(nw_endpoint_get_hostname(way->remote), expected[i]);
        assert_int_equal(way->order, orders[i]);
        assert_int_equal(way->kind, nw_route_kind_local);
        assert_int_equal(way->verdict, i == 0 ? nw_path_verdict_used : nw_path_verdict_next);
    }
    nwi_release(whole);
}

static void no_memory(void **state) {
    bool hit = true;
    for (unsigned long n = 1; hit; n++) {
        nwi_err err;
        nwi_alloc_count(true);
        long live = nwi_alloc_live();
        nwi_alloc_fail_at(n);
        nw_path_explanation_t whole = explain(*state, &err);
        hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        if (whole == NULL)
            assert_int_equal(err, NWI_ERR_NOMEM);
        else if (hit) /* only the policy's file was not read */
            assert_int_equal(whole->address_count, 3);
        nwi_release(whole);
        assert_int_equal(nwi_alloc_live(), live);
        nwi_alloc_count(false);
        assert_true(n < 200);
    }
}

/* A question that fails leaves its address without a way or a source, and is no failure of all. */
static void failing_calls(void **state) {
    static const enum fake_sys_call calls[] = {FAKE_SOCKET, FAKE_CONNECT, FAKE_SENDMSG,
                                               FAKE_RECVMSG, FAKE_GETSOCKNAME};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        bool hit = true;
        for (unsigned n = 1; hit; n++) {
            nwi_err err;
            fake_sys_install();
            fake_sys_fail(calls[i], n, 1, ENOBUFS);
            nw_path_explanation_t whole = explain(*state, &err);
            hit = fake_sys_faults(calls[i]) > 0;
            assert_int_equal(err, 0);
            assert_int_equal(whole->address_count, 3);
            for (size_t k = 0; k < 3; k++)
                assert_true(whole->addresses[k]->text != NULL &&
                            whole->addresses[k]->order_text != NULL);
            nwi_release(whole);
            assert_int_equal(fake_sys_calls(FAKE_SOCKET) - fake_sys_faults(FAKE_SOCKET),
                             fake_sys_calls(FAKE_CLOSE));
            fake_sys_remove();
            assert_true(n < 100);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(order, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(failing_calls, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
