/*
 * latch.h - for tests of handlers: to wait, with a deadline, until something has happened n times.
 * What:   independent of the library's own semaphores, so that their failures do not hide in it.
 */
#ifndef TESTS_LATCH_H
#define TESTS_LATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

struct latch {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count;
    unsigned marked; /* of the hits, those with a mark */
};
#define LATCH_INIT                                                                                 \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 }

/* One hit, with a mark or without: both counts change at once. The latch is not touched afterwards,
 * so whoever waits may let its memory go. */
static inline void latch_hit_marked(struct latch *latch, bool mark) {
    pthread_mutex_lock(&latch->lock);
    latch->count++;
    latch->marked += mark;
    pthread_cond_broadcast(&latch->changed);
    pthread_mutex_unlock(&latch->lock);
}
static inline void latch_hit(struct latch *latch) {
    latch_hit_marked(latch, false);
}

static inline unsigned latch_count(struct latch *latch) {
    pthread_mutex_lock(&latch->lock);
    unsigned count = latch->count;
    pthread_mutex_unlock(&latch->lock);
    return count;
}

static inline bool latch_wait_on(struct latch *latch, const unsigned *value, unsigned count,
                                 unsigned milliseconds) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&latch->lock);
    int failed = 0;
    while (*value < count && failed == 0)
        failed = pthread_cond_timedwait(&latch->changed, &latch->lock, &end);
    bool reached = *value >= count;
    pthread_mutex_unlock(&latch->lock);
    return reached;
}

/* True: it has been hit `count` times or more. False: `milliseconds` passed first. */
static inline bool latch_wait(struct latch *latch, unsigned count, unsigned milliseconds) {
    return latch_wait_on(latch, &latch->count, count, milliseconds);
}
/* The same for hits with a mark. */
static inline bool latch_wait_marked(struct latch *latch, unsigned count, unsigned milliseconds) {
    return latch_wait_on(latch, &latch->marked, count, milliseconds);
}

enum { SOON = 10000 }; /* milliseconds: what a test waits for something that must happen */

#endif
