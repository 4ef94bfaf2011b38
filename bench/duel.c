/*
 * duel.c - see duel.h.
 * What:   a side is this program again: PROGRAM --side PEER serve|drive WORK PORT CONNECTIONS SIZE. A server
 *         prints its port, a driver an empty figure once it is warm; then each answers every line
 * it reads with "count processor-seconds clock".
 * Runs:   a side has its peer on a thread of its own, so that the main thread can answer.
 */
#include "duel.h"
#include "child.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define WARM_UP_S 0.08
#define START_LIMIT_S 20.0
enum { ARGUMENTS = 9 };

/* --- the process of one side --- */
struct side {
    struct bench_load load;
    void (*work)(const struct bench_load *load);
};

static void *side_thread(void *argument) {
    const struct side *side = argument;
    side->work(&side->load);
    return NULL;
}

static uint64_t total(const struct bench_load *load) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < load->connections; i++)
        sum += __atomic_load_n(&load->counters[i].count, __ATOMIC_RELAXED);
    return sum;
}

/* Waits until every connection has done something. */
static void wait_until_all_work(const struct bench_load *load) {
    double limit = bench_now() + START_LIMIT_S;
    for (unsigned i = 0; i < load->connections; i++) {
        while (__atomic_load_n(&load->counters[i].count, __ATOMIC_RELAXED) == 0) {
            if (bench_now() > limit)
                bench_die("a connection does not answer", 0);
            bench_pause(0.002);
        }
    }
    bench_pause(WARM_UP_S);
}

/* A thousand connections take more descriptors than a shell usually allows. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int side_main(char **argument) {
    static struct bench_counter counters[BENCH_CONNECTIONS_MAX];
    static struct side side;
    bool drives = strcmp(argument[1], "drive") == 0;
    const struct bench_peer *peer = bench_peer_at((unsigned)strtoul(argument[0], NULL, 10));
    side.load = (struct bench_load){.work = (enum bench_work)strtoul(argument[2], NULL, 10),
                                    .port = (uint16_t)strtoul(argument[3], NULL, 10),
                                    .connections = (unsigned)strtoul(argument[4], NULL, 10),
                                    .size = strtoul(argument[5], NULL, 10),
                                    .counters = counters};
    side.work = drives ? peer->drive : peer->serve;
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    pthread_t thread;
    int err = pthread_create(&thread, NULL, side_thread, &side);
    if (err != 0)
        bench_die("thread", err);
    if (drives) {
        wait_until_all_work(&side.load);
        puts("0");
        fflush(stdout);
    }
    while (getchar() != EOF) {
        printf("%.17g %.9f %.9f\n", (double)total(&side.load), bench_cpu(), bench_now());
        fflush(stdout);
    }
    _exit(EXIT_SUCCESS); /* the other threads still work */
}

bool bench_duel_child(int argc, char **argv, int *ret_status) {
    if (argc != ARGUMENTS - 1 || strcmp(argv[1], "--side") != 0)
        return false;
    *ret_status = side_main(argv + 2);
    return true;
}

/* --- the parent --- */
struct reading {
    double count, cpu, time;
};

static int start_side(struct bench_child *ret_child, const struct bench_duel *duel, unsigned peer,
                      bool drives, double port) {
    char numbers[5][24];
    snprintf(numbers[0], sizeof *numbers, "%u", peer);
    snprintf(numbers[1], sizeof *numbers, "%d", (int)duel->work);
    snprintf(numbers[2], sizeof *numbers, "%.0f", port);
    snprintf(numbers[3], sizeof *numbers, "%u", duel->connections);
    snprintf(numbers[4], sizeof *numbers, "%zu", duel->size);
    char *argv[ARGUMENTS] = {(char *)"side",
                             (char *)"--side",
                             numbers[0],
                             (char *)(drives ? "drive" : "serve"),
                             numbers[1],
                             numbers[2],
                             numbers[3],
                             numbers[4],
                             NULL};
    return bench_child_start(ret_child, NULL, argv);
}

static bool take_reading(struct bench_child *child, struct reading *ret_reading) {
    double numbers[3];
    if (!bench_child_tell(child) || !bench_child_numbers(child, START_LIMIT_S, 3, numbers))
        return false;
    *ret_reading = (struct reading){numbers[0], numbers[1], numbers[2]};
    return true;
}

/* Both work. The round trips and the connects are the driver's to count; octets count when they
 * have arrived, and accepted connections where they are accepted. */
static bool observe(const struct bench_duel *duel, double seconds, struct bench_child *server,
                    struct bench_child *driver, struct bench_outcome *ret_outcome) {
    bool server_counts =
        duel->work == BENCH_STREAM || (duel->work == BENCH_CONNECT && duel->serves);
    struct bench_child *counts = server_counts ? server : driver;
    struct bench_child *measured = duel->serves ? server : driver;
    struct reading count[2], cpu[2];
    if (!take_reading(measured, &cpu[0]) || !take_reading(counts, &count[0]))
        return false;
    bench_pause(seconds);
    if (!take_reading(measured, &cpu[1]) || !take_reading(counts, &count[1]))
        return false;
    double done = count[1].count - count[0].count;
    if (!(done > 0))
        return false;
    ret_outcome->rate = done / (count[1].time - count[0].time);
    ret_outcome->cpu = (cpu[1].cpu - cpu[0].cpu) / done;
    return true;
}

bool bench_duel_run(const struct bench_duel *duel, double seconds,
                    struct bench_outcome *ret_outcome) {
    struct bench_child server, driver;
    unsigned server_peer = duel->serves ? duel->peer : BENCH_PEER_BARE;
    unsigned driver_peer = duel->serves ? BENCH_PEER_BARE : duel->peer;
    if (start_side(&server, duel, server_peer, false, 0) != 0)
        return false;
    bool good = false;
    double port = bench_child_number(&server, START_LIMIT_S);
    if (port > 0 && start_side(&driver, duel, driver_peer, true, port) == 0) {
        good = bench_child_number(&driver, 2 * START_LIMIT_S) == 0 &&
               observe(duel, seconds, &server, &driver, ret_outcome);
        bench_child_end(&driver);
    }
    bench_child_end(&server);
    return good;
}

/* The two bare loops set a limit; io_uring's is for information. */
static double goal_of(unsigned peer, double goal_bare, double goal_library) {
    if (peer == BENCH_PEER_NW || peer == BENCH_PEER_URING)
        return 0;
    return peer == BENCH_PEER_BARE ? goal_bare : goal_library;
}

void bench_duel_sides(struct bench_side *sides, struct bench_duel *duels,
                      const struct bench_duel *duel, double goal_bare, double goal_library) {
    unsigned count = 0;
    for (unsigned i = 0; i < bench_peer_count() && count < BENCH_SIDES_MAX; i++) {
        const struct bench_peer *peer = bench_peer_at(i);
        if (peer == NULL || (peer->refused != NULL && peer->refused() != NULL))
            continue;
        duels[count] = *duel;
        duels[count].peer = i;
        sides[count] = (struct bench_side){.name = peer->name,
                                           .what = &duels[count],
                                           .goals = {goal_of(i, goal_bare, goal_library)}};
        count++;
    }
}
