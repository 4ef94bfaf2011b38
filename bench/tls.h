/*
 * tls.h - TLS in several makes.
 * What:   a work is a word, and a number behind a blank.
 *
 *         "full", "resumed": handshakes one after the other with verification on P-256; the server
 *                    then sends an octet, so that the client has its tickets; then both close
 *
 *         "bulk N":  one way, N octets a call
 *
 *         "echo N":  N octets to and fro on one connection
 *
 *         "first N": from nothing to the first octet of the answer
 *
 *         "idle N":  N connections wait
 *
 *         Both ends are in one process (memory, or loopback), or the server in one of its own
 *         ("serve").
 */
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

#include "run.h"
#include <stdbool.h>

#define TLS_HOST "localhost"
enum { TLS_PATH_MAX = 128, TLS_WARM_UP = 20, TLS_SAMPLES_MAX = 20000 };

/* A CA and a server's identity, made for this run of the program: "ca.pem", "server.pem",
 * "server-key.pem". The path is good until the next call. */
const char *tls_file(const char *name);
void tls_make_files(void); /* in the process that measures; gone when it ends */

bool tls_is(const char *name, const char *word);
unsigned tls_number(const char *name); /* behind the word; 0: none */

/* Octets of heap that this process uses. */
double tls_heap(void);

/* Counts pieces of work and stops in time; the first TLS_WARM_UP do not count. */
struct tls_count {
    double seconds, end, begun, cpu, user, wall;
    double done;
    bool warm;
};
/* One more of `amount`. False: it is enough. */
bool tls_counted(struct tls_count *count, double amount);
/* Done by second of processor time; of processor time outside the kernel; of the clock. */
void tls_fill(const struct tls_count *count, double ret_values[]);

void tls_run_nw(const struct run_order *order, double ret_values[]);
void tls_serve_nw(const char *name);
void tls_run_gnutls(const struct run_order *order, double ret_values[]);
void tls_run_ssl(const struct run_order *order, double ret_values[]); /* a blocking client */
void tls_run_s_time(const struct run_order *order, double ret_values[]);
void tls_serve_s_server(const char *name);
void tls_serve_uv(const char *name);

#endif
