/*
 * fake_sys.c - see fake_sys.h.
 * What:   one counting, failing wrapper per entry of the table.
 * Source: src/sys/table.h.
 * Runs:   any thread.
 * Owns:   the counters and the roles of descriptors, which are the only state.
 */
#include "fake/fake_sys.h"
#include <errno.h>

enum { DESCRIPTORS = 4096 };

static struct {
    _Atomic unsigned calls;  /* since install */
    _Atomic unsigned faults; /* given */
    _Atomic unsigned first;  /* number of the first call that fails; 0 = none */
    _Atomic unsigned last;   /* number of the last one */
    _Atomic int code;
    _Atomic unsigned by_role[FAKE_ROLE_COUNT]; /* calls since the fault was ordered */
} plan[FAKE_CALL_COUNT];

static _Atomic unsigned char role_of[DESCRIPTORS]; /* enum fake_role; 0 = that of the phase */
static _Atomic unsigned char phase, hit_role;
static _Atomic unsigned hit_number;
static _Atomic size_t cut;
void (*fake_sys_tell_again)(int fd);

static bool in_range(int fd) {
    return fd >= 0 && fd < DESCRIPTORS;
}
static void set_role(int fd, enum fake_role role) {
    if (in_range(fd))
        atomic_store(&role_of[fd], (unsigned char)role);
}

bool fake_sys_fails(enum fake_sys_call call, int fd) {
    unsigned number = atomic_fetch_add(&plan[call].calls, 1) + 1;
    unsigned char role = in_range(fd) ? atomic_load(&role_of[fd]) : FAKE_NOBODY;
    if (role == FAKE_NOBODY)
        role = atomic_load(&phase);
    unsigned of_role = atomic_fetch_add(&plan[call].by_role[role], 1) + 1;
    unsigned first = atomic_load(&plan[call].first);
    if (first == 0 || number < first || number > atomic_load(&plan[call].last))
        return false;
    atomic_store(&hit_role, role);
    atomic_store(&hit_number, of_role);
    atomic_fetch_add(&plan[call].faults, 1);
    errno = atomic_load(&plan[call].code);
    return true;
}

static void tell_again(int fd) {
    int saved = errno;
    if (fake_sys_tell_again != NULL)
        fake_sys_tell_again(fd);
    errno = saved;
}

/* The same for a call that the kernel may put off, as long as it tells when to come again. */
static bool puts_off(enum fake_sys_call call, int fd) {
    bool fault = fake_sys_fails(call, fd);
    if (fault && (errno == EAGAIN || errno == ENOTCONN))
        tell_again(fd);
    return fault;
}

/* --- short transfers --- */

enum { PIECES = 64 };

/* How much of `octets` may be moved. */
static size_t limited(int fd, size_t octets) {
    size_t most = atomic_load(&cut);
    int type = 0;
    socklen_t length = sizeof type;
    if (most == 0 || octets <= most || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 ||
        type != SOCK_STREAM)
        return octets;
    return most;
}

/* Leaves the first octets of a message; false when nothing has to be cut. */
static bool shorten(int fd, const struct msghdr *whole, struct msghdr *part, struct iovec *pieces) {
    size_t octets = 0, count = 0;
    for (size_t i = 0; i < whole->msg_iovlen; i++)
        octets += whole->msg_iov[i].iov_len;
    size_t left = limited(fd, octets);
    if (left == octets)
        return false;
    for (size_t i = 0; i < whole->msg_iovlen && i < PIECES && left > 0; i++) {
        pieces[count] = whole->msg_iov[i];
        if (pieces[count].iov_len > left)
            pieces[count].iov_len = left;
        left -= pieces[count++].iov_len;
    }
    *part = *whole;
    part->msg_iov = pieces;
    part->msg_iovlen = count;
    return true;
}

static ssize_t fake_send(int fd, const void *bytes, size_t size, int flags) {
    if (puts_off(FAKE_SENDMSG, fd))
        return -1;
    size_t part = limited(fd, size);
    ssize_t sent = nwi_sys_kernel.send(fd, bytes, part, flags);
    if (part < size)
        tell_again(fd);
    return sent;
}

