/*
 * queues_uv.c - hand-over between libuv loops, each in a thread of its own.
 * What:   uv_async_send wakes a loop and carries nothing; items of fan-in travel in a list under a
 *         mutex, as libuv's manual advises, and the loop takes the whole list at once.
 */
#include "queues.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct item {
    struct item *next;
    struct queues_producer *producer;
};

struct side {
    uv_loop_t loop;
    uv_async_t wake;
    uv_thread_t thread;
    uv_mutex_t lock; /* items */
    struct item *first, **end;
    struct side *other;
    uint64_t _Atomic count;
    sem_t answered;
};

static void turn(void *side) {
    uv_run(&((struct side *)side)->loop, UV_RUN_DEFAULT);
}

static void begin(struct side *side, uv_async_cb woken) {
    side->end = &side->first;
    if (uv_loop_init(&side->loop) != 0 || uv_async_init(&side->loop, &side->wake, woken) != 0 ||
        uv_mutex_init(&side->lock) != 0 || sem_init(&side->answered, 0, 0) != 0)
        bench_die("libuv", ENOMEM);
    side->wake.data = side;
}

static void start_thread(struct side *side) {
    if (uv_thread_create(&side->thread, turn, side) != 0)
        bench_die("uv_thread_create", EAGAIN);
}

static void bounce(uv_async_t *wake) {
    struct side *side = wake->data;
    atomic_store_explicit(&side->count,
                          atomic_load_explicit(&side->count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    uv_async_send(&side->other->wake);
}

static double ping_pong(double seconds) {
    static struct side a, b;
    a.other = &b;
    b.other = &a;
    begin(&a, bounce);
    begin(&b, bounce);
    start_thread(&a);
    start_thread(&b);
    double start = bench_now();
    uv_async_send(&a.wake);
    bench_pause(seconds);
    uint64_t count = atomic_load(&a.count) + atomic_load(&b.count);
    return (double)count / (bench_now() - start);
}

static void answer(uv_async_t *wake) {
    struct side *side = wake->data;
    sem_post(&side->answered);
}

static double there_and_back(double seconds) {
    static struct side side;
    uint64_t count = 0;
    begin(&side, answer);
    start_thread(&side);
    double start = bench_now(), now = start;
    while (now < start + seconds) {
        uv_async_send(&side.wake);
        while (sem_wait(&side.answered) != 0)
            ;
        count++;
        now = bench_now();
    }
    return (double)count / (now - start);
}

static void run_items(uv_async_t *wake) {
    struct side *side = wake->data;
    uv_mutex_lock(&side->lock);
    struct item *item = side->first;
    side->first = NULL;
    side->end = &side->first;
    uv_mutex_unlock(&side->lock);
    while (item != NULL) {
        struct item *next = item->next;
        queues_ran(item->producer);
        free(item);
        item = next;
    }
}

static void hand_over(struct queues_producer *producer) {
    struct side *side = producer->to;
    struct item *item = malloc(sizeof *item);
    if (item == NULL)
        bench_die("item", ENOMEM);
    *item = (struct item){.producer = producer};
    uv_mutex_lock(&side->lock);
    *side->end = item;
    side->end = &item->next;
    uv_mutex_unlock(&side->lock);
    uv_async_send(&side->wake);
}

void queues_run_uv(const struct run_order *order, double ret_values[]) {
    static struct side side;
    if (strcmp(order->name, "ping-pong") == 0) {
        ret_values[0] = ping_pong(order->seconds);
    } else if (strcmp(order->name, "there-and-back") == 0) {
        ret_values[0] = there_and_back(order->seconds);
    } else {
        begin(&side, run_items);
        start_thread(&side);
        ret_values[0] = queues_fan_in(hand_over, &side, order->seconds);
    }
}
