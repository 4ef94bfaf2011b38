/*
 * rules.h - what dispatch queues promise, written down, and held against what happens.
 * What:   the program under test tells when it submits an item and when that begins and ends; the
 *         rules end the process with the seed when that breaks a promise:
 *         1. each item runs once;
 *         2. what was submitted to a serial queue before another item ends before that begins, and
 *            so it is on a concurrent queue when either of the two is a barrier;
 *         3. items that exclude each other never overlap: those of one serial queue, those of all
 *            queues that target it, a barrier and everything on its queue;
 *         4. nothing begins while the queue is suspended (from inside) or inactive;
 *         5. dispatch_sync and dispatch_apply return after their work; dispatch_after is not early.
 *         "Before" is in real time: one call had returned when the other was made.
 * Runs:   on any thread.
 */
#ifndef TESTS_MODEL_QUEUE_RULES_H
#define TESTS_MODEL_QUEUE_RULES_H

#include <dispatch/dispatch.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct item;
LIST_HEAD(item_list, item);

enum kind { SERIAL, CONCURRENT, GLOBAL, MAIN };

struct model_queue {
    dispatch_queue_t queue;
    enum kind kind;
    unsigned long plain; /* touched by exclusive items without the model's lock: for TSan */
    /* Under the model's lock from here on. */
    struct model_queue *target; /* NULL: none that orders anything */
    /* A change of target is on its way: items submitted in between may run under either. */
    uint64_t moved_from, moved_at; /* tickets: when the call began, and when it had returned */
    struct model_queue *old_target;
    struct item_list waiting; /* submitted or running */
    unsigned exclusive_running, running;
    unsigned held; /* suspended from inside, or inactive: no item may begin */
    bool movable;  /* active: a change of target takes its turn among the items */
};

struct item {
    LIST_ENTRY(item) link;
    struct model_queue *on;
    bool exclusive, barrier, running, queued;
    uint64_t submit, submitted;     /* tickets; submitted 0: the call has not returned */
    uint64_t not_before;            /* nanoseconds of CLOCK_MONOTONIC */
    struct model_queue *counted[8]; /* itself and those above it whose counts it raised */
    bool counted_exclusive[8];
    unsigned counts, runs;
};

void rules_start(unsigned long long seed); /* printed with every failure */
void rules_init_queue(struct model_queue *queue, dispatch_queue_t real, enum kind kind,
                      struct model_queue *target);
/* The call is about to be made, and has returned. An item is kept until rules_wait(0) has returned.
 */
void rules_submit(struct item *item, struct model_queue *on, bool barrier);
void rules_submitted(struct item *item);
void rules_begin(struct item *item);
void rules_end(struct item *item);
void rules_hold(struct model_queue *queue);
void rules_let_go(struct model_queue *queue);
void rules_activated(struct model_queue *queue);
/* Before and after a call that changes the target. False: the rules could not follow now. */
bool rules_move(struct model_queue *queue, struct model_queue *target);
void rules_moved(struct model_queue *queue);
bool rules_ended(const struct item *item);
/* Submitted and not yet ended, in the whole program; waits until it is at most `most`. */
void rules_wait(unsigned long most);
unsigned long rules_items(void);
_Noreturn void rules_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define rules_expect(condition)                                                                    \
    do {                                                                                           \
        if (!(condition))                                                                          \
            rules_fail("%s:%d: %s", __FILE__, __LINE__, #condition);                               \
    } while (0)

#endif
