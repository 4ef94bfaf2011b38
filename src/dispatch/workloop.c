/*
 * workloop.c - workloops, which are serial queues here: classes of service do not order work.
 * Runs:   on any thread.
 */
#include "dispatch/queue.h"
#include <dispatch/workloop.h>

dispatch_workloop_t dispatch_workloop_create(const char *label) {
    return dispatch_queue_create(label, DISPATCH_QUEUE_SERIAL);
}

dispatch_workloop_t dispatch_workloop_create_inactive(const char *label) {
    return dispatch_queue_create(label, DISPATCH_QUEUE_SERIAL_INACTIVE);
}

void dispatch_workloop_set_autorelease_frequency(dispatch_workloop_t workloop,
                                                 dispatch_autorelease_frequency_t frequency) {
    (void)frequency; /* C has no autorelease pools: there is nothing that it could change */
    nwi_queue_checked(workloop, "dispatch_workloop_set_autorelease_frequency");
}
