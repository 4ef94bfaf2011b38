/*
 * child.h - one side of a measurement as a process of its own.
 * What:   starts this same program (or another) with other arguments, reads the lines of numbers that it
 *         prints, and tells it to go on. Two sides in two processes share no allocator, loop or
 * lock.
 * Owns:   the process, until bench_child_end.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct bench_child {
    pid_t pid;
    int output; /* read end of its standard output */
    int input;  /* write end of its standard input */
};

/* Runs `path`, or this program when it is NULL; argv[0] is free. Returns 0, or an errno value. */
int bench_child_start(struct bench_child *ret_child, const char *path, char *const argv[]);
/* Writes an empty line to the process: it goes on. False: it is gone. */
bool bench_child_tell(struct bench_child *child);
/* The `count` numbers on the next line, waiting `seconds` at most. False when there are none. */
bool bench_child_numbers(struct bench_child *child, double seconds, unsigned count,
                         double *ret_numbers);
/* The same for one number; negative when there is none. */
double bench_child_number(struct bench_child *child, double seconds);
/* Kills the process when it still runs, and reaps it. */
void bench_child_end(struct bench_child *child);

#endif
