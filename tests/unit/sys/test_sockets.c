/*
 * test_sockets.c - src/sys/sockets.c on loopback, and with system calls that fail on request.
 */
#include "fake/fake_sys.h"
#include "sys/address.h"
#include "sys/sockets.h"
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OK(call) assert_int_equal((call), 0)
enum { PATIENCE = 5000 }; /* ms until a wait is given up as a failure */

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

static void wait_for(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    assert_int_equal(poll(&p, 1, PATIENCE), 1);
}

static int listen_on_loopback(struct sockaddr_storage *ret_address, socklen_t *ret_length) {
    int fd;
    struct sockaddr_storage address;
    socklen_t length = nwi_address_loopback(AF_INET, 0, &address);
    OK(nwi_socket_open(AF_INET, SOCK_STREAM, 0, &fd));
    OK(nwi_socket_bind(fd, (struct sockaddr *)&address, length));
    OK(nwi_socket_listen(fd, 8));
    OK(nwi_socket_local(fd, ret_address, ret_length));
    return fd;
}

/* A connected pair over TCP. */
static void make_pair(int *ret_client, int *ret_server) {
    struct sockaddr_storage address, peer;
    socklen_t length, peer_length;
    int listener = listen_on_loopback(&address, &length);
    bool pending;
    OK(nwi_socket_open(AF_INET, SOCK_STREAM, 0, ret_client));
    OK(nwi_socket_connect(*ret_client, (struct sockaddr *)&address, length, &pending));
    wait_for(*ret_client, POLLOUT);
    OK(nwi_socket_take_error(*ret_client));
    wait_for(listener, POLLIN);
    OK(nwi_socket_accept(listener, &peer, &peer_length, ret_server));
    struct sockaddr_storage local;
    socklen_t local_length;
    OK(nwi_socket_local(*ret_client, &local, &local_length));
    assert_true(nwi_address_equal((struct sockaddr *)&local, (struct sockaddr *)&peer));
    OK(nwi_socket_peer(*ret_client, &local, &local_length));
    assert_true(nwi_address_equal((struct sockaddr *)&local, (struct sockaddr *)&address));
    nwi_socket_close(listener);
}

