/*
 * session.c - one connection joined to the local input and output.
 * What:   two pumps that never run ahead: input is read when the last send has been taken, and the
 *         next receive is asked for when the last bytes have been written.
 * Runs:   on the main queue, every function and handler.
 * Owns:   a reference to the connection; itself, until the connection says cancelled and no write
 *         is under way (`holds`).
 */
#include "session.h"

#include "common/timer.h"
#include "events.h"
#include "local_io.h"
#include "meter.h"
#include "net.h"
#include "report_collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_CHUNK = 256 * 1024, DATAGRAM_MAX = 65507, TEXT = 128 };

enum send_state {
    SEND_IDLE,    /* nobody has asked for input (not ready, or another session has it) */
    SEND_READING, /* waiting for input */
    SEND_SENDING, /* waiting for a send to be taken */
    SEND_ENDED,   /* the input has ended and all of it, with the end itself, has been taken */
};

struct nwcat_session {
    struct nwcat_app *app;
    nw_connection_t connection;
    struct nwcat_session_owner owner;
    unsigned number, holds;
    bool accepted, ready, wants_input, ending, receive_ended, input_ended;
    bool end_after_write;      /* the bytes being written were the last */
    enum nwcat_status status;  /* what it ends with */
    enum nwcat_status verdict; /* what sending has come to, while receiving goes on */
    enum send_state send_state;
    size_t in_flight; /* octets of the send under way */
    uint64_t sent, received;
    double began, ready_at;
    struct tool_timer *limit, *linger; /* -w and -q; the pause after the peer's end */
    struct nwcat_measure *measure;     /* --report; until the end */
    char remote[TEXT], local[TEXT], interface_name[32];
};

static void want_input(struct nwcat_session *session);
static void receive_next(struct nwcat_session *session);

nw_connection_t nwcat_session_connection(const struct nwcat_session *session) {
    return session->connection;
}

static void let_go(struct nwcat_session *session) {
    if (--session->holds > 0)
        return;
    session->owner.ended(session->owner.context, session, session->status);
    tool_timer_free(session->limit);
    tool_timer_free(session->linger);
    nw_release(session->connection);
    free(session);
}

void nwcat_session_end(struct nwcat_session *session, enum nwcat_status status) {
    if (session->ending)
        return;
    session->ending = true;
    session->status = status;
    tool_timer_stop(session->limit);
    tool_timer_stop(session->linger);
    nwcat_input_forget(session->app->input, session);
    nw_connection_cancel(session->connection);
}

static void fail(struct nwcat_session *session, const char *what, struct nwcat_reason reason,
                 enum nwcat_status status) {
    if (session->ending)
        return;
    nwcat_event_error(session->app, what, &reason);
    nwcat_session_end(session, status);
}

/* Something moved: the idle timeout starts anew. */
static void touch(struct nwcat_session *session) {
    if (session->input_ended && session->app->options.quit_after >= 0)
        return; /* -q counts from the end of input, whatever moves */
    if (session->ready && session->app->options.timeout > 0 && !session->ending)
        tool_timer_set(session->limit, session->app->options.timeout);
}

static void describe_target(const struct nwcat_session *session, const char *verb, char *text,
                            size_t size) {
    const struct nwcat_options *o = &session->app->options;
    if (session->accepted)
        snprintf(text, size, "%s %s", verb, session->remote);
    else if (o->unix_socket)
        snprintf(text, size, "%s %s", verb, o->host);
    else
        snprintf(text, size, "%s %s port %s", verb, o->host, o->port);
}

/* --- the end --- */

/* After the peer's end: sending goes on only while the input flows, so that an idle terminal or
 * pipe does not hold a finished exchange open. */
static void on_linger(void *context) {
    struct nwcat_session *session = context;
    if (session->send_state != SEND_SENDING)
        nwcat_session_end(session, NWCAT_OK);
}

