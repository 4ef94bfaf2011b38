/*
 * race_check.c - what must be true of any race, whatever the network.
 * What:   walks the log of a run once, keeping its own books: it asks nothing of race.c.
 *
 * The properties, each with the letter that a failure names:
 *   A  one end: at most one terminal action, nothing after it; a race that has nothing left to
 *      wait for, or was cancelled, has ended; one that has not is waiting for something.
 *   B  no address is started twice, none that was not answered, none of an unwanted family, and
 *      each decision is handed out as START before time goes on, unless the race has ended.
 *   C  never more than max_alive under way.
 *   D  nothing is abandoned before the race is decided, and then everything is.
 *   E  the winner is the first that succeeded; failure only when all answers are in and all
 *      attempts have failed, and at that very moment; the error is the most telling one.
 *   F  not faster than allowed: an attempt starts no sooner than the delay after the one before,
 *      unless one has failed since (RFC 8305 section 5); but after a failure, or with nothing
 *      under way, at once.
 *   G  the first attempt waits for the preferred answer, and no longer than the resolution delay
 *      (RFC 8305 section 3).
 *   H  order: groups, ranks, and the families in turn (RFC 8305 section 4).
 *   I  not slower than allowed. For an address h let
 *        known(h)   be when its first answer came,
 *        open       when waiting for answers was over (G),
 *        a(h)       max(known(h), open),
 *        rest(h)    what was left at a(h) of the delay of the attempt started last before a(h),
 *        before(h)  the sum of the delays of the attempts started from a(h) on and before h,
 *        full(h)    for how long from a(h) on max_alive attempts were under way.
 *      Then h is started by a(h) + rest(h) + before(h) + full(h), or the race has ended by then.
 *      So the time to connect is at most the minimum, over all h that accept, of that sum plus h's
 *      own time to connect: the best single path plus the delays that the RFC allows. How many
 *      come before h follows from H. Each timer may add the lateness that the network gives it.
 *      Time in which starts were held (J) is allowed as well.
 *   J  a handshake above a transport is given time: while an attempt lives, none starts before
 *      max(its delay, 3 times what its transport took, at most 2 s) after its transport was
 *      connected, nor that long after a question of its was answered, nor while one is out.
 *   K  one attempt asks at a time: whose question is out, or was answered less than that time ago,
 *      has the turn; whoever asks meanwhile is put off, nobody else is; when the turn is over, the
 *      first in line gets it.
 *   L  race.c made no move that its table of states does not have (it complains in the log).
 *   S  two runs of one network are the same (both seen in sim_race.c).
 */
#include "sim/race_check.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum phase { UNKNOWN, WAITING, DECIDED, STARTED, SUCCEEDED, FAILED, ABANDONED };

struct host_book {
    enum phase phase;
    nwi_ns known, decided;
    nwi_ns waited_from, allowed; /* I: a(h); time allowed so far, without full(h) */
    nwi_ns full_before;          /* I: total full or held time at a(h) */
    nwi_ns patience, hold;       /* J */
    bool in_line;                /* K */
    unsigned attempt;
};

struct books {
    const struct race_net *net;
    struct host_book hosts[RACE_NET_HOSTS];
    unsigned accepted, alive, decided, starts_due;
    unsigned outstanding; /* questions */
    nwi_ns now, end;
    bool is_decided, canceled, is_lost, is_terminal;
    unsigned winner;
    /* F, H */
    bool failed_since;
    nwi_ns last_decided, last_delay;
    unsigned in_group[RACE_CHECK_GROUPS], last_family[RACE_CHECK_GROUPS];
    /* G, I */
    bool has_address, is_open;
    nwi_ns first_address, open;
    nwi_ns full_total; /* how long max_alive were under way or starts held, up to now */
    /* K */
    struct host_book *turn;
    bool ask_due;
    /* E */
    unsigned attempt_weight, dns_weight;
    nwi_err attempt_err, dns_err;
};

