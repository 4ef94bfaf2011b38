/*
 * die.h - how a process of a measurement ends when it cannot go on. C and C++.
 */
#ifndef BENCH_DIE_H
#define BENCH_DIE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Says what failed and ends the process; err is an errno value, or 0 when there is none. */
void bench_die(const char *what, int err) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
