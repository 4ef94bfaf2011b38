/*
 * tcp.h - plain TCP sockets on loopback for measurements. The first failure ends the process. C and
 * C++.
 */
#ifndef BENCH_TCP_H
#define BENCH_TCP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A listening socket on 127.0.0.1, which does not block; its port. */
int bench_tcp_listen(uint16_t *ret_port);
/* A connected socket with TCP_NODELAY, which blocks, to 127.0.0.1 from 127.0.0.`host`. */
int bench_tcp_connect(unsigned host, uint16_t port);
void bench_tcp_set_nodelay(int fd);
/* Closes without leaving the address in TIME_WAIT. */
void bench_tcp_reset(int fd);
/* Adds a descriptor to an epoll instance, level-triggered. */
void bench_tcp_watch(int poller, int fd, uint32_t events);

#ifdef __cplusplus
}
#endif

#endif
