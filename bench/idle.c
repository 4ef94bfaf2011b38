/*
 * idle.c - what a connection costs that does nothing.
 * What:   its memory over what the kernel takes, of either side, in a process of its own; and what
 *         one event costs among so many others. The rows, and the accounting; the makes are in
 *         idle_*.c.
 *         Goals: 1.5 KiB a connection; an event among 50,000 at most 1.2 times one among 100.
 * Note:   both ends of a connection are descriptors of this machine, a process each. Where the hard
 *         limit does not allow as many as wanted, fewer are measured, and it is said.
 */
#include "idle.h"
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GOAL_EVENT 1.2
enum { MANY = 10000, MOST = 50000, FEW = 100, A_HOST = 4000, SETTLE_MS = 100, ACCEPT_LIMIT_S = 20 };

unsigned idle_count(const char *name) {
    const char *number = strchr(name, ' ');
    return number != NULL ? (unsigned)strtoul(number, NULL, 10) : 0;
}

unsigned idle_raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        bench_die("getrlimit", errno);
    struct rlimit wanted = {limit.rlim_max, limit.rlim_max};
    if (limit.rlim_max < MOST + IDLE_OWN_DESCRIPTORS) /* root may raise the hard one too */
        wanted = (struct rlimit){MOST + IDLE_OWN_DESCRIPTORS, MOST + IDLE_OWN_DESCRIPTORS};
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return (unsigned)wanted.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return (unsigned)limit.rlim_cur;
}

unsigned idle_host(unsigned place) {
    return 1 + place / A_HOST;
}

/* --- the accounting --- */

static struct {
    double heap, resident; /* at the beginning, octets */
    unsigned expected;
    _Atomic unsigned count;
} use;

static double heap_now(void) {
    struct mallinfo2 info = mallinfo2(); /* every arena */
    return (double)info.uordblks + (double)info.hblkhd;
}

static double resident_now(void) {
    unsigned long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2)
        bench_die("statm", errno);
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

void idle_begin(void) {
    use.resident = resident_now();
    use.heap = heap_now();
}

void idle_expect(unsigned count) {
    use.expected = count;
}

void idle_one_more(void) {
    atomic_fetch_add(&use.count, 1);
}

void idle_fill(double ret_values[]) {
    double limit = bench_now() + ACCEPT_LIMIT_S;
    while (atomic_load(&use.count) < use.expected) {
        if (bench_now() > limit)
            bench_die("connections are missing", ETIMEDOUT);
        bench_pause(1e-3);
    }
    bench_pause(SETTLE_MS / 1e3); /* what is on its way to idle gets there */
    ret_values[0] = (heap_now() - use.heap) / use.expected;
    ret_values[1] = (resident_now() - use.resident) / use.expected;
}

/* --- the rows --- */

static const struct run_make makes[] = {
    {"nw", idle_run_nw, idle_serve_nw},
    {"nw-each", idle_run_nw_each, idle_serve_nw_each},
    {"bare", idle_run_bare, idle_serve_bare},
    {"uv", RUN_UV(idle_run_uv), RUN_UV(idle_serve_uv)},
    {"event", RUN_EVENT(idle_run_event), RUN_EVENT(idle_serve_event)},
    {0},
};

enum { SERVER, CLIENT, EVENT, ROWS_A_SCENE };
enum { SCENES = 2, SIDES = 12, TEXT_MAX = 64 };

/* The rows about one number of connections, with what they point to. */
struct scene {
    char memory[TEXT_MAX], event[TEXT_MAX], names[ROWS_A_SCENE][TEXT_MAX];
    struct run_work works[SIDES];
};

static const struct {
    unsigned row;
    const char *name, *make, *server;
    bool few; /* FEW connections, whatever the scene */
    double goal;
} sides[SIDES] = {
    {SERVER, "libnw", "bare", "nw", false, 0},
    {SERVER, "libnw, a queue each", "bare", "nw-each", false, 0},
    {SERVER, "libuv", "bare", "uv", false, 0},
    {SERVER, "libevent", "bare", "event", false, 0},
    {CLIENT, "libnw", "nw", "bare", false, 0},
    {CLIENT, "libnw, a queue each", "nw-each", "bare", false, 0},
    {CLIENT, "libuv", "uv", "bare", false, 0},
    {CLIENT, "libevent", "event", "bare", false, 0},
    {EVENT, "libnw", "bare", "nw", false, 0},
    {EVENT, "libnw, 100 idle", "bare", "nw", true, GOAL_EVENT},
    {EVENT, "bare epoll", "bare", "bare", false, 0},
    {EVENT, "libuv", "bare", "uv", false, 0},
};

static void fill_scene(struct scene *scene, struct bench_row *rows, unsigned count, bool full) {
    static char few[TEXT_MAX];
    unsigned filled[ROWS_A_SCENE] = {0};
    snprintf(few, TEXT_MAX, "event %u", FEW);
    snprintf(scene->memory, TEXT_MAX, "memory %u", count);
    snprintf(scene->event, TEXT_MAX, "event %u", count);
    snprintf(scene->names[SERVER], TEXT_MAX, "%u connections, server", count);
    snprintf(scene->names[CLIENT], TEXT_MAX, "%u connections, client", count);
    snprintf(scene->names[EVENT], TEXT_MAX, "a round trip, %u idle", count);
    for (unsigned i = 0; i < ROWS_A_SCENE; i++) {
        rows[i] = (struct bench_row){.name = scene->names[i], .measure = run_measure, .full = full};
        rows[i].figures[0] =
            i == EVENT ? (struct bench_figure){.unit = "us", .less = true}
                       : (struct bench_figure){.name = "heap", .unit = "octets", .less = true};
        if (i != EVENT)
            rows[i].figures[1] =
                (struct bench_figure){.name = "resident", .unit = "octets", .less = true};
    }
    for (unsigned i = 0; i < SIDES; i++) {
        unsigned row = sides[i].row;
        const char *work = row != EVENT ? scene->memory : sides[i].few ? few : scene->event;
        scene->works[i] = (struct run_work){sides[i].make, work, sides[i].server, row == SERVER};
        rows[row].sides[filled[row]++] =
            (struct bench_side){sides[i].name, &scene->works[i], {sides[i].goal}};
    }
}

int main(int argc, char **argv) {
    static struct scene scenes[SCENES];
    static struct bench_row rows[SCENES * ROWS_A_SCENE];
    char note[2 * TEXT_MAX];
    const char *const notes[] = {note, NULL};
    unsigned limit = idle_raise_limit(), most = limit - IDLE_OWN_DESCRIPTORS;
    fill_scene(&scenes[0], &rows[0], most < MANY ? most : MANY, false);
    fill_scene(&scenes[1], &rows[ROWS_A_SCENE], most < MOST ? most : MOST, true);
    snprintf(note, sizeof note, "a process may have %u descriptors%s", limit,
             most < MOST ? ": 50,000 connections cannot be had, fewer are measured" : "");
    const struct bench_program program = {
        .name = "idle",
        .title =
            "Idle TCP connections over 127.0.0.0/8: memory over the kernel's, cost of an event",
        .notes = notes,
        .rows = rows,
        .count = SCENES * ROWS_A_SCENE};
    return run_main(argc, argv, &program, makes);
}
