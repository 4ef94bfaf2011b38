/*
 * echo.c - how many round trips a second does TCP echo make?
 * What:   1, 64 and 1,000 connections with one message of 64 octets, 512 octets or 16 KiB in flight on each;
 *         first the server is measured, then the driver (duel.h).
 */
#include "duel.h"
#include <stdio.h>
#include <stdlib.h>

#define GOAL_OF_BARE 0.95
#define GOAL_OF_LIBRARY 1.0

static bool measure(const void *what, double seconds, double *ret_values) {
    struct bench_outcome outcome;
    if (!bench_duel_run(what, seconds, &outcome))
        return false;
    ret_values[0] = outcome.rate;
    ret_values[1] = outcome.cpu * 1e6;
    return true;
}

static const unsigned connections[] = {1, 64, 1000};
static const struct {
    size_t octets;
    const char *text;
} sizes[] = {{64, "64 B"}, {512, "512 B"}, {16384, "16 KiB"}};
enum {
    COUNTS = sizeof connections / sizeof *connections,
    SIZES = sizeof sizes / sizeof *sizes,
    ROWS = 2 * COUNTS * SIZES,
    NAME_MAX_LENGTH = 64,
};

/* What `make bench` without --full shows. */
static bool is_short(unsigned count, size_t octets) {
    return (count == 1 && octets == 64) || (count == 64 && octets != 512);
}

static void add_row(struct bench_row *row, bool serves, unsigned count, unsigned size) {
    static char names[ROWS][NAME_MAX_LENGTH];
    static struct bench_duel duels[ROWS][BENCH_SIDES_MAX];
    static unsigned used;
    struct bench_duel duel = {.work = BENCH_ECHO,
                              .serves = serves,
                              .connections = connections[count],
                              .size = sizes[size].octets};
    snprintf(names[used], NAME_MAX_LENGTH, "echo %s, %u x %s", serves ? "server" : "client",
             connections[count], sizes[size].text);
    *row = (struct bench_row){
        .name = names[used],
        .measure = measure,
        .figures = {{.unit = "round trips/s"},
                    {.name = "processor", .unit = "us/trip", .less = true, .full = true}},
        .full = !is_short(connections[count], sizes[size].octets)};
    bench_duel_sides(row->sides, duels[used], &duel, GOAL_OF_BARE, GOAL_OF_LIBRARY);
    used++;
}

int main(int argc, char **argv) {
    static struct bench_row rows[ROWS];
    unsigned used = 0;
    int status;
    if (bench_duel_child(argc, argv, &status))
        return status;
    for (unsigned side = 0; side < 2; side++)
        for (unsigned count = 0; count < COUNTS; count++)
            for (unsigned size = 0; size < SIZES; size++)
                add_row(&rows[used++], side == 0, count, size);
    const struct bench_program program = {.name = "echo",
                                          .title = "TCP echo over 127.0.0.1",
                                          .notes = bench_peer_notes(),
                                          .rows = rows,
                                          .count = used};
    return bench_main(argc, argv, &program);
}
