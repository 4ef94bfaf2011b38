/*
 * soak.h - what the files of the soak share: what is to be done, and what was counted.
 * What:   soak.c plays rounds and judges; client.c connects, cancels and echoes; server.c answers;
 *         measure.c reads what the process holds.
 */
#ifndef TESTS_SOAK_H
#define TESTS_SOAK_H

#include <Network/Network.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { QUEUES = 8, ADDRESSES = 32, PERIOD = 4096, PIECE_MAX = 65536 };
enum transport { OVER_TCP, OVER_UDP, OVER_PATH, TRANSPORTS };
enum {
    ORDER_CLOSE = 0xff,
    ORDER_RESET = 0xfe
}; /* last octet of a piece: what the server then does */

extern dispatch_queue_t soak_queues[QUEUES]; /* serial; every handler runs on one of them */
/* PERIOD octets again and again, none of them an order, so that what comes back can be checked. */
extern uint8_t soak_pattern[PERIOD + PIECE_MAX];

struct soak_counts {
    _Atomic uint64_t cycles, echoes, connects, lost, swept;
    _Atomic uint64_t before_ready, ready, sending, receiving, racing; /* moments of cycles */
    _Atomic uint64_t unexpected; /* could not connect, wrong octets: each is a failure */
};
extern struct soak_counts soak_counts;
void soak_unexpected(const char *what, int code);

uint64_t soak_now(void); /* ns */
/* The last slot, or the last connection of the server, has gone: the watcher need not wait. */
void soak_nothing_left(void);

/* --- server.c: listeners on addresses of 127/8 and on a path; every connection echoes --- */
void server_open(void);
void server_close(void);
nw_endpoint_t server_endpoint(enum transport transport, unsigned choice); /* +1 */
nw_parameters_t server_parameters(enum transport transport);              /* lent */
/* Ends datagram peers that were silent for so long (they have no other end). */
void server_sweep(uint64_t silence_ns);
unsigned server_count(void); /* connections that live */

/* --- client.c --- */
/* Starts the slots; they end when so many cycles and echoes have been begun. */
void client_begin(unsigned slots, uint64_t cycles, uint64_t echoes, uint64_t seed);
/* Asks again where a datagram was lost. */
void client_look(void);
unsigned client_count(void); /* slots still at work */
void client_report(void);    /* what each slot waits for, on stderr */

/* --- measure.c --- */
struct measure {
    double resident;  /* octets */
    double untrimmed; /* the same before free memory was given back */
    double heap;      /* octets that malloc has given out, to whomever */
    unsigned descriptors, threads;
    long blocks; /* of the library, allocated */
};
struct measure measure_now(void);
struct measure measure_quiet(void); /* without buffers kept for reuse and without free memory */
/* Least squares: change of y with each step of 1. */
double measure_slope(const double *y, unsigned count);

#endif
