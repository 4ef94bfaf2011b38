/*
 * line.h - a connection as fuzz_connections.c sees it, and the rules that its callbacks keep.
 * What:   notes what was asked and what was told; a broken rule ends the process: a state that may
 *         not follow, a callback after `cancelled`, two at a time, a completion more or less than
 *         once, content beyond what was asked for. Each line has a few reactions, calls that it
 *         makes inside its handlers.
 * Runs:   calls on any thread, handlers on the line's queue.
 */
#ifndef TESTS_FUZZ_LINE_H
#define TESTS_FUZZ_LINE_H

#include "program.h"
#include <Network/Network.h>
#include <pthread.h>
#include <stdatomic.h>

enum { LINES = 24, REACTIONS = 4 };

struct line {
    nw_connection_t connection;  /* ours until dropped; for handlers good as long as they run */
    nw_connection_state_t state; /* as told; under the lock */
    _Atomic bool has_queue;
    bool started, published;
    bool cancelled;         /* asked for, so that it has to be told when there is a queue */
    _Atomic bool dropped;   /* our reference is gone */
    _Atomic int inside;     /* handlers running */
    bool ends_itself;       /* by a reaction: then nobody can tell what was asked for before it */
    _Atomic unsigned first; /* completions owed before the end */
    uint8_t reactions[REACTIONS];
    _Atomic unsigned reacted;
};

/* Empties the room for lines. */
void lines_begin(void);
/* Cancels and gives up what is left, and waits until all that lines owe has come. No line is
 * added meanwhile. */
void lines_end(void);
/* Takes over a reference, NULL being fine; NULL when there is no room or no connection. Any thread.
 */
struct line *line_add(nw_connection_t connection, const uint8_t reactions[REACTIONS]);
/* From here on line_pick() may give it out: its maker is done with it. */
void line_publish(struct line *line);
/* One of the published lines that are not dropped, or NULL. */
struct line *line_pick(unsigned choice);

void line_set_queue(struct line *line, dispatch_queue_t queue);
void line_start(struct line *line);
void line_send(struct line *line, dispatch_data_t content, nw_content_context_t context,
               bool complete, bool idempotent);
void line_receive(struct line *line, uint32_t min, uint32_t max);
void line_receive_message(struct line *line);
void line_cancel(struct line *line, bool force);
/* Gives up our reference, where that leaves nothing that nobody could end. */
void line_drop(struct line *line);
/* Waits until the attempt has come to something; not for long, since a fault may have stopped it.
 */
void line_await(struct line *line);

/* One more callback is owed, has come. A listener owes its end, and before that makes new lines. */
enum debt { OWED_BY_LINES, OWED_BY_LISTENERS, DEBTS };
void owe(enum debt debt);
void paid(enum debt debt);
/* Waits until nothing is owed. Too long a wait is a hang, and ends the process. */
void await_paid(enum debt debt);

#endif
