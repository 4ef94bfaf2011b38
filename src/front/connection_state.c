/*
 * connection_state.c - the state machine of a connection, from start to its end.
 *         A handshake above the transport that fails leaves a client waiting, as any attempt does;
 *         a connection that came in cannot try again, and fails.
 * Source: states and legal moves as nw_connection_state_t documents them: preparing <-> waiting
 *         until ready; failed and cancelled are ends, except that a failed connection may still be
 *         cancelled.
 * Runs:   in the protocol context; callouts go through the outlet.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "establish/assemble.h"
#include "establish/timeline.h"
#include "establish/tree.h"
#include "front/connection_report.h"
#include "model/error.h"
#include "path/monitor.h"
#include "sys/sockets.h"

#define SHORTAGE_RETRY NWI_SEC

static const char *const state_name[] = {"setup", "waiting", "preparing",
                                         "ready", "failed",  "cancelled"};

enum { STATES = sizeof state_name / sizeof state_name[0] };
const char *nwi_connection_state_name(nw_connection_state_t state) {
    return state_name[state];
}

#define TO(state) (1u << nw_connection_state_##state)
/* Row: from; bits: where it may go. */
static const unsigned legal[STATES] = {
    [nw_connection_state_invalid] = TO(preparing) | TO(waiting) | TO(failed) | TO(cancelled),
    [nw_connection_state_waiting] = TO(preparing) | TO(waiting) | TO(failed) | TO(cancelled),
    [nw_connection_state_preparing] = TO(waiting) | TO(ready) | TO(failed) | TO(cancelled),
    [nw_connection_state_ready] = TO(failed) | TO(cancelled),
    [nw_connection_state_failed] = TO(cancelled),
    [nw_connection_state_cancelled] = 0,
};

/* One callout of any of the connection's handlers. */
struct notice {
    struct nwi_task task;
    nw_connection_t connection;  /* borrowed: the outlet holds it */
    struct nwi_handler *handler; /* owned; NULL: only the end to take note of */
    enum connection_handler which;
    nw_connection_state_t state;
    bool value;
    bool last;        /* the self-hold goes with it */
    nw_error_t error; /* owned */
    nw_path_t path;   /* owned */
};

static void call_out(struct nwi_task *task) {
    struct notice *notice = nwi_container_of(task, struct notice, task);
    if (notice->handler != NULL) {
        switch (notice->which) {
        case HANDLER_STATE:
            NWI_CALL(notice->handler->callback, void, (nw_connection_state_t, nw_error_t),
                     notice->state, notice->error);
            break;
        case HANDLER_PATH:
            NWI_CALL(notice->handler->callback, void, (nw_path_t), notice->path);
            break;
        default:
            NWI_CALL(notice->handler->callback, void, (bool), notice->value);
        }
    }
    nwi_release(notice->handler);
    nwi_release(notice->error);
    nwi_release(notice->path);
    if (notice->last)
        nwi_release(notice->connection);
    nwi_free(notice);
}

static void tell(nw_connection_t connection, struct notice notice) {
    struct nwi_handler *handler = connection->protocol.handlers[notice.which];
    if ((handler == NULL && !notice.last) || connection->outlet.queue == NULL) {
        nwi_release(notice.error);
        nwi_release(notice.path);
        return;
    }
    struct notice *queued = nwi_alloc_certain(sizeof *queued);
    *queued = notice;
    queued->task.run = call_out;
    queued->connection = connection;
    queued->handler = nwi_retain(handler);
    nwi_outlet_push(&connection->outlet, &queued->task);
}

void nwi_connection_tell_bool(nw_connection_t connection, enum connection_handler which,
                              bool value) {
    tell(connection, (struct notice){.which = which, .value = value});
}

void nwi_connection_tell_path(nw_connection_t connection, nw_path_t path) {
    tell(connection, (struct notice){.which = HANDLER_PATH, .path = nwi_retain(path)});
}

static void tell_state(nw_connection_t connection, nwi_err err) {
    nw_connection_state_t state = connection->protocol.state;
    bool end = state == nw_connection_state_failed || state == nw_connection_state_cancelled;
    bool last = end && connection->protocol.holds_itself;
    if (last)
        connection->protocol.holds_itself = false;
    tell(connection, (struct notice){.which = HANDLER_STATE,
                                     .state = state,
                                     .error = err != 0 ? nwi_error_create(err) : NULL,
                                     .last = last});
}

