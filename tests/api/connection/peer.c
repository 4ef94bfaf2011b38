/*
 * peer.c - plain sockets on loopback as the other side of the connection tests.
 * Runs:   on the thread that calls; every wait has a deadline.
 */
#include "support.h"
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void await_readable(int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (poll(&poll_fd, 1, WAIT_SECONDS * 1000) <= 0)
        fail_msg("the peer waited in vain");
}

static socklen_t loopback(int family, uint16_t port, struct sockaddr_storage *ret) {
    memset(ret, 0, sizeof *ret);
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    in6->sin6_addr = in6addr_loopback;
    return sizeof *in6;
}

int peer_bound(int family, int type, uint16_t *ret_port) {
    struct sockaddr_storage address;
    socklen_t length = loopback(family, 0, &address);
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                        : ((struct sockaddr_in6 *)&address)->sin6_port);
    return fd;
}

int peer_listen(int family, uint16_t *ret_port) {
    int fd = peer_bound(family, SOCK_STREAM, ret_port);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

int peer_udp(uint16_t *ret_port) {
    return peer_bound(AF_INET, SOCK_DGRAM, ret_port);
}

int peer_accept(int listening) {
    await_readable(listening);
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

int peer_connect(uint16_t port) {
    struct sockaddr_storage address;
    socklen_t length = loopback(AF_INET, port, &address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, length), 0);
    return fd;
}

void peer_write(int fd, const void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = send(fd, (const char *)bytes + done, size - done, MSG_NOSIGNAL);
        if (count < 0)
            fail_msg("the peer cannot write: %s", strerror(errno));
        done += (size_t)count;
    }
}

void peer_drained(int fd) {
    uint64_t until = now_ns() + WAIT_SECONDS * 1000000000ull;
    for (int unsent = 1; unsent > 0;) {
        assert_int_equal(ioctl(fd, SIOCOUTQ, &unsent), 0);
        if (unsent > 0 && now_ns() > until)
            fail_msg("%d octets were never acknowledged", unsent);
        sched_yield();
    }
}

size_t peer_read(int fd, void *bytes, size_t size) {
    size_t done = 0;
    while (done < size) {
        await_readable(fd);
        ssize_t count = read(fd, (char *)bytes + done, size - done);
        if (count < 0)
            fail_msg("the peer cannot read: %s", strerror(errno));
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return done;
}

int peer_read_end(int fd) {
    char bytes[4096];
    for (;;) {
        await_readable(fd);
        ssize_t count = read(fd, bytes, sizeof bytes);
        if (count <= 0)
            return count < 0 ? errno : 0;
    }
}

void peer_reset(int fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
}

void peer_send_to(int fd, uint16_t port, const void *bytes, size_t size) {
    struct sockaddr_storage address;
    socklen_t length = loopback(AF_INET, port, &address);
    assert_int_equal(sendto(fd, bytes, size, 0, (struct sockaddr *)&address, length),
                     (ssize_t)size);
}

char *port_text(uint16_t port, char text[8]) {
    snprintf(text, 8, "%u", port);
    return text;
}

int run_self(const char *what, int namespaces) {
    char self[256];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(length > 0);
    self[length] = '\0';
    pid_t child = fork(); /* and exec: the threads of this process do not come along */
    if (child == 0) {
        if (namespaces != 0 && unshare(namespaces) != 0)
            _exit(CANNOT);
        execl(self, self, what, (char *)NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}
