/*
 * child.h - one side of a measurement as a process of its own.
 * What:   starts this same program again with other arguments and reads the number it prints first.
 *         Two sides in two processes share no allocator, loop or lock.
 * Owns:   the process, until bench_child_end.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <sys/types.h>

struct bench_child {
    pid_t pid;
    int output; /* read end of its standard output */
};

/* argv[0] is replaced by this program. Returns 0, or an errno value. */
int bench_child_start(struct bench_child *ret_child, char *const argv[]);
/* The number on the next line, waiting `seconds` at most; negative when there is none. */
double bench_child_number(struct bench_child *child, double seconds);
/* Kills the process when it still runs, and reaps it. */
void bench_child_end(struct bench_child *child);

#endif