static char complaint[256];

__attribute__((format(printf, 1, 2))) static const char *wrong(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint, sizeof complaint, format, arguments);
    va_end(arguments);
    return complaint;
}

static unsigned long ms(nwi_ns t) {
    return (unsigned long)(t / NWI_MS);
}

/* --- the rules, written down a second time --- */

static nwi_ns resolution_delay(const struct race_net *net) {
    nwi_ns set = net->options.resolution_delay;
    return set == 0 ? NWI_RACE_RESOLUTION_DELAY : set == NWI_RACE_NO_DELAY ? 0 : set;
}

static nwi_ns clamp(nwi_ns value, nwi_ns low, nwi_ns high) {
    return value < low ? low : value > high ? high : value;
}

static nwi_ns delay_after(const struct race_net *net, unsigned host) {
    nwi_ns set = net->options.attempt_delay == 0
                     ? 250 * NWI_MS
                     : clamp(net->options.attempt_delay, 10 * NWI_MS, 2 * NWI_SEC);
    nwi_ns rtt = net->hosts[host].rtt;
    return rtt == 0 ? set : clamp(2 * rtt, set < 100 * NWI_MS ? set : 100 * NWI_MS, 2 * NWI_SEC);
}

static unsigned max_alive(const struct race_net *net) {
    return net->options.max_alive == 0 ? 6 : net->options.max_alive;
}

static unsigned first_count(const struct race_net *net) {
    return net->options.first_family_count == 0 ? 1 : net->options.first_family_count;
}

static unsigned preferred(const struct race_net *net) {
    return net->options.first_family == 4 ? 4 : 6;
}

static unsigned weight(nwi_err err) {
    if (err == 0)
        return 0;
    if (nwi_err_domain(err) == NWI_DOMAIN_TLS)
        return 9;
    if (err == nwi_posix(ECONNREFUSED) || err == nwi_dns(NWI_DNS_NO_SUCH_RECORD))
        return 8;
    if (err == nwi_posix(ETIMEDOUT) || err == nwi_dns(NWI_DNS_UNKNOWN))
        return 7;
    return 6;
}

static nwi_ns patience_with(const struct books *b, unsigned host) {
    nwi_ns delay = delay_after(b->net, host);
    nwi_ns thrice = clamp(3 * (b->now - b->hosts[host].decided), 0, 2 * NWI_SEC);
    return thrice > delay ? thrice : delay;
}

/* J. */
static nwi_ns held_until(const struct books *b) {
    nwi_ns until = 0;
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase == STARTED && b->hosts[i].hold > until)
            until = b->hosts[i].hold;
    return until;
}

/* K: when whoever has the turn loses it. */
static nwi_ns turn_end(const struct books *b) {
    return b->turn != NULL && b->turn->phase == STARTED ? b->turn->hold : 0;
}

static struct host_book *first_in_line(struct books *b) {
    struct host_book *first = NULL;
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase == STARTED && b->hosts[i].in_line &&
            (first == NULL || b->hosts[i].attempt < first->attempt))
            first = &b->hosts[i];
    return first;
}

/* The race is over, `end` says when; attempts that the owner has not heard of vanish. */
static void decide_end(struct books *b) {
    b->is_decided = true;
    b->end = b->now;
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase == DECIDED) {
            b->hosts[i].phase = ABANDONED;
            b->alive--;
        }
}

/* --- steps --- */

static bool any_waiting(const struct books *b, unsigned family, uint32_t group,
                        uint32_t below_rank) {
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase == WAITING && b->net->hosts[i].family == family &&
            b->net->hosts[i].group == group && b->net->hosts[i].rank < below_rank)
            return true;
    return false;
}