static ssize_t fake_sendmsg(int fd, const struct msghdr *message, int flags) {
    struct msghdr part;
    struct iovec pieces[PIECES];
    if (puts_off(FAKE_SENDMSG, fd))
        return -1;
    if (!shorten(fd, message, &part, pieces))
        return nwi_sys_kernel.sendmsg(fd, message, flags);
    ssize_t sent = nwi_sys_kernel.sendmsg(fd, &part, flags);
    tell_again(fd);
    return sent;
}

static ssize_t fake_recv(int fd, void *bytes, size_t size, int flags) {
    if (puts_off(FAKE_RECVMSG, fd))
        return -1;
    size_t part = limited(fd, size);
    ssize_t received = nwi_sys_kernel.recv(fd, bytes, part, flags);
    if (part < size && received > 0)
        tell_again(fd);
    return received;
}

static ssize_t fake_recvmsg(int fd, struct msghdr *message, int flags) {
    struct msghdr part;
    struct iovec pieces[PIECES];
    if (puts_off(FAKE_RECVMSG, fd))
        return -1;
    if (!shorten(fd, message, &part, pieces))
        return nwi_sys_kernel.recvmsg(fd, message, flags);
    ssize_t received = nwi_sys_kernel.recvmsg(fd, &part, flags);
    message->msg_flags = part.msg_flags;
    message->msg_namelen = part.msg_namelen;
    if (received > 0)
        tell_again(fd);
    return received;
}

/* --- the calls --- */

