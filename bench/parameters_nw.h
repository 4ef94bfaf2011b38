/*
 * parameters_nw.h - what every libnw side of a measurement over TCP asks for.
 */
#ifndef BENCH_PARAMETERS_NW_H
#define BENCH_PARAMETERS_NW_H

#include <Network/Network.h>

/* TCP without TLS, with TCP_NODELAY as all peers have it; +1. */
nw_parameters_t bench_tcp_parameters(void);

#endif
