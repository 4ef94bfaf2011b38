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
#include <Network/establishment_timeline.h>

enum {
    NWI_TIMELINE_CAPACITY = 512, /* events; then the older half is dropped, and counted */
    NWI_TIMELINE_NAME_SIZE = 40, /* "C4294967295.1.64" fits; longer names are cut */
};

struct nwi_timeline; /* an nwi_object: nwi_retain, nwi_release */

/* +1, empty; NULL: no memory. */
struct nwi_timeline *nwi_timeline_create(void);
/* Adds an event. `name` is copied; `event` must live forever (a literal); `endpoint` may be NULL
 * and is retained; err 0 = none. Without memory the event is dropped and counted. `timeline` NULL:
 * does nothing (nobody wants a record). Times are expected in order; an earlier one counts as the
 * last. */
void nwi_timeline_record(struct nwi_timeline *timeline, nwi_ns now, const char *name,
                         const char *event, nw_endpoint_t endpoint, nwi_err err);
/* A snapshot, +1. NULL: `timeline` is NULL, or no memory. */
nw_establishment_timeline_t nwi_timeline_copy(struct nwi_timeline *timeline);

#endif
