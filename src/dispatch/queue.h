/*
 * queue.h - what the queue files of src/dispatch share; private to the folder.
 * What:   the queue struct, its four kinds, and the seams between their files.
 */
#ifndef NWI_DISPATCH_QUEUE_H
#define NWI_DISPATCH_QUEUE_H

#include "dispatch/dispatch.h"
#include "dispatch/serial.h"
#include <pthread.h>
#include <stdatomic.h>

struct nwi_specifics; /* specific.c */

enum nwi_queue_kind { NWI_QUEUE_SERIAL, NWI_QUEUE_CONCURRENT, NWI_QUEUE_GLOBAL, NWI_QUEUE_MAIN };

/* A concurrent queue: see concurrent.c for the rules. Everything under `lock`, except the token's
 * own link. */
struct nwi_concurrent {
    pthread_mutex_t lock;
    struct nwi_task *head,
        *tail; /* waiting, oldest first; the low bit of an item's `next` says "barrier" */
    struct nwi_task token; /* posted to let one item begin; only one is ever on its way */
    uint32_t running;
    uint32_t suspensions;
    bool barrier_runs;
    bool token_out;
    bool inactive;
    bool busy; /* items wait or run, or the token travels: the queue holds itself */
};

struct dispatch_queue_s {
    struct nwi_dispatch_object object;
    enum nwi_queue_kind kind;
    const char *label; /* owned, except by the queues that are never freed; NULL = "" */
    dispatch_qos_class_t qos;
    int relative_priority;
    /* NULL until the first is set: acq_rel swap by the maker pairs with acquire by readers. */
    _Atomic(struct nwi_specifics *) specifics;
    union {
        struct nwi_serial serial;         /* SERIAL, MAIN */
        struct nwi_concurrent concurrent; /* CONCURRENT, GLOBAL */
    };
};

struct dispatch_queue_attr_s {
    struct nwi_object base;
    bool concurrent, inactive;
    dispatch_qos_class_t qos;
    int relative_priority;
    dispatch_autorelease_frequency_t frequency;
};

/* One for each kind; the address tells a queue from any other object. */
extern const struct nwi_dispatch_type nwi_serial_queue_type, nwi_concurrent_queue_type,
    nwi_global_queue_type, nwi_main_queue_type;
extern const struct nwi_type nwi_queue_attr_type;

/* The object as a queue; NULL, with a line in the log that names `function`, when it is none. */
dispatch_queue_t nwi_queue_checked(dispatch_queue_t queue, const char *function);
static inline dispatch_queue_t nwi_queue_target(dispatch_queue_t queue) {
    /* Acquire pairs with the store in target.c: the target's fields are set. */
    return atomic_load_explicit(&queue->object.target, memory_order_acquire);
}
static inline bool nwi_queue_has_serial(dispatch_queue_t queue) {
    return queue->kind == NWI_QUEUE_SERIAL || queue->kind == NWI_QUEUE_MAIN;
}
/* Whether its work runs on the main thread in the end. */
bool nwi_queue_is_bound_to_main(dispatch_queue_t queue);

/* target.c: where a queue's work goes. Inside the queue, or while it is inactive or new; consumes
 * the reference. */
void nwi_queue_set_target(dispatch_queue_t queue, dispatch_queue_t target);
void nwi_queue_retarget(void *object, dispatch_queue_t target); /* nwi_dispatch_type.set_target */

/* concurrent.c */
void nwi_concurrent_init(dispatch_queue_t queue);
void nwi_concurrent_run_token(struct nwi_task *token);
void nwi_concurrent_push(dispatch_queue_t queue, struct nwi_task *task, bool barrier);
/* Begins an item on the calling thread when nothing stands in its way. */
bool nwi_concurrent_try_enter(dispatch_queue_t queue, bool barrier);
void nwi_concurrent_leave(dispatch_queue_t queue); /* ends an item */
void nwi_concurrent_suspend(void *object);
void nwi_concurrent_resume(void *object);
void nwi_concurrent_activate(void *object);
bool nwi_concurrent_is_stopped(dispatch_queue_t queue);

/* main.c */
bool nwi_is_main_thread(void);

/* specific.c */
void nwi_specifics_free(struct nwi_specifics *specifics);

#endif
