/*
 * table.h - the system calls that src/sys makes, as a table that tests can swap.
 * What:   one pointer per call; each has the signature and the errno behaviour of the call it
 *         names.
 * Runs:   any thread. Tests swap the table before they start what they test, and back after it
 *         ended.
 */
#ifndef NWI_SYS_TABLE_H
#define NWI_SYS_TABLE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct nwi_sys_table {
    int (*socket)(int family, int type, int protocol);
    int (*connect)(int fd, const struct sockaddr *address, socklen_t length);
    int (*bind)(int fd, const struct sockaddr *address, socklen_t length);
    int (*listen)(int fd, int backlog);
    int (*accept4)(int fd, struct sockaddr *address, socklen_t *length, int flags);
    ssize_t (*send)(int fd, const void *bytes, size_t size, int flags);
    ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
    int (*sendmmsg)(int fd, struct mmsghdr *messages, unsigned count, int flags);
    ssize_t (*recv)(int fd, void *bytes, size_t size, int flags);
    ssize_t (*recvmsg)(int fd, struct msghdr *message, int flags);
    int (*recvmmsg)(int fd, struct mmsghdr *messages, unsigned count, int flags,
                    struct timespec *timeout);
    int (*setsockopt)(int fd, int level, int name, const void *value, socklen_t length);
    int (*getsockopt)(int fd, int level, int name, void *value, socklen_t *length);
    int (*getsockname)(int fd, struct sockaddr *address, socklen_t *length);
    int (*getpeername)(int fd, struct sockaddr *address, socklen_t *length);
    int (*shutdown)(int fd, int how);
    int (*close)(int fd);
    int (*ioctl_int)(int fd, unsigned long request, int *value);
    int (*open)(const char *path, int flags, int mode);
    ssize_t (*read)(int fd, void *buffer, size_t size);
    ssize_t (*write)(int fd, const void *bytes, size_t size);
    int (*stat)(const char *path, struct stat *status);
    int (*fstat)(int fd, struct stat *status);
    ssize_t (*readlink)(const char *path, char *buffer, size_t size);
    int (*inotify_init1)(int flags);
    int (*inotify_add_watch)(int fd, const char *path, uint32_t mask);
};

extern const struct nwi_sys_table nwi_sys_kernel; /* the real calls */
extern _Atomic(const struct nwi_sys_table *)
    nwi_sys_in_use; /* &nwi_sys_kernel unless a test swapped it */

static inline const struct nwi_sys_table *nwi_sys(void) {
    return atomic_load_explicit(&nwi_sys_in_use, memory_order_acquire);
}
/* Tests: NULL restores the real calls. */
void nwi_sys_swap(const struct nwi_sys_table *table);

#endif
