/*
 * latency.h - what one connection feels of another one of the same server.
 * What:   the first octet of a connection tells what it is: LATENCY_ECHO, sent back as it comes;
 *         LATENCY_BLOCK, each read keeps its handler for LATENCY_BLOCK_MS; LATENCY_FLOOD, read and
 *         dropped. The server is a program that knows no better: it sleeps inside the handler.
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include "run.h"

enum { LATENCY_ECHO = 'e', LATENCY_BLOCK = 'b', LATENCY_FLOOD = 'f' };
enum { LATENCY_BLOCK_MS = 100, LATENCY_READ = 65536 };

void latency_serve_nw(const char *name);
void latency_serve_uv(const char *name);

#endif
