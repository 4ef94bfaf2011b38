/*
 * loop.c - epoll, and who is told that a descriptor is ready.
 * Runs:   in the only thread of nwlink.
 */
#include "loop.h"

#include <sys/epoll.h>

enum { EVENTS = 16 };

int nwlink_loop_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

bool nwlink_loop_watch(int loop, int fd, uint32_t events, struct nwlink_watch *watch) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    return epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == 0;
}

void nwlink_loop_turn(int loop, int milliseconds) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(loop, events, EVENTS, milliseconds);
    for (int i = 0; i < count; i++) {
        struct nwlink_watch *watch = events[i].data.ptr;
        watch->ready(watch->context, events[i].events);
    }
}
