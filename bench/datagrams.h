/*
 * datagrams.h - UDP over loopback, in several makes.
 * What:   a work is a word and the number of datagrams that travel together. "echo": the server sends
 *         each one back, the driver keeps so many on their way; round trips/s. "receive": the
 * server counts while a driver sends as fast as it can; datagrams/s that arrived in the program.
 *         "send": the driver sends to a server that reads nothing; datagrams/s.
 */
#ifndef BENCH_DATAGRAMS_H
#define BENCH_DATAGRAMS_H

#include "run.h"

enum { DATAGRAM_SIZE = 512, DATAGRAMS_TOGETHER_MAX = 32 };

/* "echo 32": true for "echo"; 32. */
bool datagrams_is(const char *name, const char *word);
unsigned datagrams_together(const char *name);

/* For a server that receives: a datagram came; what to hand to run_serving. */
void datagrams_came(unsigned count);
void datagrams_begin(void);
void datagrams_fill(double ret_values[]);

/* "bare" goes one by one, "bare-batch" many with one system call. */
void datagrams_serve_bare(const char *name);
void datagrams_serve_batch(const char *name);
void datagrams_serve_nw(const char *name);
void datagrams_serve_uv(const char *name);
void datagrams_run_bare(const struct run_order *order, double ret_values[]);
void datagrams_run_batch(const struct run_order *order, double ret_values[]);
void datagrams_run_nw(const struct run_order *order, double ret_values[]);
void datagrams_run_uv(const struct run_order *order, double ret_values[]);

#endif
