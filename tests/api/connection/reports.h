/*
 * reports.h - waiting for a report that comes on a queue of its own.
 * Runs:   take() on that queue, the rest on the test's thread.
 */
#ifndef TESTS_API_CONNECTION_REPORTS_H
#define TESTS_API_CONNECTION_REPORTS_H

#include "support.h"
#include <time.h>

struct told {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    dispatch_queue_t queue;
    int calls;
    bool on_queue;
    void *report; /* owned; an establishment or a data transfer report */
};

static inline struct told *tell(void) {
    struct told *told = calloc(1, sizeof *told);
    assert_non_null(told);
    pthread_mutex_init(&told->lock, NULL);
    pthread_cond_init(&told->changed, NULL);
    told->queue = dispatch_queue_create("reports", NULL);
    dispatch_queue_set_specific(told->queue, told, told, NULL);
    return told;
}

static inline void take(struct told *told, void *report) {
    pthread_mutex_lock(&told->lock);
    told->calls++;
    told->on_queue = dispatch_get_specific(told) == told;
    told->report = nw_retain(report);
    pthread_cond_signal(&told->changed);
    pthread_mutex_unlock(&told->lock);
}

static inline void nothing(void *context) {
    (void)context;
}

static inline void await_calls(struct told *told, int calls) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&told->lock);
    int err = 0;
    while (told->calls < calls && err == 0)
        err = pthread_cond_timedwait(&told->changed, &told->lock, &until);
    pthread_mutex_unlock(&told->lock);
    assert_int_equal(err, 0);
}

/* Frees it; the report that came, +1 or NULL. */
static inline void *forget(struct told *told) {
    void *report = told->report;
    dispatch_release(told->queue);
    free(told);
    return report;
}

/* The report, +1 or NULL, after exactly one call on the queue that was named. Frees it. */
static inline void *await_report(struct told *told) {
    await_calls(told, 1);
    dispatch_sync_f(told->queue, NULL, nothing); /* a second call would be before this */
    assert_int_equal(told->calls, 1);
    assert_true(told->on_queue);
    return forget(told);
}

#endif
