/*
 * timeline_check.h - what the function and the block test of the timeline share: a port that
 * refuses or accepts on both loopback addresses, and a tally of the events that come by.
 */
#ifndef TESTS_API_TIMELINE_CHECK_H
#define TESTS_API_TIMELINE_CHECK_H

#include "fake/await.h"
#include <Network/Network.h>
#include <Network/establishment_timeline.h>

/* A socket bound to a free port of ::1 and 127.0.0.1 alike; `accepts`: it listens too. */
static inline int bind_port(bool accepts, char port[8]) {
    struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    socklen_t length = sizeof any;
    int off = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &length), 0);
    if (accepts)
        assert_int_equal(listen(fd, 16), 0);
    snprintf(port, 8, "%d", ntohs(any.sin6_port));
    return fd;
}

struct tally {
    unsigned count, starts, questions, attempts, attempts_failed, ready, failed;
    uint64_t last;
    int error;       /* of "failed" */
    char first[32];  /* the first word */
    char winner[64]; /* name of "ready" */
};

static inline bool count_event(struct tally *tally, uint64_t nanoseconds, const char *name,
                               const char *event, nw_endpoint_t endpoint, nw_error_t error) {
    assert_non_null(name);
    assert_non_null(event);
    assert_int_equal(name[0], 'C');
    assert_true(nanoseconds >= tally->last);
    tally->last = nanoseconds;
    if (tally->count++ == 0) {
        assert_int_equal(nanoseconds, 0);
        assert_non_null(endpoint);
        snprintf(tally->first, sizeof tally->first, "%s", event);
    }
    tally->starts += strcmp(event, "start") == 0;
    tally->questions += strcmp(event, "resolve-start") == 0;
    tally->attempts += strcmp(event, "attempt-start") == 0;
    if (strcmp(event, "attempt-failed") == 0) {
        tally->attempts_failed++;
        assert_int_equal(nw_error_get_error_code(error), ECONNREFUSED);
        assert_int_equal(nw_endpoint_get_type(endpoint), nw_endpoint_type_address);
    }
    if (strcmp(event, "ready") == 0) {
        tally->ready++;
        snprintf(tally->winner, sizeof tally->winner, "%s", name);
    }
    if (strcmp(event, "failed") == 0) {
        tally->failed++;
        tally->error = nw_error_get_error_code(error);
    }
    return true;
}

#endif
