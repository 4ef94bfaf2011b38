/*
 * timeline.h - the record of how a connection was established.
 * What:   events of the tree C1, C1.1, C1.1.1 with their times, as plain data: it knows no socket
 *         and no connection. The tree writes it; anyone may take a snapshot at any time.
 * Runs:   any thread; a lock of its own, held for short times and never while calling out.
 */
#ifndef NWI_ESTABLISH_TIMELINE_H
#define NWI_ESTABLISH_TIMELINE_H

#include "base/clock.h"
#include "base/err.h"
#include <Network/connection_report.h>
#include <Network/establishment_timeline.h>

enum {
    NWI_TIMELINE_CAPACITY = 512, /* events; then the older half is dropped, and counted */
    NWI_BRANCH_NAME_SIZE = 24,   /* "C4294967295.255.255" fits */
};

/* The words of <Network/establishment_timeline.h>. */
enum nwi_timeline_event {
    NWI_EVENT_START,
    NWI_EVENT_RESOLVE_START,
    NWI_EVENT_ANSWER_AAAA,
    NWI_EVENT_ANSWER_A,
    NWI_EVENT_ATTEMPT_START,
    NWI_EVENT_HANDSHAKE_START,
    NWI_EVENT_ATTEMPT_FAILED,
    NWI_EVENT_ABANDONED,
    NWI_EVENT_READY,
    NWI_EVENT_FAILED,
    NWI_EVENT_COUNT,
};
const char *nwi_timeline_event_name(enum nwi_timeline_event event);

/* A place in the tree, as numbers below its root: {0, 0} is C8, {1, 0} is C8.1, {1, 2} C8.1.2. */
struct nwi_branch {
    uint8_t first, second; /* 0: not that deep */
};
/* `root` is the connection's name, "C8". Returns `name`. */
const char *nwi_branch_name(struct nwi_branch branch, const char *root,
                            char name[NWI_BRANCH_NAME_SIZE]);

struct nwi_timeline; /* an nwi_object: nwi_retain, nwi_release */

/* +1, empty; NULL: no memory. */
struct nwi_timeline *nwi_timeline_create(void);
/* One event with all that is known of it. Zero = not so. */
struct nwi_timeline_entry {
    struct nwi_branch branch;
    enum nwi_timeline_event event;
    nw_endpoint_t endpoint; /* retained; may be NULL */
    nwi_err err;            /* 0 = none */
    /* of an answer */
    nw_report_resolution_source_t source;
    nw_report_resolution_protocol_t protocol;
    uint32_t count; /* addresses */
    /* of `handshake-start` and `ready` */
    nwi_ns rtt; /* round-trip time as the transport saw it by then; 0 = unknown */
};
/* As nwi_timeline_record. */
void nwi_timeline_add(struct nwi_timeline *timeline, nwi_ns now,
                      const struct nwi_timeline_entry *entry);
/* Adds an event. `endpoint` may be NULL and is retained; err 0 = none. Without memory the event is
 * dropped and counted. `timeline` NULL: does nothing (nobody wants a record). Times are expected in
 * order; an earlier one counts as the last. */
void nwi_timeline_record(struct nwi_timeline *timeline, nwi_ns now, struct nwi_branch branch,
                         enum nwi_timeline_event event, nw_endpoint_t endpoint, nwi_err err);
/* No event is expected for long: gives back the room kept for more. NULL is fine. */
void nwi_timeline_trim(struct nwi_timeline *timeline);
/* A snapshot, +1, with names below `root`. NULL: `timeline` is NULL, or no memory. */
nw_establishment_timeline_t nwi_timeline_copy(struct nwi_timeline *timeline, const char *root);
/* timeline_report.c: the establishment report of a connection that has become ready, +1.
 * `transport`: the protocol whose handshake connects an attempt, NULL for none; `above`: the one
 * that shakes hands on top of it, or NULL. NULL: `timeline` is NULL, has no `ready`, or no memory.
 */
nw_establishment_report_t nwi_timeline_report(struct nwi_timeline *timeline,
                                              nw_protocol_definition_t transport,
                                              nw_protocol_definition_t above);

#endif
