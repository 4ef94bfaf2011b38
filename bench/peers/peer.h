/*
 * peer.h - what a contestant of the TCP measurements can do: one file of this folder each.
 * What:   every peer serves and drives the same three works (enum bench_work), so that any can be one
 *         side of a measurement (duel.h) with the bare loop on the other.
 * Rules:  one process each; 127.0.0.1; TCP_NODELAY on both sides; reads of up to BENCH_READ_MAX octets; the
 *         first failure ends the process (bench_die). C and C++.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "../die.h"
#include "../tcp.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { BENCH_CONNECTIONS_MAX = 1024, BENCH_READ_MAX = 65536, BENCH_BACKLOG = 4096 };

enum bench_work {
    /* The server sends back what comes. The driver keeps one message in flight on each of its
     * connections and counts the round trips, each connection in its own counter. */
    BENCH_ECHO,
    /* The driver writes messages without end and counts the octets that it handed over. The server
     * reads, discards and counts octets. */
    BENCH_STREAM,
    /* The driver has so many connections under way; each is opened, read to its end, closed and
     * counted, then the next begins. The server counts what it accepts and closes it at once: it
     * closes first, so that the driver never waits for a free port, and neither side can run ahead
     * of the other into a full backlog. */
    BENCH_CONNECT,
    BENCH_WORK_COUNT,
};

/* One to a cache line, so that threads do not meet there. */
struct bench_counter {
    uint64_t count;
} __attribute__((aligned(64)));

static inline void bench_count(struct bench_counter *counter, uint64_t more) {
    __atomic_fetch_add(&counter->count, more, __ATOMIC_RELAXED);
}

/* What one side does. It outlives the process's work. */
struct bench_load {
    enum bench_work work;
    uint16_t port; /* drivers: where the server listens */
    unsigned connections;
    size_t size;                    /* octets a message, BENCH_READ_MAX at most */
    struct bench_counter *counters; /* a driver's: one a connection; a server uses the first */
};

struct bench_peer {
    const char *name; /* "libuv" */
    /* NULL, or tells why this machine does not let the peer run, or NULL when it does. */
    const char *(*refused)(void);
    /* Both run for ever, or return when the work goes on in threads of their own. serve tells its
     * port by bench_listening. */
    void (*serve)(const struct bench_load *load);
    void (*drive)(const struct bench_load *load);
};

/* Every peer by its place, 0 .. bench_peer_count() - 1, the first three being libnw and the two
 * bare loops. NULL: it was not built, since its package is missing. */
enum { BENCH_PEER_NW, BENCH_PEER_BARE, BENCH_PEER_URING };
unsigned bench_peer_count(void);
const struct bench_peer *bench_peer_at(unsigned place);
/* What the reader should know: peers that are missing, peers that may not run. Ends with NULL. */
const char *const *bench_peer_notes(void);

/* For the peers. Tells the parent where the server listens. */
void bench_listening(uint16_t port);
/* A listening socket on 127.0.0.1, its port already told; does not block. */
int bench_listen(void);

#ifdef __cplusplus
}
#endif

#endif
