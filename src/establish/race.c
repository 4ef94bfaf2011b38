/*
 * race.c - Happy Eyeballs as a pure state machine.
 * What:   waits for the answers worth waiting for, orders and interleaves the addresses, staggers
 *         the attempts, picks the winner and, when there is none, the error to show.
 * Source: RFC 8305; draft-ietf-happy-happyeyeballs-v3 (called v3 below).
 * Runs:   in the protocol context of its owner.
 * Owns:   nothing: all state is in struct nwi_race, which the owner embeds.
 */
#include "establish/race.h"
#include "base/log.h"
#include <string.h>

#define BIT(n) (1u << (n))

/* --- the states ------------------------------------------------------------------------------
 *
 *          start           first address             wait over
 *     IDLE -----> RESOLVING ------------> DELAYED ------------+
 *                   |    |                                    |
 *                   |    +-- preferred answer, or no wait ----+
 *                   | all answers in,                         v
 *                   | no address               STAGGERED <-> FULL <-> SPENT   attempts run in
 *                   v                              |           |       | |    these three
 *                  LOST <--------------------------|-----------|-------+ |
 *                          all answers in,         +-----------+---------+--> WON
 *                          all attempts failed
 *     CANCELED from every state that is not terminal.
 *
 * STAGGERED and FULL always have an address left, so they cannot lose: a failure starts it. */
#define RUNNING (BIT(NWI_RACE_STAGGERED) | BIT(NWI_RACE_FULL) | BIT(NWI_RACE_SPENT))

static const struct {
    const char *name;
    unsigned next; /* set of states */
} states[NWI_RACE_STATE_COUNT] = {
    [NWI_RACE_IDLE] = {"idle", BIT(NWI_RACE_RESOLVING) | BIT(NWI_RACE_CANCELED)},
    [NWI_RACE_RESOLVING] = {"resolving", BIT(NWI_RACE_DELAYED) | RUNNING | BIT(NWI_RACE_LOST) |
                                             BIT(NWI_RACE_CANCELED)},
    [NWI_RACE_DELAYED] = {"delayed", RUNNING | BIT(NWI_RACE_CANCELED)},
    [NWI_RACE_STAGGERED] = {"staggered", RUNNING | BIT(NWI_RACE_WON) | BIT(NWI_RACE_CANCELED)},
    [NWI_RACE_FULL] = {"full", RUNNING | BIT(NWI_RACE_WON) | BIT(NWI_RACE_CANCELED)},
    [NWI_RACE_SPENT] = {"spent",
                        RUNNING | BIT(NWI_RACE_WON) | BIT(NWI_RACE_LOST) | BIT(NWI_RACE_CANCELED)},
    [NWI_RACE_WON] = {"won", 0},
    [NWI_RACE_LOST] = {"lost", 0},
    [NWI_RACE_CANCELED] = {"canceled", 0},
};

/* Of one address. WAITING -> STARTING -> ALIVE -> FAILED | WINNER | ABANDONING -> GONE;
 * STARTING -> GONE when the race ends before the owner has taken the START action. */
enum entry_state {
    ENTRY_WAITING,    /* not started */
    ENTRY_STARTING,   /* decided, START not given yet */
    ENTRY_ALIVE,      /* START given, no end reported */
    ENTRY_FAILED,     /* end reported */
    ENTRY_WINNER,     /* end reported */
    ENTRY_ABANDONING, /* decided, ABANDON not given yet */
    ENTRY_GONE,       /* the owner has nothing left of it */
};

static void tell(struct nwi_race *race, struct nwi_race_event event) {
    if (race->observer == NULL)
        return;
    event.now = race->now;
    event.state = race->state;
    race->observer(race->observer_context, &event);
}

static void tell_attempt(struct nwi_race *race, enum nwi_race_event_kind kind,
                         const struct nwi_race_entry *entry, nwi_err err) {
    tell(race,
         (struct nwi_race_event){
             .kind = kind, .attempt = entry->attempt, .address = &entry->address, .err = err});
}

static void enter(struct nwi_race *race, enum nwi_race_state next) {
    enum nwi_race_state from = race->state;
    if (from == next)
        return;
    if ((states[from].next & BIT(next)) == 0) /* a bug of this file; the simulation fails on it */
        nwi_log(NWI_LOG_ERROR, "race", "state", "no such move: %s -> %s", states[from].name,
                states[next].name);
    race->state = next;
    tell(race, (struct nwi_race_event){.kind = NWI_RACE_EVENT_STATE, .from = from});
}

