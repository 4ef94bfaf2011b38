/*
 * source_internal.h - what the files of dispatch sources share.
 * What:   the source itself (source.c) and the table that each kind fills (source_io.c,
 *         source_timer.c, source_signal.c).
 * Rules:  "locked" means that the caller holds source->lock. A kind calls nwi_source_happened when
 *         there is something to handle; source.c decides when the handlers run.
 */
#ifndef NWI_DISPATCH_SOURCE_INTERNAL_H
#define NWI_DISPATCH_SOURCE_INTERNAL_H

#include "base/err.h"
#include "dispatch/dispatch.h"
#include "loop/loop.h"
#include <pthread.h>
#include <sys/queue.h>

struct nwi_source_kind {
    const char *name;
    /* Whether a source of this kind can have this handle and mask. NULL: both must be 0. */
    bool (*accepts)(uintptr_t handle, uintptr_t mask);
    /* Begins to watch (locked, once). Errors are logged, and the source stays silent. */
    nwi_err (*install)(dispatch_source_t source);
    /* Ends watching (locked, once, only after a good install). */
    void (*uninstall)(dispatch_source_t source);
    /* Data of what has happened, for the handler that is about to run (locked). */
    uintptr_t (*take)(dispatch_source_t source);
    /* After the handler: watch on (locked). */
    void (*rearm)(dispatch_source_t source);
    /* Frees what the kind holds; nothing is in flight any more. */
    void (*destroy)(dispatch_source_t source);
};

/* The exported DISPATCH_SOURCE_TYPE_ objects. The size is part of the ABI. */
struct dispatch_source_type_s {
    const struct nwi_source_kind *kind;
    void *reserved[3];
};

/* A handler, counted, so that one may be replaced while it runs. */
struct nwi_source_handler {
    struct nwi_object base;
    struct nwi_callback callback;
    bool wants_context; /* an _f handler: its argument is the source's context */
};

struct dispatch_source_s {
    struct nwi_dispatch_object base; /* counts the references of users */
    const struct nwi_source_kind *kind;
    uintptr_t handle, mask;
    _Atomic uintptr_t
        data; /* of the event being handled; relaxed: stored by the handler's thread */
    /* Relaxed: set under the lock, and what acts on it looks under the lock; testcancel only tells.
     */
    _Atomic bool cancelled;
    _Atomic uint32_t inner; /* up relaxed, down acq_rel; what keeps the memory: all users together
                               1, the queued task 1, each registration with a loop 1 */
    pthread_mutex_t lock;
    struct {
        struct nwi_source_handler *event, *cancel, *registration;
        dispatch_queue_t pushed_to; /* where the task waits; borrowed */
        unsigned suspended;
        bool active;
        bool installed;
        bool released; /* the last user has gone */
        bool queued;   /* the task waits or runs */
        bool happened; /* there is something to handle */
        bool register_due;
        bool cancel_due;
    } locked;
    struct nwi_task task;
    union {
        struct {
            uintptr_t pending;
        } merged;
        struct {
            struct nwi_io io;
            int fd; /* what the loop watches: the handle or a duplicate; -1: none */
            bool own_fd;
            bool always; /* a regular file: always ready */
        } io;
        struct {
            struct nwi_timer timer;
            struct nwi_io io;  /* over wall_fd */
            uint64_t interval; /* 0: fires once */
            nwi_ns next;       /* on the timer's clock */
            int wall_fd;       /* a timerfd of the wall clock, made when first needed */
            unsigned stale;    /* fires on their way that were stopped too late */
            bool has_wall, wall, set, armed;
        } timer;
        struct {
            LIST_ENTRY(dispatch_source_s) link;
            uintptr_t pending;
            unsigned long given; /* the last round of signals that reached it */
        } signal;
    } as;
};

extern const struct nwi_source_kind nwi_source_add, nwi_source_or, nwi_source_replace;
extern const struct nwi_source_kind nwi_source_read, nwi_source_write, nwi_source_proc;
extern const struct nwi_source_kind nwi_source_timer, nwi_source_signal;

/* Whether the object is a source; logs misuse of `function` when not. */
bool nwi_source_check(const void *object, const char *function);
void nwi_source_lock(dispatch_source_t source);
/* Unlocks, and puts the source on its queue when there is work that may run. */
void nwi_source_unlock(dispatch_source_t source);
void nwi_source_keep(dispatch_source_t source); /* one more inner reference */
void nwi_source_drop(dispatch_source_t source); /* one less; not locked */
/* There is something to handle (locked). */
static inline void nwi_source_happened(dispatch_source_t source) {
    source->locked.happened = true;
}

#endif
