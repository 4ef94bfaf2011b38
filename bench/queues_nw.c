/*
 * queues_nw.c - hand-over between dispatch queues.
 * Runs:   items on their queue; the producers on threads of their own.
 */
#include "queues.h"
#include <dispatch/dispatch.h>
#include <errno.h>
#include <string.h>

struct side {
    dispatch_queue_t queue;
    struct side *other;
    uint64_t _Atomic count;
};

static void bounce(void *context) {
    struct side *side = context;
    atomic_store_explicit(&side->count,
                          atomic_load_explicit(&side->count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    dispatch_async_f(side->other->queue, side->other, bounce);
}

static double ping_pong(double seconds) {
    static struct side a, b;
    a.queue = dispatch_queue_create("a", DISPATCH_QUEUE_SERIAL);
    b.queue = dispatch_queue_create("b", DISPATCH_QUEUE_SERIAL);
    a.other = &b;
    b.other = &a;
    double start = bench_now();
    dispatch_async_f(a.queue, &a, bounce);
    bench_pause(seconds);
    uint64_t count = atomic_load(&a.count) + atomic_load(&b.count);
    return (double)count / (bench_now() - start);
}

static void answer(void *semaphore) {
    dispatch_semaphore_signal(semaphore);
}

static double there_and_back(double seconds) {
    dispatch_queue_t queue = dispatch_queue_create("there", DISPATCH_QUEUE_SERIAL);
    dispatch_semaphore_t answered = dispatch_semaphore_create(0);
    uint64_t count = 0;
    double start = bench_now(), now = start;
    while (now < start + seconds) {
        dispatch_async_f(queue, answered, answer);
        dispatch_semaphore_wait(answered, DISPATCH_TIME_FOREVER);
        count++;
        now = bench_now();
    }
    dispatch_release(answered);
    dispatch_release(queue);
    return (double)count / (now - start);
}

static void item(void *producer) {
    queues_ran(producer);
}

static void hand_over(struct queues_producer *producer) {
    dispatch_async_f(producer->to, producer, item);
}

void queues_run_nw(const struct run_order *order, double ret_values[]) {
    if (strcmp(order->name, "ping-pong") == 0) {
        ret_values[0] = ping_pong(order->seconds);
    } else if (strcmp(order->name, "there-and-back") == 0) {
        ret_values[0] = there_and_back(order->seconds);
    } else {
        dispatch_queue_t queue = dispatch_queue_create("fan-in", DISPATCH_QUEUE_SERIAL);
        ret_values[0] = queues_fan_in(hand_over, queue, order->seconds);
        dispatch_release(queue);
    }
}
