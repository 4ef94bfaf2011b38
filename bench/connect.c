/*
 * connect.c - how many TCP connections a second can be opened and closed, and how many accepted?
 * What:   the driver opens a connection, reads to its end, closes it and begins the next; the server
 *         accepts and closes (peers/peer.h says why it is first). The driver is measured
 * ("connect"), then the server ("accept").
 */
#include "duel.h"

#define GOAL_OF_BARE 0.9
#define GOAL_OF_LIBRARY 1.0

static bool measure(const void *what, double seconds, double *ret_values) {
    struct bench_outcome outcome;
    if (!bench_duel_run(what, seconds, &outcome))
        return false;
    ret_values[0] = outcome.rate;
    ret_values[1] = outcome.cpu * 1e6;
    return true;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        bool serves, full;
        unsigned connections;
    } works[] = {
        {"connect + close, 1 at a time", false, true, 1},
        {"connect + close, 16 at once", false, false, 16},
        {"accept + close, 1 at a time", true, true, 1},
        {"accept + close, 16 at once", true, false, 16},
    };
    enum { WORKS = sizeof works / sizeof *works };
    static struct bench_duel duels[WORKS][BENCH_SIDES_MAX];
    static struct bench_row rows[WORKS];
    int status;
    if (bench_duel_child(argc, argv, &status))
        return status;
    for (unsigned i = 0; i < WORKS; i++) {
        const struct bench_duel duel = {
            .work = BENCH_CONNECT, .serves = works[i].serves, .connections = works[i].connections};
        rows[i] = (struct bench_row){
            .name = works[i].name,
            .measure = measure,
            .figures = {{.unit = "connections/s"},
                        {.name = "processor", .unit = "us/connection", .less = true, .full = true}},
            .full = works[i].full};
        bench_duel_sides(rows[i].sides, duels[i], &duel, GOAL_OF_BARE, GOAL_OF_LIBRARY);
    }
    const struct bench_program program = {.name = "connect",
                                          .title = "TCP connections a second over 127.0.0.1",
                                          .notes = bench_peer_notes(),
                                          .rows = rows,
                                          .count = WORKS};
    return bench_main(argc, argv, &program);
}
