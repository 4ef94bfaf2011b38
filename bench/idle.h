/*
 * idle.h - connections that do nothing, in several makes.
 * What:   a work is a word and a number of connections, all to one server that sends back what comes.
 *         "memory": each side waits for data on all of them. Figures: octets of heap, and of
 * resident memory, a connection, of the measured side. "event": one connection more goes to and fro
 *         meanwhile. Figure: microseconds a round trip, the median.
 */
#ifndef BENCH_IDLE_H
#define BENCH_IDLE_H

#include "run.h"

enum { IDLE_ECHO_MAX = 64, IDLE_OWN_DESCRIPTORS = 64 };

unsigned idle_count(const char *name);
/* Lets this process have as many descriptors as it may. Returns how many that are. */
unsigned idle_raise_limit(void);

/* The first notes what the process uses by now; the second, once it has `count` connections, what
 * it uses more, for each of them. For servers: to be handed to run_serving. */
void idle_begin(void);
void idle_fill(double ret_values[]);
void idle_expect(unsigned count);
/* A server accepted, a driver established, one more. From any thread. */
void idle_one_more(void);

/* Connections come from several addresses: the ports of one would not suffice, and the kernel looks
 * long for a free one when few are left. Which host of 127.0.0.0/8 connection `place` comes from.
 */
unsigned idle_host(unsigned place);

void idle_serve_nw(const char *name);      /* one queue for all */
void idle_serve_nw_each(const char *name); /* a queue a connection */
void idle_serve_bare(const char *name);
void idle_serve_uv(const char *name);
void idle_serve_event(const char *name);
void idle_run_nw(const struct run_order *order, double ret_values[]);
void idle_run_nw_each(const struct run_order *order, double ret_values[]);
void idle_run_bare(const struct run_order *order, double ret_values[]);
void idle_run_uv(const struct run_order *order, double ret_values[]);
void idle_run_event(const struct run_order *order, double ret_values[]);

#endif
