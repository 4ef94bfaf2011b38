/*
 * connection.h - the connection object, shared between the connection_*.c files of this folder
 * only.
 * What:   nw_connection_t: state, sends, receives and callouts over a chain that establishment
 *         delivers.
 * Runs:   `protocol` is touched in the protocol context only; `shared` under its lock; the rest is
 *         set once. Public calls enter the context when it is idle and otherwise send a task there
 *         (perform()).
 * Owns:   see each field. A started connection holds itself until its end has been told to the
 *         client.
 */
#ifndef NWI_FRONT_CONNECTION_H
#define NWI_FRONT_CONNECTION_H

#include "base/err.h"
#include "dispatch/alarm.h"
#include "dispatch/serial.h"
#include "front/callout.h"
#include "path/monitor.h"
#include "stack/chain.h"
#include <pthread.h>

struct connection_transfers;
struct nwi_establishment;
struct nwi_timeline;

struct connection_send {
    struct nwi_send base;
    TAILQ_ENTRY(connection_send) link; /* in protocol.sends, until handed down */
    struct nwi_task task;              /* to the protocol context, then to the client queue */
    nw_connection_t connection; /* borrowed: context and outlet hold it while the send travels */
    struct nwi_callback completion; /* empty: idempotent, nobody is told */
    nwi_ns expires;                 /* NWI_NEVER: not at all */
    nwi_err err;
    bool idempotent; /* may go before `ready`, and several times */
};
TAILQ_HEAD(connection_send_list, connection_send);

struct connection_receive {
    union {
        struct nwi_task task;                  /* on its way there and back */
        STAILQ_ENTRY(connection_receive) link; /* in protocol.receives, between the two */
    };
    nw_connection_t connection; /* borrowed, as above */
    struct nwi_callback completion;
    uint32_t min, max;
    dispatch_data_t content; /* the answer: this, context, err, complete */
    nw_content_context_t context;
    nwi_err err;
    bool whole; /* receive_message */
    bool complete;
};
STAILQ_HEAD(connection_receive_list, connection_receive);

struct connection_piece { /* received and not yet asked for */
    STAILQ_ENTRY(connection_piece) link;
    struct nwi_input input;
};
STAILQ_HEAD(connection_piece_list, connection_piece);

enum connection_handler {
    HANDLER_STATE,
    HANDLER_VIABILITY,
    HANDLER_BETTER_PATH,
    HANDLER_PATH,
    HANDLER_COUNT,
};

struct nw_connection {
    struct nwi_object base;
    unsigned id;                /* "C<id>" in the log */
    nw_endpoint_t endpoint;     /* as given at creation */
    nw_parameters_t parameters; /* our copy */
    struct nwi_loop *loop;
    struct nwi_serial context;
    struct nwi_outlet outlet;
    struct {
        nw_connection_state_t state; /* written by enter() alone */
        bool started, cancelling, holds_itself;
        bool accepted;                           /* chain came with the connection */
        struct nwi_establishment *establishment; /* owned; while preparing */
        struct nwi_chain *chain;                 /* owned; accepted and not started, or ready */
        struct nwi_handler *handlers[HANDLER_COUNT];
        struct connection_path_watch
            *path_watch;         /* owned; while waiting, or ready with a handler */
        unsigned asked_too_late; /* sends and receives asked for after the end began */
        unsigned network;        /* nwi_path_changes() as this attempt at establishment began */
        struct connection_transfers *transfers; /* owned; while a report on them is collecting */
        /* sending */
        struct connection_send_list sends; /* not yet handed down */
        nw_content_context_t open_context; /* owned; begun and not complete on the stream */
        struct nwi_alarm *expiry;          /* made when the first expiring content comes */
        struct nwi_alarm *again; /* made when descriptors or memory run out for an attempt, or when
                                    a peer that came in begins to shake hands */
        unsigned batch;          /* nw_connection_batch nesting */
        bool sends_ranked;       /* some send has a priority, antecedent or expiry */
        bool write_closed;       /* a final context is complete */
        bool pumping_sends;
        /* receiving */
        struct connection_receive_list receives;
        struct connection_piece_list pieces;
        size_t held;                         /* octets in pieces */
        nw_content_context_t stream_context; /* owned; of every chunk of a stream */
        nwi_err failure; /* why it ends; while ready: of the chain, told after what was read before
                            it */
        bool read_ended, end_told;
        bool pumping_receives, pump_again;
        bool viable, better; /* as told last */
        bool was_ready;      /* once */
    } protocol;
    struct {
        pthread_mutex_t lock;
        struct nwi_chain *chain;       /* borrowed from protocol.chain while ready */
        nw_connection_state_t state;   /* for descriptions */
        bool denied;                   /* waits because of the local-network policy */
        struct nwi_timeline *timeline; /* owned */
    } shared;
};

