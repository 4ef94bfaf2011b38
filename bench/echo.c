/*
 * echo.c - TCP echo over loopback: libnw beside a bare epoll loop.
 * What:   1 and 64 connections, 64 octets and 16 KiB, first as the server and then as the driver
 *         under measurement; the other side is always the bare one. Each side is a process of its
 *         own (child.h). Goal:   0.95 of bare (docs/performance.md).
 */
#include "echo.h"
#include "child.h"
#include "harness.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOAL_OF_BARE 0.95
enum { WARM_UP_MS = 100, START_LIMIT_S = 10 };

struct work {
    const char *server, *driver; /* "nw" or "bare" */
    const char *connections, *size;
};

static uint64_t total(const struct echo_drive *drive) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < drive->connections; i++)
        sum += atomic_load_explicit(&drive->counters[i].round_trips, memory_order_relaxed);
    return sum;
}

/* echo --drive MAKE PORT CONNECTIONS SIZE SECONDS: prints round trips a second. Every connection
 * has answered once, and a moment has passed, before the clock starts. */
static int drive_main(char **argument) {
    static struct echo_counter counters[ECHO_CONNECTIONS_MAX];
    static struct echo_drive drive;
    double seconds = strtod(argument[4], NULL);
    drive = (struct echo_drive){.port = (uint16_t)strtoul(argument[1], NULL, 10),
                                .connections = (unsigned)strtoul(argument[2], NULL, 10),
                                .size = strtoul(argument[3], NULL, 10),
                                .counters = counters};
    if (drive.connections > ECHO_CONNECTIONS_MAX || drive.size > ECHO_READ_MAX)
        return 2;
    int err = strcmp(argument[0], "nw") == 0 ? echo_drive_nw(&drive) : echo_drive_bare(&drive);
    if (err != 0) {
        fprintf(stderr, "drive: %s\n", strerror(err));
        return EXIT_FAILURE;
    }
    double limit = bench_now() + START_LIMIT_S;
    for (unsigned i = 0; i < drive.connections; i++) {
        while (atomic_load(&counters[i].round_trips) == 0) {
            if (bench_now() > limit) {
                fprintf(stderr, "drive: connection %u does not answer\n", i);
                return EXIT_FAILURE;
            }
            bench_pause(0.002);
        }
    }
    bench_pause(WARM_UP_MS / 1e3);
    uint64_t before = total(&drive);
    double start = bench_now();
    bench_pause(seconds);
    uint64_t after = total(&drive);
    printf("%.1f\n", (double)(after - before) / (bench_now() - start));
    fflush(stdout);
    return EXIT_SUCCESS;
}

static bool measure(const void *what, double seconds, double *ret_values) {
    const struct work *work = what;
    struct bench_child server, driver;
    char port[16], length[16];
    char *serve[] = {(char *)"echo", (char *)"--serve", (char *)work->server, NULL};
    if (bench_child_start(&server, NULL, serve) != 0)
        return false;
    double rate = -1, number = bench_child_number(&server, START_LIMIT_S);
    if (number > 0) {
        snprintf(port, sizeof port, "%.0f", number);
        snprintf(length, sizeof length, "%g", seconds);
        char *drive[] = {(char *)"echo",
                         (char *)"--drive",
                         (char *)work->driver,
                         port,
                         (char *)work->connections,
                         (char *)work->size,
                         length,
                         NULL};
        if (bench_child_start(&driver, NULL, drive) == 0) {
            rate = bench_child_number(&driver, seconds + 2 * START_LIMIT_S);
            bench_child_end(&driver);
        }
    }
    bench_child_end(&server);
    *ret_values = rate;
    return rate > 0;
}

#define ROW(side, our_server, our_driver, count, octets, text)                                     \
    {                                                                                              \
        .name = "echo " side ", " count " x " text, .measure = measure,                            \
        .figures = {{.unit = "round trips/s"}},                                                    \
        .sides = {                                                                                 \
            {.name = "libnw", .what = &(struct work){our_server, our_driver, count, octets}},      \
            {.name = "bare epoll",                                                                 \
             .what = &(struct work){"bare", "bare", count, octets},                                \
             .goals = {GOAL_OF_BARE}}},                                                            \
    }

int main(int argc, char **argv) {
    const struct bench_row rows[] = {
        ROW("server", "nw", "bare", "1", "64", "64 B"),
        ROW("server", "nw", "bare", "1", "16384", "16 KiB"),
        ROW("server", "nw", "bare", "64", "64", "64 B"),
        ROW("server", "nw", "bare", "64", "16384", "16 KiB"),
        ROW("client", "bare", "nw", "1", "64", "64 B"),
        ROW("client", "bare", "nw", "1", "16384", "16 KiB"),
        ROW("client", "bare", "nw", "64", "64", "64 B"),
        ROW("client", "bare", "nw", "64", "16384", "16 KiB"),
    };
    const struct bench_program program = {.name = "echo",
                                          .title = "TCP echo over 127.0.0.1",
                                          .rows = rows,
                                          .count = sizeof rows / sizeof *rows};
    if (argc == 3 && strcmp(argv[1], "--serve") == 0)
        return strcmp(argv[2], "nw") == 0 ? echo_serve_nw() : echo_serve_bare();
    if (argc == 7 && strcmp(argv[1], "--drive") == 0)
        return drive_main(argv + 2);
    return bench_main(argc, argv, &program);
}
