/*
 * model.c - the connection API held against a written-down model.
 * What:   draws sequences of calls from seeds and runs each to its end (scene.c); what handlers see
 *         is held against the documented states (machine.c) and what was sent (wire.c). A failure
 *         prints the sequence; one of a single thread is made smaller first. cases/ keeps those
 *         that failed once.
 * Use:    connection_model [--seed N] [--steps N] [--threads N] [--length N] [--seconds N]
 *                          [--faults] [--no-shrink]
 *         connection_model --replay FILE [--times N] [--faults]
 */
#include "base/log.h"
#include "scene.h"
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
    unsigned long long seed;
    unsigned long steps, seconds;
    unsigned threads, length, times;
    bool faults, shrink, quiet, log;
    const char *replay;
} options = {.seed = 1, .steps = 20000, .threads = 0, .length = 0, .times = 1, .shrink = true};

/* Loopback of our own where that is allowed: no other program's ports, no other network's changes.
 */
static void use_own_network(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (unshare(CLONE_NEWNET) != 0)
        return;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0)
        fail(NULL, "loopback cannot be brought up: %s", strerror(errno));
    close(fd);
}

/* --- making a failing plan smaller --- */

enum { TRIES = 3, TRY_SECONDS = 60 };

static bool write_plan(const struct plan *plan, const char *path) {
    FILE *out = fopen(path, "we");
    if (out == NULL)
        return false;
    plan_write(plan, out);
    return fclose(out) == 0;
}

/* Runs the plan in a process of its own; a sequence with threads in it may fail now and then only.
 */
static bool still_fails(const struct plan *plan, const char *path) {
    for (int i = 0; i < TRIES && write_plan(plan, path); i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            alarm(TRY_SECONDS);
            execl("/proc/self/exe", "connection_model", "--quiet", "--no-shrink", "--replay", path,
                  options.faults ? "--faults" : NULL, NULL);
            _exit(0);
        }
        if (child < 0 || waitpid(child, &status, 0) != child)
            return false;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            return true;
    }
    return false;
}

static struct plan without(const struct plan *plan, unsigned from, unsigned count) {
    struct plan smaller = *plan;
    memmove(smaller.steps + from, smaller.steps + from + count,
            (plan->count - from - count) * sizeof smaller.steps[0]);
    smaller.count -= count;
    return smaller;
}

static void shrink(struct plan *plan, const char *path) {
    for (unsigned chunk = plan->count / 2; chunk >= 1; chunk = chunk > 1 ? chunk / 2 : 0)
        for (unsigned from = 0; from + chunk <= plan->count;) {
            struct plan smaller = without(plan, from, chunk);
            if (still_fails(&smaller, path))
                *plan = smaller;
            else
                from += chunk;
        }
}

/* Misuse is part of the plans, so what the library logs is kept back; with NW_LOG set, a failure
 * shows the last of it. */
enum { LINES_KEPT = 1024, LINE_SIZE = 128 };
static char lines[LINES_KEPT][LINE_SIZE];
static _Atomic unsigned line_count;

static void keep_line(enum nwi_log_level level, const char *name, const char *event,
                      const char *message) {
    if (!options.log)
        return;
    unsigned at = atomic_fetch_add_explicit(&line_count, 1, memory_order_relaxed);
    (void)level;
    snprintf(lines[at % LINES_KEPT], LINE_SIZE, "%s %s: %s", name, event, message);
}

static void show_lines(void) {
    unsigned count = atomic_load_explicit(&line_count, memory_order_relaxed);
    for (unsigned i = count > LINES_KEPT ? count - LINES_KEPT : 0; i < count; i++)
        fprintf(stderr, "log: %s\n", lines[i % LINES_KEPT]);
}

static void on_failure(const struct plan *plan) {
    static struct plan copy;
    char path[64];
    if (options.quiet)
        return;
    fprintf(stderr, "seed %llu, %u threads%s; the sequence:\n", (unsigned long long)plan->seed,
            plan->threads, options.faults ? ", faults" : "");
    plan_write(plan, stderr);
    show_lines();
    if (!options.shrink || plan->threads != 1)
        return;
    copy = *plan;
    snprintf(path, sizeof path, "model-%d.plan", (int)getpid());
    shrink(&copy, path);
    fprintf(stderr, "made smaller (again: --replay FILE with this text):\n");
    plan_write(&copy, stderr);
    unlink(path);
}

/* A crash, or a sanitizer's report, tells of the sequence too. */
static const struct plan *running;

static void died(void) {
    if (running != NULL)
        on_failure(running);
}

static void died_by_signal(int number) {
    died();
    signal(number, SIG_DFL);
    raise(number);
}

extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch_for_crashes(void) {
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(died);
        return;
    }
    signal(SIGSEGV, died_by_signal);
    signal(SIGABRT, died_by_signal);
}

/* --- main --- */

static unsigned long long number(const char *text) {
    char *end;
    unsigned long long value = strtoull(text, &end, 0);
    if (*text == '\0' || *end != '\0') {
        fprintf(stderr, "model: \"%s\" is no number\n", text);
        exit(2);
    }
    return value;
}

static void read_options(int argc, char **argv) {
    enum { SEED = 1, STEPS, THREADS, LENGTH, SECONDS, FAULTS, NO_SHRINK, QUIET, REPLAY, TIMES };
    static const struct option known[] = {
        {"seed", required_argument, NULL, SEED},
        {"steps", required_argument, NULL, STEPS},
        {"threads", required_argument, NULL, THREADS},
        {"length", required_argument, NULL, LENGTH},
        {"seconds", required_argument, NULL, SECONDS},
        {"faults", no_argument, NULL, FAULTS},
        {"no-shrink", no_argument, NULL, NO_SHRINK},
        {"quiet", no_argument, NULL, QUIET},
        {"replay", required_argument, NULL, REPLAY},
        {"times", required_argument, NULL, TIMES},
        {0},
    };
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;)
        switch (option) {
        case SEED:
            options.seed = number(optarg);
            break;
        case STEPS:
            options.steps = number(optarg);
            break;
        case THREADS:
            options.threads = (unsigned)number(optarg);
            break;
        case LENGTH:
            options.length = (unsigned)number(optarg);
            break;
        case SECONDS:
            options.seconds = number(optarg);
            break;
        case FAULTS:
            options.faults = true;
            break;
        case NO_SHRINK:
            options.shrink = false;
            break;
        case QUIET:
            options.quiet = true;
            break;
        case TIMES:
            options.times = (unsigned)number(optarg);
            break;
        case REPLAY:
            options.replay = optarg;
            break;
        default:
            exit(2);
        }
}

static void run(const struct plan *plan) {
    running = plan;
    scene_run(plan, options.faults);
    running = NULL;
}

/* Sequences of every length and number of threads, unless the options say one. */
static void run_drawn(void) {
    static struct plan plan;
    time_t end = options.seconds != 0 ? time(NULL) + (time_t)options.seconds : 0;
    unsigned long long seed = options.seed;
    for (; tally.steps < options.steps && (end == 0 || time(NULL) < end); seed++) {
        struct draw source = {seed};
        unsigned threads = options.threads != 0 ? options.threads : 1 + draw_below(&source, 3) % 3;
        unsigned length = options.length != 0 ? options.length : 20 + draw_below(&source, 600);
        plan_make(&plan, seed, threads <= PLAN_THREADS ? threads : PLAN_THREADS, length,
                  options.faults);
        run(&plan);
    }
    printf("%lu steps in %llu sequences from seed %llu: %lu connections (%lu came in), %lu ready, "
           "%lu waiting, %lu failed, %lu cancelled; sends %lu and %lu refused, receives %lu and "
           "%lu refused, %lu octets, %lu ends of streams, %lu steps inside handlers, %lu drained\n",
           tally.steps, seed - options.seed, options.seed, tally.connections, tally.accepted,
           tally.ready, tally.waiting, tally.failed, tally.cancelled, tally.sent, tally.send_errors,
           tally.received, tally.receive_errors, tally.octets, tally.ends, tally.inside,
           tally.drained);
}

/* Long runs must reach every corner, or the properties say nothing. */
static void check_reach(void) {
    if (tally.steps < 100000 || options.faults || options.threads != 0 || options.length != 0)
        return;
    if (tally.ready < 1000 || tally.waiting < 100 || tally.failed < 50 || tally.cancelled < 1000 ||
        tally.accepted < 300 || tally.sent < 1000 || tally.send_errors < 1000 ||
        tally.received < 500 || tally.receive_errors < 1000 || tally.ends < 50 ||
        tally.inside < 1000 || tally.drained < 50)
        fail(NULL, "the sequences do not reach every outcome often enough");
}

int main(int argc, char **argv) {
    static struct plan plan;
    read_options(argc, argv);
    options.log = getenv("NW_LOG") != NULL;
    use_own_network();
    fail_hook = on_failure;
    watch_for_crashes();
    nwi_log_set_sink(keep_line);
    if (options.replay != NULL && !plan_read(&plan, options.replay))
        return 2;
    scene_warm_up();
    if (options.replay == NULL) {
        run_drawn();
        check_reach();
    }
    for (unsigned i = 0; options.replay != NULL && i < options.times; i++)
        run(&plan);
    return 0;
}
