/*
 * child.c - see child.h.
 * Runs:   one thread.
 */
#include "child.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int bench_child_start(struct bench_child *ret_child, char *const argv[]) {
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    int err = posix_spawn_file_actions_init(&actions);
    if (err == 0) {
        err = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        if (err == 0)
            err = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    close(ends[1]);
    if (err != 0) {
        close(ends[0]);
        return err;
    }
    *ret_child = (struct bench_child){.pid = pid, .output = ends[0]};
    return 0;
}

double bench_child_number(struct bench_child *child, double seconds) {
    char line[64];
    size_t length = 0;
    struct timespec now, start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (length + 1 < sizeof line) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        double left = seconds - ((double)(now.tv_sec - start.tv_sec) +
                                 (double)(now.tv_nsec - start.tv_nsec) / 1e9);
        struct pollfd wait = {.fd = child->output, .events = POLLIN};
        if (left <= 0 || poll(&wait, 1, (int)(left * 1000) + 1) <= 0)
            return -1;
        if (read(child->output, line + length, 1) != 1)
            return -1;
        if (line[length++] == '\n')
            break;
    }
    line[length] = '\0';
    char *end;
    double number = strtod(line, &end);
    return end != line ? number : -1;
}

void bench_child_end(struct bench_child *child) {
    close(child->output);
    kill(child->pid, SIGKILL); /* not reaped yet, so the number is still its own */
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
