/*
 * child.c - see child.h.
 * Runs:   one thread.
 */
#include "child.h"
#include "harness.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn_with(pid_t *ret_pid, const char *path, char *const argv[], int input, int output) {
    posix_spawn_file_actions_t actions;
    int err = posix_spawn_file_actions_init(&actions);
    if (err != 0)
        return err;
    err = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    if (err == 0)
        err = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (err == 0)
        err = posix_spawn(ret_pid, path, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return err;
}

/* A pair of sockets for the input, since a write to one can be told not to raise SIGPIPE. */
int bench_child_start(struct bench_child *ret_child, const char *path, char *const argv[]) {
    int output[2], input[2];
    if (pipe2(output, O_CLOEXEC) != 0)
        return errno;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) != 0) {
        int err = errno;
        close(output[0]);
        close(output[1]);
        return err;
    }
    pid_t pid;
    int err = spawn_with(&pid, path != NULL ? path : "/proc/self/exe", argv, input[0], output[1]);
    close(input[0]);
    close(output[1]);
    if (err != 0) {
        close(input[1]);
        close(output[0]);
        return err;
    }
    *ret_child = (struct bench_child){.pid = pid, .output = output[0], .input = input[1]};
    return 0;
}

bool bench_child_tell(struct bench_child *child) {
    return send(child->input, "\n", 1, MSG_NOSIGNAL) == 1;
}

/* Octet by octet, so that nothing of the next line is taken. False: no whole line in time. */
static bool read_line(struct bench_child *child, double seconds, char *line, size_t room) {
    double end = bench_now() + seconds;
    for (size_t length = 0; length + 1 < room;) {
        double left = end - bench_now();
        struct pollfd wait = {.fd = child->output, .events = POLLIN};
        if (left <= 0 || poll(&wait, 1, (int)(left * 1000) + 1) <= 0)
            return false;
        if (read(child->output, line + length, 1) != 1)
            return false;
        if (line[length++] == '\n') {
            line[length] = '\0';
            return true;
        }
    }
    return false;
}

bool bench_child_numbers(struct bench_child *child, double seconds, unsigned count,
                         double *ret_numbers) {
    char line[256], *at = line, *end;
    if (!read_line(child, seconds, line, sizeof line))
        return false;
    for (unsigned i = 0; i < count; i++, at = end) {
        ret_numbers[i] = strtod(at, &end);
        if (end == at)
            return false;
    }
    return true;
}

double bench_child_number(struct bench_child *child, double seconds) {
    double number;
    return bench_child_numbers(child, seconds, 1, &number) ? number : -1;
}

void bench_child_end(struct bench_child *child) {
    close(child->output);
    close(child->input);
    kill(child->pid, SIGKILL); /* not reaped yet, so the number is still its own */
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
