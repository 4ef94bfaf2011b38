/*
 * test_faults.c - the scene of fault_scene.h with each allocation and each system call failing in
 * turn: it comes to its whole end or to a reported error; every completion fires once; no
 * descriptor stays open.
 */
#include "fault_scene.h"

#include "base/alloc.h"
#include "fake/await.h"
#include "fake/fake_sys.h"
#include <dirent.h>
#include <stdio.h>

enum { FAULTS_MAX = 2000, CLOSE_SECONDS = 10 };

static unsigned open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    unsigned count = 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Lingering closes end on the library's own threads, which tell nobody: looked for until there. */
static void assert_descriptors(unsigned expected, const char *what) {
    for (int i = 0; i < CLOSE_SECONDS * 1000 && open_descriptors() > expected; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (open_descriptors() > expected)
        fail_msg("%s: %u descriptors open, %u before", what, open_descriptors(), expected);
}

struct kind {
    const char *name, *host;
    bool datagrams;
};
static const struct kind kinds[] = {
    {"tcp, address", "127.0.0.1", false},
    {"tcp, name", "localhost", false},
    {"udp, address", "127.0.0.1", true},
    {"udp, name", "localhost", true},
};

/* The rules that hold whatever failed. */
static struct scene_result play(const struct kind *kind, const char *what, unsigned descriptors) {
    struct scene_result result = scene_play(kind->host, kind->datagrams);
    if (result.complaint[0] != '\0')
        fail_msg("%s, %s: %s", kind->name, what, result.complaint);
    if (result.echoed && !result.client_ready)
        fail_msg("%s, %s: an echo without ready", kind->name, what);
    assert_descriptors(descriptors, what);
    return result;
}

/* Threads, loops and caches that are made once and stay. Returns the descriptors open then. */
static unsigned warm_up(void) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct scene_result result = play(&kinds[i], "no fault", UINT32_MAX);
        assert_true(result.listener_ready);
        assert_true(result.client_ready);
        assert_true(result.echoed);
        assert_int_equal(result.client_error, 0);
        if (!kinds[i].datagrams)
            assert_true(result.ended);
    }
    return open_descriptors();
}

static void test_allocations(void **state) {
    const struct kind *kind = *state;
    unsigned descriptors = warm_up();
    unsigned hits = 0;
    for (unsigned n = 1; n < FAULTS_MAX; n++) {
        char what[64];
        snprintf(what, sizeof what, "allocation %u", n);
        nwi_alloc_fail_at(n);
        play(kind, what, descriptors);
        bool hit = nwi_alloc_fault_hit();
        nwi_alloc_fail_at(0);
        if (!hit)
            break;
        hits++;
    }
    assert_in_range(hits, 20, FAULTS_MAX - 2); /* the seam was there, and the end was reached */
}

struct fault {
    enum fake_sys_call call;
    const char *name;
    int codes[8];
};
/* Only what the call may answer without having done its work: EAGAIN with room in the buffer, or
 * "not connected" of a connected socket, would be a kernel that lies, and no event would follow. */
