/*
 * timer.c - the timer heap of a loop.
 * What:   a 4-ary heap of (deadline, timer) under the loop's timer lock, so that any thread can arm
 *         and stop. A timer knows its place, so re-arming moves it and stopping takes it out at
 *         once.
 * Runs:   set, move and stop on any thread; pop on the loop's owner.
 */
#include "base/alloc.h"
#include "loop/private.h"

enum { ARITY = 4, FIRST_ROOM = 16 };

static void place(struct nwi_loop *loop, uint32_t at, struct timer_entry entry) {
    loop->heap[at] = entry;
    entry.timer->slot = at + 1;
}

static void sift_up(struct nwi_loop *loop, uint32_t at, struct timer_entry entry) {
    while (at > 0) {
        uint32_t parent = (at - 1) / ARITY;
        if (loop->heap[parent].deadline <= entry.deadline)
            break;
        place(loop, at, loop->heap[parent]);
        at = parent;
    }
    place(loop, at, entry);
}

static void sift_down(struct nwi_loop *loop, uint32_t at, struct timer_entry entry) {
    for (;;) {
        uint32_t first = at * ARITY + 1, best = first;
        if (first >= loop->heap_count)
            break;
        uint32_t end = first + ARITY < loop->heap_count ? first + ARITY : loop->heap_count;
        for (uint32_t child = first + 1; child < end; child++)
            if (loop->heap[child].deadline < loop->heap[best].deadline)
                best = child;
        if (loop->heap[best].deadline >= entry.deadline)
            break;
        place(loop, at, loop->heap[best]);
        at = best;
    }
    place(loop, at, entry);
}

/* Puts an entry at a free place, in whichever direction it has to go. */
static void settle(struct nwi_loop *loop, uint32_t at, struct timer_entry entry) {
    if (at > 0 && loop->heap[(at - 1) / ARITY].deadline > entry.deadline)
        sift_up(loop, at, entry);
    else
        sift_down(loop, at, entry);
}

static void remove_at(struct nwi_loop *loop, uint32_t at) {
    loop->heap[at].timer->slot = 0;
    struct timer_entry last = loop->heap[--loop->heap_count];
    if (at < loop->heap_count)
        settle(loop, at, last);
}

/* Under the lock, so the relaxed load is our own last word: a deadline that stays is not stored
 * again, which would take the line from the loop's thread. */
static void publish_next(struct nwi_loop *loop) {
    nwi_ns next = loop->heap_count > 0 ? loop->heap[0].deadline : NWI_NEVER;
    if (atomic_load_explicit(&loop->next_deadline, memory_order_relaxed) != next)
        atomic_store(&loop->next_deadline, next);
}

static bool make_room(struct nwi_loop *loop) {
    if (loop->heap_count < loop->heap_room)
        return true;
    uint32_t room = loop->heap_room > 0 ? loop->heap_room * 2 : FIRST_ROOM;
    struct timer_entry *heap = nwi_realloc(loop->heap, room * sizeof(*heap));
    if (heap == NULL)
        return false;
    loop->heap = heap;
    loop->heap_room = room;
    return true;
}

void nwi_timer_init(struct nwi_timer *timer, struct nwi_loop *loop,
                    void (*fire)(struct nwi_timer *)) {
    *timer = (struct nwi_timer){.fire = fire, .loop = loop};
}

nwi_err nwi_timer_set(struct nwi_timer *timer, nwi_ns deadline) {
    struct nwi_loop *loop = timer->loop;
    pthread_mutex_lock(&loop->timer_lock);
    nwi_ns before = loop->heap_count > 0 ? loop->heap[0].deadline : NWI_NEVER;
    struct timer_entry entry = {.deadline = deadline, .timer = timer};
    if (timer->slot == 0 && !make_room(loop)) {
        pthread_mutex_unlock(&loop->timer_lock);
        return NWI_ERR_NOMEM;
    }
    timer->deadline = deadline;
    if (timer->slot != 0)
        settle(loop, timer->slot - 1, entry);
    else
        sift_up(loop, loop->heap_count++, entry);
    publish_next(loop);
    pthread_mutex_unlock(&loop->timer_lock);
    if (deadline < before)
        nwi_loop_wake_if_sleeping(loop);
    return 0;
}

bool nwi_timer_move(struct nwi_timer *timer, nwi_ns deadline) {
    struct nwi_loop *loop = timer->loop;
    pthread_mutex_lock(&loop->timer_lock);
    bool armed = timer->slot != 0, earliest = false;
    if (armed) {
        earliest = deadline < loop->heap[0].deadline;
        timer->deadline = deadline;
        settle(loop, timer->slot - 1, (struct timer_entry){.deadline = deadline, .timer = timer});
        publish_next(loop);
    }
    pthread_mutex_unlock(&loop->timer_lock);
    if (earliest)
        nwi_loop_wake_if_sleeping(loop);
    return armed;
}

bool nwi_timer_stop(struct nwi_timer *timer) {
    struct nwi_loop *loop = timer->loop;
    if (loop == NULL)
        return false;
    pthread_mutex_lock(&loop->timer_lock);
    bool armed = timer->slot != 0;
    if (armed) {
        remove_at(loop, timer->slot - 1);
        publish_next(loop); /* a loop that sleeps for the old deadline wakes once for nothing */
    }
    pthread_mutex_unlock(&loop->timer_lock);
    return armed;
}

struct nwi_timer *nwi_timer_pop_due(struct nwi_loop *loop, nwi_ns now) {
    if (atomic_load(&loop->next_deadline) > now)
        return NULL;
    struct nwi_timer *timer = NULL;
    pthread_mutex_lock(&loop->timer_lock);
    if (loop->heap_count > 0 && loop->heap[0].deadline <= now) {
        timer = loop->heap[0].timer;
        remove_at(loop, 0);
        publish_next(loop);
    }
    pthread_mutex_unlock(&loop->timer_lock);
    return timer;
}
