/*
 * tree_private.h - one establishment and its attempts, as the tree*.c files of this folder share
 * them.
 * Runs:   in the protocol context of the establishment.
 */
#ifndef NWI_ESTABLISH_TREE_PRIVATE_H
#define NWI_ESTABLISH_TREE_PRIVATE_H

#include "dispatch/alarm.h"
#include "establish/race.h"
#include "establish/tree.h"
#include "path/rules.h"
#include "resolver/resolver.h"
#include "stack/early.h"
#include <sys/queue.h>

struct attempt {
    LIST_ENTRY(attempt) link;
    struct nwi_establishment *establishment;
    struct nwi_chain *chain; /* owned */
    nw_endpoint_t remote;    /* owned */
    struct nwi_early early;  /* content of the establishment's */
    unsigned number;         /* the race's; 0: the only one, without a race */
    nwi_ns began, took;      /* took: its transport, when a handshake goes on above; else 0 */
    nwi_ns give_up;          /* when that handshake has taken too long; NWI_NEVER: not now */
};

struct nwi_establishment {
    struct nwi_object base;
    char name[NWI_BRANCH_NAME_SIZE]; /* of the root, "C8" */
    nw_endpoint_t endpoint;          /* owned */
    nw_parameters_t parameters;      /* owned */
    struct nwi_timeline *timeline;   /* owned */
    struct nwi_serial *context;
    struct nwi_loop *loop;
    void *context_owner; /* owned */
    const struct nwi_establishment_events *events;
    void *owner;
    struct nwi_resolution *resolution; /* owned */
    struct nwi_alarm tick;
    LIST_HEAD(, attempt) attempts; /* youngest first */
    struct nwi_path_choice choice; /* of interfaces, for every address */
    dispatch_data_t early;         /* owned, or NULL */
    size_t early_sent;             /* by the winner */
    bool denied;                   /* the local-network policy refused an address */
    bool resolved;                 /* names have a level for the resolver: C8.1.2 */
    bool ended, driving;
    struct nwi_race race;
};

/* tree_notes.c: what happened, for the timeline and the log. */
void nwi_establishment_note(struct nwi_establishment *establishment, enum nwi_timeline_event event,
                            nwi_err err); /* of the whole, or of its resolver */
void nwi_establishment_note_answer(struct nwi_establishment *establishment,
                                   const struct nwi_resolve_answer *answer);
void nwi_attempt_note(const struct attempt *attempt, enum nwi_timeline_event event, nwi_err err);
/* A handshake of the attempt has ended; `rtt` as it is known by now. */
void nwi_attempt_note_rtt(const struct attempt *attempt, enum nwi_timeline_event event, nwi_ns rtt);

#endif
