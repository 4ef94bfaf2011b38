/*
 * model.c - the connection API held against a written-down model.
 * What:   draws sequences of calls from seeds and runs each to its end (scene.c); what handlers see
 *         is held against the documented states (machine.c) and what was sent (wire.c). A failure
 *         tells the seed and the reason; a sequence of a single thread is made smaller, which
 *         takes a minute at most, and written. cases/ keeps those that failed once.
 * Use:    connection_model [--seed N] [--steps N] [--sequences N] [--threads N] [--length N]
 *                          [--seconds N] [--faults] [--tls] [--no-shrink]
 *         connection_model --replay FILE [--times N] [--faults]
 *         connection_model --write | --shrink [--replay FILE | --seed N] [--seconds N] [--faults]
 *                          the sequence as text for --replay, whole or made smaller
 *         --tls, with any of them but --faults (a "not now" that is not true stops a handshake for
 *                          good): streams are TLS over TCP
 */
#include "base/log.h"
#include "scene.h"
#include "shrink.h"
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
    unsigned long long seed;
    unsigned long steps, seconds, sequences; /* seconds, sequences: 0 is no limit */
    unsigned threads, length, times;
    bool faults, shrink, only_shrink, write, quiet, log;
    const char *replay;
} options = {.seed = 1, .steps = 20000, .threads = 0, .length = 0, .times = 1, .shrink = true};

enum { SHRINK_SECONDS = 60 };

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

/* --- telling of a failure --- */

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

/* The last lines of a long log are what is kept: the reason comes at the end. */
static void tell_failure(const struct plan *plan, const char *reason) {
    fprintf(stderr, "model: seed %llu, %u threads: %s\nagain with: connection_model",
            (unsigned long long)plan->seed, plan->threads, reason);
    if (options.replay != NULL)
        fprintf(stderr, " --replay %s", options.replay);
    else
        fprintf(stderr, " --seed %llu --sequences 1", (unsigned long long)plan->seed);
    if (options.threads != 0)
        fprintf(stderr, " --threads %u", options.threads);
    if (options.length != 0)
        fprintf(stderr, " --length %u", options.length);
    fprintf(stderr, "%s%s\n", options.faults ? " --faults" : "", scene_is_secure ? " --tls" : "");
}

/* As plan_shrink, and says so when there is nothing to make smaller. */
static bool make_smaller(struct plan *plan, unsigned seconds) {
    bool fails = plan_shrink(plan, options.faults, seconds);
    if (!fails)
        fprintf(stderr, "the sequence did not fail when it ran once more: not made smaller\n");
    return fails;
}

static const char *_Atomic failed_for; /* what on_failure tells */

static void on_failure(const struct plan *plan, const char *reason) {
    static struct plan smaller;
    atomic_store_explicit(&failed_for, reason, memory_order_relaxed);
    if (options.quiet)
        return;
    show_lines();
    smaller = *plan;
    if (options.shrink && plan->threads == 1 && make_smaller(&smaller, SHRINK_SECONDS)) {
        fprintf(stderr, "made smaller (again: --replay FILE with this text):\n");
        plan_write(&smaller, stderr);
    }
    tell_failure(plan, reason);
}

/* A crash, or a sanitizer's report, tells of the sequence too. Nothing more is done there: a fork
 * inside a report waits for ever. */
static const struct plan *running;

static void died(void) {
    const char *reason = atomic_load_explicit(&failed_for, memory_order_relaxed);
    if (running != NULL && !options.quiet)
        tell_failure(running, reason != NULL ? reason : "it crashed, or a report stands above");
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
    enum { SEED = 1, STEPS, SEQUENCES, THREADS, LENGTH, SECONDS, FAULTS, NO_SHRINK, SHRINK };
    enum { WRITE = SHRINK + 1, QUIET, REPLAY, TIMES, TLS };
    static const struct option known[] = {
        {"seed", required_argument, NULL, SEED},
        {"steps", required_argument, NULL, STEPS},
        {"sequences", required_argument, NULL, SEQUENCES},
        {"threads", required_argument, NULL, THREADS},
        {"length", required_argument, NULL, LENGTH},
        {"seconds", required_argument, NULL, SECONDS},
        {"faults", no_argument, NULL, FAULTS},
        {"tls", no_argument, NULL, TLS},
        {"no-shrink", no_argument, NULL, NO_SHRINK},
        {"shrink", no_argument, NULL, SHRINK},
        {"write", no_argument, NULL, WRITE},
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
        case SEQUENCES:
            options.sequences = number(optarg);
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
        case TLS:
            scene_is_secure = true;
            break;
        case NO_SHRINK:
            options.shrink = false;
            break;
        case SHRINK:
            options.only_shrink = true;
            break;
        case WRITE:
            options.write = true;
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

/* Of every length and number of threads, unless the options say one. */
static void make(struct plan *plan, unsigned long long seed) {
    struct draw source = {seed};
    unsigned threads = options.threads != 0 ? options.threads : 1 + draw_below(&source, 3) % 3;
    unsigned length = options.length != 0 ? options.length : 20 + draw_below(&source, 600);
    plan_make(plan, seed, threads <= PLAN_THREADS ? threads : PLAN_THREADS, length, options.faults);
}

static void run_drawn(void) {
    static struct plan plan;
    time_t end = options.seconds != 0 ? time(NULL) + (time_t)options.seconds : 0;
    unsigned long long seed = options.seed;
    for (; tally.steps < options.steps && (end == 0 || time(NULL) < end) &&
           (options.sequences == 0 || seed - options.seed < options.sequences);
         seed++) {
        make(&plan, seed);
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

/* The sequence of the seed, or of the file, whole or made smaller. */
static int write_text(struct plan *plan) {
    unsigned patience = options.seconds != 0 ? (unsigned)options.seconds : SHRINK_SECONDS;
    if (options.replay == NULL)
        make(plan, options.seed);
    if (options.only_shrink && !make_smaller(plan, patience))
        return 1;
    plan_write(plan, stdout);
    return 0;
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
    if (options.write || options.only_shrink)
        return write_text(&plan);
    scene_warm_up();
    if (options.replay == NULL) {
        run_drawn();
        check_reach();
    }
    for (unsigned i = 0; options.replay != NULL && i < options.times; i++)
        run(&plan);
    return 0;
}