/* --- which error is shown --------------------------------------------------------------------
 * Of the attempts, the one that got furthest: a peer that answered (a TLS alert, a refusal) tells
 * more than a timeout, and that more than a missing route, which one family lacking is enough to
 * cause. Of the answers, a definite "no such record" tells more than a server's failure, and that
 * more than silence. Among equals the later. An attempt's error is preferred to any answer's. */
static unsigned attempt_error_weight(nwi_err err) {
    if (err == 0)
        return 0;
    if (nwi_err_domain(err) != NWI_DOMAIN_POSIX)
        return 4;
    switch (nwi_err_code(err)) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return 1;
    case ETIMEDOUT:
        return 2;
    default:
        return 3;
    }
}

static unsigned dns_error_weight(nwi_err err) {
    if (err == 0)
        return 0;
    if (err == nwi_dns(NWI_DNS_TIMEOUT))
        return 1;
    return err == nwi_dns(NWI_DNS_NO_SUCH_RECORD) ? 3 : 2;
}

static nwi_err final_error(const struct nwi_race *race) {
    if (race->state == NWI_RACE_CANCELED)
        return NWI_ERR_CANCELED;
    if (race->attempt_err != 0)
        return race->attempt_err;
    return race->dns_err != 0 ? race->dns_err : nwi_dns(NWI_DNS_NO_SUCH_RECORD);
}

/* --- addresses --- */

static bool same_target(const struct nwi_race_address *a, const struct nwi_race_address *b) {
    if (a->sockaddr.sa.sa_family != b->sockaddr.sa.sa_family || a->interface != b->interface ||
        a->stack != b->stack)
        return false;
    if (a->sockaddr.sa.sa_family == AF_INET)
        return a->sockaddr.in.sin_port == b->sockaddr.in.sin_port &&
               a->sockaddr.in.sin_addr.s_addr == b->sockaddr.in.sin_addr.s_addr;
    return a->sockaddr.in6.sin6_port == b->sockaddr.in6.sin6_port &&
           a->sockaddr.in6.sin6_scope_id == b->sockaddr.in6.sin6_scope_id &&
           memcmp(&a->sockaddr.in6.sin6_addr, &b->sockaddr.in6.sin6_addr,
                  sizeof a->sockaddr.in6.sin6_addr) == 0;
}

static bool family_wanted(const struct nwi_race *race, sa_family_t family) {
    return (family == AF_INET6 && race->options.ip_version != 4) ||
           (family == AF_INET && race->options.ip_version != 6);
}

/* True: it is new and was taken. */
static bool add_address(struct nwi_race *race, const struct nwi_race_address *address) {
    for (unsigned i = 0; i < race->count; i++) {
        struct nwi_race_entry *known = &race->entries[i];
        if (!same_target(&known->address, address))
            continue;
        if (known->state == ENTRY_WAITING) {
            known->address.rank = address->rank;
            known->address.group = address->group;
            if (address->rtt != 0)
                known->address.rtt = address->rtt;
        }
        return false;
    }
    if (race->count == NWI_RACE_CAPACITY || !family_wanted(race, address->sockaddr.sa.sa_family)) {
        race->dropped++;
        tell(race, (struct nwi_race_event){.kind = NWI_RACE_EVENT_DROPPED, .address = address});
        return false;
    }
    race->entries[race->count++] = (struct nwi_race_entry){.address = *address};
    return true;
}

static sa_family_t preferred_family(const struct nwi_race *race) {
    return race->options.first_family == 4 ? AF_INET : AF_INET6;
}

static struct nwi_race_entry *entry_of(struct nwi_race *race, unsigned attempt) {
    return attempt == 0 || attempt > race->started ? NULL
                                                   : &race->entries[race->order[attempt - 1]];
}

