/*
 * duel.h - one measurement of a peer over TCP: it on one side, the bare loop on the other.
 * What:   server and driver are two processes. When every connection has done its first piece of work and
 *         a moment has passed, the clock starts; rate and processor time are differences between
 * two readings of the processes' own counters.
 */
#ifndef BENCH_DUEL_H
#define BENCH_DUEL_H

#include "harness.h"
#include "peers/peer.h"

struct bench_duel {
    enum bench_work work;
    bool serves;   /* the measured peer is the server, else the driver */
    unsigned peer; /* place in the list (peer.h) */
    unsigned connections;
    size_t size;
};

struct bench_outcome {
    double rate; /* round trips, octets or connections a second */
    double cpu;  /* seconds of processor time of the measured side for each of these */
};

/* False: failed, stderr says why. */
bool bench_duel_run(const struct bench_duel *duel, double seconds,
                    struct bench_outcome *ret_outcome);

/* True: this process was started as one side of a duel, has done its work and should end with
 * *ret_status. To be asked first thing in main. */
bool bench_duel_child(int argc, char **argv, int *ret_status);

/* Fills the sides of a row: libnw, then each peer that can run. `duels` has BENCH_SIDES_MAX places,
 * which live as long as the row; duel->peer is not looked at. Goals: of the ratio to the bare loop
 * and to libraries (the figure of index 0). */
void bench_duel_sides(struct bench_side *sides, struct bench_duel *duels,
                      const struct bench_duel *duel, double goal_bare, double goal_library);

#endif