/* From a(h) on, h's allowance runs. */
static void begin_allowance(struct books *b, unsigned h) {
    struct host_book *host = &b->hosts[h];
    host->waited_from = b->now;
    host->allowed = b->now;
    if (b->decided > 0) {
        nwi_ns until = b->last_decided + b->last_delay + b->net->timer_late;
        if (until > b->now)
            host->allowed = until;
    }
    if (held_until(b) > b->now)
        host->allowed += b->net->timer_late;
    host->full_before = b->full_total;
}

static void begin_hold(struct books *b, struct host_book *host, nwi_ns until) {
    host->hold = until;
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase == WAITING)
            b->hosts[i].allowed += b->net->timer_late;
}

static bool awaits_more(const struct books *b) {
    unsigned question = preferred(b->net) == 4 ? NWI_RACE_A : NWI_RACE_AAAA;
    unsigned awaited = b->outstanding & (question | NWI_RACE_SERVICE);
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase != UNKNOWN && b->net->hosts[i].family == preferred(b->net))
            awaited &= ~question;
    return awaited != 0;
}

static void open_up(struct books *b) {
    b->is_open = true;
    b->open = b->now;
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase == WAITING)
            begin_allowance(b, i);
}

static void look_for_loss(struct books *b) {
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase == WAITING)
            return;
    if (b->alive == 0 && b->outstanding == 0) {
        b->is_lost = true;
        decide_end(b);
    }
}

static void on_answer(struct books *b, const struct race_net_entry *entry) {
    const struct race_net_answer *answer = &b->net->answers[entry->answer];
    if (b->is_decided)
        return;
    for (unsigned i = 0; i < answer->count; i++) {
        struct host_book *host = &b->hosts[answer->hosts[i]];
        unsigned family = b->net->hosts[answer->hosts[i]].family;
        if (host->phase != UNKNOWN || b->accepted == NWI_RACE_CAPACITY ||
            (b->net->options.ip_version != 0 && b->net->options.ip_version != family))
            continue;
        b->accepted++;
        host->phase = WAITING;
        host->known = b->now;
        if (!b->has_address)
            b->first_address = b->now;
        b->has_address = true;
        if (b->is_open)
            begin_allowance(b, answer->hosts[i]);
    }
    if (!answer->more)
        b->outstanding &= ~(unsigned)answer->question;
    nwi_err err = answer->err;
    if (err == 0 && answer->count == 0 && !answer->more)
        err = nwi_dns(NWI_DNS_NO_SUCH_RECORD);
    if (answer->question != NWI_RACE_SERVICE && err != 0 && weight(err) >= b->dns_weight) {
        b->dns_weight = weight(err);
        b->dns_err = err;
    }
    if (!b->is_open && b->has_address &&
        (!awaits_more(b) || b->now >= b->first_address + resolution_delay(b->net)))
        open_up(b);
    look_for_loss(b);
}

/* H. */
static const char *check_order(const struct books *b, unsigned h) {
    const struct race_net_host *host = &b->net->hosts[h];
    unsigned other = host->family == 6 ? 4 : 6, begun = b->in_group[host->group];
    for (uint32_t group = 0; group < host->group; group++)
        if (any_waiting(b, 4, group, UINT32_MAX) || any_waiting(b, 6, group, UINT32_MAX))
            return wrong("H: host %u started before a better group", h);
    if (any_waiting(b, host->family, host->group, host->rank))
        return wrong("H: host %u started before a better rank of its family", h);
    if (!any_waiting(b, other, host->group, UINT32_MAX))
        return NULL;
    if (begun == 0) {
        if (b->net->options.first_family != 0)
            return b->net->options.first_family == host->family ? NULL
                                                                : wrong("H: wrong first family");
        return any_waiting(b, other, host->group, host->rank + (host->family == 4))
                   ? wrong("H: first host %u has not the best rank", h)
                   : NULL;
    }
    if ((b->last_family[host->group] == host->family) != (begun < first_count(b->net)))
        return wrong("H: host %u out of turn", h);
    return NULL;
}