/* The best of one family in one group, by rank, then order of arrival; NULL when none waits. */
static struct nwi_race_entry *best_waiting(struct nwi_race *race, sa_family_t family,
                                           uint32_t group) {
    struct nwi_race_entry *best = NULL;
    for (unsigned i = 0; i < race->count; i++) {
        struct nwi_race_entry *entry = &race->entries[i];
        if (entry->state == ENTRY_WAITING && entry->address.sockaddr.sa.sa_family == family &&
            entry->address.group == group &&
            (best == NULL || entry->address.rank < best->address.rank))
            best = entry;
    }
    return best;
}

/* The address to start next, NULL when all have been. RFC 8305 section 4: the first family gives
 * its first first_family_count addresses, then the families take turns, each in its order. Looked
 * up anew for each start, so that answers which come late take their place among those not yet
 * started (section 3). */
static struct nwi_race_entry *pick(struct nwi_race *race) {
    uint32_t group = UINT32_MAX;
    bool any = false;
    for (unsigned i = 0; i < race->count; i++) {
        if (race->entries[i].state != ENTRY_WAITING)
            continue;
        any = true;
        if (race->entries[i].address.group < group)
            group = race->entries[i].address.group;
    }
    if (!any)
        return NULL;

    sa_family_t first = preferred_family(race);
    struct nwi_race_entry *one = best_waiting(race, first, group);
    struct nwi_race_entry *other =
        best_waiting(race, first == AF_INET6 ? AF_INET : AF_INET6, group);
    if (one == NULL || other == NULL)
        return one != NULL ? one : other;

    unsigned begun = 0; /* of this group: each group is interleaved by itself (v3 section 5) */
    sa_family_t last = AF_UNSPEC;
    for (unsigned attempt = 1; attempt <= race->started; attempt++) {
        const struct nwi_race_address *started = &entry_of(race, attempt)->address;
        if (started->group == group) {
            begun++;
            last = started->sockaddr.sa.sa_family;
        }
    }
    if (begun == 0) {
        bool by_rank = race->options.first_family == 0;
        return by_rank && other->address.rank < one->address.rank ? other : one;
    }
    bool stay = begun < race->options.first_family_count;
    return (last == first) == stay ? one : other;
}

/* --- attempts --- */

/* How long after the start of an attempt the next may begin. RFC 8305 section 5: where the round
 * trip is known it decides; two of them cover the answer and one lost packet's worth of doubt. */
static nwi_ns attempt_delay(const struct nwi_race *race, const struct nwi_race_address *address) {
    nwi_ns fixed = race->options.attempt_delay, rtt = address->rtt;
    nwi_ns low = fixed < NWI_RACE_ATTEMPT_DELAY_LOW ? fixed : NWI_RACE_ATTEMPT_DELAY_LOW;
    if (rtt == 0)
        return fixed;
    if (rtt >= NWI_RACE_ATTEMPT_DELAY_MAX / 2)
        return NWI_RACE_ATTEMPT_DELAY_MAX;
    return 2 * rtt < low ? low : 2 * rtt;
}

static void start_attempt(struct nwi_race *race, struct nwi_race_entry *entry) {
    race->order[race->started++] = (uint8_t)(entry - race->entries);
    entry->attempt = (uint8_t)race->started;
    entry->state = ENTRY_STARTING;
    race->alive++;
    entry->began = race->now;
    race->next_start = race->now + attempt_delay(race, &entry->address);
    tell_attempt(race, NWI_RACE_EVENT_ATTEMPT, entry, 0);
}

/* Also of attempts the owner has not heard of yet: those just vanish. */
static void abandon_all(struct nwi_race *race) {
    for (unsigned attempt = 1; attempt <= race->started; attempt++) {
        struct nwi_race_entry *entry = entry_of(race, attempt);
        if (entry->state != ENTRY_ALIVE && entry->state != ENTRY_STARTING)
            continue;
        entry->state = entry->state == ENTRY_ALIVE ? ENTRY_ABANDONING : ENTRY_GONE;
        race->alive--;
        tell_attempt(race, NWI_RACE_EVENT_ABANDONED, entry, 0);
    }
}

/* Whether waiting for answers is over. RFC 8305 section 3, v3 section 4: with an address in hand,
 * wait for the preferred family (and the service record, when asked) no longer than the resolution
 * delay. A preferred address ends the wait, and so does the news that there is none. */