static int fake_socket(int family, int type, int protocol) {
    if (fake_sys_fails(FAKE_SOCKET, -1))
        return -1;
    int fd = nwi_sys_kernel.socket(family, type, protocol);
    set_role(fd, family == AF_NETLINK ? FAKE_NETLINK : (enum fake_role)atomic_load(&phase));
    return fd;
}
static int fake_connect(int fd, const struct sockaddr *address, socklen_t length) {
    if (!fake_sys_fails(FAKE_CONNECT, fd)) {
        set_role(fd, FAKE_CLIENT);
        return nwi_sys_kernel.connect(fd, address, length);
    }
    int code = errno;
    if (code == EINTR || code == EINPROGRESS)
        (void)nwi_sys_kernel.connect(fd, address, length);
    errno = code;
    return -1;
}
static int fake_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return fake_sys_fails(FAKE_BIND, fd) ? -1 : nwi_sys_kernel.bind(fd, address, length);
}
static int fake_listen(int fd, int backlog) {
    if (fake_sys_fails(FAKE_LISTEN, fd))
        return -1;
    set_role(fd, FAKE_LISTENER);
    return nwi_sys_kernel.listen(fd, backlog);
}
static int fake_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    if (puts_off(FAKE_ACCEPT, fd))
        return -1;
    int accepted = nwi_sys_kernel.accept4(fd, address, length, flags);
    set_role(accepted, FAKE_PEER);
    return accepted;
}
static int fake_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    return puts_off(FAKE_SENDMMSG, fd) ? -1 : nwi_sys_kernel.sendmmsg(fd, messages, count, flags);
}
static int fake_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                         struct timespec *timeout) {
    return puts_off(FAKE_RECVMMSG, fd)
               ? -1
               : nwi_sys_kernel.recvmmsg(fd, messages, count, flags, timeout);
}
static int fake_setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
    return fake_sys_fails(FAKE_SETSOCKOPT, fd)
               ? -1
               : nwi_sys_kernel.setsockopt(fd, level, name, value, length);
}
static int fake_getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
    return fake_sys_fails(FAKE_GETSOCKOPT, fd)
               ? -1
               : nwi_sys_kernel.getsockopt(fd, level, name, value, length);
}
static int fake_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    return fake_sys_fails(FAKE_GETSOCKNAME, fd) ? -1
                                                : nwi_sys_kernel.getsockname(fd, address, length);
}
static int fake_getpeername(int fd, struct sockaddr *address, socklen_t *length) {
    return puts_off(FAKE_GETPEERNAME, fd) ? -1 : nwi_sys_kernel.getpeername(fd, address, length);
}
/* Not connected any more: then the peer has learnt of the end, as it does here. */
static int fake_shutdown(int fd, int how) {
    if (!fake_sys_fails(FAKE_SHUTDOWN, fd))
        return nwi_sys_kernel.shutdown(fd, how);
    int code = errno;
    if (code == ENOTCONN)
        (void)nwi_sys_kernel.shutdown(fd, how);
    errno = code;
    return -1;
}
static int fake_close(int fd) {
    bool fault = fake_sys_fails(FAKE_CLOSE, fd);
    int code = errno;
    set_role(fd, FAKE_NOBODY);
    int result = nwi_sys_kernel.close(fd);
    if (fault)
        errno = code;
    return fault ? -1 : result;
}
static int fake_ioctl_int(int fd, unsigned long request, int *value) {
    return fake_sys_fails(FAKE_IOCTL, fd) ? -1 : nwi_sys_kernel.ioctl_int(fd, request, value);
}
static int fake_open(const char *path, int flags, int mode) {
    return fake_sys_fails(FAKE_OPEN, -1) ? -1 : nwi_sys_kernel.open(path, flags, mode);
}
static ssize_t fake_read(int fd, void *buffer, size_t size) {
    return fake_sys_fails(FAKE_READ, fd) ? -1 : nwi_sys_kernel.read(fd, buffer, size);
}
static ssize_t fake_write(int fd, const void *bytes, size_t size) {
    return fake_sys_fails(FAKE_WRITE, fd) ? -1 : nwi_sys_kernel.write(fd, bytes, size);
}
static int fake_stat(const char *path, struct stat *status) {
    return fake_sys_fails(FAKE_STAT, -1) ? -1 : nwi_sys_kernel.stat(path, status);
}
static int fake_fstat(int fd, struct stat *status) {
    return fake_sys_fails(FAKE_FSTAT_FILE, fd) ? -1 : nwi_sys_kernel.fstat(fd, status);
}
static ssize_t fake_readlink(const char *path, char *buffer, size_t size) {
    return fake_sys_fails(FAKE_READLINK, -1) ? -1 : nwi_sys_kernel.readlink(path, buffer, size);
}
static int fake_inotify_init1(int flags) {
    return fake_sys_fails(FAKE_INOTIFY_INIT, -1) ? -1 : nwi_sys_kernel.inotify_init1(flags);
}
static int fake_inotify_add_watch(int fd, const char *path, uint32_t mask) {
    return fake_sys_fails(FAKE_INOTIFY_ADD, fd) ? -1
                                                : nwi_sys_kernel.inotify_add_watch(fd, path, mask);
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
    .write = fake_write,
    .stat = fake_stat,
    .fstat = fake_fstat,
    .readlink = fake_readlink,
    .inotify_init1 = fake_inotify_init1,
    .inotify_add_watch = fake_inotify_add_watch,
};

void fake_sys_install(void) {
    for (unsigned i = 0; i < FAKE_CALL_COUNT; i++) {
        atomic_store(&plan[i].calls, 0);
        atomic_store(&plan[i].faults, 0);
        atomic_store(&plan[i].first, 0);
    }
    fake_sys_phase(FAKE_NOBODY);
    fake_sys_cut(0);
    nwi_sys_swap(&table);
}

void fake_sys_remove(void) {
    for (unsigned i = 0; i < FAKE_CALL_COUNT; i++)
        atomic_store(&plan[i].first, 0);
    nwi_sys_swap(NULL);
}

void fake_sys_fail(enum fake_sys_call call, unsigned n, unsigned times, int code) {
    unsigned now = atomic_load(&plan[call].calls);
    for (unsigned role = 0; role < FAKE_ROLE_COUNT; role++)
        atomic_store(&plan[call].by_role[role], 0);
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

void fake_sys_phase(enum fake_role role) {
    atomic_store(&phase, (unsigned char)role);
}
enum fake_role fake_sys_hit_role(void) {
    return (enum fake_role)atomic_load(&hit_role);
}

unsigned fake_sys_hit_number(void) {
    return atomic_load(&hit_number);
}

void fake_sys_cut(size_t octets) {
    atomic_store(&cut, octets);
}
