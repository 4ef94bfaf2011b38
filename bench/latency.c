/*
 * latency.c - latency of an echo while another connection of the same server is quiet, keeps its
 * handler, or floods.
 * What:   one of PEERS connections in turn is due to send each PERIOD_MS. When answers are late, the
 *         time counts from when the message was due, not from when it could be sent: a server that
 *         stands still for 100 ms makes many messages late, not one.
 *         Goal: nobody waits for a stranger's handler.
 * Runs:   the driver: the echoes on the main thread, the disturbance on one of its own.
 */
#include "latency.h"
#include "tcp.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEERS = 8, PERIOD_MS = 10, SAMPLES_MAX = 20000, MESSAGE = 64, WARM_UP = 50 };
enum { BLOCK_EACH_MS = 150 };

static uint16_t port;

static int open_peer(char kind) {
    int fd = bench_tcp_connect(1, port);
    if (send(fd, &kind, 1, MSG_NOSIGNAL) != 1)
        bench_die("send", errno);
    return fd;
}

/* --- the disturbance --- */

static void *block(void *argument) {
    int fd = open_peer(LATENCY_BLOCK);
    (void)argument;
    while (send(fd, "", 1, MSG_NOSIGNAL) == 1)
        bench_pause(BLOCK_EACH_MS / 1e3);
    return NULL;
}

static void *flood(void *argument) {
    static char octets[LATENCY_READ];
    int fd = open_peer(LATENCY_FLOOD);
    (void)argument;
    while (send(fd, octets, sizeof octets, MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

static void disturb(const char *name) {
    pthread_t thread;
    if (strcmp(name, "quiet") == 0)
        return;
    int err = pthread_create(&thread, NULL, strcmp(name, "flood") == 0 ? flood : block, NULL);
    if (err != 0)
        bench_die("pthread_create", err);
}

/* --- the echoes --- */

static void round_trip(int fd) {
    char octets[MESSAGE] = {0};
    if (send(fd, octets, sizeof octets, MSG_NOSIGNAL) != sizeof octets ||
        recv(fd, octets, sizeof octets, MSG_WAITALL) != sizeof octets)
        bench_die("echo", errno);
}

static void run(const struct run_order *order, double ret_values[]) {
    static double micros[SAMPLES_MAX];
    unsigned count = 0;
    int peers[PEERS];
    port = order->port;
    for (unsigned i = 0; i < PEERS; i++)
        peers[i] = open_peer(LATENCY_ECHO);
    for (unsigned i = 0; i < WARM_UP; i++)
        round_trip(peers[i % PEERS]);
    disturb(order->name);
    double due = bench_now(), end = due + order->seconds;
    for (unsigned turn = 0; due < end && count < SAMPLES_MAX; turn++) {
        double now = bench_now();
        if (now < due) {
            bench_pause(due - now);
            now = bench_now();
        } else {
            now = due;
        }
        round_trip(peers[turn % PEERS]);
        micros[count++] = (bench_now() - now) * 1e6;
        due += PERIOD_MS / 1e3;
    }
    ret_values[0] = run_part(micros, count, 0.5);
    ret_values[1] = run_part(micros, count, 0.99);
    ret_values[2] = micros[count - 1]; /* sorted by now */
}

#define ROW(text, work)                                                                            \
    {                                                                                              \
        .name = text, .measure = run_measure,                                                      \
        .figures = {{.name = "p50", .unit = "us", .less = true},                                   \
                    {.name = "p99", .unit = "us", .less = true},                                   \
                    {.name = "max", .unit = "us", .less = true}},                                  \
        .sides = {{"libnw", RUN_BESIDE("driver", work, "nw"), {0}},                                \
                  {"libuv", RUN_BESIDE("driver", work, "uv"), {0}}},                               \
    }

int main(int argc, char **argv) {
    const struct run_make makes[] = {
        {"driver", run, NULL},
        {"nw", NULL, latency_serve_nw},
        {"uv", NULL, RUN_UV(latency_serve_uv)},
        {0},
    };
    const struct bench_row rows[] = {
        ROW("others are quiet", "quiet"),
        ROW("another's handler blocks for 100 ms", "block"),
        ROW("another floods", "flood"),
    };
    const struct bench_program program = {.name = "latency",
                                          .title =
                                              "Latency of an unrelated echo, 64 octets, 127.0.0.1",
                                          .notes = run_notes,
                                          .rows = rows,
                                          .seconds = 1,
                                          .count = sizeof rows / sizeof *rows};
    return run_main(argc, argv, &program, makes);
}
