/*
 * race_net.h - a network that exists only in simulated time, and a race run against it.
 * What:   answers that come when the case says, hosts that accept, refuse or stay silent after the
 *         delay the case says, some of them after a handshake above their transport in which the
 *         program is asked something. The run gives a log of all that went into the race and came
 *         out.
 * Used:   tests/unit/establish/test_race.c (written networks), tests/sim/sim_race.c (generated
 *         ones).
 */
#ifndef TESTS_FAKE_RACE_NET_H
#define TESTS_FAKE_RACE_NET_H

#include "establish/race.h"

enum { RACE_NET_HOSTS = 80, RACE_NET_ANSWERS = 8, RACE_NET_LOG = 1024 };

struct race_net_host {
    uint8_t family; /* 4 or 6 */
    bool silent;    /* an attempt never ends */
    nwi_err err;    /* how it ends after `delay`; 0 = it connects */
    nwi_ns delay;   /* 0 = it ends inside the call that starts it */
    nwi_ns rtt;
    uint32_t rank, group;
    bool layered; /* `transport` after its start a handshake begins; else the rest is not used */
    bool asks;    /* `ask` later it has a question, which the program answers after `think` */
    nwi_ns transport;  /* then `delay` is counted from the last of these steps */
    nwi_ns ask, think; /* think: NWI_NEVER = no answer */
};

struct race_net_answer {
    nwi_ns at; /* after the start; NWI_NEVER = silence */
    enum nwi_race_question question;
    nwi_err err;
    bool more;
    uint8_t count;
    uint8_t hosts[RACE_NET_HOSTS]; /* indices */
};

struct race_net {
    struct nwi_race_options options;
    unsigned host_count, answer_count;
    struct race_net_host hosts[RACE_NET_HOSTS];
    struct race_net_answer answers[RACE_NET_ANSWERS];
    nwi_ns cancel_at;  /* NWI_NEVER = not */
    nwi_ns timer_late; /* every timer fires so much after its deadline */
    uint64_t mix; /* 0: in one instant answers come first, then attempts, the timer, cancel. Else
                     the seed of their order, of how late actions are taken, of events for attempts
                     that were abandoned, and of ends reported twice. */
};

enum race_net_kind {
    /* in */
    NET_ANSWER,   /* `answer` */
    NET_OK,       /* `attempt`, `host` */
    NET_FAIL,     /* `attempt`, `host`, `err` */
    NET_PROGRESS, /* `attempt`, `host`: the transport is connected */
    NET_ASKED,    /* `attempt`, `host`: its question is out */
    NET_REFUSED,  /* `attempt`, `host`: its question was put off */
    NET_ANSWERED, /* `attempt`, `host` */
    NET_CANCEL,
    /* told by the observer */
    NET_DECIDE, /* `attempt`, `host`: before its NET_START, which comes when the owner takes it */
    NET_TURN,   /* `attempt`, `host`: likewise before its NET_ASK */
    /* out */
    NET_START,   /* `attempt`, `host` */
    NET_ASK,     /* `attempt`, `host` */
    NET_ABANDON, /* `attempt`, `host` */
    NET_WON,     /* `attempt`, `host` */
    NET_LOST,    /* `err` */
};

struct race_net_entry {
    nwi_ns at; /* after the start */
    enum race_net_kind kind;
    unsigned answer, attempt, host;
    nwi_err err;
};

struct race_net_log {
    unsigned count;
    bool stuck; /* more steps than any network can need */
    struct race_net_entry entries[RACE_NET_LOG];
    struct nwi_race race; /* as it was at the end */
};

void race_net_run(const struct race_net *net, struct race_net_log *ret_log);

/* The actions in short: "0+6a 250+4b 300=4b 300-6a" ("?" for ASK), times in ms (fractions are cut),
 * hosts named by family and place in the list, "!" and the error's place in `errors`
 * (NULL-terminated names below). */
void race_net_text(const struct race_net *net, const struct race_net_log *log, char *text,
                   size_t size);
/* A short name of the errors that cases use: "refused", "timeout", "unreachable", "no-record" ...
 */
const char *race_net_err_name(nwi_err err);

/* The generator that all choices come from (xorshift64*); `state` must not be 0. */
uint64_t race_net_random(uint64_t *state);

#endif
