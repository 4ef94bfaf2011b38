/*
 * test_path_monitor.c - a path monitor whose system calls and allocations fail: the path comes all
 * the same, a second later at most, a change is still told, and nothing stays open. In a network
 * namespace of its own; exits 77 (skipped) where that may not be made.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "descriptors.h"
#include "fake/fake_sys.h"
#include <Network/Network.h>
#include <sched.h>
#include <stdio.h>

enum { SKIPPED = 77 };

static struct { sem_t satisfied, unsatisfied, cancelled; } told;

static dispatch_queue_t queue;

static void on_path(void *context, nw_path_t path) {
    (void)context;
    sem_post(nw_path_get_status(path) == nw_path_status_satisfied ? &told.satisfied
                                                                  : &told.unsatisfied);
}
static void on_cancelled(void *context) {
    (void)context;
    sem_post(&told.cancelled);
}

static void run(const char *command) {
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

/* One life: the first path, an outage, its end, and the monitor's. NULL from create is fine when
 * memory ran out. */
static void live(void) {
    event_init(&told.satisfied);
    event_init(&told.unsatisfied);
    event_init(&told.cancelled);
    nw_path_monitor_t monitor = nw_path_monitor_create_with_type(nw_interface_type_loopback);
    if (monitor == NULL)
        return;
    nw_path_monitor_set_queue(monitor, queue);
    nw_path_monitor_set_update_handler_f(monitor, NULL, on_path);
    nw_path_monitor_set_cancel_handler_f(monitor, NULL, on_cancelled);
    nw_path_monitor_start(monitor);
    await(&told.satisfied);
    run("ip link set lo down");
    await(&told.unsatisfied);
    run("ip link set lo up");
    await(&told.satisfied);
    nw_path_monitor_cancel(monitor);
    await(&told.cancelled);
    assert_int_equal(posted(&told.satisfied), 0);
    assert_int_equal(posted(&told.unsatisfied), 0);
    nw_release(monitor);
}

static unsigned descriptors; /* open when nobody watches and the loops run */

/* No fault twice: what is only opened once stays. */
static void warm_up(void **state) {
    (void)state;
    live();
    /* The end of the watch goes on by itself; the lowest count is that of rest. */
    for (int i = 0; i < 200; i++) {
        unsigned count = open_descriptors();
        if (descriptors == 0 || count < descriptors)
            descriptors = count;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void system_calls(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum fake_sys_call call;
        unsigned n, times;
        int code;
    } cases[] = {
        {"socket", FAKE_SOCKET, 1, 1, EMFILE},
        {"sendmsg", FAKE_SENDMSG, 1, 1, ENOBUFS},
        {"recvmsg", FAKE_RECVMSG, 2, 1, ENOMEM},
        {"recvmsg, interrupted", FAKE_RECVMSG, 1, 3, EINTR},
        {"open", FAKE_OPEN, 1, 3, EMFILE},
        {"read", FAKE_READ, 1, 2, EIO},
        {"stat", FAKE_STAT, 1, 4, EACCES},
        {"inotify_init1", FAKE_INOTIFY_INIT, 1, 1, EMFILE},
        {"inotify_add_watch", FAKE_INOTIFY_ADD, 1, 2, ENOSPC},
        {"epoll_ctl, all of a start", FAKE_EPOLL_CTL, 1, 3, ENOSPC},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fake_sys_install();
        fake_sys_fail(cases[i].call, cases[i].n, cases[i].times, cases[i].code);
        live();
        fake_sys_fail(cases[i].call, 0, 0, 0);
        assert_descriptors(descriptors, cases[i].name);
        fake_sys_remove();
    }
}

static void allocations(void **state) {
    (void)state;
    for (unsigned n = 1; n <= 64; n *= 4) {
        nwi_alloc_fail_at(n);
        live();
        nwi_alloc_fail_at(0);
        assert_descriptors(descriptors, "memory");
    }
}

static void quiet(enum nwi_log_level level, const char *name, const char *event,
                  const char *message) {
    (void)level, (void)name, (void)event, (void)message;
}

int main(void) {
    if (unshare(CLONE_NEWNET) != 0) {
        fprintf(stderr, "no network namespaces here: %s\n", strerror(errno));
        return SKIPPED;
    }
    run("ip link set lo up");
    nwi_log_set_sink(quiet);
    queue = dispatch_queue_create("faults", NULL);
    const struct CMUnitTest tests[] = {cmocka_unit_test(warm_up), cmocka_unit_test(system_calls),
                                       cmocka_unit_test(allocations)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    dispatch_release(queue);
    return failed;
}
