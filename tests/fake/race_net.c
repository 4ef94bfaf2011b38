/*
 * race_net.c - see race_net.h.
 * Runs:   on the thread that calls, from start to end, without a clock.
 */
#include "fake/race_net.h"
#include <stdio.h>
#include <string.h>

#define AGAIN (25 * NWI_MS)
enum { START = 5 }; /* seconds: the race's clock is not 0 at its start */

struct run {
    const struct race_net *net;
    struct race_net_log *log;
    struct nwi_race *race;
    nwi_ns now;
    uint64_t random; /* 0: nothing is left to chance */
    bool answered[RACE_NET_ANSWERS], canceled;
    nwi_ns ends[NWI_RACE_CAPACITY + 1]; /* by attempt; NWI_NEVER = no end to come */
    unsigned hosts[NWI_RACE_CAPACITY + 1];
    bool ended[NWI_RACE_CAPACITY + 1];
    enum phase {
        TO_TRANSPORT,
        TO_QUESTION,
        IN_LINE,
        TO_ANSWER,
        TO_END
    } phase[NWI_RACE_CAPACITY + 1];
    unsigned started;
};

uint64_t race_net_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717) >> 16;
}

static bool one_in(struct run *run, unsigned n) {
    return run->random != 0 && race_net_random(&run->random) % n == 0;
}

static void note(struct run *run, struct race_net_entry entry) {
    entry.at = run->now - START * NWI_SEC;
    if (run->log->count < RACE_NET_LOG)
        run->log->entries[run->log->count++] = entry;
    else
        run->log->stuck = true;
}

static unsigned host_of(const struct run *run, const struct nwi_race_address *address) {
    return (unsigned)((const struct race_net_host *)address->context - run->net->hosts);
}

static void observe(void *context, const struct nwi_race_event *event) {
    struct run *run = context;
    if (event->kind == NWI_RACE_EVENT_ATTEMPT || event->kind == NWI_RACE_EVENT_TURN)
        note(run, (struct race_net_entry){.kind = event->kind == NWI_RACE_EVENT_TURN ? NET_TURN
                                                                                     : NET_DECIDE,
                                          .attempt = event->attempt,
                                          .host = host_of(run, event->address)});
}

static void end_attempt(struct run *run, unsigned attempt) {
    unsigned host = run->hosts[attempt];
    nwi_err err = run->net->hosts[host].err;
    if (run->ended[attempt] && one_in(run, 2))
        err = 0;
    run->ended[attempt] = true;
    /* Some are reported again: an owner's mistake, which must not count. */
    run->ends[attempt] = one_in(run, 16) ? run->now + AGAIN : NWI_NEVER;
    note(run,
         (struct race_net_entry){
             .kind = err == 0 ? NET_OK : NET_FAIL, .attempt = attempt, .host = host, .err = err});
    if (err == 0)
        nwi_race_attempt_succeeded(run->race, run->now, attempt);
    else
        nwi_race_attempt_failed(run->race, run->now, attempt, err);
}

/* What the attempt waits for next comes after `delay`. */
static void go_to(struct run *run, unsigned attempt, enum phase phase, nwi_ns delay) {
    run->phase[attempt] = phase;
    run->ends[attempt] = delay == NWI_NEVER ? NWI_NEVER : run->now + delay;
}

static void go_to_end(struct run *run, unsigned attempt) {
    const struct race_net_host *host = &run->net->hosts[run->hosts[attempt]];
    go_to(run, attempt, TO_END, host->silent ? NWI_NEVER : host->delay);
}

static void note_step(struct run *run, enum race_net_kind kind, unsigned attempt) {
    note(run,
         (struct race_net_entry){.kind = kind, .attempt = attempt, .host = run->hosts[attempt]});
}

static void ask(struct run *run, unsigned attempt) {
    const struct race_net_host *host = &run->net->hosts[run->hosts[attempt]];
    unsigned place = run->log->count;
    note_step(run, NET_ASKED, attempt); /* before what it leads to */
    if (nwi_race_attempt_asks(run->race, run->now, attempt)) {
        go_to(run, attempt, TO_ANSWER, host->think);
        return;
    }
    if (place < RACE_NET_LOG)
        run->log->entries[place].kind = NET_REFUSED;
    go_to(run, attempt, IN_LINE, NWI_NEVER);
}