static const char *on_decide(struct books *b, const struct race_net_entry *entry) {
    struct host_book *host = &b->hosts[entry->host];
    if (b->is_decided)
        return wrong("A: an attempt is decided after the end");
    if (host->phase != WAITING)
        return wrong("B: host %u started again, or unknown, or unwanted", entry->host);
    if (entry->attempt != b->decided + 1)
        return wrong("B: attempt numbers are not in order");
    if (!b->is_open) { /* G: no answer has ended the wait, so the delay must have */
        nwi_ns due = b->first_address + resolution_delay(b->net);
        if (b->now < due)
            return wrong("G: first attempt at %lu ms, may start at %lu", ms(b->now), ms(due));
        if (b->now > due + b->net->timer_late)
            return wrong("G: first attempt at %lu ms, should at %lu", ms(b->now), ms(due));
        open_up(b);
    }
    if (b->decided == 0 && b->now != b->open)
        return wrong("G: first attempt at %lu ms, should at %lu", ms(b->now), ms(b->open));
    if (b->decided > 0 && !b->failed_since && b->now < b->last_decided + b->last_delay)
        return wrong("F: attempt %u at %lu ms, may start at %lu", entry->attempt, ms(b->now),
                     ms(b->last_decided + b->last_delay));
    if (b->now < held_until(b))
        return wrong("J: attempt %u at %lu ms, starts are held until %lu", entry->attempt,
                     ms(b->now), ms(held_until(b)));
    const char *failure = check_order(b, entry->host);
    if (failure != NULL)
        return failure;
    if (b->now > host->allowed + (b->full_total - host->full_before))
        return wrong("I: host %u started at %lu ms, should by %lu", entry->host, ms(b->now),
                     ms(host->allowed + (b->full_total - host->full_before)));
    host->phase = DECIDED;
    host->decided = b->now;
    host->attempt = entry->attempt;
    if (++b->alive > max_alive(b->net))
        return wrong("C: %u attempts under way", b->alive);
    b->decided++;
    b->starts_due++;
    b->in_group[b->net->hosts[entry->host].group]++;
    b->failed_since = false;
    b->last_decided = b->now;
    b->last_delay = delay_after(b->net, entry->host);
    b->last_family[b->net->hosts[entry->host].group] = b->net->hosts[entry->host].family;
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase == WAITING)
            b->hosts[i].allowed += b->last_delay + b->net->timer_late;
    return NULL;
}

static void on_end(struct books *b, const struct race_net_entry *entry) {
    struct host_book *host = &b->hosts[entry->host];
    if (b->is_decided || host->phase != STARTED)
        return;
    b->alive--;
    host->phase = entry->kind == NET_OK ? SUCCEEDED : FAILED;
    if (entry->kind == NET_OK) {
        b->winner = entry->attempt;
        decide_end(b);
        return;
    }
    b->failed_since = true;
    if (weight(entry->err) >= b->attempt_weight) {
        b->attempt_weight = weight(entry->err);
        b->attempt_err = entry->err;
    }
    look_for_loss(b);
}

/* J, K: the steps of a handshake. */
static const char *on_step(struct books *b, const struct race_net_entry *entry) {
    struct host_book *host = &b->hosts[entry->host];
    bool is_others = b->turn != host && b->now < turn_end(b);
    if (b->is_decided || host->phase != STARTED)
        return entry->kind == NET_ASKED ? wrong("K: asked after the end") : NULL;
    switch (entry->kind) {
    case NET_PROGRESS:
        host->patience = patience_with(b, entry->host);
        begin_hold(b, host, b->now + host->patience);
        return NULL;
    case NET_ASKED:
        if (is_others)
            return wrong("K: attempt %u asks, it is attempt %u's turn", entry->attempt,
                         b->turn->attempt);
        b->turn = host;
        host->in_line = false;
        begin_hold(b, host, NWI_NEVER);
        return NULL;
    case NET_REFUSED:
        host->in_line = true;
        return is_others ? NULL : wrong("K: attempt %u was put off for nobody", entry->attempt);
    case NET_TURN:
        if (host != first_in_line(b) || is_others)
            return wrong("K: it is not attempt %u's turn", entry->attempt);
        b->turn = host;
        b->ask_due = true;
        host->in_line = false;
        begin_hold(b, host, b->now + host->patience);
        return NULL;
    case NET_ASK:
        if (host != b->turn || !b->ask_due)
            return wrong("K: ASK of attempt %u, which has not the turn", entry->attempt);
        b->ask_due = false;
        return NULL;
    default: /* NET_ANSWERED */
        begin_hold(b, host, b->now + host->patience);
        return NULL;
    }
}

