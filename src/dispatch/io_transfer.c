/*
 * io_transfer.c - one step of reading or writing.
 * What:   moves what can be moved now, at most NWI_IO_CHUNK octets. The descriptor's O_NONBLOCK is
 *         left alone, since a terminal or pipe is shared with other processes: sockets take
 *         MSG_DONTWAIT, other files RWF_NOWAIT where the kernel has it, else poll(2) says whether a
 *         small transfer will not block.
 * Runs:   in the file's context, or on a global queue for a regular file.
 */
#include "base/log.h"
#include "dispatch/io_internal.h"
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { VECTORS = 64, SMALL_ROOM = 2048, DISK_CHUNK = 8 * NWI_IO_CHUNK };

/* Whether the descriptor is ready, asked without waiting. An error or a hangup counts: the call
 * will tell. */
static bool is_ready(int fd, short events) {
    struct pollfd ask = {.fd = fd, .events = events};
    return poll(&ask, 1, 0) != 0;
}

static bool would_block(ssize_t result) {
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* --- SIGPIPE --- */

struct pipe_guard {
    sigset_t before;
    bool was_pending;
};

static void set_of_sigpipe(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

static struct pipe_guard guard_begin(void) {
    struct pipe_guard guard;
    sigset_t pending, set;
    sigpending(&pending);
    guard.was_pending = sigismember(&pending, SIGPIPE) == 1;
    set_of_sigpipe(&set);
    pthread_sigmask(SIG_BLOCK, &set, &guard.before);
    return guard;
}

/* The signal of a failed write is sent to the thread itself, so it is pending here or was never
 * sent. */
static void guard_end(const struct pipe_guard *guard, bool broken) {
    int saved = errno;
    sigset_t set;
    struct timespec none = {0};
    set_of_sigpipe(&set);
    if (broken && !guard->was_pending)
        while (sigtimedwait(&set, NULL, &none) < 0 && errno == EINTR) {
        }
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
    errno = saved;
}

/* --- reading --- */

/* As recv(2), preadv2(2) and read(2), whichever fits the file. */
static ssize_t read_some(struct nwi_io_operation *operation, void *bytes, size_t size) {
    struct nwi_io_file *file = operation->file;
    int fd = atomic_load_explicit(&file->fd, memory_order_relaxed);
    struct iovec vector = {bytes, size};
    if (operation->positioned)
        return pread(fd, bytes, size,
                     file->origin + operation->offset + (off_t)operation->context.moved);
    if (file->context.regular)
        return read(fd, bytes, size);
    if (file->context.socket)
        return recv(fd, bytes, size, MSG_DONTWAIT);
    if (!file->context.no_nowait) {
        ssize_t got = preadv2(fd, &vector, 1, -1, RWF_NOWAIT);
        if (got >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
            return got;
        file->context.no_nowait = true;
    }
    if (!is_ready(fd, POLLIN)) {
        errno = EAGAIN;
        return -1;
    }
    return read(fd, bytes, size);
}

/* Room to read into: as much as the kernel says is there, so that a few octets do not hold a large
 * buffer. */
static size_t choose_room(struct nwi_io_operation *operation) {
    size_t have = dispatch_data_get_size(operation->context.data);
    size_t room = operation->length - operation->context.moved;
    size_t chunk = operation->file->context.regular ? DISK_CHUNK : NWI_IO_CHUNK;
    if (room > chunk)
        room = chunk;
    if (operation->high > have && room > operation->high - have)
        room = operation->high - have;
    int there = 0;
    if (!operation->file->context.regular &&
        ioctl(atomic_load_explicit(&operation->file->fd, memory_order_relaxed), FIONREAD, &there) ==
            0) {
        size_t likely = there > 0 ? (size_t)there : SMALL_ROOM;
        if (room > likely)
            room = likely;
    }
    return room;
}

/* Adds to the data not delivered yet; consumes `fresh`. Octets that have left the descriptor must
 * not be lost, so memory that has run out is waited for. */
static void keep_data(struct nwi_io_operation *operation, dispatch_data_t fresh) {
    dispatch_data_t before = operation->context.data, both;
    if (before == NULL) {
        operation->context.data = fresh;
        return;
    }
    while ((both = dispatch_data_create_concat(before, fresh)) == NULL)
        sched_yield();
    nwi_release(fresh);
    nwi_release(before);
    operation->context.data = both;
}

static enum nwi_step fail(struct nwi_io_operation *operation, int error) {
    operation->context.error = error;
    return NWI_STEP_DONE;
}

static enum nwi_step read_step(struct nwi_io_operation *operation) {
    size_t room = choose_room(operation);
    void *bytes;
    dispatch_data_t fresh = nwi_data_create_buffer(room, &bytes);
    if (fresh == NULL)
        return fail(operation, ENOMEM);
    ssize_t got;
    do
        got = read_some(operation, bytes, room);
    while (got < 0 && errno == EINTR);
    int error = errno;
    if (got <= 0) {
        nwi_release(fresh);
        errno = error;
        if (got == 0)
            return NWI_STEP_EOF;
        return would_block(got) ? NWI_STEP_WAIT : fail(operation, error);
    }
    keep_data(operation, nwi_data_trim(fresh, (size_t)got));
    operation->context.moved += (size_t)got;
    return operation->context.moved == operation->length ? NWI_STEP_DONE : NWI_STEP_MORE;
}

/* --- writing --- */

/* Cuts the vectors to at most `limit` octets; returns how many vectors are left. */
static size_t limit_vectors(struct iovec *vectors, size_t count, size_t limit) {
    for (size_t i = 0; i < count; i++) {
        if (vectors[i].iov_len >= limit) {
            vectors[i].iov_len = limit;
            return limit > 0 ? i + 1 : i;
        }
        limit -= vectors[i].iov_len;
    }
    return count;
}

static ssize_t write_pollable(struct nwi_io_file *file, int fd, struct iovec *vectors,
                              size_t count) {
    if (!file->context.no_nowait) {
        ssize_t put = pwritev2(fd, vectors, (int)count, -1, RWF_NOWAIT);
        if (put >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
            return put;
        file->context.no_nowait = true;
    }
    if (!is_ready(fd, POLLOUT)) {
        errno = EAGAIN;
        return -1;
    }
    /* pipe(7): room for PIPE_BUF octets is what makes a pipe ready. */
    if (!file->context.nonblocking)
        count = limit_vectors(vectors, count, PIPE_BUF);
    return writev(fd, vectors, (int)count);
}

static ssize_t write_some(struct nwi_io_operation *operation, struct iovec *vectors, size_t count) {
    struct nwi_io_file *file = operation->file;
    int fd = atomic_load_explicit(&file->fd, memory_order_relaxed);
    if (file->context.socket) {
        struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
        return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    struct pipe_guard guard = guard_begin();
    ssize_t put;
    if (operation->positioned)
        put = pwritev(fd, vectors, (int)count,
                      file->origin + operation->offset + (off_t)operation->context.moved);
    else if (file->context.regular)
        put = writev(fd, vectors, (int)count);
    else
        put = write_pollable(file, fd, vectors, count);
    guard_end(&guard, put < 0 && errno == EPIPE);
    return put;
}

static enum nwi_step write_step(struct nwi_io_operation *operation) {
    struct iovec vectors[VECTORS];
    size_t count =
        nwi_data_iovec(operation->context.data, operation->context.moved, vectors, VECTORS);
    if (count == 0)
        return NWI_STEP_DONE;
    size_t limit = operation->file->context.regular ? DISK_CHUNK : NWI_IO_CHUNK;
    if (limit > operation->high)
        limit = operation->high;
    count = limit_vectors(vectors, count, limit > 0 ? limit : 1);
    ssize_t put;
    do
        put = write_some(operation, vectors, count);
    while (put < 0 && errno == EINTR);
    if (put < 0)
        return would_block(put) ? NWI_STEP_WAIT : fail(operation, errno);
    operation->context.moved += (size_t)put;
    return operation->context.moved == operation->length ? NWI_STEP_DONE : NWI_STEP_MORE;
}

enum nwi_step nwi_io_transfer_step(struct nwi_io_operation *operation) {
    if (operation->context.moved == operation->length)
        return NWI_STEP_DONE; /* nothing was asked for */
    return operation->direction == NWI_READING ? read_step(operation) : write_step(operation);
}
