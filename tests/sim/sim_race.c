/*
 * sim_race.c - the race against generated networks.
 * What:   makes networks from a seed (families that are dead, hosts that refuse, accept or stay
 *         silent, answers that are late, partial or missing, things that happen in the same
 *         instant, cancel at any point), runs each and holds the log against the properties listed
 *         in race_check.c. Every run is made twice and must be the same. A network that fails is
 *         made smaller until no part can be left out, and printed. Usage:  sim_race [COUNT [SEED]];
 *         or NW_SIM_COUNT and NW_SIM_SEED. Network i of a run has the seed SEED + i, so that
 *         "sim_race 1 N" repeats the one that failed.
 */
#include "base/log.h"
#include "sim/race_check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 200000, SEED = 8305, GRID_MS = 25 };

static bool log_complained;

static void log_sink(enum nwi_log_level level, const char *name, const char *event,
                     const char *message) {
    (void)name, (void)event;
    if (level > NWI_LOG_ERROR)
        return;
    log_complained = true;
    fprintf(stderr, "race: %s\n", message);
}

/* --- making a network --- */

static unsigned below(uint64_t *random, unsigned n) {
    return (unsigned)(race_net_random(random) % n);
}

/* Multiples of 25 ms, so that much falls into one instant with the delays of 25, 100 and 250 ms;
 * sometimes not. */
static nwi_ns some_time(uint64_t *random, unsigned max_ms) {
    unsigned t = below(random, max_ms + 1);
    return (below(random, 8) == 0 ? t : t / GRID_MS * GRID_MS) * NWI_MS;
}

enum health { HEALTHY, REFUSES, UNREACHABLE, BLACK_HOLE, SILENT, MIXED, HEALTH_COUNT };

static struct race_net_host make_host(uint64_t *random, uint8_t family, enum health health) {
    struct race_net_host host = {.family = family};
    if (health == MIXED || below(random, 10) == 0)
        health = below(random, MIXED);
    host.delay = below(random, 4) == 0 ? 0 : some_time(random, 400);
    switch (health) {
    case REFUSES:
        host.err =
            below(random, 8) == 0 ? nwi_err_make(NWI_DOMAIN_TLS, -9807) : nwi_posix(ECONNREFUSED);
        break;
    case UNREACHABLE:
        host.err = nwi_posix(below(random, 2) == 0 ? ENETUNREACH : EHOSTUNREACH);
        break;
    case BLACK_HOLE:
        host.err = nwi_posix(ETIMEDOUT);
        host.delay = some_time(random, 20000);
        break;
    case SILENT:
        host.silent = true;
        break;
    default:
        break;
    }
    if (below(random, 4) == 0)
        host.rtt = some_time(random, below(random, 4) == 0 ? 2000 : 300);
    host.rank = below(random, 12);
    host.group = below(random, 10) == 0 ? below(random, RACE_CHECK_GROUPS) : 0;
    return host;
}

static void make_answers(uint64_t *random, struct race_net *net, enum nwi_race_question question) {
    uint8_t family = question == NWI_RACE_AAAA ? 6 : question == NWI_RACE_A ? 4 : 0;
    unsigned parts = below(random, 6) == 0 ? 2 : 1;
    nwi_ns at = below(random, 3) == 0 ? some_time(random, 1000) : some_time(random, 100);
    bool silent = below(random, 16) == 0, empty = below(random, 12) == 0,
         fails = below(random, 16) == 0;
    for (unsigned part = 1; part <= parts; part++) {
        struct race_net_answer *answer = &net->answers[net->answer_count++];
        *answer = (struct race_net_answer){.at = silent ? NWI_NEVER : at,
                                           .question = question,
                                           .more = part < parts || below(random, 40) == 0};
        if (fails && part == parts) {
            static const int codes[] = {NWI_DNS_NO_SUCH_RECORD, NWI_DNS_TIMEOUT, NWI_DNS_UNKNOWN};
            answer->err = nwi_dns(codes[below(random, 3)]);
        }
        for (unsigned i = 0; i < net->host_count && !empty && answer->err == 0; i++)
            if ((net->hosts[i].family == family || (family == 0 && below(random, 4) == 0)) &&
                below(random, parts + 1) <= 1 && answer->count < RACE_NET_HOSTS)
                answer->hosts[answer->count++] = (uint8_t)i;
        if (below(random, 10) == 0 && answer->count > 0 && answer->count < RACE_NET_HOSTS) {
            answer->hosts[answer->count] = answer->hosts[0]; /* the same address twice */
            answer->count++;
        }
        at += some_time(random, 300);
    }
}