/* `cancelled` is the last callback, but a handler that runs before it may still ask for something,
 * and be answered. So the end makes one more round: through the client queue, behind all that is on
 * its way there, and back into the protocol context, behind all that those handlers asked for. Only
 * then is it told. The answers to what was asked for on the way have handlers too, which may ask
 * again: so the rounds go on until one finds nothing asked, or until it is plain that the program
 * asks whatever the answer is. */
enum { ROUNDS_MAX = 64 };

struct last_round {
    struct nwi_task task;
    nw_connection_t connection; /* borrowed: outlet and context hold it */
    unsigned round, asked; /* asked: how much had been asked for too late when the round began */
};

static void go_round(nw_connection_t connection, struct last_round *round);

static void tell_cancelled(struct nwi_task *task) { /* in the protocol context */
    struct last_round *round = nwi_container_of(task, struct last_round, task);
    nw_connection_t connection = round->connection;
    if (connection->protocol.asked_too_late != round->asked && round->round < ROUNDS_MAX) {
        go_round(connection, round);
        return;
    }
    nwi_free(round);
    tell_state(connection, 0);
    for (int i = 0; i < HANDLER_COUNT; i++) /* the callout holds the one that it needs */
        connection->protocol.handlers[i] = nwi_release(connection->protocol.handlers[i]);
}

static void turn_round(struct nwi_task *task) { /* on the client queue */
    struct last_round *round = nwi_container_of(task, struct last_round, task);
    task->run = tell_cancelled;
    nwi_serial_push(&round->connection->context, task);
}

static void go_round(nw_connection_t connection, struct last_round *round) {
    round->round++;
    round->asked = connection->protocol.asked_too_late;
    round->task.run = connection->outlet.queue != NULL ? turn_round : tell_cancelled;
    if (connection->outlet.queue != NULL)
        nwi_outlet_push(&connection->outlet, &round->task);
    else
        nwi_serial_push(&connection->context, &round->task);
}

static void tell_cancelled_later(nw_connection_t connection) {
    struct last_round *round = nwi_alloc_certain(sizeof *round);
    round->connection = connection;
    round->round = 0;
    go_round(connection, round);
}

/* The only writer of the state. */
static void enter(nw_connection_t connection, nw_connection_state_t next, nwi_err err) {
    nw_connection_state_t from = connection->protocol.state;
    char name[16], text[160];
    nwi_connection_name(connection, name);
    if ((legal[from] & 1u << next) == 0) {
        nwi_log(NWI_LOG_ERROR, name, "state", "%s -> %s is not a legal move: ignored",
                state_name[from], state_name[next]);
        return;
    }
    if (nwi_log_enabled(NWI_LOG_DEBUG))
        nwi_log(NWI_LOG_DEBUG, name, "state", "%s -> %s%s%s", state_name[from], state_name[next],
                err != 0 ? ", " : "", err != 0 ? nwi_err_format(err, text, sizeof text) : "");
    connection->protocol.state = next;
    pthread_mutex_lock(&connection->shared.lock);
    connection->shared.state = next;
    pthread_mutex_unlock(&connection->shared.lock);
    if (next == nw_connection_state_cancelled)
        tell_cancelled_later(connection);
    else
        tell_state(connection, err);
}

/* --- establishment --- */

/* `sent`: of the first content, octets that the chain has sent already. */
static void become_ready(nw_connection_t connection, struct nwi_chain *chain, size_t sent) {
    connection->protocol.chain = chain;
    nwi_chain_set_owner(chain, &nwi_connection_chain_events, connection);
    nwi_connection_publish(connection, chain);
    if (nwi_connection_wants_path(connection))
        nwi_connection_watch_path(connection);
    else
        nwi_connection_unwatch_path(
            connection); /* nobody to tell: an idle one costs nothing here */
    connection->protocol.viable = connection->protocol.was_ready = true;
    nwi_connection_begin_transfers(connection);
    nwi_connection_tell_path_if_new(connection);
    enter(connection, nw_connection_state_ready, 0);
    nwi_connection_tell_bool(connection, HANDLER_VIABILITY, true);
    nwi_connection_continue_early(connection, sent);
    nwi_connection_pump_sends(connection);
    nwi_connection_pump_receives(connection);
}

static void established(void *owner, struct nwi_chain *chain) {
    nw_connection_t connection = owner;
    size_t sent = nwi_establishment_early_sent(connection->protocol.establishment);
    connection->protocol.establishment =
        nwi_establishment_release(connection->protocol.establishment);
    become_ready(connection, chain, sent);
}

