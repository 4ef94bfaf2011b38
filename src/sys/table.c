/*
 * table.c - the real system calls behind table.h.
 * What:   the kernel's table, and which table is in use.
 * Source: the Linux man pages, section 2.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "sys/table.h"
#include <fcntl.h>
#include <stddef.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* glibc declares the address parameters of these as transparent unions, and ioctl and open as
 * variadic: thin functions give them the plain signatures of the table. */
static int real_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return connect(fd, address, length);
}
static int real_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return bind(fd, address, length);
}
static int real_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return accept4(fd, address, length, flags);
}
static int real_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    return getsockname(fd, address, length);
}
static int real_getpeername(int fd, struct sockaddr *address, socklen_t *length) {
    return getpeername(fd, address, length);
}
static int real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
    return sendmmsg(fd, messages, count, flags);
}
static int real_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                         struct timespec *timeout) {
    return recvmmsg(fd, messages, count, flags, timeout);
}
static int real_ioctl_int(int fd, unsigned long request, int *value) {
    return ioctl(fd, request, value);
}
static int real_open(const char *path, int flags, int mode) {
    return open(path, flags, mode);
}

const struct nwi_sys_table nwi_sys_kernel = {
    .socket = socket,
    .connect = real_connect,
    .bind = real_bind,
    .listen = listen,
    .accept4 = real_accept4,
    .send = send,
    .sendmsg = sendmsg,
    .sendmmsg = real_sendmmsg,
    .recv = recv,
    .recvmsg = recvmsg,
    .recvmmsg = real_recvmmsg,
    .setsockopt = setsockopt,
    .getsockopt = getsockopt,
    .getsockname = real_getsockname,
    .getpeername = real_getpeername,
    .shutdown = shutdown,
    .close = close,
    .ioctl_int = real_ioctl_int,
    .open = real_open,
    .read = read,
    .write = write,
    .stat = stat,
    .fstat = fstat,
    .readlink = readlink,
    .inotify_init1 = inotify_init1,
    .inotify_add_watch = inotify_add_watch,
};

_Atomic(const struct nwi_sys_table *) nwi_sys_in_use = &nwi_sys_kernel;

void nwi_sys_swap(const struct nwi_sys_table *table) {
    atomic_store_explicit(&nwi_sys_in_use, table != NULL ? table : &nwi_sys_kernel,
                          memory_order_release);
}
