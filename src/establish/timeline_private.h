/*
 * timeline_private.h - the record itself, shared by the timeline*.c files of this folder only.
 * What:   every client connection keeps its record for life, so it is small: numbers for names, and
 *         after establishment no room but what is used.
 * Runs:   under the record's lock.
 */
#ifndef NWI_ESTABLISH_TIMELINE_PRIVATE_H
#define NWI_ESTABLISH_TIMELINE_PRIVATE_H

#include "base/object.h"
#include "establish/timeline.h"
#include <pthread.h>

struct nwi_timeline_record {
    nwi_ns at;
    nw_endpoint_t endpoint; /* owned; may be NULL */
    union {
        int32_t error_code; /* where there is an error */
        uint32_t count;     /* of an answer without: how many addresses */
        uint32_t rtt;       /* of `ready`, `handshake-start`: microseconds; 0 = unknown */
    };
    uint8_t domain : 3;   /* enum nwi_err_domain; invalid: no error */
    uint8_t source : 2;   /* of an answer: nw_report_resolution_source_t */
    uint8_t protocol : 3; /* of an answer: nw_report_resolution_protocol_t */
    uint8_t event;        /* enum nwi_timeline_event */
    struct nwi_branch branch;
};

struct nwi_timeline {
    struct nwi_object base;
    pthread_mutex_t lock;
    nwi_ns first; /* time of the very first event */
    uint32_t count, room, dropped;
    uint32_t failed_rounds;              /* those of dropped events too */
    struct nwi_timeline_record *records; /* in order of time */
};

#endif
