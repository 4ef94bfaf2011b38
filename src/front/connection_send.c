/*
 * connection_send.c - nw_connection_send: which content goes down next, and its completion.
 * What:   content waits here until the chain takes it, because only here can it still be reordered
 *         by priority and antecedent, or expire. On a stream the content of one context is
 *         contiguous: another context waits until the open one is complete.
 * Source: nw_content_context_t and nw_connection_send as documented.
 * Runs:   public calls on any thread; the rest in the protocol context; completions on the client
 *         queue.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "front/connection_report.h"
#include "model/content_context.h"
#include "model/error.h"
#include "model/sentinel.h"

static void completed(struct nwi_task *task) { /* on the client queue */
    struct connection_send *send = nwi_container_of(task, struct connection_send, task);
    nw_error_t error = send->err != 0 ? nwi_error_create(send->err) : NULL;
    NWI_CALL(send->completion, void, (nw_error_t), error);
    nwi_release(error);
    nwi_callback_clear(&send->completion);
    nwi_free(send);
}

/* Release pairs with the acquire in antecedent_of, perhaps on another connection. The predefined
 * contexts are shared by everybody: how far they have come means nothing. */
static void set_progress(nw_content_context_t context, enum nwi_context_progress progress) {
    if (!context->predefined)
        atomic_store_explicit(&context->progress, progress, memory_order_release);
}

/* nwi_send.done: the one place where a send ends. */
static void send_done(struct nwi_send *base, nwi_err err) {
    struct connection_send *send = (struct connection_send *)base;
    nw_connection_t connection = send->connection;
    if (err == 0 && connection->protocol.transfers != NULL)
        nwi_connection_count_out(connection,
                                 base->content != NULL ? dispatch_data_get_size(base->content) : 0,
                                 base->complete && !(base->final && base->content == NULL));
    if (base->content != NULL)
        dispatch_release(base->content);
    base->content = NULL;
    if (base->context != NULL && (base->complete || err != 0))
        set_progress(base->context, err != 0 ? NWI_CONTEXT_FAILED : NWI_CONTEXT_SENT);
    base->context = nwi_release(base->context);
    send->err = err;
    if (send->completion.fn == NULL) { /* idempotent: nobody is told */
        nwi_free(send);
        return;
    }
    send->task.run = completed;
    nwi_outlet_give(&connection->outlet, &send->task);
}

void nwi_connection_fail_sends(nw_connection_t connection, nwi_err err) {
    struct connection_send *send;
    while ((send = TAILQ_FIRST(&connection->protocol.sends)) != NULL) {
        TAILQ_REMOVE(&connection->protocol.sends, send, link);
        send_done(&send->base, err);
    }
    connection->protocol.open_context = nwi_release(connection->protocol.open_context);
}

/* --- choosing --- */

enum readiness { READY, HELD_BACK, REFUSED };

/* A context waits for its antecedent, and fails with it. */
static enum readiness antecedent_of(const struct connection_send *send) {
    nw_content_context_t antecedent = send->base.context->antecedent;
    if (antecedent == NULL || antecedent->predefined)
        return READY;
    /* Acquire pairs with the release when it was sent or failed, perhaps on another connection. */
    switch ((enum nwi_context_progress)atomic_load_explicit(&antecedent->progress,
                                                            memory_order_acquire)) {
    case NWI_CONTEXT_SENT:
        return READY;
    case NWI_CONTEXT_FAILED:
        return REFUSED;
    default:
        return HELD_BACK;
    }
}

/* The oldest of those with the highest priority that may go. Sends of one context keep their order
 * because an earlier one of equal priority is met first. Sends that can never go are ended on the
 * way. */