static bool wait_is_over(struct nwi_race *race) {
    enum nwi_race_question preferred =
        preferred_family(race) == AF_INET ? NWI_RACE_A : NWI_RACE_AAAA;
    unsigned awaited = race->outstanding & (preferred | NWI_RACE_SERVICE);
    for (unsigned i = 0; i < race->count; i++)
        if (race->entries[i].address.sockaddr.sa.sa_family == preferred_family(race))
            awaited &= ~(unsigned)preferred;
    if (awaited == 0)
        return true;
    if (race->delay_until == NWI_NEVER && race->options.resolution_delay < NWI_NEVER - race->now)
        race->delay_until = race->now + race->options.resolution_delay;
    return race->now >= race->delay_until;
}

/* --- handshakes above a transport ------------------------------------------------------------
 * RFC 8305's delays are about a transport that gives no answer. Once it has answered, the handshake
 * above it (part of the attempt, v3 section 6) gets a patience of its own, or every server that is
 * half a delay away would be asked twice; and while the program thinks about a question no network
 * is slow at all. The patience is three times what the transport took, one round trip: TLS needs
 * two at most, and one is for the other end's work. */
static nwi_ns patience(const struct nwi_race *race, const struct nwi_race_entry *entry) {
    nwi_ns fixed = attempt_delay(race, &entry->address), took = race->now - entry->began;
    if (took >= NWI_RACE_ATTEMPT_DELAY_MAX / 3)
        return NWI_RACE_ATTEMPT_DELAY_MAX;
    return 3 * took > fixed ? 3 * took : fixed;
}

/* No start by stagger or failure before this. */
static nwi_ns held_until(struct nwi_race *race) {
    nwi_ns until = 0;
    for (unsigned attempt = 1; attempt <= race->started; attempt++) {
        const struct nwi_race_entry *entry = entry_of(race, attempt);
        if (entry->state == ENTRY_ALIVE && entry->hold > until)
            until = entry->hold;
    }
    return until;
}

static nwi_ns earliest_start(struct nwi_race *race) {
    nwi_ns held = held_until(race);
    return held > race->next_start ? held : race->next_start;
}

/* Until when nobody else may ask. Whose question has been answered keeps its turn a while: it is
 * likely to win now, and the program would have been asked twice for nothing. */
static nwi_ns turn_end(struct nwi_race *race) {
    const struct nwi_race_entry *entry = entry_of(race, race->turn);
    return entry != NULL && entry->state == ENTRY_ALIVE ? entry->hold : 0;
}

static struct nwi_race_entry *first_in_line(struct nwi_race *race) {
    for (unsigned attempt = 1; attempt <= race->started; attempt++) {
        struct nwi_race_entry *entry = entry_of(race, attempt);
        if (entry->state == ENTRY_ALIVE && entry->waits)
            return entry;
    }
    return NULL;
}

static void pass_the_turn(struct nwi_race *race) {
    struct nwi_race_entry *next = first_in_line(race);
    if (next == NULL || race->now < turn_end(race))
        return;
    next->waits = false;
    next->hold = race->now + next->patience; /* should it not ask any more */
    race->turn = race->ask_due = next->attempt;
    tell_attempt(race, NWI_RACE_EVENT_TURN, next, 0);
}

/* Does what the present moment allows; called at the end of every event. */
static void advance(struct nwi_race *race) {
    if (!race->open && race->count > 0) {
        race->open = wait_is_over(race);
        if (!race->open) {
            enter(race, NWI_RACE_DELAYED);
            return;
        }
    }
    pass_the_turn(race);
    struct nwi_race_entry *next;
    while ((next = pick(race)) != NULL) {
        if (race->alive >= race->options.max_alive) {
            enter(race, NWI_RACE_FULL);
            return;
        }
        /* Only while something is under way: each failure, so also the last one's, has moved it. */
        if (race->now < earliest_start(race)) {
            enter(race, NWI_RACE_STAGGERED);
            return;
        }
        start_attempt(race, next);
    }
    if (race->alive == 0 && race->outstanding == 0)
        enter(race, NWI_RACE_LOST);
    else
        enter(race, race->open ? NWI_RACE_SPENT : NWI_RACE_RESOLVING);
}

/* Takes over the time of an event. False: the event is to be ignored. */
static bool accepts(struct nwi_race *race, nwi_ns now) {
    if (now > race->now)
        race->now = now;
    return race->state != NWI_RACE_IDLE && !nwi_race_state_is_terminal(race->state);
}

