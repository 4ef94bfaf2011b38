/*
 * test_start.c - the loops cannot be started, at the first use of the library in a process.
 * What:   each case is a process of its own, in which the n-th call of a kind, and so many after it,
 *         fail. What another loop can do it does; without any the start is waited for. The scene of
 *         scene.h goes on then, and nothing that was opened in vain is left open.
 */
#include "descriptors.h"
#include "fake/fake_sys.h"
#include "loop/private.h"
#include "scene.h"
#include <stdio.h>

static const struct {
    const char *name;
    enum fake_sys_call call;
    int codes[4];
} calls[] = {
    {"epoll_create1", FAKE_EPOLL_CREATE, {EMFILE, ENFILE, ENOMEM}},
    {"eventfd", FAKE_EVENTFD, {EMFILE, ENFILE, ENOMEM}},
    {"epoll_ctl", FAKE_EPOLL_CTL, {ENOMEM, ENOSPC}},
    {"pthread_create", FAKE_THREAD, {EAGAIN}},
};
enum { CALLS = sizeof calls / sizeof calls[0], N_MAX = 4, LONG = 20 };

/* In the child. Returns the exit status. */
static int play(unsigned which, unsigned n, unsigned times, int code) {
    const struct scene_script script = {.name = "start", .host = "127.0.0.1"};
    unsigned before = open_descriptors(), started = 0;
    fake_sys_install();
    fake_sys_fail(calls[which].call, n, times, code);
    struct scene_result result = scene_play(&script);
    fake_sys_fail(calls[which].call, 0, 0, 0);
    bool at_loops = calls[which].call != FAKE_EPOLL_CTL || n == 1;
    if (result.complaint[0] != '\0' || (at_loops && (!result.echoed || !result.ended))) {
        fprintf(stderr, "echoed %d: %s\n", result.echoed, result.complaint);
        return EXIT_FAILURE;
    }
    for (unsigned i = 0; i < nwi_loop_count(); i++)
        started += nwi_loop_at(i) != NULL;
    assert_descriptors(before + 2 * started, calls[which].name);
    return EXIT_SUCCESS;
}

static void test_start(void **state) {
    (void)state;
    static const unsigned lengths[] = {1, LONG};
    for (unsigned i = 0; i < CALLS; i++)
        for (unsigned c = 0; calls[i].codes[c] != 0; c++)
            for (unsigned n = 1; n <= N_MAX; n++)
                for (unsigned l = 0; l < 2; l++) {
                    char argument[64], text[1024];
                    snprintf(argument, sizeof argument, "%u %u %u %d", i, n, lengths[l],
                             calls[i].codes[c]);
                    int status = run_again(argument, text, sizeof text);
                    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                        fail_msg("%s %u, %u times, %s: status %d: %s", calls[i].name, n, lengths[l],
                                 strerrorname_np(calls[i].codes[c]), status, text);
                }
}

/* What no time will mend ends the process with a reason, and does not hang it. */
static void test_no_epoll(void **state) {
    (void)state;
    char argument[64];
    snprintf(argument, sizeof argument, "0 1 1 %d", EPERM);
    assert_aborts(argument, "loop");
}

int main(int argc, char **argv) {
    unsigned which, n, times;
    int code;
    if (argc > 1 && sscanf(argv[1], "%u %u %u %d", &which, &n, &times, &code) == 4)
        return play(which, n, times, code);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_start),
                                       cmocka_unit_test(test_no_epoll)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
