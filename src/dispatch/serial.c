/*
 * serial.c - serial contexts: a lock-free list, and a state word that says who owns running it.
 * What:   push, drain, direct entry, suspension, hand-off to a waiting thread.
 * Source: the list is the intrusive multi-producer single-consumer queue described by D. Vyukov,
 *         without its stub node.
 * Runs:   on any thread; tasks on the loop (or executor) that drains.
 * Owns:   the tasks in the list until their run() begins.
 */
#include "dispatch/serial.h"
#include "base/object.h"
#include "dispatch/frame.h"
#include "loop/loop.h"
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

/*
 * The state word, and who owns the context.
 *
 *   bits 0..31   count: tasks pushed and not finished, plus one for a thread that entered directly
 *   bit  32      PARKED: tasks wait, nobody is going to run them until a resume
 *   bit  33      INACTIVE: created inactive, not yet activated
 *   bits 34..63  suspensions
 *
 * 1. Whoever moves count from 0 to 1 becomes the owner. A pusher then wakes the context (passes
 * ownership on to the drain it posts); a direct entrant keeps it and runs.
 * 2. Only the owner touches head, target and wake, and only the owner takes tasks out. There is
 * always exactly one owner while count > 0, unless PARKED is set.
 * 3. The owner takes finished work off the count in one subtraction. When the result is 0 it owns
 * nothing any more and must not touch the context: it may be gone. When it is not 0, it is still
 * the owner and must run on, wake, or park.
 * 4. A task is counted before it is linked. So a count of 0 means an empty list, and a direct
 * entrant overtakes nothing that was pushed before. An owner that sees a count of n may take n
 * tasks; at most it has to wait some instants for a link that a pusher has not stored yet. (The
 * other way round, a task could be taken on the count of one linked behind it, which then stood in
 * the list uncounted.)
 * 5. Suspension is looked at before every task. An owner that finds it sets PARKED (in a swap that
 * fails when the suspension is gone) and is no owner any more. The resume that brings suspension to
 * nothing clears PARKED in the same swap, and with that is the owner: it wakes the context.
 * 6. Hand-off (dispatch_sync on a busy context): the drain takes its finished tasks off the count,
 * except the waiter's, and tells the waiter. The waiter is the owner now and ends its task as a
 * direct entrant does.
 *
 * Orders: every change of count releases and acquires, so what one owner did is seen by the next,
 * and a task's content by whoever runs it.
 */
#define COUNT_MASK UINT64_C(0xffffffff)
#define PARKED (UINT64_C(1) << 32)
#define INACTIVE (UINT64_C(1) << 33)
#define SUSPEND_ONE (UINT64_C(1) << 34)
#define STOPPED (~UINT64_C(0) & ~(COUNT_MASK | PARKED)) /* any suspension, or inactive */

enum { TASKS_A_DRAIN = 64, DIRECT_FRAMES = 32 };

/* Frames of try_enter, which has no stack frame that lasts until leave. A free one has serial ==
 * NULL. */
static _Thread_local struct nwi_frame direct_frames[DIRECT_FRAMES];

static void run_drain_task(struct nwi_task *task) {
    nwi_serial_drain(nwi_container_of(task, struct nwi_serial, drain), TASKS_A_DRAIN);
}

void nwi_serial_init(struct nwi_serial *serial, struct nwi_loop *loop, void *owner) {
    /* Relaxed: nobody else has the context yet. */
    atomic_store_explicit(&serial->loop, loop, memory_order_relaxed);
    serial->drain.run = run_drain_task;
    serial->owner = owner;
}

/* --- the list --- */

static void link_task(struct nwi_serial *serial, struct nwi_task *task) {
    atomic_store_explicit(&task->next, NULL, memory_order_relaxed);
    /* acq_rel: releases task->next = NULL to the next pusher, which links behind it; acquires the
     * same of prev. */
    struct nwi_task *prev = atomic_exchange_explicit(&serial->tail, task, memory_order_acq_rel);
    /* Release pairs with the acquire loads of the consumer that waits for this very store. */
    if (prev != NULL)
        atomic_store_explicit(&prev->next, task, memory_order_release);
    else
        atomic_store_explicit(&serial->head, task, memory_order_release);
}

/* Waits for a pusher that stands between its count and its store of the link: a few instructions,
 * unless the kernel stopped it just there. */
static struct nwi_task *wait_for_link(_Atomic(struct nwi_task *) *link) {
    struct nwi_task *task;
    /* Acquire pairs with the release in link_task. */
    for (unsigned spins = 0; (task = atomic_load_explicit(link, memory_order_acquire)) == NULL;
         spins++)
        if (spins > 100)
            sched_yield();
    return task;
}