static void start_linger(struct nwcat_session *session) {
    const struct nwcat_app *app = session->app;
    if (session->send_state != SEND_READING || app->options.linger < 0)
        return;
    if (nwcat_input_is_terminal(app->input))
        nwcat_session_end(session, NWCAT_OK);
    else
        tool_timer_set(session->linger, app->options.linger);
}

/* Ends the session when both directions of a stream have ended. */
static void check_end(struct nwcat_session *session) {
    if (session->ending || !session->receive_ended)
        return;
    if (session->send_state == SEND_IDLE || session->send_state == SEND_ENDED)
        nwcat_session_end(session, session->verdict);
    else
        start_linger(session);
}

/* -w (no answer, or nothing moves) and -q (the input has ended) share one timer: both end the
 * session. */
static void on_limit(void *context) {
    struct nwcat_session *session = context;
    const struct nwcat_options *o = &session->app->options;
    if (session->input_ended && (o->quit_after >= 0 || o->udp)) {
        nwcat_session_end(session, NWCAT_OK); /* silence after the last question is how UDP ends */
        return;
    }
    char what[400], target[320];
    describe_target(session,
                    session->ready ? "nothing moved on the connection to" : "no answer from",
                    target, sizeof target);
    snprintf(what, sizeof what, "%s for %g s", target, o->timeout);
    nwcat_event_error(session->app, what, NULL);
    nwcat_session_end(session, NWCAT_TIMEOUT);
}

/* --- sending --- */

/* The peer may have said much before it stopped listening: what is on its way is still received,
 * and the session ends with the failure after that. */
static void send_failed(struct nwcat_session *session, const char *what, nw_error_t error) {
    struct nwcat_reason reason = nwcat_reason_of(error);
    if (session->app->options.udp || session->receive_ended) {
        fail(session, what, reason, NWCAT_FAILED);
        return;
    }
    nwcat_event_error(session->app, what, &reason);
    session->verdict = NWCAT_FAILED;
    session->send_state = SEND_ENDED;
}

static void on_sent(void *context, nw_error_t error) {
    struct nwcat_session *session = context;
    if (error == NULL) {
        session->sent += session->in_flight;
        session->app->sent += session->in_flight;
    }
    session->in_flight = 0;
    if (session->ending) {
        let_go(session);
        return;
    }
    if (error != NULL) {
        send_failed(session, "cannot send", error);
    } else {
        touch(session);
        session->send_state = SEND_IDLE;
        want_input(session);
        if (session->receive_ended && !session->ending)
            start_linger(session);
    }
    let_go(session);
}

static void on_end_sent(void *context, nw_error_t error) {
    struct nwcat_session *session = context;
    session->send_state = SEND_ENDED;
    /* After the peer's own end it is too late to matter: it has gone and needs none from us. */
    if (error != NULL && !session->receive_ended && !session->ending)
        send_failed(session, "cannot finish sending", error);
    check_end(session);
    let_go(session);
}

static void input_ended(struct nwcat_session *session) {
    const struct nwcat_options *o = &session->app->options;
    nwcat_event_input_end(session->app, session->number);
    session->send_state = SEND_ENDED;
    session->input_ended = true;
    if (o->quit_after >= 0)
        tool_timer_set(session->limit, o->quit_after);
    if (o->udp && o->shutdown) {
        nwcat_session_end(session, NWCAT_OK);
    } else if (!o->udp && !o->no_shutdown) {
        session->send_state = SEND_SENDING;
        session->holds++;
        nw_connection_send_f(session->connection, NULL, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true,
                             session, on_end_sent);
    }
    check_end(session);
}

static void on_input(void *context, dispatch_data_t data, int error) {
    struct nwcat_session *session = context;
    tool_timer_stop(session->linger);
    if (error != 0) {
        fail(session, "cannot read the input", nwcat_reason_posix(error), NWCAT_LOCAL_IO);
    } else if (data == NULL) {
        input_ended(session);
    } else {
        session->send_state = SEND_SENDING;
        session->in_flight = dispatch_data_get_size(data);
        session->holds++;
        nw_connection_send_f(session->connection, data, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                             session, on_sent);
    }
}

