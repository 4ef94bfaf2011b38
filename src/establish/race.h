/*
 * race.h - Happy Eyeballs as a pure state machine.
 * What:   decides which address is tried when. Events and the time go in; actions and the next
 *         deadline come out. It knows no socket, no clock and no thread, allocates nothing, and so
 *         is tested in simulated time.
 * Source: RFC 8305 (v2); draft-ietf-happy-happyeyeballs-v3 for groups and the wait for SVCB/HTTPS
 *         answers.
 * Runs:   in the protocol context of its owner. Not re-entrant from the observer; every other call
 *         may be made between two nwi_race_next_action() calls.
 * Owns:   nothing outside its own memory (about 7 KiB, embedded by the owner; nothing to free).
 *
 * How an owner drives it, after init and start:
 *
 *     on each event:  nwi_race_answer / ..._attempt_succeeded / ..._attempt_failed / ..._tick,
 *                     and of a handshake above a transport
 *                     ..._attempt_progressed / ..._asks / ..._answered
 *
 *     after each:     while (nwi_race_next_action(race, &action)) { act; }
 *                     (acting may report events at once)
 *
 *     then:           arm one timer for nwi_race_deadline(race); when it fires, nwi_race_tick
 *
 * docs/how/race.md has the picture and the rules.
 */
#ifndef NWI_ESTABLISH_RACE_H
#define NWI_ESTABLISH_RACE_H

#include "base/clock.h"
#include "base/err.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NWI_RACE_CAPACITY =
        64, /* addresses of one round; further ones are dropped and counted in `dropped` */
    NWI_RACE_ALIVE_MAX = 6, /* default of options.max_alive */
};
#define NWI_RACE_RESOLUTION_DELAY (25 * NWI_MS) /* RFC 8305 section 8 recommends 50 ms */
#define NWI_RACE_ATTEMPT_DELAY (250 * NWI_MS)   /* RFC 8305 section 8 */
#define NWI_RACE_ATTEMPT_DELAY_LOW                                                                 \
    (100 * NWI_MS) /* lower end when computed from a measured RTT, section 8 */
#define NWI_RACE_ATTEMPT_DELAY_MIN (10 * NWI_MS) /* MUST NOT be less, RFC 8305 section 5 */
#define NWI_RACE_ATTEMPT_DELAY_MAX (2 * NWI_SEC) /* RFC 8305 section 8 */

/* Zero in a field means its default. Copied at init. */
struct nwi_race_options {
    nwi_ns resolution_delay; /* wait for the preferred family; NWI_RACE_NO_DELAY = none at all */
    nwi_ns attempt_delay;    /* clamped to ATTEMPT_DELAY_MIN..MAX */
    unsigned max_alive;      /* attempts under way at once; at most NWI_RACE_CAPACITY */
    unsigned first_family_count; /* addresses of the first family before interleaving; default 1 */
    uint8_t first_family; /* 6 or 4: goes first whatever the ranks say, and is the one waited for.
                             0: IPv6 is waited for, the best rank goes first (RFC 8305 section 4) */
    uint8_t ip_version;   /* 4 or 6: the other family is neither asked nor tried; 0: both */
    bool ask_service;     /* an SVCB/HTTPS answer is expected as well (v3 section 4) */
};
#define NWI_RACE_NO_DELAY UINT64_MAX

/* The questions whose answers the race waits for; a set of bits. */
enum nwi_race_question {
    NWI_RACE_AAAA = 1,
    NWI_RACE_A = 2,
    NWI_RACE_SERVICE = 4,
};

union nwi_race_sockaddr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* One candidate. Two are the same when sockaddr (address, port, scope), interface and stack are. */
struct nwi_race_address {
    union nwi_race_sockaddr sockaddr; /* AF_INET or AF_INET6; others are dropped */
    uint32_t interface;               /* index it is bound to, 0 = none */
    uint32_t stack; /* which protocol stack is tried (the owner's numbering), usually 0 */
    uint32_t group; /* SVCB priority: lower groups are started first (v3 section 5) */
    uint32_t rank;  /* place in RFC 6724 order over both families, lower first; on a tie the
                       first family goes first, then the order of arrival */
    nwi_ns rtt;     /* measured round trip to it, 0 = unknown */
    void *context;  /* the owner's; never looked at */
};

struct nwi_race_answer {
    enum nwi_race_question question;
    nwi_err err; /* 0 with no address = the name has none of this family */
    bool more;   /* the answer is not complete: another will follow */
    const struct nwi_race_address
        *addresses; /* borrowed. May repeat known ones, of either family: those not
                       yet started take over the new rank, rtt and group */
    unsigned count;
};

enum nwi_race_action_kind {
    NWI_RACE_START,     /* start an attempt to `address`; report its end by its number */
    NWI_RACE_ASK,       /* the attempt, whose question was refused, may ask the program now */
    NWI_RACE_ABANDON,   /* close the attempt; anything reported about it later is ignored */
    NWI_RACE_SUCCEEDED, /* terminal: `attempt` won */
    NWI_RACE_FAILED,    /* terminal: err says why; NWI_ERR_CANCELED after nwi_race_cancel */
};
/* Exactly one terminal action is given in a race that ends, after all others; nothing follows it.
 */
struct nwi_race_action {
    enum nwi_race_action_kind kind;
    unsigned attempt;                       /* 1, 2, 3 ... in order of start; 0 with FAILED */
    const struct nwi_race_address *address; /* lent by the race; NULL with FAILED */
    nwi_err err;                            /* FAILED only */
};