static void time_is_up(struct nwi_alarm *alarm) {
    nw_connection_t connection = alarm->owner;
    if (connection->protocol.state == nw_connection_state_waiting)
        nwi_connection_retry(connection);
    else if (connection->protocol.state == nw_connection_state_preparing)
        nwi_connection_fail(connection, nwi_posix(ETIMEDOUT));
}

static void wake_in(nw_connection_t connection, nwi_ns delay) {
    if (connection->protocol.again == NULL) {
        connection->protocol.again = nwi_alloc_certain(sizeof *connection->protocol.again);
        nwi_alarm_init(connection->protocol.again, &connection->context, connection->loop,
                       connection, time_is_up);
    }
    nwi_alarm_set(connection->protocol.again, nwi_now() + delay);
}

static void not_established(void *owner, nwi_err err, bool permanent) {
    nw_connection_t connection = owner;
    const struct nwi_establishment *ended = connection->protocol.establishment;
    pthread_mutex_lock(&connection->shared.lock);
    connection->shared.denied =
        err == nwi_posix(ENETDOWN) && ended != NULL && nwi_establishment_was_denied(ended);
    pthread_mutex_unlock(&connection->shared.lock);
    connection->protocol.establishment =
        nwi_establishment_release(connection->protocol.establishment);
    if (permanent) { /* the set-up itself is invalid: no other network would help */
        nwi_connection_fail(connection, err);
        return;
    }
    nwi_connection_watch_path(
        connection); /* before the client hears of it: no change may slip between */
    nwi_connection_tell_path_if_new(connection);
    enter(connection, nw_connection_state_waiting, err);
    if (nwi_err_is_shortage(err) || connection->protocol.path_watch == NULL)
        wake_in(connection, SHORTAGE_RETRY); /* no network ends a shortage: time may */
    if (nwi_path_changes() != connection->protocol.network) /* the attempt was of another network */
        nwi_connection_retry(connection);
}

static const struct nwi_establishment_events establishment_events = {
    .ready = established,
    .failed = not_established,
};

void nwi_connection_establish(nw_connection_t connection) {
    char name[16];
    if (nwi_connection_awaits_early(connection))
        return; /* until the program has given content to begin with */
    if (nwi_connection_awaits_costs(connection))
        return;
    nwi_connection_name(connection, name);
    connection->protocol.network = nwi_path_changes();
    struct nwi_establishment_request request = {
        .endpoint = connection->endpoint,
        .parameters = connection->parameters,
        .name = name,
        .context = &connection->context,
        .loop = connection->loop,
        .context_owner = connection,
        .timeline = connection->shared.timeline,
        .early = nwi_connection_early_content(connection),
    };
    connection->protocol.establishment =
        nwi_establishment_create(&request, &establishment_events, connection);
    if (connection->protocol.establishment == NULL)
        not_established(connection, NWI_ERR_NOMEM, false);
    else
        nwi_establishment_begin(connection->protocol.establishment);
}

/* A peer that came in and does not shake hands is given up. */
static void accepted_progress(void *owner, struct nwi_layer *layer) {
    nw_connection_t connection = owner;
    if (layer->below == NULL)
        wake_in(connection, nwi_assemble_patience(connection->parameters));
}

static bool accepted_asking(void *owner, bool begins) {
    nw_connection_t connection = owner;
    if (begins) /* the program takes what time it likes */
        nwi_alarm_stop(connection->protocol.again);
    else
        wake_in(connection, nwi_assemble_patience(connection->parameters));
    return true;
}

static void accepted_connected(void *owner) {
    nw_connection_t connection = owner;
    if (connection->protocol.again != NULL)
        nwi_alarm_stop(connection->protocol.again);
    become_ready(connection, connection->protocol.chain, 0);
}

static void accepted_failed(void *owner, nwi_err err) {
    nwi_connection_fail(owner, err);
}

/* While an accepted chain has its handshakes; once ready, the connection's own events take over. */
static const struct nwi_chain_events accepted_events = {
    .connected = accepted_connected,
    .progress = accepted_progress,
    .asking = accepted_asking,
    .failed = accepted_failed,
    .input = nwi_connection_input,
};

