/*
 * establishment_report.h - how a connection came to be ready, as plain values.
 * What:   built once by whoever knows (src/establish/timeline_report.c), then read by the public
 *         calls.
 * Runs:   any thread: a report never changes once it is handed out.
 */
#ifndef NWI_MODEL_ESTABLISHMENT_REPORT_H
#define NWI_MODEL_ESTABLISHMENT_REPORT_H

#include "base/clock.h"
#include "base/object.h"
#include <Network/connection_report.h>

struct nw_resolution_report {
    struct nwi_object base;
    nw_report_resolution_source_t source;
    nw_report_resolution_protocol_t protocol;
    nwi_ns duration;
    uint32_t endpoint_count;
    nw_endpoint_t preferred, successful; /* owned */
};

struct nwi_handshake {
    nw_protocol_definition_t protocol; /* static */
    nwi_ns duration, rtt;              /* rtt 0: unknown */
};

enum { NWI_REPORT_HANDSHAKES = 4 }; /* as many as protocols may stand in a stack */

struct nw_establishment_report {
    struct nwi_object base;
    nwi_ns duration, started_after;
    uint32_t previous_attempts;
    nw_resolution_report_t resolution; /* owned; NULL: connected to an address */
    uint32_t handshake_count;
    struct nwi_handshake handshakes[NWI_REPORT_HANDSHAKES]; /* in order of completion */
};

/* Zeroed, +1; NULL: no memory. */
nw_establishment_report_t nwi_establishment_report_create(void);
nw_resolution_report_t nwi_resolution_report_create(void);

#endif
