/*
 * echo.h - the two sides of an echo measurement, each in two makes.
 * What:   a server sends back what comes. A driver keeps one message of `size` octets in flight on
 *         each of its connections and counts the round trips.
 */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { ECHO_CONNECTIONS_MAX = 1024, ECHO_READ_MAX = 65536 };

/* What a driver counts into; one to a cache line, so that threads do not meet there. */
struct echo_counter {
    _Alignas(64) _Atomic uint64_t round_trips;
};

struct echo_drive {
    uint16_t port; /* on 127.0.0.1 */
    unsigned connections;
    size_t size;                   /* octets a message */
    struct echo_counter *counters; /* one a connection */
};

/* Listen on 127.0.0.1, print the port as a line, serve for ever. Return an exit status when that
 * fails. */
int echo_serve_bare(void);
int echo_serve_nw(void);

/* Connect and start driving, on threads of their own; the first failure ends the process. Return 0,
 * or an errno value when it cannot begin. `drive` outlives the process's work. */
int echo_drive_bare(const struct echo_drive *drive);
int echo_drive_nw(const struct echo_drive *drive);

#endif
