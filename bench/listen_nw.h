/*
 * listen_nw.h - the listener of every libnw server that is measured.
 */
#ifndef BENCH_LISTEN_NW_H
#define BENCH_LISTEN_NW_H

#include <Network/Network.h>

/* Listens on 127.0.0.1. Consumes the parameters. `listening` is told the port, once; `accepted`
 * gets each connection with `context`; both on `queue`. A failure ends the process. */
void bench_listen_nw(nw_parameters_t parameters, dispatch_queue_t queue,
                     void (*listening)(uint16_t port), void *context,
                     nw_listener_new_connection_handler_f accepted);

#endif
