/*
 * loop.h - epoll, and who is told that a descriptor is ready.
 */
#ifndef NWLINK_LOOP_H
#define NWLINK_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct nwlink_watch { /* must stay where it is while it is watched */
    void *context;
    void (*ready)(void *context, uint32_t events);
};

/* A new loop's descriptor, below 0 with errno. */
int nwlink_loop_create(void);
/* `events` as epoll_ctl takes them. False: errno. */
bool nwlink_loop_watch(int loop, int fd, uint32_t events, struct nwlink_watch *watch);
/* Waits at most so many milliseconds (below 0: for ever) and tells each descriptor's watch. One
 * that closes its descriptor must stay until this returns. */
void nwlink_loop_turn(int loop, int milliseconds);

#endif
