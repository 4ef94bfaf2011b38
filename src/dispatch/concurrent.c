/*
 * concurrent.c - concurrent queues: items begin in order and overlap; a barrier runs alone.
 * What:   the waiting items stand in one list. One task, the token, travels to a loop (or into the
 *         target queue) to begin the first of them. Before it runs that item it sends the token on
 *         if another may begin, so items spread over the loops as far as they are free, an item
 *         that blocks holds up nobody, and no memory is needed.
 * Runs:   on any thread; items on loop threads, or wherever the target runs.
 * Rules:  the list, the counts and the token's whereabouts are under the queue's lock. An item may
 *         begin when nothing is suspended, no barrier runs, and, if it is a barrier itself, nothing
 *         runs at all. `busy` holds one reference on the queue.
 */
#include "dispatch/frame.h"
#include "dispatch/queue.h"
#include "loop/loop.h"

enum {
    BARRIER = 1
}; /* low bit of an item's own `next`: tasks are aligned, and next is ours while it waits */

static uintptr_t next_word(const struct nwi_task *task) {
    return (uintptr_t)atomic_load_explicit(&task->next, memory_order_relaxed); /* under the lock */
}

static void set_next_word(struct nwi_task *task, uintptr_t word) {
    atomic_store_explicit(&task->next, (struct nwi_task *)word, memory_order_relaxed);
}

static bool may_begin(const struct nwi_concurrent *c) {
    if (c->head == NULL || c->suspensions > 0 || c->inactive || c->barrier_runs)
        return false;
    return (next_word(c->head) & BARRIER) == 0 || c->running == 0;
}

static void append(struct nwi_concurrent *c, struct nwi_task *task, bool barrier) {
    set_next_word(task, barrier ? BARRIER : 0);
    if (c->head == NULL)
        c->head = task;
    else
        set_next_word(c->tail, (uintptr_t)task | (next_word(c->tail) & BARRIER));
    c->tail = task;
}

/* Begins the first item: it counts as running. */
static struct nwi_task *take_first(struct nwi_concurrent *c) {
    struct nwi_task *task = c->head;
    uintptr_t word = next_word(task);
    c->head = (struct nwi_task *)(word & ~(uintptr_t)BARRIER);
    c->barrier_runs = (word & BARRIER) != 0;
    c->running++;
    return task;
}

/* Under the lock: whether the caller has to send the token. It counts as out from here on. */
static bool claim_token(struct nwi_concurrent *c) {
    if (c->token_out || !may_begin(c))
        return false;
    c->token_out = true;
    return true;
}

/* Under the lock: whether the caller has to drop the reference the queue holds on itself. */
static bool became_idle(struct nwi_concurrent *c) {
    if (!c->busy || c->head != NULL || c->running > 0 || c->token_out)
        return false;
    c->busy = false;
    return true;
}

static void send_token(dispatch_queue_t queue) {
    dispatch_queue_t target = nwi_queue_target(queue);
    if (target != NULL && target->kind != NWI_QUEUE_GLOBAL) {
        nwi_queue_push(target, &queue->concurrent.token);
        return;
    }
    struct nwi_loop *loop = nwi_loop_pick_idle();
    nwi_loop_post(loop != NULL ? loop : nwi_loop_pick(), &queue->concurrent.token);
}

/* Ends a critical section that may have made items ready or the queue idle. */
static void unlock_and_follow(dispatch_queue_t queue) {
    struct nwi_concurrent *c = &queue->concurrent;
    bool send = claim_token(c), idle = became_idle(c);
    pthread_mutex_unlock(&c->lock);
    if (send)
        send_token(queue);
    if (idle)
        nwi_release(queue);
}

