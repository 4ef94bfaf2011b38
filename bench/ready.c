/*
 * ready.c - how long until a connection is ready, over what a bare connect takes.
 * What:   the rows and the samples; the makes are in ready_*.c.
 */
#include "ready.h"

void ready_begin(struct ready_samples *samples, double seconds) {
    samples->end = bench_now() + seconds;
}

bool ready_add(struct ready_samples *samples, double begun) {
    double now = bench_now();
    samples->micros[samples->count++] = (now - begun) * 1e6;
    return now < samples->end && samples->count < READY_SAMPLES_MAX;
}

void ready_fill(struct ready_samples *samples, double ret_values[]) {
    ret_values[0] = run_part(samples->micros, samples->count, 0.5);
    ret_values[1] = run_part(samples->micros, samples->count, 0.99);
}

#define ROW(text, work)                                                                            \
    {                                                                                              \
        .name = text, .measure = run_measure,                                                      \
        .figures = {{.name = "p50", .unit = "us", .less = true},                                   \
                    {.name = "p99", .unit = "us", .less = true}},                                  \
        .sides = {{"libnw", RUN_BESIDE("nw", work, "bare"), {0}},                                  \
                  {"connect, epoll", RUN_BESIDE("bare", work, "bare"), {0}},                       \
                  {"libuv", RUN_BESIDE("uv", work, "bare"), {0}}},                                 \
    }

int main(int argc, char **argv) {
    const struct run_make makes[] = {
        {"nw", ready_run_nw, NULL},
        {"bare", ready_run_bare, ready_serve},
        {"uv", RUN_UV(ready_run_uv), NULL},
        {0},
    };
    const struct bench_row rows[] = {
        ROW("started on its queue", "queue"),
        ROW("started by another thread", "thread"),
    };
    const struct bench_program program = {.name = "ready",
                                          .title = "From nw_connection_start to ready, 127.0.0.1",
                                          .notes = run_notes,
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows};
    return run_main(argc, argv, &program, makes);
}
