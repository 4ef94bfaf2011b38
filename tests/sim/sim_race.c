/*
 * sim_race.c - the race against generated networks.
 * What:   makes networks from a seed (race_make.c), runs each and holds the log against the
 *         properties listed in race_check.c. Every run is made twice and must be the same. A
 * network that fails is made smaller until no part can be left out, printed, and kept: added to the
 *         file named by NW_SIM_FAILED, whose networks are run first from then on, as are those of
 *         NW_SIM_KEPT (race_kept.txt, where a case goes once its reason has been mended).
 * Usage:  sim_race [COUNT [SEED]]; or NW_SIM_COUNT and NW_SIM_SEED. Network i of a run has the seed
 *         SEED + i, so that "sim_race 1 N" repeats the one that failed.
 */
#include "base/log.h"
#include "sim/race_check.h"
#include "sim/race_sim.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 200000, SEED = 8305, TEXT_EVERY = 200 };

static bool log_complained;

static void log_sink(enum nwi_log_level level, const char *name, const char *event,
                     const char *message) {
    (void)name, (void)event;
    if (level > NWI_LOG_ERROR)
        return;
    log_complained = true;
    fprintf(stderr, "race: %s\n", message);
}

/* --- holding it against the properties --- */

static bool same_log(const struct race_net_log *a, const struct race_net_log *b) {
    if (a->count != b->count || a->stuck != b->stuck)
        return false;
    for (unsigned i = 0; i < a->count; i++) {
        const struct race_net_entry *x = &a->entries[i], *y = &b->entries[i];
        if (x->at != y->at || x->kind != y->kind || x->answer != y->answer ||
            x->attempt != y->attempt || x->host != y->host || x->err != y->err)
            return false;
    }
    return true;
}

static const char *try_net(const struct race_net *net, struct race_check_stats *stats) {
    static struct race_net_log first, second;
    log_complained = false;
    race_net_run(net, &first);
    race_net_run(net, &second);
    const char *failure = race_check(net, &first, stats);
    if (failure == NULL && log_complained)
        failure = "L: a move that the table of states does not have";
    if (failure == NULL && !same_log(&first, &second))
        failure = "S: two runs of one network differ";
    return failure;
}

static bool fails(const struct race_net *net) {
    struct race_check_stats ignored = {0};
    return try_net(net, &ignored) != NULL;
}

/* --- one that fails --- */

static void print_run(const struct race_net *net) {
    static struct race_net_log log;
    static char text[8192];
    race_case_write(stderr, net);
    race_net_run(net, &log);
    race_net_text(net, &log, text, sizeof text);
    fprintf(stderr, "run: %s\n", text);
}

static void keep(const struct race_net *net, unsigned long long seed, const char *failure) {
    const char *name = getenv("NW_SIM_FAILED");
    FILE *file = name != NULL ? fopen(name, "a") : NULL;
    if (file == NULL)
        return;
    fprintf(file, "# seed %llu: %s\n", seed, failure);
    race_case_write(file, net);
    fclose(file);
    fprintf(stderr, "kept in %s\n", name);
}

/* Runs the networks of a file. False: one failed, or the file is not what it should be. */
static bool run_kept(const char *name, unsigned *count) {
    static struct race_net net;
    struct race_check_stats ignored = {0};
    FILE *file = name != NULL ? fopen(name, "r") : NULL;
    int more = 0;
    bool good = true;
    while (file != NULL && good && (more = race_case_read(file, &net)) > 0) {
        const char *failure = try_net(&net, &ignored);
        ++*count;
        if (failure == NULL)
            continue;
        fprintf(stderr, "network %u of %s: %s\n", *count, name, failure);
        print_run(&net);
        good = false;
    }
    if (more < 0)
        fprintf(stderr, "%s: not a case after the first %u\n", name, *count);
    if (file != NULL)
        fclose(file);
    return good && more == 0;
}

/* Every network can be written down and read back: what is kept is what has failed. */
static const char *check_text(const struct race_net *net) {
    static struct race_net back;
    static struct race_net_log one, two;
    FILE *file = tmpfile();
    if (file == NULL)
        return NULL;
    race_case_write(file, net);
    rewind(file);
    int found = race_case_read(file, &back);
    bool end = race_case_read(file, &back) == 0;
    rewind(file);
    race_case_read(file, &back);
    fclose(file);
    race_net_run(net, &one);
    race_net_run(&back, &two);
    return found == 1 && end && same_log(&one, &two) ? NULL : "T: its text means another network";
}

/* The networks must reach every corner, or the properties say nothing. Only of large runs. */
static bool reaches_everything(const struct race_check_stats *s, unsigned long count) {
    return s->won > count / 10 && s->lost > count / 20 && s->canceled > count / 50 &&
           s->undecided > count / 50 && s->full > count / 50 && s->delayed > count / 20 &&
           s->dropped > count / 50 && s->attempts > count && s->asked > count / 5 &&
           s->put_off > count / 100 && s->held > count / 5;
}

static unsigned long long number(int argc, char **argv, int index, const char *variable,
                                 unsigned long long otherwise) {
    const char *text = index < argc ? argv[index] : getenv(variable);
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static bool run_generated(unsigned long count, unsigned long long seed,
                          struct race_check_stats *stats) {
    static struct race_net net;
    for (unsigned long i = 0; i < count; i++) {
        race_make(seed + i, &net);
        const char *failure = try_net(&net, stats);
        if (failure == NULL && i % TEXT_EVERY == 0)
            failure = check_text(&net);
        if (failure == NULL)
            continue;
        fprintf(stderr, "seed %llu: %s\n", seed + i, failure);
        if (fails(&net))
            race_shrink(&net, fails);
        failure = try_net(&net, stats);
        fprintf(stderr, "made smaller: %s\n", failure != NULL ? failure : "not possible");
        print_run(&net);
        keep(&net, seed + i, failure != NULL ? failure : "text");
        fprintf(stderr, "again: sim_race 1 %llu\n", seed + i);
        return false;
    }
    return true;
}

int main(int argc, char **argv) {
    struct race_check_stats stats = {0};
    unsigned kept = 0;
    unsigned long count = (unsigned long)number(argc, argv, 1, "NW_SIM_COUNT", COUNT);
    unsigned long long seed = number(argc, argv, 2, "NW_SIM_SEED", SEED);
    nwi_log_set_sink(log_sink);
    if (!run_kept(getenv("NW_SIM_KEPT"), &kept) || !run_kept(getenv("NW_SIM_FAILED"), &kept) ||
        !run_generated(count, seed, &stats))
        return 1;
    printf("%u kept networks, %lu from seed %llu: %lu won, %lu lost, %lu cancelled, %lu still "
           "waiting; %lu attempts, %lu waited for the other family, %lu addresses dropped, %lu "
           "questions asked, %lu put off\n",
           kept, count, seed, stats.won, stats.lost, stats.canceled, stats.undecided,
           stats.attempts, stats.delayed, stats.dropped, stats.asked, stats.put_off);
    if (getenv("NW_SIM_KEPT") != NULL && kept == 0) {
        fprintf(stderr, "no kept network was found\n");
        return 1;
    }
    if (count >= 10000 && !reaches_everything(&stats, count)) {
        fprintf(stderr, "the networks do not reach every outcome often enough\n");
        return 1;
    }
    return 0;
}