/* Takes the first task; the count says that there is one. Owner. */
static struct nwi_task *take_task(struct nwi_serial *serial) {
    struct nwi_task *task = wait_for_link(&serial->head);
    struct nwi_task *next = atomic_load_explicit(&task->next, memory_order_acquire);
    if (next == NULL) {
        /* Looks like the last. Emptied before tail is, since a pusher that finds tail empty stores
         * head. */
        atomic_store_explicit(&serial->head, NULL, memory_order_relaxed);
        struct nwi_task *expected = task;
        /* Release: that pusher's acquire of tail puts its store of head after ours. */
        if (atomic_compare_exchange_strong_explicit(&serial->tail, &expected, NULL,
                                                    memory_order_acq_rel, memory_order_relaxed))
            return task;
        next = wait_for_link(&task->next);
    }
    atomic_store_explicit(&serial->head, next, memory_order_relaxed);
    return task;
}

/* --- ownership --- */

/* Passes ownership to a drain that will run soon. */
static void wake(struct nwi_serial *serial) {
    if (serial->wake != NULL) {
        serial->wake(serial);
    } else if (serial->target != NULL) {
        nwi_serial_push(serial->target, &serial->drain);
    } else {
        /* A loop thread keeps it (no hop); others send it where its memory is warm. */
        struct nwi_loop *loop = nwi_loop_current();
        if (loop == NULL)
            loop = atomic_load_explicit(&serial->loop, memory_order_relaxed); /* a hint */
        nwi_loop_post(loop != NULL ? loop : nwi_loop_pick_next(), &serial->drain);
    }
}

/* The owner, with work left, either wakes or parks. */
static void wake_or_park(struct nwi_serial *serial) {
    uint64_t state = atomic_load_explicit(&serial->state, memory_order_relaxed);
    while ((state & STOPPED) != 0)
        /* acq_rel: ownership goes to whoever resumes. */
        if (atomic_compare_exchange_weak_explicit(&serial->state, &state, state | PARKED,
                                                  memory_order_acq_rel, memory_order_relaxed))
            return;
    wake(serial);
}

void nwi_serial_push(struct nwi_serial *serial, struct nwi_task *task) {
    uint64_t before = atomic_fetch_add_explicit(&serial->state, 1, memory_order_acq_rel);
    link_task(serial, task);
    if ((before & COUNT_MASK) != 0)
        return;
    nwi_retain(serial->owner);
    wake_or_park(serial);
}

/* Takes `done` off the count. True: still the owner, work is left. */
static bool settle(struct nwi_serial *serial, uint32_t done) {
    void *owner =
        serial->owner; /* read first: with nothing left, the context is not ours to look at */
    uint64_t before = atomic_fetch_sub_explicit(&serial->state, done, memory_order_acq_rel);
    if ((before & COUNT_MASK) != done)
        return true;
    nwi_release(owner);
    return false;
}

void nwi_serial_drain(struct nwi_serial *serial, unsigned limit) {
    struct nwi_frame frame = {.serial = serial};
    nwi_frame_push(&frame);
    atomic_store_explicit(&serial->loop, nwi_loop_current(), memory_order_relaxed);
    for (;;) {
        /* Acquire pairs with what changed the count; what was pushed comes with its link. */
        uint64_t state = atomic_load_explicit(&serial->state, memory_order_acquire);
        bool finished = (state & COUNT_MASK) == frame.done;
        bool stop = (state & STOPPED) != 0 || limit == 0 || frame.moved;
        if (finished || stop) {
            uint32_t done = frame.done;
            frame.done = 0;
            if (done > 0 && !settle(serial, done))
                break;
            if (!stop)
                continue; /* something came in between */
            wake_or_park(serial);
            break;
        }
        struct nwi_task *task = take_task(serial);
        limit--;
        task->run(task);
        if (frame.handed)
            break;
        frame.done++;
        if (nwi_loop_turn_is_over())
            limit = 0;
    }
    nwi_frame_pop(&frame);
}

void nwi_frame_hand_off(void) {
    for (struct nwi_frame *frame = nwi_frame_top(); frame != NULL; frame = frame->up) {
        frame->handed = true;
        /* The waiter's own task keeps the count above 0, so nothing is released here. */
        if (frame->serial != NULL && frame->done > 0)
            atomic_fetch_sub_explicit(&frame->serial->state, frame->done, memory_order_acq_rel);
        frame->done = 0;
    }
}

/* --- direct entry --- */

static bool enter_state(struct nwi_serial *serial) {
    uint64_t idle = 0;
    /* Acquire pairs with the last owner's subtraction. Nothing but an idle, running context has
     * state 0. */
    if (!atomic_compare_exchange_strong_explicit(&serial->state, &idle, 1, memory_order_acq_rel,
                                                 memory_order_relaxed))
        return false;
    nwi_retain(serial->owner);
    if (serial->wake != NULL || (serial->target != NULL && !enter_state(serial->target))) {
        nwi_serial_leave_one(serial);
        return false;
    }
    return true;
}

