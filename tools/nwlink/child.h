/*
 * child.h - the command of "nwlink run".
 */
#ifndef NWLINK_CHILD_H
#define NWLINK_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

/* Starts the command in the namespace, with that signal mask. Its status is 127 when there is no
 * such command, 126 when it cannot be run, as in a shell. Below 0: `why` (NWLINK_WHY octets). */
pid_t nwlink_child_start(char **words, int place, const sigset_t *mask, char *why);
/* Whether it has ended; if so, its exit status as a shell tells it. */
bool nwlink_child_ended(pid_t child, int *status);
/* Passes a signal on, unless the terminal has told the child already. */
void nwlink_child_signal(pid_t child, const struct signalfd_siginfo *info);
/* The wire goes first: asks the child to end, and waits for it. */
void nwlink_child_stop(pid_t child);

#endif