static struct connection_send *choose_ranked(nw_connection_t connection) {
    struct connection_send *best = NULL, *send, *next;
    for (send = TAILQ_FIRST(&connection->protocol.sends); send != NULL; send = next) {
        next = TAILQ_NEXT(send, link);
        enum readiness readiness = antecedent_of(send);
        if (readiness == REFUSED || (send->expires != NWI_NEVER && nwi_now() >= send->expires)) {
            TAILQ_REMOVE(&connection->protocol.sends, send, link);
            send_done(&send->base, readiness == REFUSED ? NWI_ERR_CANCELED : nwi_posix(ETIMEDOUT));
        } else if (readiness == READY &&
                   (best == NULL || send->base.context->priority > best->base.context->priority)) {
            best = send;
        }
    }
    return best;
}

static struct connection_send *choose(nw_connection_t connection) {
    struct connection_send *send;
    if (connection->protocol.open_context != NULL) {
        TAILQ_FOREACH (send, &connection->protocol.sends, link)
            if (send->base.context == connection->protocol.open_context)
                return send;
        return NULL;
    }
    if (!connection->protocol.sends_ranked)
        return TAILQ_FIRST(&connection->protocol.sends);
    send = choose_ranked(connection);
    if (TAILQ_EMPTY(&connection->protocol.sends))
        connection->protocol.sends_ranked = false;
    return send;
}

static void hand_down(nw_connection_t connection, struct connection_send *send) {
    TAILQ_REMOVE(&connection->protocol.sends, send, link);
    if (connection->protocol.write_closed) {
        send_done(&send->base, nwi_posix(EPIPE));
        return;
    }
    if (!send->base.complete && connection->protocol.open_context == NULL)
        connection->protocol.open_context = nwi_retain(send->base.context);
    else if (send->base.complete)
        connection->protocol.open_context = nwi_release(connection->protocol.open_context);
    if (send->base.final)
        connection->protocol.write_closed = true;
    send->base.more = !TAILQ_EMPTY(&connection->protocol.sends) &&
                      !connection->protocol.sends_ranked &&
                      connection->protocol.open_context == NULL && !send->base.final;
    nwi_chain_send(connection->protocol.chain, &send->base);
}

void nwi_connection_continue_early(nw_connection_t connection, size_t sent) {
    struct connection_send *first = TAILQ_FIRST(&connection->protocol.sends);
    if (sent == 0 || first == NULL)
        return;
    first->base.offset = sent;
    hand_down(connection, first);
}

void nwi_connection_pump_sends(nw_connection_t connection) {
    if (connection->protocol.pumping_sends || connection->protocol.batch != 0)
        return;
    connection->protocol.pumping_sends = true;
    while (connection->protocol.state == nw_connection_state_ready &&
           connection->protocol.chain != NULL && !nwi_chain_congested(connection->protocol.chain)) {
        struct connection_send *send = choose(connection);
        if (send == NULL)
            break;
        hand_down(connection, send);
    }
    connection->protocol.pumping_sends = false;
}

/* --- expiry --- */

static void set_expiry(nw_connection_t connection);

static void expired(struct nwi_alarm *alarm) {
    nw_connection_t connection = alarm->owner;
    struct connection_send *send, *next;
    for (send = TAILQ_FIRST(&connection->protocol.sends); send != NULL; send = next) {
        next = TAILQ_NEXT(send, link);
        if (send->expires == NWI_NEVER || nwi_now() < send->expires ||
            send->base.context == connection->protocol.open_context)
            continue; /* begun content is finished: half a message would break the stream */
        TAILQ_REMOVE(&connection->protocol.sends, send, link);
        send_done(&send->base, nwi_posix(ETIMEDOUT));
    }
    set_expiry(connection);
}

static void set_expiry(nw_connection_t connection) {
    nwi_ns first = NWI_NEVER;
    struct connection_send *send;
    TAILQ_FOREACH (send, &connection->protocol.sends, link)
        if (send->expires < first && send->expires > nwi_now())
            first = send->expires;
    if (first == NWI_NEVER)
        return;
    if (connection->protocol.expiry == NULL) {
        connection->protocol.expiry = nwi_alloc_certain(sizeof *connection->protocol.expiry);
        nwi_alarm_init(connection->protocol.expiry, &connection->context, connection->loop,
                       connection, expired);
    }
    nwi_alarm_set(connection->protocol.expiry,
                  first); /* on ENOMEM it expires when its turn comes instead */
}

