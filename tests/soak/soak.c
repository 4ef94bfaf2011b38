/*
 * soak.c - a day's traffic in a few minutes: does the process hold more at the end than in the
 * middle?
 * What:   rounds of connect/cancel cycles and echoes with random ends, TCP, UDP and local paths,
 *         many at a time. After each round everything is closed and what the process holds is
 *         measured. The first quarter of the rounds is for warming up: pools and tables fill. From
 *         there on the resident size and the heap may grow by less than a bound, and descriptors
 *         and blocks of the library not at all.
 * Runs:   the main thread watches; client.c and server.c run on the soak's queues.
 * Ends:   with PASS or FAIL and the figures; exit status 0 or 1. A minute without progress is FAIL.
 */
#include "soak.h"
#include "base/alloc.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <semaphore.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { ROUNDS = 20, WARM = ROUNDS / 4, TICK = 200000000, STALL = 60, SLACK_BLOCKS = 48 };
/* KiB from the end of the warm-up to the end. What malloc has given out must not grow, but for what
 * threads keep for themselves; the pages it is spread over are malloc's to choose. */
enum { HEAP_MAX = 1024, RESIDENT_MAX = 4096 };
#define MIB (1024.0 * 1024.0)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED false
#endif

struct soak_counts soak_counts;
dispatch_queue_t soak_queues[QUEUES];
uint8_t soak_pattern[PERIOD + PIECE_MAX];

static sem_t news;
static struct options {
    uint64_t cycles, echoes, seed;
    unsigned slots;
} options = {1000000, 10000000, 1, 96};

uint64_t soak_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void soak_unexpected(const char *what, int code) {
    if (atomic_fetch_add(&soak_counts.unexpected, 1) < 10)
        fprintf(stderr, "\nsoak: %s (%d)\n", what, code);
}

/* --- watching --- */

static void show_progress(unsigned round, uint64_t begun, bool last) {
    uint64_t cycles = atomic_load(&soak_counts.cycles), echoes = atomic_load(&soak_counts.echoes);
    double done = (double)(cycles + echoes) / (double)(options.cycles + options.echoes);
    double passed = (double)(soak_now() - begun) / 1e9;
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\rround %2u/%d  %5.1f %%  %" PRIu64 " cycles  %" PRIu64 " echoes  %.1f MiB",
            round, ROUNDS, done * 100, cycles, echoes, measure_now().resident / MIB);
    if (done > 0.01)
        fprintf(stderr, "  %.0f s left ", passed / done - passed);
    fprintf(stderr, "%s", last ? "\n" : "");
}

/* One turn of watching while a round is under way; false when it has stalled. */
static bool watch(unsigned round, uint64_t begun) {
    static uint64_t last_progress, last_sum;
    static unsigned ticks;
    uint64_t sum = atomic_load(&soak_counts.cycles) + atomic_load(&soak_counts.echoes) +
                   client_count() + server_count();
    uint64_t now = soak_now();
    if (sum != last_sum) {
        last_sum = sum;
        last_progress = now;
    }
    show_progress(round, begun, false);
    client_look();
    if (++ticks % 5 == 0)
        server_sweep(UINT64_C(5000000000));
    return now - last_progress < STALL * UINT64_C(1000000000);
}

/* Until the round has come to its end, or it is time to look. */
static void tick(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += TICK;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    while (sem_timedwait(&news, &at) != 0 && errno == EINTR) {
    }
}

void soak_nothing_left(void) {
    sem_post(&news);
}

static bool play_round(unsigned round, uint64_t begun) {
    client_begin(options.slots, options.cycles / ROUNDS, options.echoes / ROUNDS,
                 options.seed * ROUNDS + round);
    while (client_count() > 0) {
        tick();
        if (!watch(round, begun))
            return false;
    }
    while (server_count() > 0) {
        server_sweep(0); /* datagram peers; the others have seen the end of theirs */
        tick();
        if (!watch(round, begun))
            return false;
    }
    return true;
}

/* --- judging --- */

/* What a straight line through the rounds after the warm-up says that was added from its end on:
 * rounds differ by some pages, a leak does not stop. The bound is in KiB. */
static bool is_flat(const char *what, const double *sizes, unsigned count, int bound) {
    double slope = measure_slope(sizes, count), growth = slope * (count - 1);
    double operations = (double)(options.cycles + options.echoes) / ROUNDS;
    printf("%-12s %.2f MiB after the warm-up, %.2f MiB at the end; growth %+.0f KiB (bound %d), "
           "%+.1f octets an operation\n",
           what, sizes[0] / MIB, sizes[count - 1] / MIB, growth / 1024, bound, slope / operations);
    return growth < bound * 1024.0;
}

