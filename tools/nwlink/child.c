/*
 * child.c - the command of "nwlink run".
 * Runs:   in the only thread of nwlink.
 */
#include "child.h"

#include "conditions.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_STARTED = 126, NOT_FOUND = 127, STATUS_SIGNAL = 128 };

pid_t nwlink_child_start(char **words, int place, const sigset_t *mask, char *why) {
    pid_t child = fork();
    if (child < 0)
        snprintf(why, NWLINK_WHY, "cannot start '%.60s': %s", words[0], strerror(errno));
    if (child != 0)
        return child;
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (setns(place, CLONE_NEWNET) == 0)
        execvp(words[0], words);
    int error = errno;
    fprintf(stderr, "nwlink: cannot start '%s': %s\n", words[0], strerror(error));
    _exit(error == ENOENT ? NOT_FOUND : NOT_STARTED);
}

bool nwlink_child_ended(pid_t child, int *status) {
    int how;
    if (waitpid(child, &how, WNOHANG) != child)
        return false;
    *status = WIFSIGNALED(how) ? STATUS_SIGNAL + WTERMSIG(how) : WEXITSTATUS(how);
    return true;
}

void nwlink_child_signal(pid_t child, const struct signalfd_siginfo *info) {
    /* from the kernel: Ctrl-C or a hang-up, which went to the whole group of processes */
    if (info->ssi_code <= 0)
        kill(child, (int)info->ssi_signo);
}

void nwlink_child_stop(pid_t child) {
    int how;
    kill(child, SIGTERM);
    while (waitpid(child, &how, 0) < 0 && errno == EINTR)
        continue;
}
