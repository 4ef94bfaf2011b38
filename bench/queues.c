/*
 * queues.c - how many items a second go from one thread of control to another.
 * What:   the rows, and the producers of fan-in; the makes are in queues_*.c.
 *         Goal: over three times libuv between two queues (docs/performance.md).
 */
#include "queues.h"
#include <errno.h>
#include <stdlib.h>

#define GOAL_OF_UV 3.0

void queues_ran(struct queues_producer *producer) {
    if (++producer->ran % QUEUES_BATCH == 0)
        sem_post(&producer->batch_done);
}

static void *produce(void *argument) {
    struct queues_producer *producer = argument;
    while (!atomic_load_explicit(producer->stop, memory_order_relaxed)) {
        for (unsigned i = 0; i < QUEUES_BATCH; i++)
            producer->hand_over(producer);
        while (sem_wait(&producer->batch_done) != 0)
            ;
    }
    return NULL;
}

double queues_fan_in(void (*hand_over)(struct queues_producer *), void *to, double seconds) {
    static struct queues_producer producers[QUEUES_PRODUCERS];
    static atomic_bool stop;
    uint64_t ran = 0;
    double start = bench_now();
    for (unsigned i = 0; i < QUEUES_PRODUCERS; i++) {
        producers[i] = (struct queues_producer){.hand_over = hand_over, .to = to, .stop = &stop};
        if (sem_init(&producers[i].batch_done, 0, 0) != 0 ||
            pthread_create(&producers[i].thread, NULL, produce, &producers[i]) != 0)
            bench_die("producer", EAGAIN);
    }
    bench_pause(seconds);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < QUEUES_PRODUCERS; i++) {
        pthread_join(producers[i].thread, NULL);
        ran += producers[i].ran; /* all of it was run: the last batch was waited for */
    }
    return (double)ran / (bench_now() - start);
}

int main(int argc, char **argv) {
    const struct run_make makes[] = {
        {"nw", queues_run_nw, NULL},
        {"uv", RUN_UV(queues_run_uv), NULL},
        {"condition", queues_run_condition, NULL},
        {"eventfd", queues_run_eventfd, NULL},
        {0},
    };
    const struct bench_row rows[] = {
        {.name = "between two queues",
         .measure = run_measure,
         .figures = {{.unit = "hand-overs/s"}},
         .sides = {{"libnw", RUN("nw", "ping-pong"), {0}},
                   {"libuv", RUN("uv", "ping-pong"), {GOAL_OF_UV}},
                   {"mutex, condition", RUN("condition", "ping-pong"), {0}},
                   {"eventfd", RUN("eventfd", "ping-pong"), {0}}}},
        {.name = "thread to queue and back",
         .measure = run_measure,
         .figures = {{.unit = "items/s"}},
         .sides = {{"libnw", RUN("nw", "there-and-back"), {0}},
                   {"libuv", RUN("uv", "there-and-back"), {1}},
                   {"mutex, condition", RUN("condition", "there-and-back"), {0}},
                   {"eventfd", RUN("eventfd", "there-and-back"), {0}}}},
        {.name = "two threads to one queue",
         .measure = run_measure,
         .figures = {{.unit = "items/s"}},
         .sides = {{"libnw", RUN("nw", "fan-in"), {0}},
                   {"libuv", RUN("uv", "fan-in"), {1}},
                   {"bare list, eventfd", RUN("eventfd", "fan-in"), {0}}}},
    };
    const struct bench_program program = {.name = "queues",
                                          .title = "Handing work over",
                                          .notes = run_notes,
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows};
    return run_main(argc, argv, &program, makes);
}
