/*
 * machine.h - the documented states of a connection and of a listener, as tables.
 * What:   a row per state: from where, to where, and what must have happened for that. The model
 *         holds every state that a handler sees against it.
 */
#ifndef TESTS_MODEL_CONNECTION_MACHINE_H
#define TESTS_MODEL_CONNECTION_MACHINE_H

#include <Network/Network.h>

/* What may have happened to a connection so far; calls count from the moment they begin. */
enum cause {
    CAUSE_STARTED = 1,
    CAUSE_CANCELLED = 2, /* cancel or force_cancel */
    CAUSE_NEXT = 4,      /* cancel_current_endpoint */
    CAUSE_STREAM = 8,    /* has a peer that can end it */
    CAUSE_UNSURE = 16,   /* its target refuses, or may be closed by now */
    CAUSE_ACCEPTED = 32,
    CAUSE_CLIENT = 64,
    CAUSE_FAULT = 128, /* a system call has been made to fail */
};

/* NULL: allowed. Otherwise why not. gaps: states may have been missed, because no handler was set
 * for a while: any way that leads from one to the other will do. */
const char *machine_check_connection(nw_connection_state_t from, nw_connection_state_t to,
                                     unsigned causes, bool has_error, bool gaps);
const char *machine_check_listener(nw_listener_state_t from, nw_listener_state_t to,
                                   bool cancel_called, bool has_error);

#endif
