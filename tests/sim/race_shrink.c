/*
 * race_shrink.c - makes a failing network smaller; see race_sim.h.
 */
#include "sim/race_sim.h"
#include <string.h>

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

enum { HOST_WAYS = 9 }; /* to simplify one host */

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
    if (n >= net->host_count * HOST_WAYS)
        return false;
    struct race_net_host *host = &net->hosts[n / HOST_WAYS];
    switch (n % HOST_WAYS) {
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
    case 5:
        host->layered = host->asks = false;
        host->transport = host->ask = host->think = 0;
        break;
    case 6:
        host->asks = false;
        host->ask = host->think = 0;
        break;
    case 7:
        host->transport = host->transport / 2 / NWI_MS * NWI_MS;
        break;
    case 8:
        host->ask = 0;
        host->think = host->think == NWI_NEVER ? NWI_NEVER : host->think / 2 / NWI_MS * NWI_MS;
        break;
    }
    return true;
}

/* Greedy: keeps each simplification that still fails, until none does. */
void race_shrink(struct race_net *net, bool (*fails)(const struct race_net *net)) {
    for (bool changed = true; changed;) {
        changed = false;
        struct race_net smaller = *net;
        for (unsigned n = 0; simplify(&smaller, n); n++) {
            if (memcmp(&smaller, net, sizeof smaller) != 0 && fails(&smaller)) {
                *net = smaller;
                changed = true;
                break;
            }
            smaller = *net;
        }
    }
}
