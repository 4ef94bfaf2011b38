/*
 * peers.c - the list of peers, and what their files share.
 * What:   a peer whose package is missing is not compiled; its weak symbol is then NULL.
 */
#include "peer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WEAK extern const struct bench_peer __attribute__((weak))
extern const struct bench_peer bench_peer_nw, bench_peer_bare;
WEAK bench_peer_uring;
WEAK bench_peer_uv;
WEAK bench_peer_event;
WEAK bench_peer_asio;

static const struct {
    const struct bench_peer *peer;
    const char *name, *package; /* for the case that peer is NULL */
} known[] = {
    [BENCH_PEER_NW] = {&bench_peer_nw, "libnw", ""},
    [BENCH_PEER_BARE] = {&bench_peer_bare, "bare epoll", ""},
    [BENCH_PEER_URING] = {&bench_peer_uring, "bare io_uring", "liburing-dev"},
    {&bench_peer_uv, "libuv", "libuv1-dev"},
    {&bench_peer_event, "libevent", "libevent-dev"},
    {&bench_peer_asio, "Boost.Asio", "libboost-dev"},
};
enum { KNOWN = sizeof known / sizeof *known, NOTE_MAX = 160 };

unsigned bench_peer_count(void) {
    return KNOWN;
}

const struct bench_peer *bench_peer_at(unsigned place) {
    return known[place].peer;
}

const char *const *bench_peer_notes(void) {
    static char text[KNOWN][NOTE_MAX];
    static const char *notes[KNOWN + 1];
    unsigned count = 0;
    for (unsigned i = 0; i < KNOWN; i++) {
        const struct bench_peer *peer = known[i].peer;
        const char *why = peer != NULL && peer->refused != NULL ? peer->refused() : NULL;
        if (peer != NULL && why == NULL)
            continue;
        if (why != NULL)
            snprintf(text[count], NOTE_MAX, "%s", why);
        else
            snprintf(text[count], NOTE_MAX, "%s: not built, for want of %s (make deps)",
                     known[i].name, known[i].package);
        notes[count] = text[count];
        count++;
    }
    notes[count] = NULL;
    return notes;
}

void bench_listening(uint16_t port) {
    printf("%u\n", port);
    fflush(stdout);
}

int bench_listen(void) {
    uint16_t port;
    int fd = bench_tcp_listen(&port);
    bench_listening(port);
    return fd;
}
