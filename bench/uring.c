/*
 * uring.c - would io_uring carry our work faster than epoll?
 * What:   TCP echo by a bare io_uring loop and by a bare epoll loop, nothing of libnw: the server is
 *         measured, then the driver (duel.h). docs/performance.md has the answer.
 */
#include "duel.h"
#include <stdio.h>

#define GOAL 1.15 /* from here on it would go under the loop */
enum { COUNTS = 3, SIZES = 3, ROWS = 2 * COUNTS * SIZES, NAME_MAX_LENGTH = 64 };

static bool measure(const void *what, double seconds, double *ret_values) {
    struct bench_outcome outcome;
    if (!bench_duel_run(what, seconds, &outcome))
        return false;
    ret_values[0] = outcome.rate;
    ret_values[1] = outcome.cpu * 1e6;
    return true;
}

static void fill_row(struct bench_row *row, unsigned place) {
    static const unsigned connections[COUNTS] = {1, 64, 1000};
    static const size_t sizes[SIZES] = {64, 512, 16384};
    static const unsigned peers[] = {BENCH_PEER_URING, BENCH_PEER_BARE};
    static char names[ROWS][NAME_MAX_LENGTH];
    static struct bench_duel duels[ROWS][2];
    struct bench_duel duel = {.work = BENCH_ECHO,
                              .serves = place < COUNTS * SIZES,
                              .connections = connections[place / SIZES % COUNTS],
                              .size = sizes[place % SIZES]};
    snprintf(names[place], NAME_MAX_LENGTH, "io_uring, echo %s, %u x %zu B",
             duel.serves ? "server" : "client", duel.connections, duel.size);
    *row = (struct bench_row){
        .name = names[place],
        .measure = measure,
        .figures = {{.unit = "round trips/s"},
                    {.name = "processor", .unit = "us/trip", .less = true, .full = true}},
        .full = !duel.serves || duel.size != sizes[0]};
    for (unsigned i = 0; i < 2; i++) {
        duels[place][i] = duel;
        duels[place][i].peer = peers[i];
        row->sides[i] =
            (struct bench_side){.name = bench_peer_at(peers[i])->name, .what = &duels[place][i]};
    }
    row->sides[1].goals[0] = GOAL;
}

int main(int argc, char **argv) {
    static struct bench_row rows[ROWS];
    const struct bench_peer *peer = bench_peer_at(BENCH_PEER_URING);
    bool possible = peer != NULL && peer->refused() == NULL;
    int status;
    if (bench_duel_child(argc, argv, &status))
        return status;
    for (unsigned i = 0; possible && i < ROWS; i++)
        fill_row(&rows[i], i);
    const struct bench_program program = {.name = "uring",
                                          .title = "A bare io_uring loop beside a bare epoll loop",
                                          .subject = "io_uring",
                                          .notes = bench_peer_notes(),
                                          .rows = rows,
                                          .count = possible ? ROWS : 0};
    return bench_main(argc, argv, &program);
}
