/*
 * source_signal.c - SIGNAL sources.
 * What:   while a signal has sources, a handler of ours counts it and wakes a loop through an
 *         eventfd; the former action (SIG_IGN as the custom asks, or a handler, which is then
 *         called as well) comes back with the last source. A handler rather than signalfd: that
 *         would need the signal blocked in every thread, and children would inherit it.
 * Runs:   on_signal in whatever thread the signal interrupts: only atomics, write(2) and the former
 *         handler there.
 * Owns:   one eventfd and its registration, for the life of the process.
 */
#include "base/log.h"
#include "dispatch/source_internal.h"
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SIGNALS = 65 }; /* 1 to 64 on Linux */

static struct {
    pthread_mutex_t lock; /* taken inside a source's lock, never around it */
    LIST_HEAD(sources, dispatch_source_s) list[SIGNALS];
    struct sigaction former[SIGNALS];
    unsigned long seen[SIGNALS]; /* of `count`, already spread */
    unsigned long round;
    struct nwi_io io;
    bool started;
} signals = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* What the signal handler uses. Of `count`, release in the handler pairs with acquire in ready():
 * the eventfd that is written and read between orders them too, but the language does not know. */
static _Atomic unsigned long count[SIGNALS]; /* release and acquire, as said */
/* Relaxed: stored before sigaction(2) puts the handler in place. */
static _Atomic int wake_fd = -1;
static _Atomic(void (*)(int)) chained[SIGNALS]; /* relaxed, for the same reason */
/* Relaxed, for the same reason. */
static _Atomic(void (*)(int, siginfo_t *, void *)) chained_info[SIGNALS];

static void on_signal(int number, siginfo_t *info, void *context) {
    int saved = errno;
    atomic_fetch_add_explicit(&count[number], 1, memory_order_release);
    uint64_t one = 1;
    ssize_t written =
        write(atomic_load_explicit(&wake_fd, memory_order_relaxed), &one, sizeof(one));
    (void)written; /* full means that the loop will wake anyway */
    void (*with_info)(int, siginfo_t *, void *) =
        atomic_load_explicit(&chained_info[number], memory_order_relaxed);
    void (*plain)(int) = atomic_load_explicit(&chained[number], memory_order_relaxed);
    errno = saved;
    if (with_info != NULL)
        with_info(number, info, context);
    else if (plain != NULL)
        plain(number);
}

/* Gives new signals to their sources. A source's lock is taken before ours when it is installed, so
 * the sources are collected under ours, a few at a time, and told afterwards. */
static void spread(int number, unsigned long fresh) {
    enum { BATCH = 16 };
    dispatch_source_t batch[BATCH], source;
    size_t filled;
    pthread_mutex_lock(&signals.lock);
    unsigned long round = ++signals.round;
    do {
        filled = 0;
        LIST_FOREACH (source, &signals.list[number], as.signal.link) {
            if (source->as.signal.given >= round || filled == BATCH)
                continue;
            source->as.signal.given = round;
            nwi_source_keep(source);
            batch[filled++] = source;
        }
        pthread_mutex_unlock(&signals.lock);
        for (size_t i = 0; i < filled; i++) {
            nwi_source_lock(batch[i]);
            if (batch[i]->locked.installed) {
                batch[i]->as.signal.pending += fresh;
                nwi_source_happened(batch[i]);
            }
            nwi_source_unlock(batch[i]);
            nwi_source_drop(batch[i]);
        }
        pthread_mutex_lock(&signals.lock);
    } while (filled == BATCH);
    pthread_mutex_unlock(&signals.lock);
}

static void ready(struct nwi_io *io, unsigned events) {
    (void)events;
    uint64_t value;
    ssize_t got =
        read(io->fd, &value, sizeof(value)); /* before the counts are read: none is missed */
    (void)got;
    for (int number = 1; number < SIGNALS; number++) {
        pthread_mutex_lock(&signals.lock);
        unsigned long now = atomic_load_explicit(&count[number], memory_order_acquire),
                      fresh = now - signals.seen[number];
        signals.seen[number] = now;
        pthread_mutex_unlock(&signals.lock);
        if (fresh > 0)
            spread(number, fresh);
    }
    nwi_io_arm(io, NWI_IO_READ);
}

/* Makes the eventfd and has a loop watch it, once. Holds signals.lock. */
static nwi_err start(void) {
    if (signals.started)
        return 0;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return nwi_posix(errno);
    signals.io.ready = ready;
    nwi_err err = nwi_io_start(&signals.io, nwi_loop_pick(), fd, NWI_IO_ONESHOT);
    if (err == 0)
        err = nwi_io_arm(&signals.io, NWI_IO_READ);
    if (err != 0) {
        close(fd);
        return err;
    }
    atomic_store_explicit(&wake_fd, fd, memory_order_relaxed);
    signals.started = true;
    return 0;
}

/* Puts our handler in place, remembering the former action. */
static nwi_err take_over(int number) {
    struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART},
                     former;
    sigfillset(&ours.sa_mask);
    if (sigaction(number, NULL, &former) != 0)
        return nwi_posix(errno);
    bool is_default = !(former.sa_flags & SA_SIGINFO) &&
                      (former.sa_handler == SIG_DFL || former.sa_handler == SIG_IGN);
    bool has_info = former.sa_flags & SA_SIGINFO;
    atomic_store_explicit(&chained[number], is_default || has_info ? NULL : former.sa_handler,
                          memory_order_relaxed);
    atomic_store_explicit(&chained_info[number], has_info ? former.sa_sigaction : NULL,
                          memory_order_relaxed);
    signals.former[number] = former;
    signals.seen[number] = atomic_load_explicit(&count[number], memory_order_acquire);
    return sigaction(number, &ours, NULL) == 0 ? 0 : nwi_posix(errno);
}

static bool accepts(uintptr_t handle, uintptr_t mask) {
    return handle > 0 && handle < SIGNALS && handle != SIGKILL && handle != SIGSTOP && mask == 0;
}

static nwi_err install(dispatch_source_t source) {
    int number = (int)source->handle;
    pthread_mutex_lock(&signals.lock);
    nwi_err err = start();
    if (err == 0 && LIST_EMPTY(&signals.list[number]))
        err = take_over(number);
    source->as.signal.given = signals.round;
    if (err == 0)
        LIST_INSERT_HEAD(&signals.list[number], source, as.signal.link);
    pthread_mutex_unlock(&signals.lock);
    return err;
}

static void uninstall(dispatch_source_t source) {
    int number = (int)source->handle;
    pthread_mutex_lock(&signals.lock);
    LIST_REMOVE(source, as.signal.link);
    if (LIST_EMPTY(&signals.list[number])) {
        /* Only when our handler is still there: the program may have set another one meanwhile. */
        struct sigaction now;
        if (sigaction(number, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
            now.sa_sigaction == on_signal && sigaction(number, &signals.former[number], NULL) != 0)
            nwi_log(NWI_LOG_ERROR, "dispatch", "source",
                    "the action of signal %d is not restored: %m", number);
    }
    pthread_mutex_unlock(&signals.lock);
}

static uintptr_t take(dispatch_source_t source) {
    uintptr_t seen = source->as.signal.pending;
    source->as.signal.pending = 0;
    return seen;
}

const struct nwi_source_kind nwi_source_signal = {
    .name = "signal", .accepts = accepts, .install = install, .uninstall = uninstall, .take = take};