/* --- the call --- */

static nwi_err check_send(nw_connection_t connection, const struct connection_send *send) {
    if (connection->protocol.cancelling) {
        connection->protocol.asked_too_late++;
        return connection->protocol.failure != 0 ? connection->protocol.failure : NWI_ERR_CANCELED;
    }
    if (send->base.content == NULL && !send->base.complete)
        return NWI_ERR_INVAL; /* nothing to send and nothing to end */
    return connection->protocol.failure;
}

static void queue_send(nw_connection_t connection, struct connection_send *send) {
    nwi_err err = check_send(connection, send);
    if (err != 0) {
        send_done(&send->base, err);
        return;
    }
    nw_content_context_t context = send->base.context;
    if (context->antecedent != NULL || send->expires != NWI_NEVER || context->priority != 0.5)
        connection->protocol.sends_ranked = true;
    bool expires = send->expires != NWI_NEVER, idempotent = send->idempotent;
    TAILQ_INSERT_TAIL(&connection->protocol.sends, send, link);
    if (idempotent && connection->protocol.state == nw_connection_state_preparing &&
        connection->protocol.establishment == NULL && !connection->protocol.accepted)
        nwi_connection_establish(connection);
    nwi_connection_pump_sends(connection); /* may end the send, and free it */
    if (expires && !TAILQ_EMPTY(&connection->protocol.sends))
        set_expiry(connection);
}

static void send_arrived(struct nwi_task *task) {
    struct connection_send *send = nwi_container_of(task, struct connection_send, task);
    queue_send(send->connection, send);
}

static void send_content(nw_connection_t connection, dispatch_data_t content,
                         nw_content_context_t context, bool is_complete, bool idempotent,
                         struct nwi_callback completion, const char *function) {
    if (connection == NULL || context == NULL) {
        nwi_log_misuse(function, connection == NULL ? "connection is NULL" : "context is NULL");
        nwi_callback_clear(&completion);
        return;
    }
    struct connection_send *send = nwi_alloc_certain(sizeof *send);
    send->base.content = content;
    if (content != NULL)
        dispatch_retain(content);
    send->base.context = nwi_retain(context);
    send->base.complete = is_complete;
    send->base.final = is_complete && context->is_final;
    send->base.done = send_done;
    send->connection = connection;
    send->completion = completion;
    send->idempotent = idempotent;
    send->expires =
        context->expiration_ms == 0 ? NWI_NEVER : nwi_now() + context->expiration_ms * NWI_MS;
    send->task.run = send_arrived;
    set_progress(context, NWI_CONTEXT_UNSENT);
    nwi_serial_perform(&connection->context, &send->task);
}

void nw_connection_send_f(nw_connection_t connection, dispatch_data_t content,
                          nw_content_context_t context, bool is_complete, void *completion_context,
                          nw_connection_send_completion_f completion) {
    struct nwi_callback nobody = {0};
    bool idempotent = nwi_send_f_is_idempotent(completion);
    send_content(connection, content, context, is_complete, idempotent,
                 idempotent ? nobody : nwi_callback_f(completion_context, (nwi_fn)completion),
                 __func__);
}
NW_EXPORT void nw_connection_send(nw_connection_t connection, dispatch_data_t content,
                                  nw_content_context_t context, bool is_complete,
                                  const void *completion) {
    struct nwi_callback nobody = {0};
    bool idempotent = nwi_send_block_is_idempotent(completion);
    send_content(connection, content, context, is_complete, idempotent,
                 idempotent ? nobody : nwi_callback_block(completion), __func__);
}