/* I, for those never started, and E: nobody was forgotten. */
static const char *check_rest(const struct books *b) {
    for (unsigned i = 0; i < b->net->host_count; i++) {
        const struct host_book *host = &b->hosts[i];
        if (b->is_lost && host->phase != UNKNOWN && host->phase != FAILED)
            return wrong("E: failed although host %u has not", i);
        if (host->phase == WAITING && b->is_open &&
            b->end > host->allowed + (b->full_total - host->full_before))
            return wrong("I: host %u not started by %lu ms, should by %lu", i, ms(b->end),
                         ms(host->allowed + (b->full_total - host->full_before)));
        if (host->phase == WAITING && !b->is_open &&
            b->end > b->first_address + resolution_delay(b->net) + b->net->timer_late)
            return wrong("G: still waiting at %lu ms", ms(b->end));
    }
    return NULL;
}

static const char *on_terminal(struct books *b, const struct race_net_entry *entry) {
    if (b->is_terminal)
        return wrong("A: a second end");
    if (!b->is_decided)
        return wrong("E: an end before there is one");
    if (b->now != b->end)
        return wrong("E: the end is told at %lu ms, came at %lu", ms(b->now), ms(b->end));
    if (b->alive != 0)
        return wrong("D: %u attempts not abandoned", b->alive);
    b->is_terminal = true;
    if (entry->kind == NET_WON)
        return b->winner != 0 && entry->attempt == b->winner
                   ? check_rest(b)
                   : wrong("E: attempt %u won, %u succeeded first", entry->attempt, b->winner);
    if (b->winner != 0)
        return wrong("E: failure although attempt %u succeeded", b->winner);
    nwi_err want = b->canceled           ? NWI_ERR_CANCELED
                   : b->attempt_err != 0 ? b->attempt_err
                   : b->dns_err != 0     ? b->dns_err
                                         : nwi_dns(NWI_DNS_NO_SUCH_RECORD);
    if (entry->err != want)
        return wrong("E: error %s, should be %s", race_net_err_name(entry->err),
                     race_net_err_name(want));
    return check_rest(b);
}

/* F, the second half. */
static bool is_idle(const struct books *b) {
    if (!b->is_open || b->is_decided || b->alive >= max_alive(b->net) ||
        (b->alive != 0 && !b->failed_since) || b->now < held_until(b))
        return false;
    for (unsigned i = 0; i < b->net->host_count; i++)
        if (b->hosts[i].phase == WAITING)
            return true;
    return false;
}

/* K: nobody in line is forgotten, up to `now`. */
static bool is_forgotten(struct books *b, nwi_ns now) {
    nwi_ns end = turn_end(b);
    return first_in_line(b) != NULL && !b->is_decided &&
           (end == 0 || (end != NWI_NEVER && end + b->net->timer_late < now));
}

/* I: how much of the time up to `now` no address could start. */
static nwi_ns blocked_time(const struct books *b, nwi_ns now) {
    nwi_ns held = held_until(b);
    if (b->alive >= max_alive(b->net) || held >= now)
        return now - b->now;
    return held > b->now ? held - b->now : 0;
}