static void bytes_and_the_end(void **state) {
    (void)state;
    int client, server;
    make_pair(&client, &server);
    assert_true(fcntl(client, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(server, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(client, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(server, F_GETFD) & FD_CLOEXEC);
    char one[] = "he", two[] = "llo", room[8];
    struct iovec out[] = {{one, 2}, {two, 3}}, in = {room, sizeof room};
    size_t moved = 99;
    assert_true(nwi_err_would_block(nwi_socket_recv(server, &in, 1, 0, &moved)));
    assert_int_equal(moved, 99);
    OK(nwi_socket_send(client, out, 2, 0, &moved));
    assert_int_equal(moved, 5);
    wait_for(server, POLLIN);
    OK(nwi_socket_unread(server, &moved));
    assert_int_equal(moved, 5);
    OK(nwi_socket_recv(server, &in, 1, 0, &moved));
    assert_int_equal(moved, 5);
    assert_memory_equal(room, "hello", 5);
    OK(nwi_socket_shutdown(client, SHUT_WR));
    wait_for(server, POLLIN);
    OK(nwi_socket_recv(server, &in, 1, 0, &moved));
    assert_int_equal(moved, 0);
    OK(nwi_socket_unsent(client, &moved));
    nwi_socket_close(client);
    nwi_socket_close(server);
    nwi_socket_close(-1);
    assert_int_equal(fake_sys_calls(FAKE_CLOSE), 3); /* listener, client, server; not -1 */
}

static void broken_pipe_is_an_error(void **state) {
    (void)state;
    signal(SIGPIPE, SIG_DFL); /* a signal would end the test */
    int client, server;
    make_pair(&client, &server);
    OK(nwi_socket_shutdown(client, SHUT_WR));
    char octet = 1;
    struct iovec out = {&octet, 1};
    size_t sent;
    assert_int_equal(nwi_socket_send(client, &out, 1, 0, &sent), nwi_posix(EPIPE));
    nwi_socket_close(client);
    nwi_socket_close(server);
}

static void abort_resets(void **state) {
    (void)state;
    int client, server;
    make_pair(&client, &server);
    nwi_socket_abort(client);
    wait_for(server, POLLIN);
    char octet;
    struct iovec in = {&octet, 1};
    size_t received;
    assert_int_equal(nwi_socket_recv(server, &in, 1, 0, &received), nwi_posix(ECONNRESET));
    nwi_socket_close(server);
}

static void refused_connect(void **state) {
    (void)state;
    struct sockaddr_storage address;
    socklen_t length;
    int listener = listen_on_loopback(&address, &length), fd;
    nwi_socket_close(listener);
    OK(nwi_socket_open(AF_INET, SOCK_STREAM, 0, &fd));
    bool pending = false;
    nwi_err err = nwi_socket_connect(fd, (struct sockaddr *)&address, length, &pending);
    if (err == 0) {
        assert_true(pending);
        wait_for(fd, POLLOUT);
        err = nwi_socket_take_error(fd);
    }
    assert_int_equal(err, nwi_posix(ECONNREFUSED));
    OK(nwi_socket_take_error(fd)); /* taken */
    nwi_socket_close(fd);
}

static void options(void **state) {
    (void)state;
    int fd, value;
    OK(nwi_socket_open(AF_INET, SOCK_STREAM, 0, &fd));
    OK(nwi_socket_set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
    OK(nwi_socket_get_int(fd, SOL_SOCKET, SO_KEEPALIVE, &value));
    assert_int_equal(value, 1);
    struct linger linger = {1, 3}, got;
    size_t size = sizeof got;
    OK(nwi_socket_set(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    OK(nwi_socket_get(fd, SOL_SOCKET, SO_LINGER, &got, &size));
    assert_int_equal(got.l_linger, 3);
    OK(nwi_socket_bind_interface(fd, 1));
    assert_int_equal(nwi_socket_set_int(fd, SOL_SOCKET, 9999, 1), nwi_posix(ENOPROTOOPT));
    nwi_socket_close(fd);
}

static void source_address(void **state) {
    (void)state;
    struct sockaddr_storage peer, source;
    socklen_t length = nwi_address_loopback(AF_INET, 80, &peer), source_length;
    OK(nwi_socket_source_for((struct sockaddr *)&peer, length, 0, &source, &source_length));
    assert_true(nwi_address_is_loopback((struct sockaddr *)&source));
    assert_int_equal(nwi_address_port((struct sockaddr *)&source), 0);
    OK(nwi_socket_source_for((struct sockaddr *)&peer, length, 1, &source, &source_length));
    unsigned opened = fake_sys_calls(FAKE_SOCKET);
    fake_sys_fail(FAKE_CONNECT, 1, 1, ENETUNREACH);
    assert_int_equal(
        nwi_socket_source_for((struct sockaddr *)&peer, length, 0, &source, &source_length),
        nwi_posix(ENETUNREACH));
    assert_int_equal(fake_sys_calls(FAKE_SOCKET), opened + 1);
    assert_int_equal(fake_sys_calls(FAKE_CLOSE), fake_sys_calls(FAKE_SOCKET)); /* none left open */
}

/* Each kind of call, failing, gives its errno and leaves the out parameters alone. */
static void faults(void **state) {
    (void)state;
    int fd = -5, other = -5;
    bool pending = true;
    struct sockaddr_storage address;
    socklen_t length = nwi_address_loopback(AF_INET, 0, &address);
    fake_sys_fail(FAKE_SOCKET, 1, 1, EMFILE);
    assert_int_equal(nwi_socket_open(AF_INET, SOCK_STREAM, 0, &fd), nwi_posix(EMFILE));
    assert_int_equal(fd, -5);
    OK(nwi_socket_open(AF_INET, SOCK_STREAM, 0, &fd));
    fake_sys_fail(FAKE_BIND, 1, 1, EADDRINUSE);
    assert_int_equal(nwi_socket_bind(fd, (struct sockaddr *)&address, length),
                     nwi_posix(EADDRINUSE));
    fake_sys_fail(FAKE_LISTEN, 1, 1, EOPNOTSUPP);
    assert_int_equal(nwi_socket_listen(fd, 1), nwi_posix(EOPNOTSUPP));
    fake_sys_fail(FAKE_CONNECT, 1, 1, ENETUNREACH);
    assert_int_equal(nwi_socket_connect(fd, (struct sockaddr *)&address, length, &pending),
                     nwi_posix(ENETUNREACH));
    fake_sys_fail(FAKE_CONNECT, 1, 1, EINTR); /* goes on by itself */
    pending = false;
    OK(nwi_socket_connect(fd, (struct sockaddr *)&address, length, &pending));
    assert_true(pending);
    fake_sys_fail(FAKE_ACCEPT, 1, 1, ENFILE);
    assert_int_equal(nwi_socket_accept(fd, NULL, NULL, &other), nwi_posix(ENFILE));
    assert_int_equal(other, -5);
    fake_sys_fail(FAKE_SHUTDOWN, 1, 1, ENOTCONN);
    assert_int_equal(nwi_socket_shutdown(fd, SHUT_WR), nwi_posix(ENOTCONN));
    fake_sys_fail(FAKE_GETSOCKOPT, 1, 1, EBADF);
    assert_int_equal(nwi_socket_take_error(fd), nwi_posix(EBADF));
    fake_sys_fail(FAKE_GETSOCKNAME, 1, 1, ENOBUFS);
    assert_int_equal(nwi_socket_local(fd, &address, &length), nwi_posix(ENOBUFS));
    fake_sys_fail(FAKE_IOCTL, 1, 1, EIO);
    size_t octets = 7;
    assert_int_equal(nwi_socket_unread(fd, &octets), nwi_posix(EIO));
    assert_int_equal(octets, 7);
    fake_sys_fail(FAKE_CLOSE, 1, 1, EINTR);
    nwi_socket_close(fd);
    assert_int_equal(fake_sys_calls(FAKE_CLOSE), 1); /* not tried again */
}

static void interrupted_calls_go_on(void **state) {
    (void)state;
    int client, server;
    make_pair(&client, &server);
    char octet = 'x', got = 0;
    struct iovec out = {&octet, 1}, in = {&got, 1};
    size_t moved;
    fake_sys_fail(FAKE_SENDMSG, 1, 3, EINTR);
    OK(nwi_socket_send(client, &out, 1, 0, &moved));
    wait_for(server, POLLIN);
    fake_sys_fail(FAKE_RECVMSG, 1, 3, EINTR);
    OK(nwi_socket_recv(server, &in, 1, 0, &moved));
    assert_int_equal(got, 'x');
    assert_int_equal(fake_sys_faults(FAKE_RECVMSG), 3);
    nwi_socket_close(client);
    nwi_socket_close(server);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(bytes_and_the_end),
        T(broken_pipe_is_an_error),
        T(abort_resets),
        T(refused_connect),
        T(options),
        T(source_address),
        T(faults),
        T(interrupted_calls_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
