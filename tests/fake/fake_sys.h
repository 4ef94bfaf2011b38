/*
 * fake_sys.h - the system calls of src/sys with faults that a test chooses.
 * What:   swaps the table for one that makes the real call, except that the n-th call of a kind
 *         fails with a given errno (and, with a count, those after it too). Counts calls, notes
 *         whose descriptor was hit, and can cut every transfer short.
 *         A fault is what a kernel could answer: one that says "not now" (EAGAIN and its like) has
 *         the event come again afterwards, one that says "it goes on without you" (connect: EINTR,
 *         EINPROGRESS) has the work done, and so has every close.
 * Runs:   any thread; install and remove while nothing under test runs.
 */
#ifndef FAKE_SYS_H
#define FAKE_SYS_H

#include "sys/table.h"
#include <stdbool.h>

enum fake_sys_call {
    FAKE_SOCKET,
    FAKE_CONNECT,
    FAKE_BIND,
    FAKE_LISTEN,
    FAKE_ACCEPT,
    FAKE_SENDMSG, /* send, too */
    FAKE_SENDMMSG,
    FAKE_RECVMSG, /* recv, too */
    FAKE_RECVMMSG,
    FAKE_SETSOCKOPT,
    FAKE_GETSOCKOPT,
    FAKE_GETSOCKNAME,
    FAKE_GETPEERNAME,
    FAKE_SHUTDOWN,
    FAKE_CLOSE,
    FAKE_IOCTL,
    FAKE_OPEN,
    FAKE_READ,
    FAKE_WRITE,
    FAKE_STAT,
    FAKE_FSTAT_FILE, /* of configuration files */
    FAKE_READLINK,
    FAKE_INOTIFY_INIT,
    FAKE_INOTIFY_ADD,
    FAKE_TABLE_COUNT,
    /* Made past the table, by src/loop and src/dispatch: for tests linked with fake_kernel.c. */
    FAKE_EPOLL_CREATE = FAKE_TABLE_COUNT,
    FAKE_EPOLL_CTL, /* additions and changes */
    FAKE_EPOLL_DEL,
    FAKE_EPOLL_WAIT, /* epoll_wait and epoll_pwait2 */
    FAKE_EVENTFD,
    FAKE_THREAD, /* pthread_create */
    FAKE_TIMERFD_CREATE,
    FAKE_TIMERFD_SETTIME,
    FAKE_FD_READ,  /* read, pread, preadv2, recv */
    FAKE_WAKE,     /* write, which is used on eventfds only */
    FAKE_FD_WRITE, /* writev, pwritev, pwritev2, sendmsg */
    FAKE_FD_OPEN,
    FAKE_FSTAT,
    FAKE_FCNTL,
    FAKE_FD_IOCTL,
    FAKE_CALL_COUNT,
};

/* Whose descriptor a call was made on. */
enum fake_role {
    FAKE_NOBODY,
    FAKE_LISTENER,
    FAKE_CLIENT,
    FAKE_PEER,
    FAKE_NETLINK,
    FAKE_ROLE_COUNT
};

/* Installs the table, all faults disarmed, all counts zero. */
void fake_sys_install(void);
/* Restores the kernel's table. */
void fake_sys_remove(void);
/* The n-th call of that kind from now (1 = the next) and the `times - 1` after it fail with `code`.
 * n = 0 disarms. FAKE_CLOSE really closes and then fails. */
void fake_sys_fail(enum fake_sys_call call, unsigned n, unsigned times, int code);
/* Calls made since install. */
unsigned fake_sys_calls(enum fake_sys_call call);
/* Faults given so far. */
unsigned fake_sys_faults(enum fake_sys_call call);
/* The role that a descriptor has before it listens, connects or is accepted. */
void fake_sys_phase(enum fake_role role);
/* Of the descriptor that the last fault was given for; and which of this role's calls of that kind
 * it was since the fault was ordered, 1 = the first. */
enum fake_role fake_sys_hit_role(void);
unsigned fake_sys_hit_number(void);
/* From now on no send and receive moves more than `octets` of a stream. 0: no limit. */
void fake_sys_cut(size_t octets);

/* For fake_kernel.c: counts the call; true, with errno set, when it is to fail. fd -1: none. */
bool fake_sys_fails(enum fake_sys_call call, int fd);
/* Has the event of a descriptor come again, which the kernel tells once. Set by fake_kernel.c;
 * without it "not now" cannot be given truthfully. */
extern void (*fake_sys_tell_again)(int fd);

#endif