/* Small pools fill and empty; what they hold at most has been seen during the warm-up. */
static long most_blocks(const struct measure *measures, unsigned count) {
    long most = 0;
    for (unsigned i = 0; i < count; i++)
        most = measures[i].blocks > most ? measures[i].blocks : most;
    return most;
}

static bool judge(const struct measure *measures) {
    double resident[ROUNDS], heap[ROUNDS];
    const struct measure *warm = &measures[WARM - 1], *last = &measures[ROUNDS - 1];
    unsigned count = 0;
    for (const struct measure *m = warm; m <= last; m++, count++) {
        resident[count] = m->resident;
        heap[count] = m->heap;
    }
    bool flat = is_flat("resident", resident, count, RESIDENT_MAX);
    flat = is_flat("heap in use", heap, count, HEAP_MAX) && flat;
    long most = most_blocks(measures, WARM);
    printf("descriptors  %u after the warm-up, %u at the end\n", warm->descriptors,
           last->descriptors);
    printf("blocks       %ld at most in the warm-up, %ld at the end\n", most, last->blocks);
    if (SANITIZED)
        printf("under a sanitizer memory is not judged by its size\n");
    return (flat || SANITIZED) && last->descriptors <= warm->descriptors &&
           last->blocks <= most + SLACK_BLOCKS && atomic_load(&soak_counts.unexpected) == 0;
}

static void print_counts(double seconds) {
    const struct soak_counts *c = &soak_counts;
    printf("cycles       %" PRIu64 ": cancelled before ready %" PRIu64 ", ready %" PRIu64
           ", sending %" PRIu64 ", receiving %" PRIu64 ", by another thread %" PRIu64 "\n",
           c->cycles, c->before_ready, c->ready, c->sending, c->receiving, c->racing);
    printf("echoes       %" PRIu64 " on %" PRIu64 " connections in all; %" PRIu64
           " datagrams asked for again, %" PRIu64 " silent peers ended, %" PRIu64 " unexpected\n",
           c->echoes, c->connects, c->lost, c->swept, c->unexpected);
    printf("time         %.1f s\n", seconds);
}

static void print_round(unsigned round, struct measure measure) {
    printf("round %2u  %7.2f MiB (%6.2f before free memory went back)  heap %6.0f KiB  "
           "%3u descriptors  %2u threads  %5ld blocks%s\n",
           round, measure.resident / MIB, measure.untrimmed / MIB, measure.heap / 1024,
           measure.descriptors, measure.threads, measure.blocks,
           round <= WARM ? "  (warm-up)" : "");
}

static bool play(void) {
    struct measure measures[ROUNDS];
    uint64_t begun = soak_now();
    unsigned round = 0;
    bool flowing = true;
    for (; round < ROUNDS && flowing; round++) {
        flowing = play_round(round + 1, begun);
        measures[round] = measure_quiet();
        show_progress(round + 1, begun, true);
        print_round(round + 1, measures[round]);
    }
    print_counts((double)(soak_now() - begun) / 1e9);
    if (!flowing) {
        fprintf(stderr, "soak: no progress for %d s; %u slots, %u peers\n", STALL, client_count(),
                server_count());
        client_report();
        return false;
    }
    return judge(measures);
}

static void set_up(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (sem_init(&news, 0, 0) != 0)
        abort();
    nwi_alloc_count(true);
    for (size_t i = 0; i < sizeof soak_pattern; i++)
        soak_pattern[i] = (uint8_t)((i % PERIOD * 31 + i % PERIOD / 251) % 251);
    for (int i = 0; i < QUEUES; i++)
        soak_queues[i] = dispatch_queue_create("soak", NULL);
}

static int usage(void) {
    fprintf(stderr, "usage: soak [--cycles N] [--echoes N] [--slots N] [--seed N]\n");
    return 2;
}

int main(int argc, char **argv) {
    static const struct option names[] = {{"cycles", required_argument, NULL, 'c'},
                                          {"echoes", required_argument, NULL, 'e'},
                                          {"slots", required_argument, NULL, 's'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {0}};
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        uint64_t number = optarg != NULL ? strtoull(optarg, NULL, 10) : 0;
        switch (option) {
        case 'c':
            options.cycles = number;
            break;
        case 'e':
            options.echoes = number;
            break;
        case 's':
            options.slots = (unsigned)number;
            break;
        case 'r':
            options.seed = number;
            break;
        default:
            return usage();
        }
    }
    if (optind != argc || options.slots == 0)
        return usage();
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up();
    server_open();
    printf("soak: %" PRIu64 " cycles, %" PRIu64 " echoes, %u at a time, seed %" PRIu64 "\n",
           options.cycles, options.echoes, options.slots, options.seed);
    bool passed = play();
    if (passed)
        server_close();
    printf("%s\n", passed ? "PASS" : "FAIL");
    return passed ? 0 : 1;
}
