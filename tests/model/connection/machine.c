/*
 * machine.c - see machine.h.
 * Source: nw_connection_state_t and nw_listener_state_t as documented; docs/architecture.md,
 *         "States of a connection".
 */
#include "machine.h"

#define S(name) nw_connection_state_##name

/* `invalid` stands for a connection before its start, which no handler is told of. */
static const struct row {
    nw_connection_state_t from, to;
    int any_of; /* causes, one of which must be there */
} connection_rows[] = {
    {S(invalid), S(preparing), CAUSE_STARTED},
    {S(invalid), S(cancelled), CAUSE_CANCELLED},
    {S(preparing), S(ready), CAUSE_STARTED},
    {S(preparing), S(waiting), CAUSE_UNSURE | CAUSE_NEXT | CAUSE_FAULT},
    {S(preparing), S(failed), CAUSE_ACCEPTED | CAUSE_FAULT},
    {S(preparing), S(cancelled), CAUSE_CANCELLED},
    {S(waiting), S(preparing), CAUSE_CLIENT}, /* by restart, or by a change of the network */
    {S(waiting), S(failed), CAUSE_FAULT},
    {S(waiting), S(cancelled), CAUSE_CANCELLED},
    {S(ready), S(failed), CAUSE_STREAM | CAUSE_NEXT | CAUSE_FAULT},
    {S(ready), S(cancelled), CAUSE_CANCELLED},
    {S(failed), S(cancelled), CAUSE_CANCELLED},
};

enum { ROWS = sizeof connection_rows / sizeof connection_rows[0], STATES = 6 };

/* States that can follow `from`, as bits: in one step, or in any number. */
static unsigned following(nw_connection_state_t from, unsigned causes, bool any_number) {
    unsigned reached = 0, before;
    do {
        before = reached;
        for (unsigned i = 0; i < ROWS; i++) {
            const struct row *row = &connection_rows[i];
            bool here = row->from == from || (any_number && (reached & 1u << row->from) != 0);
            if (here && ((unsigned)row->any_of & causes) != 0)
                reached |= 1u << row->to;
        }
    } while (any_number && reached != before);
    return reached;
}

const char *machine_check_connection(nw_connection_state_t from, nw_connection_state_t to,
                                     unsigned causes, bool has_error, bool gaps) {
    if ((unsigned)to >= STATES || to == S(invalid))
        return "no such state is ever told";
    if (has_error != (to == S(waiting) || to == S(failed)))
        return "waiting and failed come with a reason, all others without";
    if ((following(from, causes, gaps) & 1u << to) != 0)
        return NULL;
    return (following(from, ~0u, gaps) & 1u << to) != 0
               ? "nothing has happened that could lead there"
               : "the documented states know no such step";
}

#define L(name) nw_listener_state_##name

const char *machine_check_listener(nw_listener_state_t from, nw_listener_state_t to,
                                   bool cancel_called, bool has_error) {
    if (to <= from)
        return "a listener's states only go forward";
    if (has_error != (to == L(waiting) || to == L(failed)))
        return "waiting and failed come with a reason, all others without";
    if (to == L(cancelled) && !cancel_called)
        return "nobody cancelled it";
    return from == L(cancelled) ? "cancelled is the last" : NULL;
}