/* connection.c */
void nwi_connection_name(nw_connection_t connection, char name[16]);

/* connection_state.c: in the protocol context */
void nwi_connection_begin(nw_connection_t connection);
/* While preparing, with nothing under way yet. */
void nwi_connection_establish(nw_connection_t connection);
void nwi_connection_retry(nw_connection_t connection);
void nwi_connection_end(nw_connection_t connection, enum nwi_disconnect how);
void nwi_connection_next_endpoint(nw_connection_t connection);
/* The chain is at its end and all that was read has been delivered. */
void nwi_connection_fail(nw_connection_t connection, nwi_err err);
extern const struct nwi_chain_events nwi_connection_chain_events;
/* "setup", "waiting" ...: for the log and for descriptions. Static. Any thread. */
const char *nwi_connection_state_name(nw_connection_state_t state);
/* Queue a callout of a boolean or path handler; the path is borrowed. */
void nwi_connection_tell_bool(nw_connection_t connection, enum connection_handler which,
                              bool value);
void nwi_connection_tell_path(nw_connection_t connection, nw_path_t path);

/* connection_path.c: in the protocol context */
void nwi_connection_watch_path(nw_connection_t connection);
void nwi_connection_unwatch_path(nw_connection_t connection);
/* Whether to begin nothing yet, since rules are about costs that have not settled (path/costs.h);
 * then nwi_connection_establish is called again, soon. */
bool nwi_connection_awaits_costs(nw_connection_t connection);
/* Whether any handler is to be told of paths. */
bool nwi_connection_wants_path(nw_connection_t connection);
void nwi_connection_tell_path_if_new(nw_connection_t connection);

/* connection_early.c */
/* Whether establishment has to wait until the program has given idempotent content. */
bool nwi_connection_awaits_early(nw_connection_t connection);
/* Borrowed from the send that will go first; NULL: none. */
dispatch_data_t nwi_connection_early_content(nw_connection_t connection);

/* connection_send.c */
/* Before any other content: the first, of which `sent` octets are on their way already. */
void nwi_connection_continue_early(nw_connection_t connection, size_t sent);
void nwi_connection_pump_sends(nw_connection_t connection);
void nwi_connection_fail_sends(nw_connection_t connection, nwi_err err);

/* connection_receive.c */
nwi_err nwi_connection_input(void *owner, struct nwi_input *input);
void nwi_connection_pump_receives(nw_connection_t connection);
void nwi_connection_fail_receives(nw_connection_t connection, nwi_err err);
void nwi_connection_drop_pieces(nw_connection_t connection);

/* connection_info.c */
/* The state as other threads see it. */
nw_connection_state_t nwi_connection_state(nw_connection_t connection);
nw_path_t nwi_connection_create_path(nw_connection_t connection);
/* Publishes (or withdraws, with NULL) what getters on other threads may see. */
void nwi_connection_publish(nw_connection_t connection, struct nwi_chain *chain);

/* A connection that came in: not started, over a chain of its own that still lacks its layers. NULL
 * when memory ran out. Not started and given up, it closes what it has. */
nw_connection_t nwi_connection_create_accepted(nw_endpoint_t remote, nw_parameters_t parameters);
/* That chain, lent until the connection is started. */
struct nwi_chain *nwi_connection_chain(nw_connection_t connection);

#endif
