/*
 * queues_bare.c - hand-over between threads with nothing in between: the limits.
 * What:   two threads that sleep on a condition, or on an eventfd each; a list that producers push
 *         to with one exchange (newest first, turned round by the consumer) and an eventfd that is
 *         written only when the consumer sleeps.
 */
#include "queues.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A thread's door: what others knock at. One of the two ways is in use. */
struct door {
    bool by_condition;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool knocked;
    int event;
    struct door *other;
    uint64_t _Atomic count;
};

static void open_door(struct door *door, bool by_condition, struct door *other) {
    door->by_condition = by_condition;
    door->other = other;
    door->event = eventfd(0, EFD_CLOEXEC);
    if (door->event < 0 || pthread_mutex_init(&door->lock, NULL) != 0 ||
        pthread_cond_init(&door->changed, NULL) != 0)
        bench_die("door", ENOMEM);
}

static void knock(struct door *door) {
    uint64_t one = 1;
    if (!door->by_condition) {
        if (write(door->event, &one, sizeof one) != sizeof one)
            bench_die("eventfd", errno);
        return;
    }
    pthread_mutex_lock(&door->lock);
    door->knocked = true;
    pthread_mutex_unlock(&door->lock);
    pthread_cond_signal(&door->changed);
}

static void wait_at(struct door *door) {
    uint64_t value;
    if (!door->by_condition) {
        if (read(door->event, &value, sizeof value) != sizeof value)
            bench_die("eventfd", errno);
        return;
    }
    pthread_mutex_lock(&door->lock);
    while (!door->knocked)
        pthread_cond_wait(&door->changed, &door->lock);
    door->knocked = false;
    pthread_mutex_unlock(&door->lock);
}

static void start_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    int err = pthread_create(&thread, NULL, body, argument);
    if (err != 0)
        bench_die("pthread_create", err);
}

static void *bounce(void *argument) {
    struct door *door = argument;
    for (;;) {
        wait_at(door);
        atomic_store_explicit(&door->count,
                              atomic_load_explicit(&door->count, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        knock(door->other);
    }
    return NULL;
}

/* With one thread more it is the same as there and back: the plain thread is the other side. */
static double ping_pong(bool by_condition, double seconds) {
    static struct door a, b;
    open_door(&a, by_condition, &b);
    open_door(&b, by_condition, &a);
    start_thread(bounce, &a);
    start_thread(bounce, &b);
    double start = bench_now();
    knock(&a);
    bench_pause(seconds);
    uint64_t count = atomic_load(&a.count) + atomic_load(&b.count);
    return (double)count / (bench_now() - start);
}

static double there_and_back(bool by_condition, double seconds) {
    static struct door here, there;
    uint64_t count = 0;
    open_door(&here, by_condition, &there);
    open_door(&there, by_condition, &here);
    start_thread(bounce, &there);
    double start = bench_now(), now = start;
    while (now < start + seconds) {
        knock(&there);
        wait_at(&here);
        count++;
        now = bench_now();
    }
    return (double)count / (now - start);
}

/* --- fan-in --- */

struct item {
    struct item *next;
    struct queues_producer *producer;
};

struct inbox {
    struct item *_Atomic newest;
    atomic_bool sleeping;
    struct door door;
};

static struct item *take_all(struct inbox *inbox) {
    struct item *item = atomic_exchange(&inbox->newest, NULL), *oldest = NULL;
    while (item != NULL) {
        struct item *next = item->next;
        item->next = oldest;
        oldest = item;
        item = next;
    }
    return oldest;
}

static void *consume(void *argument) {
    struct inbox *inbox = argument;
    for (;;) {
        struct item *item = take_all(inbox);
        while (item != NULL) {
            struct item *next = item->next;
            queues_ran(item->producer);
            free(item);
            item = next;
        }
        if (atomic_load(&inbox->newest) != NULL)
            continue;
        atomic_store(&inbox->sleeping, true);
        /* Who pushes from here on sees `sleeping`; who pushed before is seen here. */
        if (atomic_load(&inbox->newest) == NULL || !atomic_exchange(&inbox->sleeping, false))
            wait_at(&inbox->door);
    }
    return NULL;
}

static void hand_over(struct queues_producer *producer) {
    struct inbox *inbox = producer->to;
    struct item *item = malloc(sizeof *item);
    if (item == NULL)
        bench_die("item", ENOMEM);
    item->producer = producer;
    item->next = atomic_load(&inbox->newest);
    while (!atomic_compare_exchange_weak(&inbox->newest, &item->next, item))
        ;
    if (atomic_load(&inbox->sleeping) && atomic_exchange(&inbox->sleeping, false))
        knock(&inbox->door);
}

static void run(bool by_condition, const struct run_order *order, double ret_values[]) {
    static struct inbox inbox;
    if (strcmp(order->name, "ping-pong") == 0) {
        ret_values[0] = ping_pong(by_condition, order->seconds);
    } else if (strcmp(order->name, "there-and-back") == 0) {
        ret_values[0] = there_and_back(by_condition, order->seconds);
    } else {
        open_door(&inbox.door, by_condition, NULL);
        start_thread(consume, &inbox);
        ret_values[0] = queues_fan_in(hand_over, &inbox, order->seconds);
    }
}

void queues_run_condition(const struct run_order *order, double ret_values[]) {
    run(true, order, ret_values);
}

void queues_run_eventfd(const struct run_order *order, double ret_values[]) {
    run(false, order, ret_values);
}
