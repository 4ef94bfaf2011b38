/*
 * main.c - the main queue: a serial context whose executor is the main thread.
 * What:   a wake sets a word that dispatch_main() sleeps on and, once a program has asked for the
 *         descriptor, makes that readable.
 * Runs:   drain and dispatch_main on the main thread; wake on any.
 * Owns:   one eventfd, made on demand and kept for the life of the process.
 */
#include "base/err.h"
#include "base/futex.h"
#include "base/log.h"
#include "dispatch/queue.h"
#include <sys/eventfd.h>

static void wake_main(struct nwi_serial *serial);

struct dispatch_queue_s _dispatch_main_q = {
    .object.base = NWI_OBJECT_STATIC(&nwi_main_queue_type.base),
    .kind = NWI_QUEUE_MAIN,
    .label = "com.apple.main-thread",
    .qos = QOS_CLASS_USER_INTERACTIVE,
    .serial = {.wake = wake_main, .owner = &_dispatch_main_q},
};

/* 1: the context belongs to the main thread's next drain. Release of the wake pairs with acquire of
 * the drain's exchange; seq_cst since both sides also look at `handle`. */
static _Atomic uint32_t pending;
/* eventfd + 1, or 0 while nobody has asked. seq_cst: the maker stores it, then looks at pending; a
 * wake stores pending, then looks here. */
static _Atomic int handle;
static pthread_mutex_t handle_lock = PTHREAD_MUTEX_INITIALIZER; /* one maker at a time */

bool nwi_is_main_thread(void) {
    static _Thread_local signed char is_main; /* 0: not asked yet */
    if (is_main == 0)
        is_main = gettid() == getpid() ? 1 : -1;
    return is_main > 0;
}

static void make_readable(int fd) {
    uint64_t one = 1;
    if (write(fd, &one, sizeof(one)) < 0 && errno != EAGAIN) /* EAGAIN: readable as it is */
        nwi_log(NWI_LOG_ERROR, "dispatch", "main", "eventfd: %s", nwi_err_text(nwi_posix(errno)));
}

static void wake_main(struct nwi_serial *serial) {
    (void)serial;
    atomic_store(&pending, 1);
    int fd = atomic_load(&handle) - 1;
    if (fd >= 0)
        make_readable(fd);
    nwi_futex_wake(&pending, 1);
}

dispatch_queue_main_t dispatch_get_main_queue(void) {
    return &_dispatch_main_q;
}

int dispatch_get_main_queue_handle_np(void) {
    pthread_mutex_lock(&handle_lock);
    int fd = atomic_load(&handle) - 1;
    if (fd < 0) {
        fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd >= 0) {
            atomic_store(&handle, fd + 1);
            if (atomic_load(&pending) == 1)
                make_readable(fd);
        } else {
            nwi_log(NWI_LOG_ERROR, "dispatch", "main", "eventfd: %s",
                    nwi_err_text(nwi_posix(errno)));
        }
    }
    pthread_mutex_unlock(&handle_lock);
    return fd;
}

/* Runs what the queue holds now; what that work adds is left for the next time. */
static void drain_once(void) {
    if (atomic_exchange(&pending, 0) == 1)
        nwi_serial_drain(&_dispatch_main_q.serial, nwi_serial_count(&_dispatch_main_q.serial));
}

void dispatch_main_queue_drain_np(void) {
    if (!nwi_is_main_thread()) {
        nwi_log_misuse("dispatch_main_queue_drain_np",
                       "called on another thread than the main one");
        return;
    }
    if (nwi_serial_is_current(&_dispatch_main_q.serial)) {
        nwi_log_misuse("dispatch_main_queue_drain_np", "called from inside the main queue");
        return;
    }
    int fd = atomic_load(&handle) - 1;
    uint64_t count;
    /* Emptied before the drain: a wake during it makes the descriptor readable again. */
    if (fd >= 0 && read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        nwi_log(NWI_LOG_ERROR, "dispatch", "main", "eventfd: %s", nwi_err_text(nwi_posix(errno)));
    drain_once();
}

void dispatch_main(void) {
    if (!nwi_is_main_thread())
        nwi_dispatch_crash("dispatch_main", "called on another thread than the main one");
    for (;;) {
        while (atomic_load(&pending) == 0)
            nwi_futex_wait(&pending, 0, NWI_NEVER);
        drain_once();
    }
}
