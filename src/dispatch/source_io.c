/*
 * source_io.c - sources that wait for a descriptor: READ, WRITE, and PROC over a pidfd.
 * What:   one registration with a loop in one-shot mode: an event, the handler, armed again. So a
 *         handler that leaves octets unread is called again, and a slow one is not called twice.
 * Runs:   ready and stopped on the loop; the rest locked, on any thread.
 */
#include "base/log.h"
#include "dispatch/source_internal.h"
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static dispatch_source_t owner(struct nwi_io *io) {
    return nwi_container_of(io, struct dispatch_source_s, as.io.io);
}

static void ready(struct nwi_io *io, unsigned events) {
    (void)events; /* an error or a hangup is for the handler's own read or write to meet */
    dispatch_source_t source = owner(io);
    nwi_source_lock(source);
    nwi_source_happened(source);
    nwi_source_unlock(source);
}

static void stopped(struct nwi_io *io) {
    nwi_source_drop(owner(io));
}

static unsigned wanted(dispatch_source_t source) {
    return source->kind == &nwi_source_write ? NWI_IO_WRITE : NWI_IO_READ;
}

static void arm(dispatch_source_t source) {
    nwi_err err = nwi_io_arm(&source->as.io.io, wanted(source));
    char text[128];
    if (err != 0)
        nwi_log(NWI_LOG_ERROR, "dispatch", "source", "%s source on %lu cannot watch on: %s",
                source->kind->name, (unsigned long)source->handle,
                nwi_err_format(err, text, sizeof(text)));
}

/* Watches `fd`. A loop takes a descriptor once, so a second source gets a duplicate. */
static nwi_err watch(dispatch_source_t source, int fd, bool own) {
    struct nwi_io *io = &source->as.io.io;
    io->ready = ready;
    io->stopped = stopped;
    nwi_err err = nwi_io_start(io, nwi_loop_pick(), fd, NWI_IO_ONESHOT);
    if (err == nwi_posix(EEXIST)) {
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return nwi_posix(errno);
        own = true;
        err = nwi_io_start(io, nwi_loop_pick(), fd, NWI_IO_ONESHOT);
    }
    if (err != 0) {
        if (own)
            close(fd);
        return err;
    }
    source->as.io.fd = fd;
    source->as.io.own_fd = own;
    nwi_source_keep(source); /* until stopped() */
    arm(source);
    return 0;
}

static void uninstall(dispatch_source_t source) {
    if (source->as.io.fd < 0)
        return;
    nwi_io_stop(&source->as.io.io);
    if (source->as.io.own_fd)
        close(source->as.io.fd);
    source->as.io.fd = -1;
}

/* --- READ and WRITE --- */

static bool accepts_fd(uintptr_t handle, uintptr_t mask) {
    return handle <= INT_MAX && mask == 0;
}

static nwi_err install_fd(dispatch_source_t source) {
    source->as.io.fd = -1;
    nwi_err err = watch(source, (int)source->handle, false);
    if (err != nwi_posix(EPERM))
        return err;
    source->as.io.always = true; /* a regular file or directory never blocks */
    nwi_source_happened(source);
    return 0;
}

static void rearm_fd(dispatch_source_t source) {
    if (source->as.io.always)
        nwi_source_happened(source);
    else if (source->as.io.fd >= 0)
        arm(source);
}

/* What is left of a regular file; what the kernel has in store of anything else; 1 when it does not
 * say. */
static uintptr_t take_read(dispatch_source_t source) {
    int fd = (int)source->handle, octets = 0;
    struct stat status;
    if (source->as.io.always && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        off_t at = lseek(fd, 0, SEEK_CUR);
        return at >= 0 && at < status.st_size ? (uintptr_t)(status.st_size - at) : 0;
    }
    if (ioctl(fd, FIONREAD, &octets) != 0)
        return 1; /* a listening socket, for one */
    return octets > 0 ? (uintptr_t)octets : 0;
}

static uintptr_t take_write(dispatch_source_t source) {
    int fd = (int)source->handle, used = 0, room = 0;
    socklen_t length = sizeof(room);
    if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &length) == 0 &&
        ioctl(fd, SIOCOUTQ, &used) == 0)
        return room > used ? (uintptr_t)(room - used) : 1;
    room = fcntl(fd, F_GETPIPE_SZ);
    if (room > 0 && ioctl(fd, FIONREAD, &used) == 0)
        return room > used ? (uintptr_t)(room - used) : 1;
    return 1;
}

const struct nwi_source_kind nwi_source_read = {.name = "read",
                                                .accepts = accepts_fd,
                                                .install = install_fd,
                                                .uninstall = uninstall,
                                                .take = take_read,
                                                .rearm = rearm_fd};
const struct nwi_source_kind nwi_source_write = {.name = "write",
                                                 .accepts = accepts_fd,
                                                 .install = install_fd,
                                                 .uninstall = uninstall,
                                                 .take = take_write,
                                                 .rearm = rearm_fd};

/* --- PROC --- */

static bool accepts_process(uintptr_t handle, uintptr_t mask) {
    return handle > 0 && handle <= INT_MAX && mask == DISPATCH_PROC_EXIT;
}

static nwi_err install_process(dispatch_source_t source) {
    source->as.io.fd = -1;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)source->handle, 0); /* close-on-exec by itself */
    if (fd < 0 && errno != ESRCH)
        return nwi_posix(errno);
    if (fd >= 0)
        return watch(source, fd, true);
    nwi_source_happened(source); /* it has gone already */
    return 0;
}

static uintptr_t take_process(dispatch_source_t source) {
    return source->mask;
}

const struct nwi_source_kind nwi_source_proc = {.name = "process",
                                                .accepts = accepts_process,
                                                .install = install_process,
                                                .uninstall = uninstall,
                                                .take = take_process};