static const struct fault faults[] = {
    {FAKE_SOCKET, "socket", {EMFILE, ENFILE, ENOBUFS, ENOMEM, EAFNOSUPPORT}},
    {FAKE_BIND, "bind", {EADDRINUSE, EADDRNOTAVAIL, EACCES}},
    {FAKE_LISTEN, "listen", {EADDRINUSE}},
    {FAKE_CONNECT, "connect", {ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, ETIMEDOUT, EADDRNOTAVAIL}},
    {FAKE_ACCEPT, "accept4", {EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EPROTO, EINTR}},
    {FAKE_SENDMSG, "sendmsg", {EPIPE, ECONNRESET, ENOBUFS, ENOMEM, EINTR}},
    {FAKE_SENDMMSG, "sendmmsg", {ECONNREFUSED, ENOBUFS, ENOMEM, EPERM, EINTR}},
    {FAKE_RECVMSG, "recvmsg", {ECONNRESET, ENOMEM, ETIMEDOUT, EINTR}},
    {FAKE_RECVMMSG, "recvmmsg", {ECONNREFUSED, ENOMEM, EINTR}},
    {FAKE_GETSOCKNAME, "getsockname", {ENOBUFS}},

    {FAKE_SETSOCKOPT, "setsockopt", {ENOPROTOOPT, EINVAL, ENOMEM}},
    {FAKE_GETSOCKOPT, "getsockopt", {ENOPROTOOPT, ENOBUFS}},
    {FAKE_SHUTDOWN, "shutdown", {ENOBUFS}},
    {FAKE_CLOSE, "close", {EIO, EINTR}},
    {FAKE_IOCTL, "ioctl", {EINVAL}},
    {FAKE_OPEN, "open", {EMFILE, EACCES, ENOENT}},
    {FAKE_READ, "read", {EIO, EINTR}},
    {FAKE_STAT, "stat", {EACCES, ENOENT}},
};

/* What the errors of one call must come to, beyond the rules. */
static void check(const struct kind *kind, const struct fault *fault, int code, unsigned n,
                  const struct scene_result *result) {
    if (n != 1)
        return;
    switch (fault->call) {
    case FAKE_LISTEN:
        assert_int_equal(result->listener_error, code);
        break;
    case FAKE_CONNECT: /* a name may have a second address */
        if (strcmp(kind->host, "localhost") != 0)
            assert_int_equal(result->client_error, code);
        break;
    case FAKE_ACCEPT: /* the next one is taken, or the same one again */
        assert_true(result->listener_ready);
        assert_int_equal(result->listener_error, 0);
        break;
    default:
        break;
    }
}

/* A full buffer seen by the listener's side only, after which the kernel has room and says nothing:
 * the peer must not wait for an edge that has been. */
static void test_blocked_peer(void **state) {
    const struct kind *kind = *state;
    unsigned descriptors = warm_up();
    fake_sys_install();
    fake_sys_fail(FAKE_SENDMSG, 2, 1, EAGAIN); /* 1 is the client's greeting, 2 its echo */
    struct scene_result result = play(kind, "a full buffer once", descriptors);
    assert_int_equal(fake_sys_faults(FAKE_SENDMSG), 1);
    assert_true(result.echoed);
    fake_sys_remove();
}

static void test_calls(void **state) {
    const struct kind *kind = *state;
    unsigned descriptors = warm_up();
    fake_sys_install();
    for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++) {
        for (size_t c = 0; faults[f].codes[c] != 0; c++) {
            bool hit = true;
            for (unsigned n = 1; hit && n < FAULTS_MAX; n++) {
                int code = faults[f].codes[c];
                char what[64];
                snprintf(what, sizeof what, "%s %u %s", faults[f].name, n, strerrorname_np(code));
                unsigned before = fake_sys_faults(faults[f].call);
                fake_sys_fail(faults[f].call, n, 1, code);
                struct scene_result result = play(kind, what, descriptors);
                hit = fake_sys_faults(faults[f].call) != before;
                fake_sys_fail(faults[f].call, 0, 0, 0);
                if (hit)
                    check(kind, &faults[f], code, n, &result);
            }
        }
    }
    fake_sys_remove();
}

#define EACH(function, number)                                                                     \
    { #function " " #number, function, NULL, NULL, (void *)&kinds[number] }

/* usage: test_faults [name]: one of the tests only. */
int main(int argc, char **argv) {
    setenv("NW_LOG", "off", 0);
    const struct CMUnitTest tests[] = {
        EACH(test_allocations, 0), EACH(test_allocations, 1), EACH(test_allocations, 2),
        EACH(test_allocations, 3), EACH(test_calls, 0),       EACH(test_calls, 1),
        EACH(test_calls, 2),       EACH(test_calls, 3),       EACH(test_blocked_peer, 2),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