enum nwi_race_state {
    NWI_RACE_IDLE,      /* before nwi_race_start */
    NWI_RACE_RESOLVING, /* no address yet, answers outstanding */
    NWI_RACE_DELAYED,   /* have addresses, waiting the resolution delay for the preferred answer */
    NWI_RACE_STAGGERED, /* the next address starts at the deadline, or at the next failure, and not
                           while the program is asked something */
    NWI_RACE_FULL,      /* addresses left, but max_alive attempts under way: waits for a failure */
    NWI_RACE_SPENT,     /* every known address started; attempts or answers outstanding */
    NWI_RACE_WON,       /* terminal */
    NWI_RACE_LOST,      /* terminal */
    NWI_RACE_CANCELED,  /* terminal */
    NWI_RACE_STATE_COUNT,
};

/* What the observer is told, for a timeline. */
enum nwi_race_event_kind {
    NWI_RACE_EVENT_STATE,          /* `from` -> `state` */
    NWI_RACE_EVENT_ANSWER,         /* question, count (new addresses), err */
    NWI_RACE_EVENT_ATTEMPT,        /* attempt, address: decided to start */
    NWI_RACE_EVENT_ATTEMPT_OK,     /* attempt, address */
    NWI_RACE_EVENT_ATTEMPT_FAILED, /* attempt, address, err */
    NWI_RACE_EVENT_TURN,           /* attempt, address: decided that it may ASK */
    NWI_RACE_EVENT_ABANDONED,      /* attempt, address */
    NWI_RACE_EVENT_DROPPED, /* address (borrowed for the call): over capacity, or not of a wanted
                               family */
    NWI_RACE_EVENT_COUNT,
};
struct nwi_race_event {
    nwi_ns now;
    enum nwi_race_event_kind kind;
    enum nwi_race_state from, state;
    enum nwi_race_question question;
    unsigned count;
    unsigned attempt;
    const struct nwi_race_address *address;
    nwi_err err;
};
typedef void (*nwi_race_observer)(void *context, const struct nwi_race_event *event);

/* --- the machine -----------------------------------------------------------------------------
 * The struct stands here so that an owner can embed it; its fields belong to race.c alone. */
struct nwi_race_entry {
    struct nwi_race_address address;
    uint8_t state;   /* enum entry_state, race.c */
    uint8_t attempt; /* 0 = not started */
    bool waits;      /* for its turn to ask */
    nwi_ns began;    /* decided to start */
    nwi_ns patience; /* with it, from each of its steps on; 0 until its transport is connected */
    nwi_ns hold; /* while it is alive no other starts before this; NWI_NEVER: its question is out */
};
struct nwi_race {
    struct nwi_race_options options; /* defaults filled in */
    enum nwi_race_state state;       /* written by enter() alone */
    nwi_ns now;                      /* latest time seen: time never runs backwards in here */
    nwi_ns delay_until;              /* end of the resolution delay; NWI_NEVER until it has begun */
    nwi_ns next_start;               /* no start by stagger before this */
    bool open;                       /* the wait for answers is over: attempts may start */
    bool told;                       /* the terminal action has been given */
    unsigned outstanding;            /* set of questions */
    unsigned count, dropped;         /* entries; addresses refused for capacity or family */
    unsigned started, given;         /* attempts decided; START actions given */
    unsigned alive;                  /* started and not ended */
    unsigned winner;                 /* attempt, 0 = none */
    unsigned turn, ask_due;          /* attempt that may ask; that is to be told so; 0 = none */
    uint8_t order[NWI_RACE_CAPACITY]; /* attempt - 1 -> entry */
    nwi_err attempt_err, dns_err;     /* the most telling so far */
    nwi_race_observer observer;
    void *observer_context;
    struct nwi_race_entry entries[NWI_RACE_CAPACITY];
};

/* `options` NULL = all defaults. */
void nwi_race_init(struct nwi_race *race, const struct nwi_race_options *options);
/* Observer of everything that happens, called inside the event functions; it must not call the
 * race. */
void nwi_race_set_observer(struct nwi_race *race, nwi_race_observer observer, void *context);

/* Events. `now` is on any one scale that does not run backwards. In a terminal state each is
 * ignored. */
void nwi_race_start(struct nwi_race *race, nwi_ns now);
void nwi_race_answer(struct nwi_race *race, nwi_ns now, const struct nwi_race_answer *answer);
void nwi_race_attempt_succeeded(struct nwi_race *race, nwi_ns now, unsigned attempt);
void nwi_race_attempt_failed(struct nwi_race *race, nwi_ns now, unsigned attempt, nwi_err err);
/* Its transport is connected, and a handshake goes on above. */
void nwi_race_attempt_progressed(struct nwi_race *race, nwi_ns now, unsigned attempt);
/* It has a question for the program. False: not now; the action ASK tells when. Otherwise the
 * question is out until _answered, which comes also when the question is taken back. */
bool nwi_race_attempt_asks(struct nwi_race *race, nwi_ns now, unsigned attempt);
void nwi_race_attempt_answered(struct nwi_race *race, nwi_ns now, unsigned attempt);
void nwi_race_tick(struct nwi_race *race, nwi_ns now);
/* Abandons every attempt and ends in FAILED with NWI_ERR_CANCELED, unless it has ended already. */
void nwi_race_cancel(struct nwi_race *race, nwi_ns now);

/* Gives the next action; false when there is none for now. */
bool nwi_race_next_action(struct nwi_race *race, struct nwi_race_action *ret_action);
/* When nwi_race_tick is wanted next; NWI_NEVER = only an event can change anything. */
nwi_ns nwi_race_deadline(struct nwi_race *race);

enum nwi_race_state nwi_race_state(const struct nwi_race *race);
static inline bool nwi_race_state_is_terminal(enum nwi_race_state state) {
    return state >= NWI_RACE_WON;
}
const char *nwi_race_state_name(enum nwi_race_state state);

#endif
