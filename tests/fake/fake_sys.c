/*
 * fake_sys.c - see fake_sys.h.
 * What:   one counting, failing wrapper per entry of the table.
 * Source: src/sys/table.h.
 * Runs:   any thread.
 * Owns:   the counters, which are the only state.
 */
#include "fake/fake_sys.h"
#include <errno.h>
#include <stdbool.h>

static struct {
    _Atomic unsigned calls;  /* since install */
    _Atomic unsigned faults; /* given */
    _Atomic unsigned first;  /* number of the first call that fails; 0 = none */
    _Atomic unsigned last;   /* number of the last one */
    _Atomic int code;
} plan[FAKE_CALL_COUNT];

/* Counts the call; true, with errno set, when it is to fail. */
static bool fails(enum fake_sys_call call) {
    unsigned number = atomic_fetch_add(&plan[call].calls, 1) + 1;
    unsigned first = atomic_load(&plan[call].first);
    if (first == 0 || number < first || number > atomic_load(&plan[call].last))
        return false;
    atomic_fetch_add(&plan[call].faults, 1);
    errno = atomic_load(&plan[call].code);
    return true;
}

static int fake_socket(int family, int type, int protocol) {
    return fails(FAKE_SOCKET) ? -1 : nwi_sys_kernel.socket(family, type, protocol);
}
static int fake_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return fails(FAKE_CONNECT) ? -1 : nwi_sys_kernel.connect(fd, address, length);
}
static int fake_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return fails(FAKE_BIND) ? -1 : nwi_sys_kernel.bind(fd, address, length);
}
static int fake_listen(int fd, int backlog) {
    return fails(FAKE_LISTEN) ? -1 : nwi_sys_kernel.listen(fd, backlog);
}
static int fake_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return fails(FAKE_ACCEPT) ? -1 : nwi_sys_kernel.accept4(fd, address, length, flags);
}
static ssize_t fake_send(int fd, const void *bytes, size_t size, int flags) {
    return fails(FAKE_SENDMSG) ? -1 : nwi_sys_kernel.send(fd, bytes, size, flags);
}
static ssize_t fake_sendmsg(int fd, const struct msghdr *message, int flags) {
    return fails(FAKE_SENDMSG) ? -1 : nwi_sys_kernel.sendmsg(fd, message, flags);
}
static int fake_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    return fails(FAKE_SENDMMSG) ? -1 : nwi_sys_kernel.sendmmsg(fd, messages, count, flags);
}
static ssize_t fake_recv(int fd, void *bytes, size_t size, int flags) {
    return fails(FAKE_RECVMSG) ? -1 : nwi_sys_kernel.recv(fd, bytes, size, flags);
}
static ssize_t fake_recvmsg(int fd, struct msghdr *message, int flags) {
    return fails(FAKE_RECVMSG) ? -1 : nwi_sys_kernel.recvmsg(fd, message, flags);
}
static int fake_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                         struct timespec *timeout) {
    return fails(FAKE_RECVMMSG) ? -1 : nwi_sys_kernel.recvmmsg(fd, messages, count, flags, timeout);
}
static int fake_setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
    return fails(FAKE_SETSOCKOPT) ? -1 : nwi_sys_kernel.setsockopt(fd, level, name, value, length);
}
static int fake_getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
    return fails(FAKE_GETSOCKOPT) ? -1 : nwi_sys_kernel.getsockopt(fd, level, name, value, length);
}
static int fake_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    return fails(FAKE_GETSOCKNAME) ? -1 : nwi_sys_kernel.getsockname(fd, address, length);
}
static int fake_getpeername(int fd, struct sockaddr *address, socklen_t *length) {
    return fails(FAKE_GETPEERNAME) ? -1 : nwi_sys_kernel.getpeername(fd, address, length);
}
static int fake_shutdown(int fd, int how) {
    return fails(FAKE_SHUTDOWN) ? -1 : nwi_sys_kernel.shutdown(fd, how);
}
static int fake_close(int fd) {
    int result = nwi_sys_kernel.close(fd);
    return fails(FAKE_CLOSE) ? -1 : result;
}
static int fake_ioctl_int(int fd, unsigned long request, int *value) {
    return fails(FAKE_IOCTL) ? -1 : nwi_sys_kernel.ioctl_int(fd, request, value);
}
static int fake_open(const char *path, int flags, int mode) {
    return fails(FAKE_OPEN) ? -1 : nwi_sys_kernel.open(path, flags, mode);
}
static ssize_t fake_read(int fd, void *buffer, size_t size) {
    return fails(FAKE_READ) ? -1 : nwi_sys_kernel.read(fd, buffer, size);
}
static int fake_stat(const char *path, struct stat *status) {
    return fails(FAKE_STAT) ? -1 : nwi_sys_kernel.stat(path, status);
}

static const struct nwi_sys_table table = {
    .socket = fake_socket,
    .connect = fake_connect,
    .bind = fake_bind,
    .listen = fake_listen,
    .accept4 = fake_accept4,
    .send = fake_send,
    .sendmsg = fake_sendmsg,
    .sendmmsg = fake_sendmmsg,
    .recv = fake_recv,
    .recvmsg = fake_recvmsg,
    .recvmmsg = fake_recvmmsg,
    .setsockopt = fake_setsockopt,
    .getsockopt = fake_getsockopt,
    .getsockname = fake_getsockname,
    .getpeername = fake_getpeername,
    .shutdown = fake_shutdown,
    .close = fake_close,
    .ioctl_int = fake_ioctl_int,
    .open = fake_open,
    .read = fake_read,
    .stat = fake_stat,
};

void fake_sys_install(void) {
    for (unsigned i = 0; i < FAKE_CALL_COUNT; i++) {
        atomic_store(&plan[i].calls, 0);
        atomic_store(&plan[i].faults, 0);
        atomic_store(&plan[i].first, 0);
    }
    nwi_sys_swap(&table);
}

void fake_sys_remove(void) {
    nwi_sys_swap(NULL);
}

void fake_sys_fail(enum fake_sys_call call, unsigned n, unsigned times, int code) {
    unsigned now = atomic_load(&plan[call].calls);
    atomic_store(&plan[call].code, code);
    atomic_store(&plan[call].last, n == 0 ? 0 : now + n + (times > 0 ? times - 1 : 0));
    atomic_store(&plan[call].first, n == 0 ? 0 : now + n);
}

unsigned fake_sys_calls(enum fake_sys_call call) {
    return atomic_load(&plan[call].calls);
}
unsigned fake_sys_faults(enum fake_sys_call call) {
    return atomic_load(&plan[call].faults);
}
