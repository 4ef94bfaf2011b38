/*
 * await.h - waiting for an event in a test, with a deadline; and running a body that must abort.
 * What:   a test waits for what it wants to see and fails when that does not come; it never sleeps
 *         for a guess.
 */
#ifndef NWI_FAKE_AWAIT_H
#define NWI_FAKE_AWAIT_H

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { AWAIT_SECONDS = 30 };

static inline void event_init(sem_t *event) {
    assert_int_equal(sem_init(event, 0, 0), 0);
}

/* Waits until the event has been posted once more. */
static inline void await(sem_t *event) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += AWAIT_SECONDS;
    int result;
    while ((result = sem_timedwait(event, &until)) != 0 && errno == EINTR) {
    }
    assert_int_equal(result, 0);
}

static inline int posted(sem_t *event) {
    int value;
    assert_int_equal(sem_getvalue(event, &value), 0);
    return value;
}

/* Runs the test's own program again with `argument` and waits for it: for what ends a process. Its
 * stderr comes back in `text`. Returns the wait status. A fresh process, since a fork of one with
 * threads has none of them. */
static inline int run_again(const char *argument, char *text, size_t size) {
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(pipe_ends[1], STDERR_FILENO);
        close(pipe_ends[0]);
        close(pipe_ends[1]);
        alarm(
            AWAIT_SECONDS); /* a child that hangs dies by it, which the caller sees in the status */
        execl("/proc/self/exe", "again", argument, (char *)NULL);
        _exit(127);
    }
    close(pipe_ends[1]);
    size_t length = 0;
    ssize_t count;
    while ((count = read(pipe_ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)count;
    text[length] = '\0';
    close(pipe_ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static inline void assert_aborts(const char *argument, const char *message) {
    char text[4096];
    int status = run_again(argument, text, sizeof(text));
    if (strstr(text, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

#endif
