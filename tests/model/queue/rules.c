/*
 * rules.c - see rules.h.
 * What:   one lock, a clock of tickets, and for each queue the items that wait or run. An item is
 *         compared with the others when it begins.
 * Runs:   on any thread.
 */
#include "rules.h"
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 60 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint64_t ticket;
static unsigned long unfinished, items;
static unsigned long long seed;

void rules_start(unsigned long long with_seed) {
    seed = with_seed;
}

unsigned long rules_items(void) {
    pthread_mutex_lock(&lock);
    unsigned long count = items;
    pthread_mutex_unlock(&lock);
    return count;
}

void rules_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "queue_model: ");
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nseed %llu; again with: queue_model --seed %llu --rounds 1\n", seed, seed);
    abort();
}

void rules_init_queue(struct model_queue *queue, dispatch_queue_t real, enum kind kind,
                      struct model_queue *target) {
    *queue = (struct model_queue){.queue = real, .kind = kind, .target = target};
    LIST_INIT(&queue->waiting);
}

void rules_submit(struct item *item, struct model_queue *on, bool barrier) {
    pthread_mutex_lock(&lock);
    item->on = on;
    item->barrier = barrier && on->kind == CONCURRENT;
    item->exclusive = on->kind == SERIAL || on->kind == MAIN || item->barrier;
    item->running = false;
    item->runs = 0;
    item->submitted = 0;
    item->submit = ++ticket;
    item->queued = true;
    LIST_INSERT_HEAD(&on->waiting, item, link);
    unfinished++;
    items++;
    pthread_mutex_unlock(&lock);
}

void rules_submitted(struct item *item) {
    pthread_mutex_lock(&lock);
    item->submitted = ++ticket;
    pthread_mutex_unlock(&lock);
}

/* Whether it is known which target the item runs under, and which. What passes through a queue that
 * has ever been moved may be drained before or after that, whenever it was submitted. */
static bool target_of(const struct model_queue *queue, const struct item *item,
                      struct model_queue **ret_target) {
    if (queue != item->on && queue->moved_from != 0)
        return false;
    if (queue->moved_from == 0 || (queue->moved_at != 0 && item->submit > queue->moved_at))
        *ret_target = queue->target;
    else if (item->submitted != 0 && item->submitted < queue->moved_from)
        *ret_target = queue->old_target;
    else
        return false;
    return true;
}

static void raise_counts(struct item *item) {
    struct model_queue *queue = item->on;
    item->counts = 0;
    bool exclusive = item->exclusive;
    while (queue != NULL) {
        if (queue->exclusive_running > 0 || (exclusive && queue->running > 0))
            rules_fail("two items at once that exclude each other, %s queue %p",
                       queue == item->on ? "on" : "above, on", (void *)queue->queue);
        queue->running++;
        queue->exclusive_running += exclusive;
        item->counted[item->counts] = queue;
        item->counted_exclusive[item->counts++] = exclusive;
        struct model_queue *target;
        if (!target_of(queue, item, &target))
            break;
        queue = target;
        exclusive = queue != NULL && (queue->kind == SERIAL || queue->kind == MAIN);
    }
}

void rules_begin(struct item *item) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (item->exclusive)
        item->on->plain++;
    pthread_mutex_lock(&lock);
    struct model_queue *queue = item->on;
    if (++item->runs != 1)
        rules_fail("an item ran %u times", item->runs);
    if ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec < item->not_before)
        rules_fail("an item of dispatch_after came early");
    if (queue->held > 0)
        rules_fail("an item began on a queue that is suspended or inactive");
    const struct item *other;
    LIST_FOREACH (other, &queue->waiting, link)
        if (other != item && queue->kind != GLOBAL && other->submitted != 0 &&
            other->submitted < item->submit && (item->exclusive || other->exclusive))
            rules_fail("an item began before an earlier one had ended");
    raise_counts(item);
    item->running = true;
    pthread_mutex_unlock(&lock);
}

void rules_end(struct item *item) {
    if (item->exclusive)
        item->on->plain++;
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < item->counts; i++) {
        item->counted[i]->running--;
        item->counted[i]->exclusive_running -= item->counted_exclusive[i];
    }
    LIST_REMOVE(item, link);
    item->running = item->queued = false;
    unfinished--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void rules_hold(struct model_queue *queue) {
    pthread_mutex_lock(&lock);
    queue->held++;
    pthread_mutex_unlock(&lock);
}

void rules_let_go(struct model_queue *queue) {
    pthread_mutex_lock(&lock);
    queue->held--;
    pthread_mutex_unlock(&lock);
}

void rules_activated(struct model_queue *queue) {
    pthread_mutex_lock(&lock);
    queue->movable = true;
    pthread_mutex_unlock(&lock);
}

bool rules_move(struct model_queue *queue, struct model_queue *target) {
    pthread_mutex_lock(&lock);
    /* One change at a time, and none while items wait that came before the last one. */
    bool can = queue->movable && (queue->moved_from == 0 || queue->moved_at != 0);
    const struct item *item;
    LIST_FOREACH (item, &queue->waiting, link)
        can = can && (queue->moved_from == 0 || item->submit > queue->moved_at);
    if (can) {
        queue->old_target = queue->target;
        queue->target = target;
        queue->moved_from = ++ticket;
        queue->moved_at = 0;
    }
    pthread_mutex_unlock(&lock);
    return can;
}

bool rules_ended(const struct item *item) {
    pthread_mutex_lock(&lock);
    bool ended = item->runs == 1 && !item->queued;
    pthread_mutex_unlock(&lock);
    return ended;
}

void rules_moved(struct model_queue *queue) {
    pthread_mutex_lock(&lock);
    queue->moved_at = ++ticket;
    pthread_mutex_unlock(&lock);
}

void rules_wait(unsigned long most) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    pthread_mutex_lock(&lock);
    while (unfinished > most)
        if (pthread_cond_timedwait(&changed, &lock, &until) == ETIMEDOUT)
            rules_fail("%lu items have not run after %d seconds", unfinished, PATIENCE_SECONDS);
    pthread_mutex_unlock(&lock);
}
