/*
 * race_make.c - a network from a seed; see race_sim.h.
 * What:   families that are dead or lose packets, hosts that refuse, accept or stay silent, some in
 *         a handshake above their transport, which may ask the program; answers that are late,
 *         partial or missing, things that happen in the same instant, cancel at any point.
 */
#include "sim/race_check.h"
#include "sim/race_sim.h"
#include <string.h>

enum { GRID_MS = 25 };

static unsigned below(uint64_t *random, unsigned n) {
    return (unsigned)(race_net_random(random) % n);
}

/* Multiples of 25 ms, so that much falls into one instant with the delays of 25, 100 and 250 ms;
 * sometimes not. */
static nwi_ns some_time(uint64_t *random, unsigned max_ms) {
    unsigned t = below(random, max_ms + 1);
    return (below(random, 8) == 0 ? t : t / GRID_MS * GRID_MS) * NWI_MS;
}

/* How late what is sent again arrives: after each loss the sender waits twice as long as before. */
static nwi_ns after_losses(uint64_t *random, nwi_ns first_wait) {
    unsigned lost = below(random, 2) == 0 ? 0 : 1 + below(random, 3);
    return first_wait * ((1u << lost) - 1);
}

enum health { HEALTHY, LOSSY, REFUSES, UNREACHABLE, BLACK_HOLE, SILENT, MIXED, HEALTH_COUNT };

static struct race_net_host make_host(uint64_t *random, uint8_t family, enum health health) {
    struct race_net_host host = {.family = family};
    if (health == MIXED || below(random, 10) == 0)
        health = below(random, MIXED);
    host.delay = below(random, 4) == 0 ? 0 : some_time(random, 400);
    switch (health) {
    case LOSSY:
        host.delay += after_losses(random, NWI_SEC); /* RFC 6298 section 2 */
        break;
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

static void make_handshake(uint64_t *random, struct race_net_host *host) {
    host->layered = true;
    host->transport = below(random, 6) == 0 ? 0 : some_time(random, below(random, 8) ? 200 : 2500);
    host->asks = below(random, 2) == 0;
    if (!host->asks)
        return;
    host->ask = below(random, 3) == 0 ? 0 : some_time(random, 200);
    host->think = below(random, 16) == 0 ? NWI_NEVER : some_time(random, 1500);
}

static void make_answers(uint64_t *random, struct race_net *net, enum nwi_race_question question) {
    uint8_t family = question == NWI_RACE_AAAA ? 6 : question == NWI_RACE_A ? 4 : 0;
    unsigned parts = below(random, 6) == 0 ? 2 : 1;
    nwi_ns at = below(random, 3) == 0 ? some_time(random, 1000) : some_time(random, 100);
    if (below(random, 8) == 0)
        at += after_losses(random, 2500 * NWI_MS); /* the resolver's patience */
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

void race_make(uint64_t seed, struct race_net *ret_net) {
    uint64_t random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    for (int i = 0; i < 4; i++)
        race_net_random(&random);
    memset(ret_net, 0, sizeof *ret_net);
    make_options(&random, &ret_net->options);
    enum health health[2] = {below(&random, HEALTH_COUNT), below(&random, HEALTH_COUNT)};
    bool secure = below(&random, 3) == 0;
    unsigned most = below(&random, 50) == 0 ? RACE_NET_HOSTS : below(&random, 4) == 0 ? 20 : 6;
    ret_net->host_count = below(&random, most + 1);
    for (unsigned i = 0; i < ret_net->host_count; i++) {
        bool is_v6 = below(&random, 2) == 0;
        ret_net->hosts[i] = make_host(&random, is_v6 ? 6 : 4, health[is_v6]);
        if (secure ? below(&random, 8) != 0 : below(&random, 8) == 0)
            make_handshake(&random, &ret_net->hosts[i]);
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