void nwi_serial_leave_one(struct nwi_serial *serial) {
    if (settle(serial, 1))
        wake_or_park(serial);
}

/* Unlinks and frees the innermost direct frame of the context. */
static void drop_direct_frame(struct nwi_serial *serial) {
    for (struct nwi_frame **link = nwi_frame_top_link(); *link != NULL; link = &(*link)->up) {
        struct nwi_frame *frame = *link;
        if (frame->serial == serial && frame >= direct_frames &&
            frame < direct_frames + DIRECT_FRAMES) {
            *link = frame->up;
            frame->serial = NULL;
            return;
        }
    }
}

bool nwi_serial_try_enter(struct nwi_serial *serial) {
    struct nwi_frame *frame = NULL;
    for (unsigned i = 0; i < DIRECT_FRAMES && frame == NULL; i++)
        if (direct_frames[i].serial == NULL)
            frame = &direct_frames[i];
    if (frame == NULL || !enter_state(serial)) /* nested too deep: as good as busy */
        return false;
    *frame = (struct nwi_frame){.serial = serial};
    nwi_frame_push(frame);
    return true;
}

/* Leaves the context and all that it held by targeting them. */
static void leave_all(struct nwi_serial *serial) {
    while (serial != NULL) {
        struct nwi_serial *target = serial->target; /* read while we still hold it */
        nwi_serial_leave_one(serial);
        serial = target;
    }
}

void nwi_serial_leave(struct nwi_serial *serial) {
    drop_direct_frame(serial);
    leave_all(serial);
}

void nwi_serial_perform(struct nwi_serial *serial, struct nwi_task *task) {
    if (!enter_state(serial)) {
        nwi_serial_push(serial, task);
        return;
    }
    struct nwi_frame frame = {.serial = serial};
    nwi_frame_push(&frame);
    task->run(task);
    nwi_frame_pop(&frame);
    leave_all(serial);
}

bool nwi_serial_is_current(const struct nwi_serial *serial) {
    for (struct nwi_frame *frame = nwi_frame_top(); frame != NULL; frame = frame->up)
        for (struct nwi_serial *held = frame->serial; held != NULL; held = held->target)
            if (held == serial)
                return true;
    return false;
}

/* --- suspension --- */

void nwi_serial_suspend(struct nwi_serial *serial) {
    /* acq_rel: what the suspender did before is seen by the owner that stops for it. */
    atomic_fetch_add_explicit(&serial->state, SUSPEND_ONE, memory_order_acq_rel);
}

/* Takes `what` off the state when `mask` is there; wakes when that was the last stop. */
static bool unstop(struct nwi_serial *serial, uint64_t mask, uint64_t what) {
    uint64_t state = atomic_load_explicit(&serial->state, memory_order_relaxed), next;
    bool take_over;
    do {
        if ((state & mask) == 0)
            return false;
        next = state - what;
        take_over = (next & STOPPED) == 0 && (next & PARKED) != 0;
        if (take_over)
            next &= ~PARKED;
        /* acq_rel: takes over ownership from whoever parked. */
    } while (!atomic_compare_exchange_weak_explicit(&serial->state, &state, next,
                                                    memory_order_acq_rel, memory_order_relaxed));
    if (take_over)
        wake(serial);
    return true;
}

bool nwi_serial_resume(struct nwi_serial *serial) {
    return unstop(serial, STOPPED & ~INACTIVE, SUSPEND_ONE);
}

void nwi_serial_set_inactive(struct nwi_serial *serial) {
    atomic_fetch_or_explicit(&serial->state, INACTIVE, memory_order_relaxed); /* before first use */
}

bool nwi_serial_activate(struct nwi_serial *serial) {
    return unstop(serial, INACTIVE, INACTIVE);
}

bool nwi_serial_is_inactive(const struct nwi_serial *serial) {
    return (atomic_load_explicit(&serial->state, memory_order_relaxed) & INACTIVE) != 0;
}

bool nwi_serial_is_suspended(const struct nwi_serial *serial) {
    return (atomic_load_explicit(&serial->state, memory_order_relaxed) & STOPPED) != 0;
}

unsigned nwi_serial_count(const struct nwi_serial *serial) {
    return (unsigned)(atomic_load_explicit(&serial->state, memory_order_relaxed) & COUNT_MASK);
}

void nwi_serial_retarget(struct nwi_serial *serial, struct nwi_serial *target,
                         void (*wake_by)(struct nwi_serial *)) {
    serial->target = target;
    serial->wake = wake_by;
    struct nwi_frame *frame = nwi_frame_top();
    if (frame != NULL && frame->serial == serial)
        frame->moved = true;
}
