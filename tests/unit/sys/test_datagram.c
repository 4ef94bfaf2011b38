/*
 * test_datagram.c - src/sys/datagram.c on loopback: control data both ways, batches, faults.
 */
#include "fake/fake_sys.h"
#include "sys/address.h"
#include "sys/datagram.h"
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define OK(call) assert_int_equal((call), 0)
enum { PATIENCE = 5000 };

static int setup(void **state) {
    (void)state;
    fake_sys_install();
    return 0;
}
static int teardown(void **state) {
    (void)state;
    fake_sys_remove();
    return 0;
}

static int open_bound(int family, bool any, struct sockaddr_storage *ret_address,
                      socklen_t *ret_length) {
    int fd;
    struct sockaddr_storage address;
    socklen_t length =
        any ? nwi_address_any(family, 0, &address) : nwi_address_loopback(family, 0, &address);
    OK(nwi_socket_open(family, SOCK_DGRAM, 0, &fd));
    if (nwi_socket_bind(fd, (struct sockaddr *)&address, length) != 0) {
        nwi_socket_close(fd);
        return -1;
    }
    OK(nwi_socket_local(fd, ret_address, ret_length));
    return fd;
}

static void wait_for_data(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE), 1);
}

static void check_info(int family) {
    struct sockaddr_storage to_address, from_address, target;
    socklen_t to_length, from_length;
    int to = open_bound(family, true, &to_address, &to_length);
    int from = open_bound(family, false, &from_address, &from_length);
    if (to < 0 || from < 0) { /* a machine without IPv6 */
        nwi_socket_close(to);
        nwi_socket_close(from);
        skip();
    }
    OK(nwi_datagram_enable(to, family,
                           NWI_DATAGRAM_TOS | NWI_DATAGRAM_HOP_LIMIT | NWI_DATAGRAM_TIME |
                               NWI_DATAGRAM_LOCAL));
    socklen_t length =
        nwi_address_loopback(family, nwi_address_port((struct sockaddr *)&to_address), &target);
    char text[] = "hello", room[4];
    struct iovec out[] = {{text, 2}, {text + 2, 3}};
    struct nwi_datagram_to options = {.peer = (struct sockaddr *)&target,
                                      .peer_length = length,
                                      .local = (struct sockaddr *)&from_address,
                                      .set_tos = true,
                                      .tos = 0x2e << 2 | 1,
                                      .set_hop_limit = true,
                                      .hop_limit = 17};
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC_RAW, &before);
    OK(nwi_datagram_send(from, out, 2, &options));
    wait_for_data(to);
    struct nwi_datagram d = {.data = {room, sizeof room}};
    OK(nwi_datagram_recv(to, &d));
    clock_gettime(CLOCK_MONOTONIC_RAW, &after);
    assert_int_equal(d.length, 4);
    assert_true(d.truncated);
    assert_memory_equal(room, "hell", 4);
    assert_true(nwi_address_equal((struct sockaddr *)&d.peer, (struct sockaddr *)&from_address));
    assert_true(nwi_address_equal_host((struct sockaddr *)&d.local, (struct sockaddr *)&target));
    assert_int_equal(d.interface_index, 1); /* lo */
    assert_int_equal(d.tos, 0x2e << 2 | 1);
    assert_int_equal(d.hop_limit, 17);
    uint64_t early = (uint64_t)before.tv_sec * 1000000000u + (uint64_t)before.tv_nsec;
    uint64_t late = (uint64_t)after.tv_sec * 1000000000u + (uint64_t)after.tv_nsec;
    assert_true(d.time + 1000000 >= early); /* the two clocks are not read in one instant */
    assert_true(d.time <= late);
    assert_true(nwi_err_would_block(nwi_datagram_recv(to, &d)));
    nwi_socket_close(to);
    nwi_socket_close(from);
}
static void info_v4(void **state) {
    (void)state;
    check_info(AF_INET);
}
static void info_v6(void **state) {
    (void)state;
    check_info(AF_INET6);
}

static void batch(void **state) {
    (void)state;
    struct sockaddr_storage address, own;
    socklen_t length, own_length;
    int to = open_bound(AF_INET, false, &address, &length);
    int from = open_bound(AF_INET, false, &own, &own_length);
    bool pending;
    OK(nwi_socket_connect(from, (struct sockaddr *)&address, length, &pending));
    for (char i = 0; i < NWI_DATAGRAM_BATCH + 2; i++) {
        struct iovec out = {&i, i == 3 ? 0 : 1}; /* the fourth is empty */
        OK(nwi_datagram_send(from, &out, 1, NULL));
    }
    struct nwi_datagram d[NWI_DATAGRAM_BATCH + 2];
    char room[NWI_DATAGRAM_BATCH + 2];
    for (size_t i = 0; i < NWI_DATAGRAM_BATCH + 2; i++)
        d[i] = (struct nwi_datagram){.data = {&room[i], 1}};
    wait_for_data(to);
    size_t count;
    OK(nwi_datagram_recv_many(to, d, NWI_DATAGRAM_BATCH + 2, &count));
    assert_int_equal(count, NWI_DATAGRAM_BATCH);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(d[i].length, i == 3 ? 0 : 1);
        if (i != 3)
            assert_int_equal(room[i], i);
    }
    OK(nwi_datagram_recv_many(to, d, NWI_DATAGRAM_BATCH, &count));
    assert_int_equal(count, 2);
    assert_true(nwi_err_would_block(nwi_datagram_recv_many(to, d, 1, &count)));
    nwi_socket_close(to);
    nwi_socket_close(from);
}

static void errors_pass_through(void **state) {
    (void)state;
    struct sockaddr_storage address;
    socklen_t length;
    int fd = open_bound(AF_INET, false, &address, &length);
    char octet = 0;
    struct iovec out = {&octet, 1};
    struct nwi_datagram_to to = {.peer = (struct sockaddr *)&address, .peer_length = length};
    fake_sys_fail(FAKE_SENDMSG, 1, 1, ENETDOWN);
    assert_int_equal(nwi_datagram_send(fd, &out, 1, &to), nwi_posix(ENETDOWN));
    fake_sys_fail(FAKE_SENDMSG, 1, 2, EINTR);
    OK(nwi_datagram_send(fd, &out, 1, &to));
    struct nwi_datagram d = {.data = {&octet, 1}};
    wait_for_data(fd);
    fake_sys_fail(FAKE_RECVMSG, 1, 1, ECONNREFUSED);
    assert_int_equal(nwi_datagram_recv(fd, &d), nwi_posix(ECONNREFUSED));
    fake_sys_fail(FAKE_RECVMMSG, 1, 1, EINTR);
    size_t count;
    OK(nwi_datagram_recv_many(fd, &d, 1, &count));
    fake_sys_fail(FAKE_SETSOCKOPT, 1, 1, ENOPROTOOPT);
    assert_int_equal(nwi_datagram_enable(fd, AF_INET, NWI_DATAGRAM_TOS), nwi_posix(ENOPROTOOPT));
    static char big[70000];
    out = (struct iovec){big, sizeof big};
    assert_int_equal(nwi_datagram_send(fd, &out, 1, &to), nwi_posix(EMSGSIZE));
    nwi_socket_close(fd);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {T(info_v4), T(info_v6), T(batch), T(errors_pass_through)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