static void make_options(uint64_t *random, struct nwi_race_options *options) {
    if (below(random, 2) == 0)
        return;
    if (below(random, 3) == 0)
        options->resolution_delay =
            below(random, 3) == 0 ? NWI_RACE_NO_DELAY : some_time(random, 200);
    if (below(random, 3) == 0)
        options->attempt_delay =
            below(random, 3) == 0 ? some_time(random, 3000) : some_time(random, 300);
    if (below(random, 3) == 0)
        options->max_alive = 1 + below(random, 4);
    if (below(random, 4) == 0)
        options->first_family_count = 1 + below(random, 3);
    if (below(random, 4) == 0)
        options->first_family = below(random, 2) == 0 ? 4 : 6;
    if (below(random, 6) == 0)
        options->ip_version = below(random, 2) == 0 ? 4 : 6;
    options->ask_service = below(random, 4) == 0;
}

static void make_net(uint64_t seed, struct race_net *ret_net) {
    uint64_t random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    for (int i = 0; i < 4; i++)
        race_net_random(&random);
    memset(ret_net, 0, sizeof *ret_net);
    make_options(&random, &ret_net->options);
    enum health health[2] = {below(&random, HEALTH_COUNT), below(&random, HEALTH_COUNT)};
    unsigned most = below(&random, 50) == 0 ? RACE_NET_HOSTS : below(&random, 4) == 0 ? 20 : 6;
    ret_net->host_count = below(&random, most + 1);
    for (unsigned i = 0; i < ret_net->host_count; i++) {
        bool is_v6 = below(&random, 2) == 0;
        ret_net->hosts[i] = make_host(&random, is_v6 ? 6 : 4, health[is_v6]);
    }
    make_answers(&random, ret_net, NWI_RACE_AAAA);
    make_answers(&random, ret_net, NWI_RACE_A);
    if (ret_net->options.ask_service)
        make_answers(&random, ret_net, NWI_RACE_SERVICE);
    ret_net->cancel_at = below(&random, 6) == 0 ? some_time(&random, 1500) : NWI_NEVER;
    if (below(&random, 10) == 0)
        ret_net->timer_late = some_time(&random, 400);
    ret_net->mix = below(&random, 5) == 0 ? 0 : race_net_random(&random) | 1;
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

/* --- making a failing network smaller --- */

static void drop_host(struct race_net *net, unsigned host) {
    memmove(&net->hosts[host], &net->hosts[host + 1],
            (--net->host_count - host) * sizeof net->hosts[0]);
    for (unsigned i = 0; i < net->answer_count; i++) {
        struct race_net_answer *answer = &net->answers[i];
        unsigned kept = 0;
        for (unsigned k = 0; k < answer->count; k++)
            if (answer->hosts[k] != host)
                answer->hosts[kept++] = (uint8_t)(answer->hosts[k] - (answer->hosts[k] > host));
        answer->count = (uint8_t)kept;
    }
}

static void drop_answer(struct race_net *net, unsigned index) {
    memmove(&net->answers[index], &net->answers[index + 1],
            (--net->answer_count - index) * sizeof net->answers[0]);
}

/* The n-th simplification of a network; false when there are no more. */
static bool simplify(struct race_net *net, unsigned n) {
    if (n < net->host_count)
        return drop_host(net, n), true;
    n -= net->host_count;
    if (n < net->answer_count)
        return drop_answer(net, n), true;
    n -= net->answer_count;
    switch (n) {
    case 0:
        return net->cancel_at = NWI_NEVER, true;
    case 1:
        return net->timer_late = 0, true;
    case 2:
        return net->mix = 0, true;
    case 3:
        return memset(&net->options, 0, sizeof net->options), true;
    case 4:
        return net->options.attempt_delay = 0, true;
    case 5:
        return net->options.max_alive = 0, true;
    default:
        n -= 6;
    }
    if (n < net->answer_count * 2) {
        struct race_net_answer *answer = &net->answers[n / 2];
        if (n % 2 == 0)
            answer->at = answer->at == NWI_NEVER ? NWI_NEVER : answer->at / 2 / NWI_MS * NWI_MS;
        else
            answer->more = false;
        return true;
    }
    n -= net->answer_count * 2;
    if (n >= net->host_count * 5)
        return false;
    struct race_net_host *host = &net->hosts[n / 5];
    switch (n % 5) {
    case 0:
        host->delay = host->delay / 2 / NWI_MS * NWI_MS;
        break;
    case 1:
        host->rtt = 0;
        break;
    case 2:
        host->rank = 0;
        break;
    case 3:
        host->group = 0;
        break;
    case 4:
        host->silent = true;
        break;
    }
    return true;
}

/* Greedy: keeps each simplification that still fails, until none does. */
static void shrink(struct race_net *net) {
    struct race_check_stats ignored = {0};
    for (bool changed = true; changed;) {
        changed = false;
        struct race_net smaller = *net;
        for (unsigned n = 0; simplify(&smaller, n); n++) {
            if (memcmp(&smaller, net, sizeof smaller) != 0 && try_net(&smaller, &ignored) != NULL) {
                *net = smaller;
                changed = true;
                break;
            }
            smaller = *net;
        }
    }
}

static void print_net(const struct race_net *net) {
    static struct race_net_log log;
    static char text[8192];
    const struct nwi_race_options *o = &net->options;
    fprintf(
        stderr,
        "  options: resolution %lld ms, attempt %llu ms, alive %u, count %u, first %u, ip %u%s\n",
        o->resolution_delay == NWI_RACE_NO_DELAY ? -1LL : (long long)(o->resolution_delay / NWI_MS),
        (unsigned long long)(o->attempt_delay / NWI_MS), o->max_alive, o->first_family_count,
        o->first_family, o->ip_version, o->ask_service ? ", service asked" : "");
    for (unsigned i = 0; i < net->host_count; i++) {
        const struct race_net_host *host = &net->hosts[i];
        fprintf(stderr, "  host %d%c: %s after %llu ms, rank %u, group %u, rtt %llu ms\n",
                host->family, 'a' + (int)i,
                host->silent     ? "silent"
                : host->err == 0 ? "accepts"
                                 : race_net_err_name(host->err),
                (unsigned long long)(host->delay / NWI_MS), host->rank, host->group,
                (unsigned long long)(host->rtt / NWI_MS));
    }
    for (unsigned i = 0; i < net->answer_count; i++) {
        const struct race_net_answer *answer = &net->answers[i];
        fprintf(stderr, "  answer to %s at %lld ms:%s%s",
                answer->question == NWI_RACE_AAAA ? "AAAA"
                : answer->question == NWI_RACE_A  ? "A"
                                                  : "SVCB",
                answer->at == NWI_NEVER ? -1LL : (long long)(answer->at / NWI_MS),
                answer->err != 0 ? " error" : "", answer->more ? " (more)" : "");
        for (unsigned k = 0; k < answer->count; k++)
            fprintf(stderr, " %c", 'a' + answer->hosts[k]);
        fprintf(stderr, "\n");
    }
    fprintf(stderr, "  cancel at %lld ms, timers %llu ms late, mix %llu\n",
            net->cancel_at == NWI_NEVER ? -1LL : (long long)(net->cancel_at / NWI_MS),
            (unsigned long long)(net->timer_late / NWI_MS), (unsigned long long)net->mix);
    race_net_run(net, &log);
    race_net_text(net, &log, text, sizeof text);
    fprintf(stderr, "  run: %s\n", text);
}

/* The networks must reach every corner, or the properties say nothing. Only of large runs. */
static bool reaches_everything(const struct race_check_stats *s, unsigned long count) {
    return s->won > count / 10 && s->lost > count / 20 && s->canceled > count / 50 &&
           s->undecided > count / 50 && s->full > count / 50 && s->delayed > count / 20 &&
           s->dropped > count / 50 && s->attempts > count;
}

static unsigned long long number(int argc, char **argv, int index, const char *variable,
                                 unsigned long long otherwise) {
    const char *text = index < argc ? argv[index] : getenv(variable);
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

int main(int argc, char **argv) {
    static struct race_net net;
    struct race_check_stats stats = {0};
    unsigned long count = (unsigned long)number(argc, argv, 1, "NW_SIM_COUNT", COUNT);
    unsigned long long seed = number(argc, argv, 2, "NW_SIM_SEED", SEED);
    nwi_log_set_sink(log_sink);
    for (unsigned long i = 0; i < count; i++) {
        make_net(seed + i, &net);
        const char *failure = try_net(&net, &stats);
        if (failure == NULL)
            continue;
        fprintf(stderr, "seed %llu: %s\n", seed + i, failure);
        shrink(&net);
        fprintf(stderr, "made smaller: %s\n", try_net(&net, &stats));
        print_net(&net);
        fprintf(stderr, "again: sim_race 1 %llu\n", seed + i);
        return 1;
    }
    printf("%lu networks from seed %llu: %lu won, %lu lost, %lu cancelled, %lu still waiting; %lu "
           "attempts, "
           "%lu waited for the other family, %lu addresses dropped\n",
           count, seed, stats.won, stats.lost, stats.canceled, stats.undecided, stats.attempts,
           stats.delayed, stats.dropped);
    if (count >= 10000 && !reaches_everything(&stats, count)) {
        fprintf(stderr, "the networks do not reach every outcome often enough\n");
        return 1;
    }
    return 0;
}
