/*
 * run_tcp.h - plain TCP sockets for the works of run.h.
 */
#ifndef BENCH_RUN_TCP_H
#define BENCH_RUN_TCP_H

#include <stdint.h>

/* A listening socket on every address, which does not block; its port. */
int run_tcp_listen(uint16_t *ret_port);
/* A connected socket with TCP_NODELAY, which blocks, to 127.0.0.`host`. */
int run_tcp_connect(unsigned host, uint16_t port);
/* Closes without leaving the address in TIME_WAIT. */
void run_tcp_reset(int fd);
/* Adds a descriptor to an epoll instance, level-triggered. */
void run_tcp_watch(int poller, int fd, uint32_t events);

#endif