/* The attempt's next step, whose time has come. */
static void step_attempt(struct run *run, unsigned attempt) {
    const struct race_net_host *host = &run->net->hosts[run->hosts[attempt]];
    switch (run->phase[attempt]) {
    case TO_TRANSPORT:
        note_step(run, NET_PROGRESS, attempt);
        if (host->asks)
            go_to(run, attempt, TO_QUESTION, host->ask);
        else
            go_to_end(run, attempt);
        nwi_race_attempt_progressed(run->race, run->now, attempt);
        return;
    case TO_QUESTION:
        ask(run, attempt);
        return;
    case TO_ANSWER:
        note_step(run, NET_ANSWERED, attempt);
        go_to_end(run, attempt);
        nwi_race_attempt_answered(run->race, run->now, attempt);
        return;
    case IN_LINE:
    case TO_END:
        end_attempt(run, attempt);
    }
}

static void start_attempt(struct run *run, unsigned attempt, unsigned index) {
    const struct race_net_host *host = &run->net->hosts[index];
    run->hosts[attempt] = index;
    run->started = attempt;
    if (host->layered)
        go_to(run, attempt, TO_TRANSPORT, host->transport);
    else
        go_to_end(run, attempt);
    if (run->ends[attempt] == run->now)
        step_attempt(run, attempt);
}

static void take_action(struct run *run, const struct nwi_race_action *action) {
    struct race_net_entry entry = {.attempt = action->attempt, .err = action->err};
    if (action->address != NULL)
        entry.host = host_of(run, action->address);
    switch (action->kind) {
    case NWI_RACE_START:
        entry.kind = NET_START;
        note(run, entry);
        start_attempt(run, action->attempt, entry.host);
        return;
    case NWI_RACE_ASK:
        entry.kind = NET_ASK;
        note(run, entry);
        if (run->phase[action->attempt] == IN_LINE && !one_in(run, 8))
            ask(run, action->attempt);
        else if (run->phase[action->attempt] == IN_LINE) /* it has nothing to ask any more */
            go_to_end(run, action->attempt);
        return;
    case NWI_RACE_ABANDON:
        entry.kind = NET_ABANDON;
        if (!one_in(run, 4)) /* else its end is reported although it was abandoned */
            run->ends[action->attempt] = NWI_NEVER;
        break;
    case NWI_RACE_SUCCEEDED:
        entry.kind = NET_WON;
        break;
    case NWI_RACE_FAILED:
        entry.kind = NET_LOST;
        break;
    }
    note(run, entry);
}

static void give_answer(struct run *run, unsigned index) {
    const struct race_net_answer *given = &run->net->answers[index];
    struct nwi_race_address addresses[RACE_NET_HOSTS];
    for (unsigned i = 0; i < given->count; i++) {
        const struct race_net_host *host = &run->net->hosts[given->hosts[i]];
        addresses[i] = (struct nwi_race_address){
            .rank = host->rank, .group = host->group, .rtt = host->rtt, .context = (void *)host};
        if (host->family == 6) {
            addresses[i].sockaddr.in6.sin6_family = AF_INET6;
            addresses[i].sockaddr.in6.sin6_port = htons(443);
            addresses[i].sockaddr.in6.sin6_addr.s6_addr[0] = 0x20;
            addresses[i].sockaddr.in6.sin6_addr.s6_addr[15] = given->hosts[i];
        } else {
            addresses[i].sockaddr.in.sin_family = AF_INET;
            addresses[i].sockaddr.in.sin_port = htons(443);
            addresses[i].sockaddr.in.sin_addr.s_addr = htonl(0xc0000200u + given->hosts[i]);
        }
    }
    run->answered[index] = true;
    note(run, (struct race_net_entry){.kind = NET_ANSWER, .answer = index, .err = given->err});
    nwi_race_answer(run->race, run->now,
                    &(struct nwi_race_answer){.question = given->question,
                                              .err = given->err,
                                              .more = given->more,
                                              .addresses = addresses,
                                              .count = given->count});
}

/* One thing that happens next: what it is, and when. */
struct happening {
    enum { ANSWER, END, TIMER, CANCEL } what;
    unsigned which;
};

/* Collects what happens first; returns how many things share that instant. */
static unsigned find_next(const struct run *run, struct happening *ret_list, nwi_ns *ret_at) {
    unsigned count = 0;
    nwi_ns at = NWI_NEVER;
#define CONSIDER(when, kind, index)                                                                \
    do {                                                                                           \
        nwi_ns when_ = (when);                                                                     \
        if (when_ != NWI_NEVER && when_ < run->now)                                                \
            when_ = run->now;                                                                      \
        if (when_ < at)                                                                            \
            count = 0;                                                                             \
        if (when_ <= at && when_ != NWI_NEVER) {                                                   \
            at = when_;                                                                            \
            ret_list[count++] = (struct happening){kind, index};                                   \
        }                                                                                          \
    } while (0)
    for (unsigned i = 0; i < run->net->answer_count; i++)
        if (!run->answered[i] && run->net->answers[i].at != NWI_NEVER)
            CONSIDER(START * NWI_SEC + run->net->answers[i].at, ANSWER, i);
    for (unsigned i = 1; i <= run->started; i++)
        CONSIDER(run->ends[i], END, i);
    nwi_ns deadline = nwi_race_deadline(run->race);
    if (deadline != NWI_NEVER)
        CONSIDER(deadline + run->net->timer_late, TIMER, 0);
    if (!run->canceled && run->net->cancel_at != NWI_NEVER)
        CONSIDER(START * NWI_SEC + run->net->cancel_at, CANCEL, 0);
#undef CONSIDER
    *ret_at = at;
    return count;
}

