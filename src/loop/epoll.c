/*
 * epoll.c - the only file that calls epoll.
 * What:   one epoll instance and one eventfd a loop; fetches events in batches into the loop.
 * Source: epoll(7), epoll_wait(2), eventfd(2).
 * Runs:   fetch and next: the loop's owner; the others on any thread.
 */
#include "base/log.h"
#include "loop/private.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { FAILED_WAIT = 10 * 1000 * 1000 }; /* ns */

nwi_err nwi_epoll_open(struct nwi_loop *loop) {
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        return nwi_posix(errno);
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* Edge triggered and never read: each write is an edge of its own, which spares a read per
     * wake. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (wake_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) != 0) {
        nwi_err err = nwi_posix(errno);
        if (wake_fd >= 0)
            close(wake_fd);
        close(epoll_fd);
        return err;
    }
    loop->epoll_fd = epoll_fd;
    loop->wake_fd = wake_fd;
    return 0;
}

void nwi_epoll_close(struct nwi_loop *loop) {
    close(loop->wake_fd);
    close(loop->epoll_fd);
}

/* epoll_pwait2 takes nanoseconds but is missing before Linux 5.11: then milliseconds, rounded up so
 * that a timer is not found early and spun for. */
static int wait_events(struct nwi_loop *loop, nwi_ns wait) {
    static _Atomic bool no_pwait2; /* relaxed: a hint, each thread may find out by itself */
    if (wait == 0)
        return epoll_wait(loop->epoll_fd, loop->batch, BATCH_SIZE, 0);
    if (wait == NWI_NEVER)
        return epoll_wait(loop->epoll_fd, loop->batch, BATCH_SIZE, -1);
    if (!atomic_load_explicit(&no_pwait2, memory_order_relaxed)) {
        struct timespec timeout = {.tv_sec = (time_t)(wait / NWI_SEC),
                                   .tv_nsec = (long)(wait % NWI_SEC)};
        int count = epoll_pwait2(loop->epoll_fd, loop->batch, BATCH_SIZE, &timeout, NULL);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) /* EPERM: old seccomp filters */
            return count;
        atomic_store_explicit(&no_pwait2, true, memory_order_relaxed);
    }
    nwi_ns milliseconds = wait / NWI_MS + (wait % NWI_MS != 0);
    return epoll_wait(loop->epoll_fd, loop->batch, BATCH_SIZE,
                      milliseconds < INT32_MAX ? (int)milliseconds : INT32_MAX);
}

void nwi_epoll_fetch(struct nwi_loop *loop, nwi_ns deadline) {
    nwi_ns wait = deadline;
    if (deadline != 0 && deadline != NWI_NEVER) {
        nwi_ns now = nwi_now();
        wait = deadline > now ? deadline - now : 0;
    }
    int count = wait_events(loop, wait);
    if (count < 0 && errno != EINTR) {
        const struct timespec pause = {.tv_nsec = FAILED_WAIT};
        nwi_log(NWI_LOG_ERROR, "loop", "wait", "epoll_wait failed: %s",
                nwi_err_text(nwi_posix(errno)));
        nanosleep(&pause, NULL); /* somebody closed what is ours: no reason to spin as well */
    }
    /* Acquire pairs with nwi_epoll_add: the events' structs are seen whole. The kernel orders that
     * as well, but neither the language nor TSan knows what epoll_ctl does. */
    atomic_load_explicit(&loop->registrations, memory_order_acquire);
    loop->batch_next = 0;
    loop->batch_count = count > 0 ? (unsigned)count : 0;
}

struct nwi_io *nwi_epoll_next(struct nwi_loop *loop, unsigned *ret_events) {
    struct epoll_event event = loop->batch[loop->batch_next++];
    unsigned events = 0;
    if (event.events & EPOLLIN)
        events |= NWI_IO_READ;
    if (event.events & EPOLLOUT)
        events |= NWI_IO_WRITE;
    /* RDHUP is the end of the peer's stream, found by reading. HUP and ERR end both directions: the
     * next call in whichever the owner waits for tells it more. */
    if (event.events & EPOLLRDHUP)
        events |= NWI_IO_READ | NWI_IO_HANGUP;
    if (event.events & EPOLLHUP)
        events |= NWI_IO_READ | NWI_IO_WRITE | NWI_IO_HANGUP;
    if (event.events & EPOLLERR)
        events |= NWI_IO_READ | NWI_IO_WRITE | NWI_IO_ERROR;
    *ret_events = events;
    return event.data.ptr;
}

void nwi_epoll_wake(struct nwi_loop *loop) {
    uint64_t one = 1;
    ssize_t written;
    do
        written = write(loop->wake_fd, &one, sizeof(one));
    while (written < 0 && errno == EINTR); /* a lost wake is a loop that sleeps on its work */
    if (written < 0 && errno != EAGAIN)    /* EAGAIN: 2^64 wakes are pending */
        nwi_log(NWI_LOG_ERROR, "loop", "wake", "eventfd: %s", nwi_err_text(nwi_posix(errno)));
}

bool nwi_epoll_has_events(const struct nwi_loop *loop) {
    struct pollfd probe = {.fd = loop->epoll_fd, .events = POLLIN};
    return poll(&probe, 1, 0) > 0;
}

enum { READ_EDGES = (int)(EPOLLIN | EPOLLRDHUP | EPOLLET) };

nwi_err nwi_epoll_add(struct nwi_io *io) {
    atomic_fetch_add_explicit(&io->loop->registrations, 1, memory_order_release);
    struct epoll_event event = {.events = EPOLLONESHOT, .data.ptr = io};
    if (io->mode != NWI_IO_ONESHOT)
        event.events = (uint32_t)READ_EDGES | (io->mode == NWI_IO_EDGE ? EPOLLOUT : 0);
    return epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_ADD, io->fd, &event) == 0 ? 0 : nwi_posix(errno);
}

/* The kernel looks at the descriptor's state when it is told: no edge is missed. */
nwi_err nwi_epoll_await_write(struct nwi_io *io, bool on) {
    struct epoll_event event = {.events = (uint32_t)READ_EDGES | (on ? EPOLLOUT : 0),
                                .data.ptr = io};
    return epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &event) == 0 ? 0 : nwi_posix(errno);
}

nwi_err nwi_epoll_arm(struct nwi_io *io, unsigned events) {
    struct epoll_event event = {.events = EPOLLONESHOT, .data.ptr = io};
    if (events & NWI_IO_READ)
        event.events |= EPOLLIN | EPOLLRDHUP;
    if (events & NWI_IO_WRITE)
        event.events |= EPOLLOUT;
    return epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &event) == 0 ? 0 : nwi_posix(errno);
}

nwi_err nwi_epoll_remove(struct nwi_io *io) {
    return epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL) == 0 ? 0 : nwi_posix(errno);
}
