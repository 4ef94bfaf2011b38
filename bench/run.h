/*
 * run.h - a measurement as runs of this same program, in processes of their own.
 * What:   a work is a make ("nw", "uv", ...) and a name; its process prints figures and ends. It may
 *         have a server, a second process of some make: started before, asked for its figures
 * after. So no side inherits threads, memory or descriptors from another, and both of a
 *         conversation can be of different makes.
 * Runs:   one thread.
 */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "die.h"
#include "harness.h"
#include <stddef.h>
#include <stdint.h>

struct run_work {
    const char *make, *name;
    const char *server;  /* its make; NULL: there is none */
    bool server_figures; /* the server's figures are the work's */
};

/* What a process is to do. */
struct run_order {
    const char *name; /* of the work */
    double seconds;
    uint16_t port; /* of the server, on 127.0.0.1; 0: there is none */
};

struct run_make {
    const char *name;                                                /* NULL ends the list */
    void (*run)(const struct run_order *order, double ret_values[]); /* NULL: serves only */
    void (*serve)(const char *name); /* calls run_serving, serves for ever; NULL: runs only */
};

/* The main function of a program whose rows have run_measure for `measure` and works for `what`.
 * Sides whose make can do nothing here are left out; run_notes, for the program's
 * `notes`, says which libraries are not installed. */
int run_main(int argc, char **argv, const struct bench_program *program,
             const struct run_make *makes);
bool run_measure(const void *work, double seconds, double *ret_values);

extern const char *const run_notes[];

/* --- for the tables --- */
/* A work of one process; one of two, where the driver's figures count; and where the server's do.
 */
#define RUN(make, name)                                                                            \
    &(const struct run_work) {                                                                     \
        make, name, NULL, false                                                                    \
    }
#define RUN_BESIDE(make, name, server)                                                             \
    &(const struct run_work) {                                                                     \
        make, name, server, false                                                                  \
    }
#define RUN_SERVER(make, name, driver)                                                             \
    &(const struct run_work) {                                                                     \
        driver, name, make, true                                                                   \
    }
/* A function of a make whose library may not be installed. */
#ifdef BENCH_UV
#define RUN_UV(function) function
#else
#define RUN_UV(function) NULL
#endif
#ifdef BENCH_EVENT
#define RUN_EVENT(function) function
#else
#define RUN_EVENT(function) NULL
#endif

/* --- for the processes --- */

/* Tells the port, and from now on answers the two questions about figures: at the first, before the
 * work begins, `begin` is called; at the second, after it, `fill`. Both on a thread of their own;
 * both NULL when there are none. */
void run_serving(uint16_t port, void (*begin)(void), void (*fill)(double ret_values[]));
/* The sample that `part` (0 to 1) of them do not exceed. Sorts them. */
double run_part(double *samples, unsigned count, double part);

#endif
