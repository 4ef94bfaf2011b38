/*
 * fake_kernel.c - faults for the system calls that src/loop and src/dispatch make directly.
 * What:   the linker sends each of these calls of the static library here (--wrap), so that the
 *         library needs no table for what is on its hottest paths. Knows which descriptor is
 *         watched how, so that an event can be had again.
 * Source: ld(1), --wrap; epoll(7): a modification reports the readiness that there is.
 * Runs:   any thread.
 * Owns:   the note of each descriptor's registration.
 */
#include "fake/fake_sys.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#define REAL(result, name, ...)                                                                    \
    result __real_##name(__VA_ARGS__);                                                             \
    result __wrap_##name(__VA_ARGS__);                                                             \
    result __wrap_##name(__VA_ARGS__)

enum { DESCRIPTORS = 4096 };

static struct {
    int epoll_fd; /* 0: not watched */
    struct epoll_event event;
} watched[DESCRIPTORS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void note(int epoll_fd, int operation, int fd, const struct epoll_event *event) {
    if (fd < 0 || fd >= DESCRIPTORS)
        return;
    watched[fd].epoll_fd = operation == EPOLL_CTL_DEL ? 0 : epoll_fd;
    if (event != NULL)
        watched[fd].event = *event;
}

REAL(int, epoll_ctl, int epoll_fd, int operation, int fd, struct epoll_event *event) {
    pthread_mutex_lock(&lock);
    bool fault = fake_sys_fails(operation == EPOLL_CTL_DEL ? FAKE_EPOLL_DEL : FAKE_EPOLL_CTL, fd);
    int code = errno, result = fault ? -1 : 0;
    /* A deletion fails when nothing is there to be deleted: then no event comes either. */
    if (!fault || operation == EPOLL_CTL_DEL)
        result = __real_epoll_ctl(epoll_fd, operation, fd, event);
    if (result == 0)
        note(epoll_fd, operation, fd, event);
    pthread_mutex_unlock(&lock);
    if (fault)
        errno = code;
    return fault ? -1 : result;
}

static void tell_again(int fd) {
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < DESCRIPTORS && watched[fd].epoll_fd != 0)
        (void)__real_epoll_ctl(watched[fd].epoll_fd, EPOLL_CTL_MOD, fd, &watched[fd].event);
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void offer(void) {
    fake_sys_tell_again = tell_again;
}

REAL(int, epoll_create1, int flags) {
    return fake_sys_fails(FAKE_EPOLL_CREATE, -1) ? -1 : __real_epoll_create1(flags);
}
REAL(int, epoll_wait, int fd, struct epoll_event *events, int room, int timeout) {
    return fake_sys_fails(FAKE_EPOLL_WAIT, fd) ? -1 : __real_epoll_wait(fd, events, room, timeout);
}
REAL(int, epoll_pwait2, int fd, struct epoll_event *events, int room,
     const struct timespec *timeout, const sigset_t *mask) {
    return fake_sys_fails(FAKE_EPOLL_WAIT, fd)
               ? -1
               : __real_epoll_pwait2(fd, events, room, timeout, mask);
}
REAL(int, eventfd, unsigned value, int flags) {
    return fake_sys_fails(FAKE_EVENTFD, -1) ? -1 : __real_eventfd(value, flags);
}
REAL(int, pthread_create, pthread_t *thread, const pthread_attr_t *attr, void *(*main)(void *),
     void *argument) {
    return fake_sys_fails(FAKE_THREAD, -1) ? errno
                                           : __real_pthread_create(thread, attr, main, argument);
}
REAL(int, timerfd_create, clockid_t clock, int flags) {
    return fake_sys_fails(FAKE_TIMERFD_CREATE, -1) ? -1 : __real_timerfd_create(clock, flags);
}
REAL(int, timerfd_settime, int fd, int flags, const struct itimerspec *time,
     struct itimerspec *before) {
    return fake_sys_fails(FAKE_TIMERFD_SETTIME, fd)
               ? -1
               : __real_timerfd_settime(fd, flags, time, before);
}

/* --- what dispatch I/O and sources do with descriptors; by the names that _FILE_OFFSET_BITS=64
 * gives them --- */

REAL(ssize_t, read, int fd, void *buffer, size_t size) {
    return fake_sys_fails(FAKE_FD_READ, fd) ? -1 : __real_read(fd, buffer, size);
}
REAL(ssize_t, pread64, int fd, void *buffer, size_t size, off_t offset) {
    return fake_sys_fails(FAKE_FD_READ, fd) ? -1 : __real_pread64(fd, buffer, size, offset);
}
REAL(ssize_t, preadv64v2, int fd, const struct iovec *pieces, int count, off_t offset, int flags) {
    return fake_sys_fails(FAKE_FD_READ, fd) ? -1
                                            : __real_preadv64v2(fd, pieces, count, offset, flags);
}
REAL(ssize_t, recv, int fd, void *buffer, size_t size, int flags) {
    return fake_sys_fails(FAKE_FD_READ, fd) ? -1 : __real_recv(fd, buffer, size, flags);
}
REAL(ssize_t, write, int fd, const void *buffer, size_t size) {
    return fake_sys_fails(FAKE_WAKE, fd) ? -1 : __real_write(fd, buffer, size);
}
REAL(ssize_t, writev, int fd, const struct iovec *pieces, int count) {
    return fake_sys_fails(FAKE_FD_WRITE, fd) ? -1 : __real_writev(fd, pieces, count);
}
REAL(ssize_t, pwritev64, int fd, const struct iovec *pieces, int count, off_t offset) {
    return fake_sys_fails(FAKE_FD_WRITE, fd) ? -1 : __real_pwritev64(fd, pieces, count, offset);
}
REAL(ssize_t, pwritev64v2, int fd, const struct iovec *pieces, int count, off_t offset, int flags) {
    return fake_sys_fails(FAKE_FD_WRITE, fd) ? -1
                                             : __real_pwritev64v2(fd, pieces, count, offset, flags);
}
REAL(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags) {
    return fake_sys_fails(FAKE_FD_WRITE, fd) ? -1 : __real_sendmsg(fd, message, flags);
}
REAL(int, fstat64, int fd, struct stat *status) {
    return fake_sys_fails(FAKE_FSTAT, fd) ? -1 : __real_fstat64(fd, status);
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int mode = (flags & O_CREAT) != 0 ? va_arg(more, int) : 0;
    va_end(more);
    return fake_sys_fails(FAKE_FD_OPEN, -1) ? -1 : __real_open64(path, flags, mode);
}

/* The third argument of both is a word at most, on every machine that Linux runs on. */
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...) {
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return fake_sys_fails(FAKE_FCNTL, fd) ? -1 : __real_fcntl64(fd, command, argument);
}
int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...) {
    va_list more;
    va_start(more, request);
    void *argument = va_arg(more, void *);
    va_end(more);
    return fake_sys_fails(FAKE_FD_IOCTL, fd) ? -1 : __real_ioctl(fd, request, argument);
}