/* --- the face --- */

void nwi_race_init(struct nwi_race *race, const struct nwi_race_options *options) {
    memset(race, 0, sizeof *race);
    if (options != NULL)
        race->options = *options;
    struct nwi_race_options *o = &race->options;
    if (o->resolution_delay == 0)
        o->resolution_delay = NWI_RACE_RESOLUTION_DELAY;
    else if (o->resolution_delay == NWI_RACE_NO_DELAY)
        o->resolution_delay = 0;
    if (o->attempt_delay == 0)
        o->attempt_delay = NWI_RACE_ATTEMPT_DELAY;
    else if (o->attempt_delay < NWI_RACE_ATTEMPT_DELAY_MIN)
        o->attempt_delay = NWI_RACE_ATTEMPT_DELAY_MIN;
    else if (o->attempt_delay > NWI_RACE_ATTEMPT_DELAY_MAX)
        o->attempt_delay = NWI_RACE_ATTEMPT_DELAY_MAX;
    if (o->max_alive == 0)
        o->max_alive = NWI_RACE_ALIVE_MAX;
    if (o->first_family_count == 0)
        o->first_family_count = 1;
    race->delay_until = NWI_NEVER;
    race->outstanding = (o->ip_version != 4 ? NWI_RACE_AAAA : 0u) |
                        (o->ip_version != 6 ? NWI_RACE_A : 0u) |
                        (o->ask_service ? NWI_RACE_SERVICE : 0u);
}

void nwi_race_set_observer(struct nwi_race *race, nwi_race_observer observer, void *context) {
    race->observer = observer;
    race->observer_context = context;
}

void nwi_race_start(struct nwi_race *race, nwi_ns now) {
    if (race->state != NWI_RACE_IDLE)
        return;
    race->now = now;
    enter(race, NWI_RACE_RESOLVING);
}

void nwi_race_answer(struct nwi_race *race, nwi_ns now, const struct nwi_race_answer *answer) {
    if (!accepts(race, now))
        return;
    unsigned taken = 0;
    for (unsigned i = 0; i < answer->count; i++)
        taken += add_address(race, &answer->addresses[i]);
    if (!answer->more)
        race->outstanding &= ~(unsigned)answer->question;
    nwi_err err = answer->err;
    if (err == 0 && answer->count == 0 && !answer->more)
        err = nwi_dns(NWI_DNS_NO_SUCH_RECORD);
    /* A missing service record is the usual case and no reason to fail. */
    if (answer->question != NWI_RACE_SERVICE &&
        dns_error_weight(err) >= dns_error_weight(race->dns_err))
        race->dns_err = err;
    tell(race, (struct nwi_race_event){.kind = NWI_RACE_EVENT_ANSWER,
                                       .question = answer->question,
                                       .count = taken,
                                       .err = answer->err});
    advance(race);
}

void nwi_race_attempt_succeeded(struct nwi_race *race, nwi_ns now, unsigned attempt) {
    struct nwi_race_entry *entry = entry_of(race, attempt);
    if (!accepts(race, now) || entry == NULL || entry->state != ENTRY_ALIVE)
        return;
    entry->state = ENTRY_WINNER;
    race->winner = attempt;
    race->alive--;
    tell_attempt(race, NWI_RACE_EVENT_ATTEMPT_OK, entry, 0);
    abandon_all(race);
    enter(race, NWI_RACE_WON);
}

void nwi_race_attempt_failed(struct nwi_race *race, nwi_ns now, unsigned attempt, nwi_err err) {
    struct nwi_race_entry *entry = entry_of(race, attempt);
    if (!accepts(race, now) || entry == NULL || entry->state != ENTRY_ALIVE)
        return;
    if (err == 0)
        err = NWI_ERR_INVAL; /* a failure has a reason: the owner's bug, made visible */
    entry->state = ENTRY_FAILED;
    race->alive--;
    /* A failure goes straight on, also when the next address comes later. */
    race->next_start = race->now;
    if (attempt_error_weight(err) >= attempt_error_weight(race->attempt_err))
        race->attempt_err = err;
    tell_attempt(race, NWI_RACE_EVENT_ATTEMPT_FAILED, entry, err);
    advance(race);
}

