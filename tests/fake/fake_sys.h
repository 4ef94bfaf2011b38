/*
 * fake_sys.h - the system calls of src/sys with faults that a test chooses.
 * What:   swaps the table for one that makes the real call, except that the n-th call of a kind
 *         fails with a given errno (and, with a count, those after it too). Counts calls.
 * Runs:   any thread; install and remove while nothing under test runs.
 */
#ifndef FAKE_SYS_H
#define FAKE_SYS_H

#include "sys/table.h"

enum fake_sys_call {
    FAKE_SOCKET,
    FAKE_CONNECT,
    FAKE_BIND,
    FAKE_LISTEN,
    FAKE_ACCEPT,
    FAKE_SENDMSG,
    FAKE_SENDMMSG,
    FAKE_RECVMSG,
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
    FAKE_STAT,
    FAKE_CALL_COUNT,
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

#endif
