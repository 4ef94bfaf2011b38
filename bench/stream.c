/*
 * stream.c - how fast does one TCP connection carry a stream one way, and what does that cost?
 * What:   one connection, writes of 64 KiB; the receiver is measured, then the sender: GiB/s as they arrive,
 *         and seconds of processor time of the measured side for each GiB (kernel time included).
 */
#include "duel.h"

#define GIB 1073741824.0
#define GOAL_OF_BARE 0.95
#define GOAL_OF_LIBRARY 1.0
enum { WRITE_SIZE = 65536 };

static bool measure(const void *what, double seconds, double *ret_values) {
    struct bench_outcome outcome;
    if (!bench_duel_run(what, seconds, &outcome))
        return false;
    ret_values[0] = outcome.rate / GIB;
    ret_values[1] = outcome.cpu * GIB;
    return true;
}

int main(int argc, char **argv) {
    static struct bench_duel duels[2][BENCH_SIDES_MAX];
    static struct bench_row rows[] = {{.name = "stream, receiver"}, {.name = "stream, sender"}};
    int status;
    if (bench_duel_child(argc, argv, &status))
        return status;
    for (unsigned i = 0; i < 2; i++) {
        const struct bench_duel duel = {
            .work = BENCH_STREAM, .serves = i == 0, .connections = 1, .size = WRITE_SIZE};
        rows[i].measure = measure;
        rows[i].figures[0] = (struct bench_figure){.name = "throughput", .unit = "GiB/s"};
        rows[i].figures[1] =
            (struct bench_figure){.name = "processor", .unit = "s/GiB", .less = true};
        bench_duel_sides(rows[i].sides, duels[i], &duel, GOAL_OF_BARE, GOAL_OF_LIBRARY);
    }
    const struct bench_program program = {.name = "stream",
                                          .title = "One-way TCP stream over 127.0.0.1",
                                          .notes = bench_peer_notes(),
                                          .rows = rows,
                                          .count = 2};
    return bench_main(argc, argv, &program);
}
