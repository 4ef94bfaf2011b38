/*
 * test_netlink.c - src/sys/netlink.c: what every machine has (a loopback link with its address),
 * and faults. Links that come and go are tested in tests/lab, in a network namespace.
 */
#include "fake/fake_sys.h"
#include "sys/address.h"
#include "sys/netlink.h"
#include "sys/sockets.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state) {
    (void)state;
    fake_sys_install();
    return 0;
}
static int teardown(void **state) {
    (void)state;
    assert_int_equal(fake_sys_calls(FAKE_SOCKET) - fake_sys_faults(FAKE_SOCKET),
                     fake_sys_calls(FAKE_CLOSE)); /* no descriptor left open */
    fake_sys_remove();
    return 0;
}

struct found {
    unsigned count, loopback;
};
static void on_link(void *context, const struct nwi_link *link) {
    struct found *found = context;
    found->count++;
    if (link->flags & IFF_LOOPBACK) {
        found->loopback++;
        assert_string_equal(link->name, "lo");
        assert_int_equal(link->index, if_nametoindex("lo"));
        assert_true(link->mtu > 0);
        assert_string_equal(link->kind, "");
    }
}
static void on_address(void *context, const struct nwi_link_address *address) {
    struct found *found = context;
    found->count++;
    assert_int_not_equal(nwi_address_length(address->address.ss_family), 0);
    if (nwi_address_is_loopback((const struct sockaddr *)&address->address)) {
        found->loopback++;
        assert_int_equal(address->index, if_nametoindex("lo"));
    }
}
static void on_route(void *context, const struct nwi_default_route *route) {
    struct found *found = context;
    found->count++;
    assert_int_not_equal(route->index, 0);
}

static void lists(void **state) {
    (void)state;
    struct found links = {0}, addresses = {0}, routes = {0};
    assert_int_equal(nwi_netlink_links(on_link, &links), 0);
    assert_int_equal(links.loopback, 1);
    assert_int_equal(nwi_netlink_addresses(on_address, &addresses), 0);
    assert_true(addresses.loopback >= 1);
    assert_int_equal(nwi_netlink_default_routes(on_route, &routes), 0);
}

static void faults(void **state) {
    (void)state;
    struct found found = {0};
    static const struct {
        enum fake_sys_call call;
        int code;
    } cases[] = {
        {FAKE_SOCKET, EMFILE}, {FAKE_BIND, EPERM}, {FAKE_SENDMSG, ENOBUFS}, {FAKE_RECVMSG, ENOMEM}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_sys_fail(cases[i].call, 1, 1, cases[i].code);
        assert_int_equal(nwi_netlink_links(on_link, &found), nwi_posix(cases[i].code));
    }
    assert_int_equal(found.count, 0);
    fake_sys_fail(FAKE_RECVMSG, 1, 2, EINTR);
    assert_int_equal(nwi_netlink_links(on_link, &found), 0);
}

static void overflow_counts_as_a_change(void **state) {
    (void)state;
    int fd;
    bool changed = false, ways = false;
    assert_int_equal(nwi_netlink_subscribe(&fd), 0);
    fake_sys_fail(FAKE_RECVMSG, 1, 1, ENOBUFS);
    assert_int_equal(nwi_netlink_drain(fd, &changed, &ways), 0);
    assert_true(changed && ways);
    fake_sys_fail(FAKE_RECVMSG, 1, 1, EBADF);
    assert_int_equal(nwi_netlink_drain(fd, &changed, &ways), nwi_posix(EBADF));
    nwi_socket_close(fd);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(lists), T(faults), T(overflow_counts_as_a_change)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