void race_net_run(const struct race_net *net, struct race_net_log *ret_log) {
    struct run run = {.net = net, .log = ret_log, .race = &ret_log->race, .random = net->mix};
    struct happening list[RACE_NET_ANSWERS + NWI_RACE_CAPACITY + 2];
    struct nwi_race_action action;
    ret_log->count = 0;
    ret_log->stuck = false;
    run.now = START * NWI_SEC;
    for (unsigned i = 0; i <= NWI_RACE_CAPACITY; i++)
        run.ends[i] = NWI_NEVER;
    nwi_race_init(run.race, &net->options);
    nwi_race_set_observer(run.race, observe, &run);
    if (net->cancel_at == 0 && one_in(&run, 2)) { /* cancelled before it was started */
        run.canceled = true;
        note(&run, (struct race_net_entry){.kind = NET_CANCEL});
        nwi_race_cancel(run.race, run.now);
    }
    nwi_race_start(run.race, run.now);
    for (unsigned step = 0; !ret_log->stuck; step++) {
        nwi_ns at;
        while (!ret_log->stuck && !one_in(&run, 3) && nwi_race_next_action(run.race, &action))
            take_action(&run, &action);
        unsigned count = find_next(&run, list, &at);
        if (count == 0 || at > run.now) /* time goes on: no action may be left */
            while (!ret_log->stuck && nwi_race_next_action(run.race, &action))
                take_action(&run, &action);
        count = find_next(&run, list, &at);
        if (count == 0)
            return;
        run.now = at;
        ret_log->stuck |= step > 4 * RACE_NET_LOG;
        struct happening next = list[run.random == 0 ? 0 : race_net_random(&run.random) % count];
        switch (next.what) {
        case ANSWER:
            give_answer(&run, next.which);
            break;
        case END:
            step_attempt(&run, next.which);
            break;
        case TIMER:
            nwi_race_tick(run.race, run.now);
            break;
        case CANCEL:
            run.canceled = true;
            note(&run, (struct race_net_entry){.kind = NET_CANCEL});
            nwi_race_cancel(run.race, run.now);
            break;
        }
    }
}

const char *race_net_err_name(nwi_err err) {
    static const struct {
        int code;
        const char *name;
    } dns[] = {{NWI_DNS_NO_SUCH_RECORD, "no-record"},
               {NWI_DNS_TIMEOUT, "dns-timeout"},
               {NWI_DNS_UNKNOWN, "dns-failure"}},
      posix[] = {{ECONNREFUSED, "refused"},
                 {ETIMEDOUT, "timeout"},
                 {ENETUNREACH, "unreachable"},
                 {EHOSTUNREACH, "no-route"},
                 {ECANCELED, "canceled"}};
    for (size_t i = 0; i < sizeof dns / sizeof dns[0]; i++)
        if (err == nwi_dns(dns[i].code))
            return dns[i].name;
    for (size_t i = 0; i < sizeof posix / sizeof posix[0]; i++)
        if (err == nwi_posix(posix[i].code))
            return posix[i].name;
    return nwi_err_domain(err) == NWI_DOMAIN_TLS ? "tls" : "other";
}

void race_net_text(const struct race_net *net, const struct race_net_log *log, char *text,
                   size_t size) {
    static const char sign[] = {
        [NET_START] = '+', [NET_ASK] = '?', [NET_ABANDON] = '-', [NET_WON] = '='};
    size_t used = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < log->count && used < size; i++) {
        const struct race_net_entry *entry = &log->entries[i];
        if (entry->kind < NET_START)
            continue;
        int wrote = snprintf(text + used, size - used, "%s%llu", used == 0 ? "" : " ",
                             (unsigned long long)(entry->at / NWI_MS));
        used += (size_t)wrote;
        if (used >= size)
            return;
        if (entry->kind == NET_LOST)
            wrote = snprintf(text + used, size - used, "!%s", race_net_err_name(entry->err));
        else
            wrote = snprintf(text + used, size - used, "%c%d%c", sign[entry->kind],
                             net->hosts[entry->host].family, 'a' + (int)entry->host);
        used += (size_t)wrote;
    }
}
