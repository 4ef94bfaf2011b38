/*
 * support.h - what the tests of a loop share: one event, a callback that gets stuck, a watched
 * descriptor.
 */
#ifndef TESTS_UNIT_LOOP_SUPPORT_H
#define TESTS_UNIT_LOOP_SUPPORT_H

#include "fake/await.h"
#include "loop/loop.h"
#include <pthread.h>
#include <stdatomic.h>

static sem_t done;

static inline int set_up(void **state) {
    (void)state;
    event_init(&done);
    nwi_loop_set_patience(4 * NWI_MS);
    return 0;
}

/* Where order is looked at from inside the callbacks: a slow machine must not let one overtake
 * another. */
static inline int set_up_patient(void **state) {
    set_up(state);
    nwi_loop_set_patience(NWI_NEVER);
    return 0;
}

/* A callback that holds up its thread until it is told to go on. */
struct stuck {
    struct nwi_task task;
    sem_t entered, go, left;
    pthread_t thread;
};

static inline void get_stuck(struct nwi_task *task) {
    struct stuck *stuck = nwi_container_of(task, struct stuck, task);
    stuck->thread = pthread_self();
    sem_post(&stuck->entered);
    await(&stuck->go);
    sem_post(&stuck->left);
}

static inline void stick(struct stuck *stuck, struct nwi_loop *loop) {
    *stuck = (struct stuck){.task.run = get_stuck};
    event_init(&stuck->entered);
    event_init(&stuck->go);
    event_init(&stuck->left);
    nwi_loop_post(loop, &stuck->task);
    await(&stuck->entered);
}

static inline void free_stuck(struct stuck *stuck) {
    sem_post(&stuck->go);
    await(&stuck->left);
}

struct event_task {
    struct nwi_task task;
    sem_t *event;
    int left;
};

static inline void post_event(struct nwi_task *task) {
    sem_post(nwi_container_of(task, struct event_task, task)->event);
}

static inline void fire_event(struct nwi_timer *timer) {
    (void)timer;
    sem_post(&done);
}

struct watched {
    struct nwi_io io;
    sem_t ready, stopped;
    _Atomic unsigned events; /* of the last callback */
    _Atomic int late;        /* callbacks after `stopped` */
    _Atomic bool gone;
};

static inline void note_ready(struct nwi_io *io, unsigned events) {
    struct watched *watched = nwi_container_of(io, struct watched, io);
    if (atomic_load(&watched->gone))
        atomic_fetch_add(&watched->late, 1);
    atomic_store(&watched->events, events);
    sem_post(&watched->ready);
}

static inline void note_stopped(struct nwi_io *io) {
    struct watched *watched = nwi_container_of(io, struct watched, io);
    atomic_store(&watched->gone, true);
    sem_post(&watched->stopped);
}

static inline nwi_err watch(struct watched *watched, int fd, enum nwi_io_mode mode) {
    *watched = (struct watched){.io = {.ready = note_ready, .stopped = note_stopped}};
    event_init(&watched->ready);
    event_init(&watched->stopped);
    return nwi_io_start(&watched->io, nwi_loop_pick_next(), fd, mode);
}

static inline void unwatch(struct watched *watched) {
    nwi_io_stop(&watched->io);
    await(&watched->stopped);
}

#endif
