/*
 * datagrams.c - UDP datagrams a second over loopback, one by one and many together.
 * What:   the rows, and the count of what a server receives; the makes are in datagrams_*.c.
 */
#include "datagrams.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Written by the thread that receives, read once by the one that answers. */
static struct {
    _Atomic uint64_t count;
    _Atomic double first, last;
} came;

bool datagrams_is(const char *name, const char *word) {
    return strncmp(name, word, strlen(word)) == 0;
}

unsigned datagrams_together(const char *name) {
    const char *number = strchr(name, ' ');
    unsigned count = number != NULL ? (unsigned)strtoul(number, NULL, 10) : 1;
    return count < 1 || count > DATAGRAMS_TOGETHER_MAX ? 1 : count;
}

void datagrams_came(unsigned count) {
    double now = bench_now();
    uint64_t before = atomic_load_explicit(&came.count, memory_order_relaxed);
    if (before == 0)
        atomic_store_explicit(&came.first, now, memory_order_relaxed);
    atomic_store_explicit(&came.last, now, memory_order_relaxed);
    atomic_store_explicit(&came.count, before + count, memory_order_relaxed);
}

void datagrams_begin(void) {
    atomic_store(&came.count, 0);
}

void datagrams_fill(double ret_values[]) {
    double taken = atomic_load(&came.last) - atomic_load(&came.first);
    ret_values[0] = taken > 0 ? (double)atomic_load(&came.count) / taken : 0;
}

int main(int argc, char **argv) {
    const struct run_make makes[] = {
        {"nw", datagrams_run_nw, datagrams_serve_nw},
        {"bare", datagrams_run_bare, datagrams_serve_bare},
        {"batch", datagrams_run_batch, datagrams_serve_batch},
        {"uv", RUN_UV(datagrams_run_uv), RUN_UV(datagrams_serve_uv)},
        {0},
    };
    const struct bench_row rows[] = {
        {.name = "UDP echo server, 1 under way",
         .measure = run_measure,
         .figures = {{.unit = "round trips/s"}},
         .sides = {{"libnw", RUN_BESIDE("bare", "echo 1", "nw"), {0}},
                   {"recvfrom, sendto", RUN_BESIDE("bare", "echo 1", "bare"), {0}},
                   {"libuv", RUN_BESIDE("bare", "echo 1", "uv"), {1}}}},
        {.name = "UDP echo server, 32 under way",
         .measure = run_measure,
         .figures = {{.unit = "round trips/s"}},
         .sides = {{"libnw", RUN_BESIDE("batch", "echo 32", "nw"), {0}},
                   {"recvfrom, sendto", RUN_BESIDE("batch", "echo 32", "bare"), {0}},
                   {"recvmmsg, sendmmsg", RUN_BESIDE("batch", "echo 32", "batch"), {0}},
                   {"libuv", RUN_BESIDE("batch", "echo 32", "uv"), {1}}}},
        {.name = "UDP echo client, 1 under way",
         .measure = run_measure,
         .figures = {{.unit = "round trips/s"}},
         .sides = {{"libnw", RUN_BESIDE("nw", "echo 1", "bare"), {0}},
                   {"send, recv", RUN_BESIDE("bare", "echo 1", "bare"), {0}},
                   {"libuv", RUN_BESIDE("uv", "echo 1", "bare"), {1}}}},
        {.name = "UDP received from a flood",
         .measure = run_measure,
         .figures = {{.unit = "datagrams/s"}},
         .sides = {{"libnw", RUN_SERVER("nw", "receive 32", "batch"), {0}},
                   {"recvfrom", RUN_SERVER("bare", "receive 32", "batch"), {0}},
                   {"recvmmsg", RUN_SERVER("batch", "receive 32", "batch"), {0}},
                   {"libuv", RUN_SERVER("uv", "receive 32", "batch"), {1}}}},
        {.name = "UDP sent one by one",
         .measure = run_measure,
         .figures = {{.unit = "datagrams/s"}},
         .sides = {{"libnw", RUN_BESIDE("nw", "send 1", "bare"), {0}},
                   {"send", RUN_BESIDE("bare", "send 1", "bare"), {0}},
                   {"libuv", RUN_BESIDE("uv", "send 1", "bare"), {1}}}},
        {.name = "UDP sent 32 together",
         .measure = run_measure,
         .figures = {{.unit = "datagrams/s"}},
         .sides = {{"libnw", RUN_BESIDE("nw", "send 32", "bare"), {0}},
                   {"send", RUN_BESIDE("bare", "send 32", "bare"), {0}},
                   {"sendmmsg", RUN_BESIDE("batch", "send 32", "bare"), {0}},
                   {"libuv", RUN_BESIDE("uv", "send 32", "bare"), {1}}}},
    };
    const struct bench_program program = {.name = "datagrams",
                                          .title = "UDP datagrams of 512 octets over 127.0.0.1",
                                          .seconds = 0.25,
                                          .notes = run_notes,
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows};
    return run_main(argc, argv, &program, makes);
}