void nwi_connection_begin(nw_connection_t connection) {
    connection->protocol.started = true;
    if (connection->protocol.state != nw_connection_state_invalid)
        return;             /* cancelled before it began */
    nwi_retain(connection); /* the self-hold: released when its end has been told */
    connection->protocol.holds_itself = true;
    enter(connection, nw_connection_state_preparing, 0);
    if (!connection->protocol.accepted) {
        pthread_mutex_lock(&connection->shared.lock);
        connection->shared.timeline = nwi_timeline_create();
        pthread_mutex_unlock(&connection->shared.lock);
        nwi_connection_establish(connection);
        return;
    }
    struct nwi_chain *chain = connection->protocol.chain;
    if (chain == NULL) {
        nwi_connection_fail(connection, nwi_posix(ECONNABORTED));
        return;
    }
    chain->context_owner = nwi_retain(connection); /* from here on layers may outlive the chain */
    nwi_chain_set_owner(chain, &accepted_events, connection);
    nwi_err err = nwi_chain_connect(chain);
    if (err != 0)
        nwi_connection_fail(connection, err);
}

void nwi_connection_retry(nw_connection_t connection) {
    enter(connection, nw_connection_state_preparing, 0);
    nwi_connection_establish(connection);
}

void nwi_connection_next_endpoint(nw_connection_t connection) {
    if (connection->protocol.establishment != NULL)
        nwi_establishment_next(connection->protocol.establishment);
    else if (connection->protocol.state == nw_connection_state_ready)
        nwi_connection_fail(connection,
                            NWI_ERR_CANCELED); /* no further address is known once one has won */
}

/* --- ends --- */

static void stop_chain(nw_connection_t connection, enum nwi_disconnect how, nwi_err why) {
    struct nwi_chain *chain = nwi_take(&connection->protocol.chain);
    if (chain == NULL)
        return;
    nwi_connection_publish(connection, NULL);
    nwi_chain_stop(chain, how, why);
    nwi_release(chain);
}

static void clean_up(nw_connection_t connection, enum nwi_disconnect how, nwi_err why) {
    connection->protocol.cancelling = true;
    if (connection->protocol.establishment != NULL) {
        nwi_establishment_cancel(connection->protocol.establishment);
        connection->protocol.establishment =
            nwi_establishment_release(connection->protocol.establishment);
    }
    nwi_connection_unwatch_path(connection);
    nwi_connection_end_transfers(connection);
    if (connection->protocol.expiry != NULL)
        nwi_alarm_stop(connection->protocol.expiry);
    if (connection->protocol.again != NULL)
        nwi_alarm_stop(connection->protocol.again);
    stop_chain(connection, how, why);
    nwi_connection_fail_sends(connection, why);
    nwi_connection_fail_receives(connection, why);
    nwi_connection_drop_pieces(connection);
}

void nwi_connection_fail(nw_connection_t connection, nwi_err err) {
    if (connection->protocol.state == nw_connection_state_failed ||
        connection->protocol.state == nw_connection_state_cancelled)
        return;
    connection->protocol.failure = err;
    clean_up(connection, NWI_DISCONNECT_ABORT, err);
    enter(connection, nw_connection_state_failed, err);
}

void nwi_connection_end(nw_connection_t connection, enum nwi_disconnect how) {
    if (connection->protocol.state == nw_connection_state_cancelled)
        return; /* redundant cancel is harmless */
    connection->protocol.failure = NWI_ERR_CANCELED;
    clean_up(connection, how, NWI_ERR_CANCELED);
    enter(connection, nw_connection_state_cancelled, 0);
}

/* What has been read and not yet been asked for comes first: the reader's pump tells the end. */
static void chain_failed(void *owner, nwi_err err) {
    nw_connection_t connection = owner;
    if (connection->protocol.held == 0) {
        nwi_connection_fail(connection, err);
        return;
    }
    connection->protocol.failure = err;
    nwi_connection_fail_sends(connection, err);
    nwi_connection_pump_receives(connection);
}
static void chain_writable(void *owner) {
    nwi_connection_pump_sends(owner);
}

static void chain_soft_error(void *owner, nwi_err err) {
    nw_connection_t connection = owner;
    if (!STAILQ_EMPTY(&connection->protocol.receives))
        nwi_connection_fail_receives(connection, err);
}

const struct nwi_chain_events nwi_connection_chain_events = {
    .input = nwi_connection_input,
    .writable = chain_writable,
    .failed = chain_failed,
    .soft_error = chain_soft_error,
};
