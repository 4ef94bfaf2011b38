/*
 * queues.h - handing work from one thread of control to another, in several makes.
 * What:   "ping-pong": two serial queues (loops, threads) hand one item to and fro; hand-overs/s.
 *         "there-and-back": a plain thread hands an item over and sleeps until it was run; items/s.
 *         "fan-in": two plain threads hand items to one queue, each at most QUEUES_BATCH ahead of
 *         it; items/s. Every item of fan-in is an allocation of its own, as a task is.
 */
#ifndef BENCH_QUEUES_H
#define BENCH_QUEUES_H

#include "run.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { QUEUES_PRODUCERS = 2, QUEUES_BATCH = 10000 };

/* One of the threads of fan-in: it hands over a batch, sleeps until that was run, and so on. */
struct queues_producer {
    pthread_t thread;
    sem_t batch_done;
    void (*hand_over)(struct queues_producer *self);
    void *to; /* of the make */
    atomic_bool *stop;
    _Alignas(64) uint64_t ran; /* written by the consumer alone */
};

/* What an item of fan-in does when it is run. */
void queues_ran(struct queues_producer *producer);
/* Runs two producers for that long. Returns items/s. */
double queues_fan_in(void (*hand_over)(struct queues_producer *), void *to, double seconds);

void queues_run_nw(const struct run_order *order, double ret_values[]);
void queues_run_uv(const struct run_order *order, double ret_values[]);
void queues_run_condition(const struct run_order *order, double ret_values[]);
void queues_run_eventfd(const struct run_order *order, double ret_values[]);

#endif
