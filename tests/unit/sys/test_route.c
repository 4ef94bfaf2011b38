/*
 * test_route.c - src/sys/route.c: the way to oneself, which every machine has; answers as the
 * kernel writes them; faults. Routes that a test sets are in tests/lab/test_nwpath.py.
 */
#include "fake/fake_sys.h"
#include "sys/address.h"
#include "sys/route.h"
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static nwi_err ask(const char *address, struct nwi_route *route) {
    struct sockaddr_storage to;
    socklen_t length;
    assert_true(nwi_address_parse(address, 0, &to, &length));
    return nwi_route_lookup((struct sockaddr *)&to, 0, NULL, route);
}

static void itself(void **state) {
    (void)state;
    struct nwi_route route;
    char text[NWI_ADDRESS_TEXT_SIZE];
    assert_int_equal(ask("127.0.0.1", &route), 0);
    assert_int_equal(route.type, RTN_LOCAL);
    assert_int_equal(route.index, if_nametoindex("lo"));
    assert_true(route.has_match);
    assert_int_equal(route.prefix_length, 32);
    assert_string_equal(nwi_address_text((struct sockaddr *)&route.source, text, sizeof text),
                        "127.0.0.1");
    assert_int_equal(route.gateway.ss_family, 0);
}

static void other_families(void **state) {
    (void)state;
    struct nwi_route route = {.metric = 7};
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert_int_equal(nwi_route_lookup(&local, 0, NULL, &route), nwi_posix(EAFNOSUPPORT));
    assert_int_equal(route.metric, 7); /* untouched */
}

/* --- written answers --- */
union room {
    struct nlmsghdr header;
    char octets[512];
};
static struct rtmsg *begin(union room *room, uint16_t type, uint8_t family) {
    memset(room, 0, sizeof *room);
    struct nlmsghdr *header = mnl_nlmsg_put_header(room);
    header->nlmsg_type = type;
    struct rtmsg *info = mnl_nlmsg_put_extra_header(header, sizeof *info);
    info->rtm_family = family;
    info->rtm_type = RTN_UNICAST;
    return info;
}

static void written(void **state) {
    (void)state;
    union room room;
    struct nwi_route route = {0};
    struct sockaddr_storage address;
    socklen_t length;
    char text[NWI_ADDRESS_TEXT_SIZE];
    nwi_address_parse("fe80::1", 0, &address, &length);
    begin(&room, RTM_NEWROUTE, AF_INET6)->rtm_table = RT_TABLE_COMPAT;
    mnl_attr_put(&room.header, RTA_GATEWAY, 16, &((struct sockaddr_in6 *)&address)->sin6_addr);
    mnl_attr_put_u32(&room.header, RTA_OIF, if_nametoindex("lo"));
    mnl_attr_put_u32(&room.header, RTA_TABLE, 1000);
    struct nlattr *metrics = mnl_attr_nest_start(&room.header, RTA_METRICS);
    mnl_attr_put_u32(&room.header, RTAX_MTU, 1280);
    mnl_attr_nest_end(&room.header, metrics);
    assert_int_equal(nwi_route_parse(&room, room.header.nlmsg_len, false, &route), 0);
    assert_int_equal(route.table, 1000);
    assert_int_equal(route.mtu, 1280);
    assert_false(route.has_match);
    assert_string_equal(nwi_address_text((struct sockaddr *)&route.gateway, text, sizeof text),
                        "fe80::1%lo");
    /* the entry that matched adds to it */
    begin(&room, RTM_NEWROUTE, AF_INET6)->rtm_dst_len = 48;
    mnl_attr_put_u32(&room.header, RTA_PRIORITY, 512);
    assert_int_equal(nwi_route_parse(&room, room.header.nlmsg_len, true, &route), 0);
    assert_true(route.has_match);
    assert_int_equal(route.prefix_length, 48);
    assert_int_equal(route.metric, 512);
    assert_int_equal(route.table, 1000);
    assert_int_equal(route.type, RTN_UNICAST);
}

static void via_ipv6(void **state) {
    (void)state;
    union room room;
    struct nwi_route route = {0};
    struct {
        uint16_t family;
        uint8_t octets[16];
    } via = {AF_INET6, {0xfe, 0x80, [15] = 2}};
    begin(&room, RTM_NEWROUTE, AF_INET);
    mnl_attr_put(&room.header, RTA_VIA, sizeof via, &via);
    mnl_attr_put_u32(&room.header, RTA_OIF, 1);
    assert_int_equal(nwi_route_parse(&room, room.header.nlmsg_len, false, &route), 0);
    assert_int_equal(route.gateway.ss_family, AF_INET6);
}

static void broken(void **state) {
    (void)state;
    union room room = {0};
    struct nwi_route route = {0};
    assert_int_equal(nwi_route_parse(&room, 0, false, &route), nwi_posix(EPROTO));
    begin(&room, RTM_NEWLINK, AF_INET);
    assert_int_equal(nwi_route_parse(&room, room.header.nlmsg_len, false, &route),
                     nwi_posix(EPROTO));
    begin(&room, RTM_NEWROUTE, AF_INET);
    mnl_attr_put(&room.header, RTA_GATEWAY, 2, "ab"); /* too short for an address */
    assert_int_equal(nwi_route_parse(&room, room.header.nlmsg_len, false, &route), 0);
    assert_int_equal(route.gateway.ss_family, 0);
    struct nlmsgerr problem = {.error = -EACCES};
    memset(&room, 0, sizeof room);
    mnl_nlmsg_put_header(&room)->nlmsg_type = NLMSG_ERROR;
    memcpy(mnl_nlmsg_put_extra_header(&room.header, sizeof problem), &problem, sizeof problem);
    assert_int_equal(nwi_route_parse(&room, room.header.nlmsg_len, false, &route),
                     nwi_posix(EACCES));
    assert_int_equal(nwi_route_parse(&room, sizeof room.header, false, &route), nwi_posix(EPROTO));
}

/* The first question failing is an error; the second only leaves out what it would have told. */
static void faults(void **state) {
    (void)state;
    static const enum fake_sys_call calls[] = {FAKE_SOCKET, FAKE_CONNECT, FAKE_SENDMSG,
                                               FAKE_RECVMSG};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        for (unsigned n = 1; n <= 2; n++) {
            struct nwi_route route = {0};
            fake_sys_install();
            fake_sys_fail(calls[i], n, 1, ENOBUFS);
            nwi_err err = ask("127.0.0.1", &route);
            assert_int_equal(fake_sys_faults(calls[i]), 1);
            assert_int_equal(err, n == 1 ? nwi_posix(ENOBUFS) : 0);
            assert_int_equal(route.type, n == 1 ? RTN_UNSPEC : RTN_LOCAL);
            assert_false(route.has_match);
            assert_int_equal(fake_sys_calls(FAKE_SOCKET) - fake_sys_faults(FAKE_SOCKET),
                             fake_sys_calls(FAKE_CLOSE));
            fake_sys_remove();
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(itself),   cmocka_unit_test(other_families), cmocka_unit_test(written),
        cmocka_unit_test(via_ipv6), cmocka_unit_test(broken),         cmocka_unit_test(faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