static void want_input(struct nwcat_session *session) {
    if (!session->ready || !session->wants_input || session->ending ||
        session->send_state != SEND_IDLE)
        return;
    size_t most = STREAM_CHUNK;
    if (session->app->options.udp) { /* one read becomes one datagram, which must fit */
        most = nw_connection_get_maximum_datagram_size(session->connection);
        most = most == 0 || most > DATAGRAM_MAX ? DATAGRAM_MAX : most;
    }
    session->send_state = SEND_READING;
    nwcat_input_want(session->app->input, most, session, on_input);
}

void nwcat_session_take_input(struct nwcat_session *session) {
    session->wants_input = session->app->input != NULL;
    want_input(session);
}

/* --- receiving --- */

static void received_end(struct nwcat_session *session) {
    session->receive_ended = true;
    nwcat_event_peer_end(session->app, session->number);
    check_end(session);
}

static void on_written(void *context, int error) {
    struct nwcat_session *session = context;
    if (error != 0) {
        fail(session, "cannot write the output", nwcat_reason_posix(error), NWCAT_LOCAL_IO);
        if (session->status == NWCAT_OK)
            session->status = NWCAT_LOCAL_IO; /* it was ending well, but bytes are missing */
    } else if (!session->ending) {
        touch(session);
        if (session->end_after_write)
            received_end(session);
        else
            receive_next(session);
    }
    let_go(session);
}

/* In TLS 1.3 the client is ready before the server has judged its certificate, so a refusal comes
 * here. */
static void receive_failed(struct nwcat_session *session, struct nwcat_reason reason) {
    bool refused = reason.domain == nw_error_domain_tls && session->received == 0;
    fail(session, "cannot receive", reason, refused ? NWCAT_TLS : NWCAT_FAILED);
}

static void on_received(void *context, dispatch_data_t content,
                        nw_content_context_t content_context, bool is_complete, nw_error_t error) {
    struct nwcat_session *session = context;
    bool endless = session->app->options.udp && !session->app->options.tls.on;
    bool end = !endless && ((is_complete && (content_context == NULL ||
                                             nw_content_context_get_is_final(content_context))) ||
                            (nw_error_get_error_domain(error) == nw_error_domain_posix &&
                             nw_error_get_error_code(error) == ENODATA));
    size_t size = content != NULL ? dispatch_data_get_size(content) : 0;
    session->received += size;
    session->app->received += size;
    if (session->ending && size == 0) {
        let_go(session);
        return;
    }
    touch(session);
    if (size > 0) {
        session->end_after_write = end;
        session->holds++;
        nwcat_output_write(session->app->output, content, session, on_written);
        /* An error that came with the bytes comes again with the next receive. */
    } else if (end) {
        received_end(session);
    } else if (error != NULL) {
        receive_failed(session, nwcat_tls_reason(error, session->owner.trust));
    } else {
        receive_next(session); /* an empty datagram */
    }
    let_go(session);
}

static void receive_next(struct nwcat_session *session) {
    if (session->ending)
        return;
    session->holds++;
    nw_connection_receive_f(session->connection, 1,
                            session->app->options.udp ? DATAGRAM_MAX : STREAM_CHUNK, session,
                            on_received);
}

/* --- states --- */

static struct nwcat_peer peer_of(struct nwcat_session *session, double seconds) {
    return (struct nwcat_peer){
        .number = session->number,
        .remote = session->remote[0] != '\0' ? session->remote : NULL,
        .local = session->local[0] != '\0' ? session->local : NULL,
        .interface_name = session->interface_name[0] != '\0' ? session->interface_name : NULL,
        .seconds = seconds,
        .sent = session->sent,
        .received = session->received};
}