void nwi_concurrent_run_token(struct nwi_task *token) {
    dispatch_queue_t queue = nwi_container_of(token, struct dispatch_queue_s, concurrent.token);
    struct nwi_concurrent *c = &queue->concurrent;
    pthread_mutex_lock(&c->lock);
    c->token_out = false;
    if (!may_begin(c)) { /* suspended meanwhile, or a barrier stands first */
        unlock_and_follow(queue);
        return;
    }
    struct nwi_task *task = take_first(c);
    struct nwi_frame frame = {.queue = queue, .barrier = c->barrier_runs};
    unlock_and_follow(queue); /* the token goes on before the item runs */
    nwi_frame_push(&frame);
    task->run(task);
    bool handed = frame.handed;
    nwi_frame_pop(&frame);
    if (!handed) /* else the waiting thread ends the item */
        nwi_concurrent_leave(queue);
}

void nwi_concurrent_init(dispatch_queue_t queue) {
    pthread_mutex_init(&queue->concurrent.lock,
                       NULL); /* cannot fail with default attributes on Linux */
    queue->concurrent.token.run = nwi_concurrent_run_token;
}

void nwi_concurrent_push(dispatch_queue_t queue, struct nwi_task *task, bool barrier) {
    struct nwi_concurrent *c = &queue->concurrent;
    pthread_mutex_lock(&c->lock);
    append(c, task, barrier);
    if (!c->busy) {
        c->busy = true;
        nwi_retain(queue);
    }
    unlock_and_follow(queue);
}

bool nwi_concurrent_try_enter(dispatch_queue_t queue, bool barrier) {
    struct nwi_concurrent *c = &queue->concurrent;
    pthread_mutex_lock(&c->lock);
    /* Under the lock, and looked at only when no barrier runs: a change of target is one, so what
     * is read here stays until the item ends. */
    dispatch_queue_t target = nwi_queue_target(queue);
    bool waits = c->suspensions > 0 || c->inactive || c->barrier_runs ||
                 (barrier && c->running > 0) ||
                 (c->head != NULL && queue->kind != NWI_QUEUE_GLOBAL) ||
                 /* the target has to be entered as well: leave that to the token */
                 (target != NULL && target->kind != NWI_QUEUE_GLOBAL);
    if (!waits) {
        c->running++;
        c->barrier_runs = barrier;
        if (!c->busy) {
            c->busy = true;
            nwi_retain(queue);
        }
    }
    pthread_mutex_unlock(&c->lock);
    return !waits;
}

void nwi_concurrent_leave(dispatch_queue_t queue) {
    struct nwi_concurrent *c = &queue->concurrent;
    pthread_mutex_lock(&c->lock);
    c->running--;
    c->barrier_runs = false; /* a barrier was the only one running; without one it was false */
    unlock_and_follow(queue);
}

/* --- suspension --- */

void nwi_concurrent_suspend(void *object) {
    struct nwi_concurrent *c = &((dispatch_queue_t)object)->concurrent;
    pthread_mutex_lock(&c->lock);
    c->suspensions++;
    pthread_mutex_unlock(&c->lock);
}

void nwi_concurrent_resume(void *object) {
    struct nwi_concurrent *c = &((dispatch_queue_t)object)->concurrent;
    pthread_mutex_lock(&c->lock);
    if (c->suspensions == 0) {
        pthread_mutex_unlock(&c->lock);
        nwi_dispatch_crash("dispatch_resume", "queue resumed more often than suspended");
    }
    c->suspensions--;
    unlock_and_follow(object);
}

void nwi_concurrent_activate(void *object) {
    struct nwi_concurrent *c = &((dispatch_queue_t)object)->concurrent;
    pthread_mutex_lock(&c->lock);
    c->inactive = false;
    unlock_and_follow(object);
}

bool nwi_concurrent_is_stopped(dispatch_queue_t queue) {
    struct nwi_concurrent *c = &queue->concurrent;
    pthread_mutex_lock(&c->lock);
    bool stopped = c->suspensions > 0 || c->inactive;
    pthread_mutex_unlock(&c->lock);
    return stopped;
}
