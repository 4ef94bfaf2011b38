/*
 * test_tcp_info.c - src/sys/tcp_info.c: the kernel's counters of a pair of sockets whose traffic is
 * known.
 */
#include "fake/fake_sys.h"
#include "sys/tcp_info.h"
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE = 5000 }; /* ms until a wait is given up as a failure */

static void make_pair(int *ret_client, int *ret_server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    *ret_client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(*ret_client, (struct sockaddr *)&address, length), 0);
    *ret_server = accept(listener, NULL, NULL);
    assert_true(*ret_server >= 0);
    close(listener);
}

static void await_readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, PATIENCE), 1);
}

static void test_counters(void **state) {
    (void)state;
    int client, server;
    char bytes[1000] = {0};
    struct nwi_tcp_info info;
    make_pair(&client, &server);
    assert_int_equal(nwi_socket_tcp_info(client, &info), 0);
    assert_int_equal(info.octets_in, 0);
    assert_int_equal(info.octets_out, 0);
    assert_true(info.segments_in >= 1 && info.segments_out >= 1); /* the handshake's */
    assert_true(info.rtt > 0 && info.rtt_min > 0 && info.rtt < NWI_SEC);
    uint64_t segments = info.segments_out;
    assert_int_equal(write(client, bytes, 1000), 1000);
    assert_int_equal(recv(server, bytes, 1000, MSG_WAITALL), 1000);
    assert_int_equal(write(server, bytes, 300), 300);
    assert_int_equal(recv(client, bytes, 300, MSG_WAITALL), 300);
    assert_int_equal(nwi_socket_tcp_info(client, &info), 0);
    assert_int_equal(info.octets_out, 1000);
    assert_int_equal(info.octets_in, 300);
    assert_true(info.segments_out > segments);
    assert_int_equal(info.octets_out_again, 0);
    assert_int_equal(info.segments_out_of_order, 0);
    assert_true(info.segment_in > 0);
    close(client);
    close(server);
}

/* The peer's FIN counts as an octet, and is told of until both sides have closed. */
static void test_fin(void **state) {
    (void)state;
    int client, server;
    struct nwi_tcp_info info;
    make_pair(&client, &server);
    assert_int_equal(nwi_socket_tcp_info(client, &info), 0);
    assert_false(info.fin_in);
    assert_int_equal(shutdown(server, SHUT_WR), 0);
    await_readable(client);
    assert_int_equal(nwi_socket_tcp_info(client, &info), 0);
    assert_true(info.fin_in);
    assert_int_equal(info.octets_in, 1);
    close(client);
    close(server);
}

static void test_errors(void **state) {
    (void)state;
    struct nwi_tcp_info info = {.octets_in = 7};
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_not_equal(nwi_socket_tcp_info(pair[0], &info), 0);
    assert_int_equal(nwi_socket_tcp_info(-1, &info), nwi_posix(EBADF));
    assert_int_equal(info.octets_in, 7); /* untouched */
    close(pair[0]);
    close(pair[1]);
    int client, server;
    make_pair(&client, &server);
    fake_sys_install();
    fake_sys_fail(FAKE_GETSOCKOPT, 1, 1, ENOPROTOOPT);
    assert_int_equal(nwi_socket_tcp_info(client, &info), nwi_posix(ENOPROTOOPT));
    fake_sys_remove();
    assert_int_equal(info.octets_in, 7);
    close(client);
    close(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_fin),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
