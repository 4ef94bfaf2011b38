/*
 * test_descriptors.c - connections and file descriptors: there is none to be had, and none may be
 * left behind.
 * Runs:   the limit of the test's own process is lowered for a moment.
 */
#include "support.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { FILLERS = 1000 };

/* How many descriptors are open, and the highest. */
static int count_descriptors(int *ret_highest) {
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    int count = 0;
    *ret_highest = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(folder))
            continue;
        count++;
        if (fd > *ret_highest)
            *ret_highest = fd;
    }
    closedir(folder);
    return count;
}

static rlim_t set_limit(rlim_t limit) {
    struct rlimit old, now;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    now = (struct rlimit){limit, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    return old.rlim_cur;
}

/* Fills the gaps below the highest descriptor and sets the limit to it: nothing can be opened.
 * Returns the old one. */
static rlim_t take_all_descriptors(int *fillers, int *count) {
    int highest, fd;
    (void)count_descriptors(&highest);
    *count = 0;
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0 && fd <= highest && *count < FILLERS)
        fillers[(*count)++] = fd;
    assert_true(fd > highest);
    close(fd);
    return set_limit((rlim_t)highest + 1);
}

/* A connection that finds no descriptor waits with that reason; restart brings it through later. */
static void test_connection_out_of_descriptors(void **state) {
    (void)state;
    int fillers[FILLERS], filler_count;
    uint16_t port;
    int listening = peer_listen(AF_INET, &port);
    struct recorder *other = record_to_port(port, false); /* the library has what it opens once */
    await_state(other, nw_connection_state_ready);
    rlim_t usual = take_all_descriptors(fillers, &filler_count);
    struct recorder *recorder = record_to_port(port, false);
    const struct event *event = await_state(recorder, nw_connection_state_waiting);
    set_limit(usual);
    assert_error(event, nw_error_domain_posix, EMFILE);
    nw_connection_restart(recorder->connection);
    await_state(recorder, nw_connection_state_ready);
    finish(recorder);
    finish(other);
    close(listening);
    for (int i = 0; i < filler_count; i++)
        close(fillers[i]);
}

/* The library closes in its own time what it watched the network with: looks until no more than so
 * many are open. */
static bool await_descriptors(int count) {
    const struct timespec pause = {.tv_nsec = 10000000};
    enum { LOOKS = 2000 };
    int highest;
    for (int i = 0; i < LOOKS; i++) {
        if (count_descriptors(&highest) <= count)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* Nothing is left open by any of the ways in which a connection ends. */
static void test_no_descriptor_is_left(void **state) {
    (void)state;
    enum { OWN = 2 }; /* the library opens and closes some for itself */
    uint16_t port, refused;
    int highest;
    int listening = peer_listen(AF_INET, &port), bound = peer_bound(AF_INET, SOCK_STREAM, &refused);
    struct recorder *first =
        record_to("localhost", "1", false); /* the library opens what it keeps */
    await_state(first, nw_connection_state_waiting);
    finish(first);
    int before = count_descriptors(&highest);
    for (int i = 0; i < 50; i++) {
        struct recorder *through = record_to_port(port, false),
                        *waiting = record_to_port(refused, false);
        await_state(through, nw_connection_state_ready);
        await_state(waiting, nw_connection_state_waiting);
        int peer = peer_accept(listening);
        if (i % 3 == 0)
            nw_connection_force_cancel(through->connection);
        else if (i % 3 == 1)
            peer_reset(peer), await_state(through, nw_connection_state_failed);
        if (i % 3 != 1)
            close(peer);
        finish(through);
        finish(waiting);
    }
    assert_true(await_descriptors(before + OWN));
    close(listening);
    close(bound);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connection_out_of_descriptors),
        cmocka_unit_test(test_no_descriptor_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