/* The attempt of that number, if it may report a step. */
static struct nwi_race_entry *stepping(struct nwi_race *race, nwi_ns now, unsigned attempt) {
    struct nwi_race_entry *entry = entry_of(race, attempt);
    return accepts(race, now) && entry != NULL && entry->state == ENTRY_ALIVE ? entry : NULL;
}

void nwi_race_attempt_progressed(struct nwi_race *race, nwi_ns now, unsigned attempt) {
    struct nwi_race_entry *entry = stepping(race, now, attempt);
    if (entry == NULL || entry->patience != 0)
        return;
    entry->patience = patience(race, entry);
    entry->hold = race->now + entry->patience;
    advance(race);
}

bool nwi_race_attempt_asks(struct nwi_race *race, nwi_ns now, unsigned attempt) {
    struct nwi_race_entry *entry = stepping(race, now, attempt);
    if (entry == NULL)
        return false;
    entry->waits = race->turn != attempt && race->now < turn_end(race);
    if (!entry->waits) {
        race->turn = attempt;
        entry->hold = NWI_NEVER;
    }
    advance(race);
    return !entry->waits;
}

void nwi_race_attempt_answered(struct nwi_race *race, nwi_ns now, unsigned attempt) {
    struct nwi_race_entry *entry = stepping(race, now, attempt);
    if (entry == NULL || entry->hold != NWI_NEVER)
        return;
    entry->hold = race->now + entry->patience;
    advance(race);
}

void nwi_race_tick(struct nwi_race *race, nwi_ns now) {
    if (accepts(race, now))
        advance(race);
}

void nwi_race_cancel(struct nwi_race *race, nwi_ns now) {
    bool idle = race->state == NWI_RACE_IDLE;
    if (!accepts(race, now) && !idle)
        return;
    abandon_all(race);
    enter(race, NWI_RACE_CANCELED);
}

bool nwi_race_next_action(struct nwi_race *race, struct nwi_race_action *ret_action) {
    while (race->given < race->started) {
        struct nwi_race_entry *entry = entry_of(race, ++race->given);
        if (entry->state != ENTRY_STARTING)
            continue;
        entry->state = ENTRY_ALIVE;
        *ret_action = (struct nwi_race_action){
            .kind = NWI_RACE_START, .attempt = entry->attempt, .address = &entry->address};
        return true;
    }
    if (!nwi_race_state_is_terminal(race->state)) {
        struct nwi_race_entry *asker = entry_of(race, race->ask_due);
        race->ask_due = 0;
        if (asker == NULL || asker->state != ENTRY_ALIVE)
            return false;
        *ret_action = (struct nwi_race_action){
            .kind = NWI_RACE_ASK, .attempt = asker->attempt, .address = &asker->address};
        return true;
    }
    if (race->told)
        return false;
    for (unsigned attempt = 1; attempt <= race->started; attempt++) {
        struct nwi_race_entry *entry = entry_of(race, attempt);
        if (entry->state != ENTRY_ABANDONING)
            continue;
        entry->state = ENTRY_GONE;
        *ret_action = (struct nwi_race_action){
            .kind = NWI_RACE_ABANDON, .attempt = attempt, .address = &entry->address};
        return true;
    }
    race->told = true;
    *ret_action = race->state == NWI_RACE_WON
                      ? (struct nwi_race_action){.kind = NWI_RACE_SUCCEEDED,
                                                 .attempt = race->winner,
                                                 .address = &entry_of(race, race->winner)->address}
                      : (struct nwi_race_action){.kind = NWI_RACE_FAILED, .err = final_error(race)};
    return true;
}

nwi_ns nwi_race_deadline(struct nwi_race *race) {
    if (race->state == NWI_RACE_DELAYED)
        return race->delay_until;
    if ((RUNNING & BIT(race->state)) == 0)
        return NWI_NEVER;
    nwi_ns start = race->state == NWI_RACE_STAGGERED ? earliest_start(race) : NWI_NEVER;
    nwi_ns turn = first_in_line(race) != NULL ? turn_end(race) : NWI_NEVER;
    return turn < start ? turn : start;
}

enum nwi_race_state nwi_race_state(const struct nwi_race *race) {
    return race->state;
}

const char *nwi_race_state_name(enum nwi_race_state state) {
    return (unsigned)state < NWI_RACE_STATE_COUNT ? states[state].name : "?";
}