static void on_ready(struct nwcat_session *session) {
    session->ready = true;
    session->ready_at = nwcat_now();
    nwcat_connection_ends(session->connection, session->remote, session->local, TEXT);
    nwcat_connection_interface(session->connection, session->interface_name,
                               sizeof session->interface_name);
    struct nwcat_peer peer = peer_of(session, session->ready_at - session->began);
    struct nwcat_tls_facts tls;
    nwcat_event_ready(session->app, &peer);
    if (session->app->options.tls.on && nwcat_tls_facts_read(session->connection, &tls))
        nwcat_event_tls(session->app, session->number, &tls);
    tool_timer_stop(session->limit);
    touch(session);
    nwcat_meter_start(session->app->meter);
    receive_next(session);
    want_input(session);
}

static void on_waiting(struct nwcat_session *session, const struct nwcat_reason *reason) {
    if (session->app->options.wait || session->ending)
        return;
    char target[320];
    describe_target(session, "cannot connect to", target, sizeof target);
    fail(session, target, *reason, nwcat_reason_status(reason));
}

static void on_failed(struct nwcat_session *session, const struct nwcat_reason *reason) {
    if (!session->ready) {
        char target[320];
        describe_target(session, session->accepted ? "no session with" : "cannot connect to",
                        target, sizeof target);
        fail(session, target, *reason, nwcat_reason_status(reason));
        return;
    }
    /* Bytes that came before the loss may still be unread: the receive that meets the error tells.
     */
    if (session->receive_ended)
        fail(session, "the connection broke", *reason, NWCAT_FAILED);
}

static void on_reported(void *context) {
    let_go(context);
}

static void on_cancelled(struct nwcat_session *session) {
    session->ending = true;
    nwcat_input_forget(session->app->input, session);
    if (session->ready) {
        struct nwcat_peer peer = peer_of(session, nwcat_now() - session->ready_at);
        nwcat_event_closed(session->app, &peer);
    }
    if (session->measure != NULL)
        nwcat_measure_end(session->measure, session->number, session->accepted, session,
                          on_reported);
    else
        let_go(session);
}

static void on_state(void *context, nw_connection_state_t state, nw_error_t error) {
    static const char *const names[] = {"invalid", "waiting", "preparing",
                                        "ready",   "failed",  "cancelled"};
    struct nwcat_session *session = context;
    struct nwcat_reason reason = nwcat_tls_reason(error, session->owner.trust);
    if (state == nw_connection_state_ready && session->owner.ready != NULL)
        session->owner.ready(session->owner.context, session); /* first the race, then its winner */
    nwcat_event_state(session->app, session->number,
                      (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "unknown",
                      error != NULL ? &reason : NULL);
    switch (state) {
    case nw_connection_state_waiting:
        on_waiting(session, &reason);
        break;
    case nw_connection_state_ready:
        on_ready(session);
        break;
    case nw_connection_state_failed:
        on_failed(session, &reason);
        break;
    case nw_connection_state_cancelled:
        on_cancelled(session);
        break;
    case nw_connection_state_invalid:
    case nw_connection_state_preparing:
        break;
    }
}

struct nwcat_session *nwcat_session_start(struct nwcat_app *app, nw_connection_t connection,
                                          unsigned number, bool accepted,
                                          struct nwcat_session_owner owner) {
    struct nwcat_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        nw_connection_cancel(connection);
        nw_release(connection);
        return NULL;
    }
    session->app = app;
    session->connection = connection;
    session->number = number;
    session->accepted = accepted;
    session->owner = owner;
    session->holds = 1; /* until cancelled */
    session->began = nwcat_now();
    session->limit = tool_timer_create(session, on_limit, false);
    session->linger = tool_timer_create(session, on_linger, false);
    nwcat_connection_ends(connection, session->remote, session->local, TEXT);
    if (app->options.timeout > 0)
        tool_timer_set(session->limit, app->options.timeout);
    session->measure = nwcat_measure_begin(app, connection);
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, session, on_state);
    nw_connection_start(connection);
    return session;
}