static const char *step(struct books *b, const struct race_net_entry *entry) {
    if (entry->at < b->now)
        return wrong("log runs backwards");
    if (entry->at > b->now && b->starts_due != 0 && !b->is_decided)
        return wrong("B: a START was held back");
    if (entry->at > b->now && is_idle(b))
        return wrong("F: idle at %lu ms", ms(b->now));
    if (entry->at > b->now && is_forgotten(b, entry->at))
        return wrong("K: somebody in line is forgotten at %lu ms", ms(b->now));
    b->full_total += blocked_time(b, entry->at);
    b->now = entry->at;
    if (b->is_terminal && entry->kind >= NET_DECIDE)
        return wrong("A: an action after the end");
    switch (entry->kind) {
    case NET_ANSWER:
        on_answer(b, entry);
        return NULL;
    case NET_DECIDE:
        return on_decide(b, entry);
    case NET_OK:
    case NET_FAIL:
        on_end(b, entry);
        return NULL;
    case NET_CANCEL:
        if (!b->is_decided) {
            b->canceled = true;
            decide_end(b);
        }
        return NULL;
    case NET_PROGRESS:
    case NET_ASKED:
    case NET_REFUSED:
    case NET_ANSWERED:
    case NET_TURN:
    case NET_ASK:
        return on_step(b, entry);
    case NET_START:
        if (b->hosts[entry->host].phase != DECIDED || b->is_decided)
            return wrong("B: START of host %u, which was not decided", entry->host);
        b->hosts[entry->host].phase = STARTED;
        b->starts_due--;
        return NULL;
    case NET_ABANDON:
        if (!b->is_decided)
            return wrong("D: attempt %u abandoned before the end", entry->attempt);
        if (b->hosts[entry->host].phase != STARTED)
            return wrong("D: attempt %u abandoned, which does not run", entry->attempt);
        b->hosts[entry->host].phase = ABANDONED;
        b->alive--;
        return NULL;
    case NET_WON:
    case NET_LOST:
        return on_terminal(b, entry);
    }
    return NULL;
}

/* A, of a run that has come to rest. */
static const char *check_rest_state(const struct books *b) {
    if (b->is_terminal)
        return NULL;
    if (b->is_decided)
        return wrong("A: decided, but no end was told");
    unsigned waiting = 0;
    for (unsigned i = 0; i < b->net->host_count; i++)
        waiting += b->hosts[i].phase == WAITING;
    if (waiting != 0 && b->alive < max_alive(b->net) && held_until(b) != NWI_NEVER)
        return wrong("A: came to rest with %u addresses left", waiting);
    if (b->alive == 0 && b->outstanding == 0)
        return wrong("A: came to rest with nothing to wait for");
    return NULL;
}

const char *race_check(const struct race_net *net, const struct race_net_log *log,
                       struct race_check_stats *stats) {
    static struct books b;
    memset(&b, 0, sizeof b);
    b.net = net;
    b.outstanding = (net->options.ip_version != 4 ? NWI_RACE_AAAA : 0u) |
                    (net->options.ip_version != 6 ? NWI_RACE_A : 0u) |
                    (net->options.ask_service ? NWI_RACE_SERVICE : 0u);
    if (log->stuck)
        return wrong("A: no rest");
    const char *failure = NULL;
    for (unsigned i = 0; i < log->count && failure == NULL; i++) {
        failure = step(&b, &log->entries[i]);
        if (b.alive >= max_alive(net))
            stats->full++;
        stats->asked += log->entries[i].kind == NET_ASKED;
        stats->put_off += log->entries[i].kind == NET_REFUSED;
        stats->held += held_until(&b) > b.last_decided + b.last_delay;
    }
    if (failure == NULL)
        failure = check_rest_state(&b);
    stats->attempts += b.decided;
    stats->dropped += log->race.dropped;
    stats->delayed += b.is_open && b.open > b.first_address;
    if (!b.is_terminal)
        stats->undecided++;
    else if (b.winner != 0)
        stats->won++;
    else if (b.canceled)
        stats->canceled++;
    else
        stats->lost++;
    return failure;
}
