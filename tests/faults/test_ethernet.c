/*
 * test_ethernet.c - an Ethernet channel on loopback with each allocation, and each system call with
 * what it may answer, failing in turn.
 * What:   the channel ends in the state that the table says; each send completes once; a failure
 *         that may pass is got over; no descriptor stays open. Where packet sockets are not allowed
 *         nothing can fail, and the tests skip themselves.
 * Source: packet(7), socket(2), bind(2), sendmmsg(2), recvmmsg(2).
 */
#include "base/alloc.h"
#include "descriptors.h"
#include "fake/ethernet_wire.h"
#include "fake/fake_sys.h"
#include "path/monitor.h"
#include <stdio.h>

enum { FAULTS_MAX = 500, RESENDS = 50, RESEND_MS = 100 };

enum outcome {
    GOES_ON, /* ready, at once or after waiting; the frame comes back */
    FAILS,   /* the channel, with the errno */
    LOSES,   /* the send gets the errno, the next one passes */
};

static const struct row {
    enum fake_sys_call call;
    const char *name;
    enum outcome outcome;
    int codes[12]; /* 0 ends */
} table[] = {
    {FAKE_SOCKET, "socket", GOES_ON, {EMFILE, ENFILE, ENOBUFS, ENOMEM}},
    {FAKE_SOCKET, "socket", FAILS, {EPERM, EACCES, EAFNOSUPPORT, EINVAL, EPROTONOSUPPORT}},
    {FAKE_BIND, "bind", GOES_ON, {ENOMEM, ENOBUFS}},
    {FAKE_BIND, "bind", FAILS, {EPERM, EINVAL, EBADF, EADDRNOTAVAIL}},
    {FAKE_GETSOCKNAME, "getsockname", GOES_ON, {ENOBUFS}},
    {FAKE_GETSOCKNAME, "getsockname", FAILS, {EBADF, EINVAL, ENOTSOCK}},
    {FAKE_EPOLL_CTL, "epoll_ctl", GOES_ON, {ENOMEM}},
    {FAKE_EPOLL_CTL, "epoll_ctl", FAILS, {ENOSPC, EPERM}},
    {FAKE_SENDMMSG, "sendmmsg", GOES_ON, {EAGAIN, EINTR}},
    {FAKE_SENDMMSG, "sendmmsg", LOSES, {ENOBUFS, ENOMEM, ENETDOWN, ENXIO, EMSGSIZE, EPERM}},
    {FAKE_RECVMMSG, "recvmmsg", GOES_ON, {EAGAIN, EINTR, ENETDOWN, ENOBUFS, ENOMEM}},
    {FAKE_RECVMMSG, "recvmmsg", FAILS, {EBADF, EFAULT, EINVAL, ENOTSOCK}},
};

static nw_interface_t loopback;
static unsigned char nobody[6];

static bool is_settled(const struct wire *wire) {
    return wire_state(wire) >= nw_ethernet_channel_state_ready;
}

/* Waits for a frame, or the end, for a while. */
static bool has_come(struct wire *wire) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += RESEND_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    do {
        pthread_mutex_lock(&wire->lock);
        bool come = wire->frames > 0 || wire_state(wire) != nw_ethernet_channel_state_ready;
        pthread_mutex_unlock(&wire->lock);
        if (come)
            return true;
    } while (sem_timedwait(&wire->event, &until) == 0 || errno == EINTR);
    return false;
}

/* Opens the channel and has one frame come back, or the channel fail. A frame may be lost to the
 * fault, and nobody learns of it: then the next one passes. */
static void play(struct wire *wire) {
    if (!wire_open(wire, loopback))
        return;
    nw_ethernet_channel_start(wire->channel);
    wire_await(wire, is_settled(wire));
    for (unsigned i = 1; i <= RESENDS && wire_state(wire) == nw_ethernet_channel_state_ready; i++) {
        wire_send(wire, "frame", 5, 3, nobody);
        wire_await(wire, wire->completions == i);
        if (wire->completion == 0 && has_come(wire))
            break;
    }
}

/* Loops and threads that are made once and stay. */
static void warm_up(void) {
    for (int i = 0; i < 8; i++) {
        struct wire wire;
        play(&wire);
        wire_close(&wire);
    }
}

static void check(const struct row *row, int code, unsigned n) {
    struct wire wire;
    unsigned before = open_descriptors();
    char what[80];
    snprintf(what, sizeof what, "%s %u: errno %d", row->name, n, code);
    fake_sys_install();
    fake_sys_fail(row->call, n, 1, code);
    play(&wire);
    bool hit = fake_sys_faults(row->call) > 0;
    fake_sys_remove();
    if (!hit)
        fail_msg("%s: never called", what);
    nw_ethernet_channel_state_t wanted =
        row->outcome == FAILS ? nw_ethernet_channel_state_failed : nw_ethernet_channel_state_ready;
    if (wire_state(&wire) != wanted)
        fail_msg("%s: state %d, error %d", what, (int)wire_state(&wire), wire_code(&wire));
    if (row->outcome == FAILS && wire_code(&wire) != code)
        fail_msg("%s: the channel failed with %d", what, wire_code(&wire));
    if (row->outcome != FAILS && wire.frames == 0)
        fail_msg("%s: no frame came", what);
    if (wire.refused != (row->outcome == LOSES))
        fail_msg("%s: %u sends were refused", what, wire.refused);
    wire_close(&wire);
    assert_descriptors(before, what);
}

/* The first calls are those of the monitor of links. */
static void test_watching(void **state) {
    (void)state;
    if (!wire_allowed())
        skip();
    check(&table[0], EMFILE, 1);
    check(&table[0], ENOBUFS, 1);
    check(&table[2], ENOMEM, 1);
}

/* From here on it runs, as it does in any program with connections: the first calls are ours. */
static void test_calls(void **state) {
    (void)state;
    if (!wire_allowed())
        skip();
    assert_int_equal(nwi_path_keep_watching(), 0);
    warm_up();
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (size_t k = 0; table[i].codes[k] != 0; k++)
            check(&table[i], table[i].codes[k], 1);
}

static void test_options(void **state) {
    (void)state;
    if (!wire_allowed())
        skip();
    static const struct row passes = {FAKE_SETSOCKOPT, "setsockopt", GOES_ON, {0}};
    static const struct row fails = {FAKE_SETSOCKOPT, "setsockopt", FAILS, {0}};
    check(&passes, ENOPROTOOPT, 1); /* PACKET_IGNORE_OUTGOING: an old kernel */
    for (unsigned n = 2; n <= 4; n++)
        check(&fails, EINVAL, n);
    check(&passes, ENOMEM, 2);
}

static void test_allocations(void **state) {
    (void)state;
    if (!wire_allowed())
        skip();
    struct wire wire;
    unsigned before = open_descriptors(), n;
    for (n = 1; n < FAULTS_MAX; n++) {
        char what[32];
        snprintf(what, sizeof what, "allocation %u", n);
        nwi_alloc_fail_at(n);
        play(&wire);
        bool hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        if (wire_state(&wire) == nw_ethernet_channel_state_failed)
            assert_int_equal(wire_code(&wire), ENOMEM);
        wire_close(&wire);
        assert_descriptors(before, what);
        if (!hit)
            break;
    }
    assert_true(n > 5 && n < FAULTS_MAX);
}

static int make_loopback(void **state) {
    (void)state;
    loopback = wire_loopback();
    if (wire_allowed())
        warm_up();
    return 0;
}
static int drop_loopback(void **state) {
    (void)state;
    nw_release(loopback);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watching),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, make_loopback, drop_loopback);
}
