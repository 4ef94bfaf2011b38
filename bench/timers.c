/*
 * timers.c - how many timers a second can be made, set anew, cancelled and fired.
 * What:   100,000 at once, and a million with --full. The times are random, the same for every make.
 *         Peers: uv_timer_t (a binary heap of pointers), libevent's evtimer (a binary heap).
 */
#include "timers.h"
#include <math.h>
#include <stdlib.h>

/* xorshift: the same row of times in every process. */
static uint32_t random_below(uint32_t limit) {
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

static unsigned far_away(void) {
    return TIMERS_FAR_MS + random_below(TIMERS_FAR_MS);
}

/* All are armed well before the first is due; how long that takes was seen before. */
static double fire(const struct timers_make *make, unsigned count, double arming) {
    double due = bench_now() + 2 * arming + 0.1;
    make->prepare(count);
    for (unsigned i = 0; i < count; i++) {
        double ms = (due - bench_now()) * 1e3;
        make->arm(i, (unsigned)ceil(ms > 0 ? ms : 0) + random_below(TIMERS_SPREAD_MS));
    }
    make->wait_fired();
    double taken = bench_now() - due;
    for (unsigned i = 0; i < count; i++)
        make->cancel(i);
    make->wait_gone();
    return count / taken;
}

void timers_run(const struct timers_make *make, const struct run_order *order,
                double ret_values[]) {
    unsigned count = (unsigned)strtoul(order->name, NULL, 10);
    make->prepare(count);
    double start = bench_now();
    for (unsigned i = 0; i < count; i++)
        make->arm(i, far_away());
    double armed = bench_now();
    for (unsigned i = 0; i < count; i++)
        make->set_anew(i, far_away());
    double set = bench_now();
    for (unsigned i = 0; i < count; i++)
        make->cancel(i);
    make->wait_gone();
    double gone = bench_now();
    ret_values[0] = count / (armed - start);
    ret_values[1] = count / (set - armed);
    ret_values[2] = count / (gone - set);
    ret_values[3] = fire(make, count, armed - start);
}

#define ROW(text, timers, only_full)                                                               \
    {                                                                                              \
        .name = text, .measure = run_measure, .full = only_full,                                   \
        .figures = {{.name = "made and armed", .unit = "timers/s"},                                \
                    {.name = "set anew", .unit = "timers/s"},                                      \
                    {.name = "cancelled and freed", .unit = "timers/s"},                           \
                    {.name = "fired", .unit = "timers/s"}},                                        \
        .sides = {{"libnw", RUN("nw", timers), {0}},                                               \
                  {"libuv", RUN("uv", timers), {1, 1, 1, 1}},                                      \
                  {"libevent", RUN("event", timers), {1, 1, 1, 1}}},                               \
    }

int main(int argc, char **argv) {
    const struct run_make makes[] = {
        {"nw", timers_run_nw, NULL},
        {"uv", RUN_UV(timers_run_uv), NULL},
        {"event", RUN_EVENT(timers_run_event), NULL},
        {0},
    };
    const struct bench_row rows[] = {
        ROW("100,000 timers", "100000", false),
        ROW("1,000,000 timers", "1000000", true),
    };
    const struct bench_program program = {.name = "timers",
                                          .title = "Timers",
                                          .notes = run_notes,
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows};
    return run_main(argc, argv, &program, makes);
}
