/*
 * actor_told.c - what the handlers of a connection see, held against the model.
 * What:   on which queue, one at a time, never from inside a call, nothing after `cancelled`; the
 *         states by the table of machine.c; each completion once, with an answer that fits what
 *         was asked and what has happened.
 * Runs:   on the connection's client queue. Fields under `told` are plain on purpose (actor.h).
 */
#include "scene.h"
#include <Security/SecureTransport.h>
#include <errno.h>
#include <stdlib.h>

static _Thread_local struct actor *current;

struct actor *actor_current(void) {
    return current;
}

/* --- entering and leaving a handler --- */

struct visit {
    struct actor *outer;
    bool on_queue;
};

/* request: NULL for the handlers of states and paths, which never run before a queue is set. */
static struct visit enter(struct actor *actor, const struct request *request) {
    if (call_is_open())
        fail(actor, "a handler runs inside a call of the same thread");
    const struct own_queue *own = dispatch_get_specific(&actor_queue_key);
    struct visit visit = {current, own != NULL && own->actor == actor};
    if (!visit.on_queue && (request == NULL || !request->any_queue))
        fail(actor, "a handler does not run on the connection's queue");
    if (visit.on_queue && atomic_fetch_add_explicit(&actor->running, 1, memory_order_relaxed) != 0)
        fail(actor, "two handlers of one connection at once");
    if (request == NULL && atomic_load_explicit(&actor->cancelled_told, memory_order_relaxed))
        fail(actor, "a handler after cancelled");
    current = actor;
    return visit;
}

/* request: as given to enter(). Neither is touched after the last store here. */
static void leave(struct actor *actor, struct request *request, struct visit visit) {
    struct scene *scene = actor->scene;
    if (visit.on_queue) {
        pthread_mutex_lock(&actor->lock);
        struct inside *inside = actor->inside;
        if (inside != NULL && (actor->inside = inside->next) == NULL)
            actor->inside_end = &actor->inside;
        pthread_mutex_unlock(&actor->lock);
        if (inside != NULL)
            scene_steps_inside(scene, inside->steps, inside->count);
        free(inside);
    }
    current = visit.outer;
    /* release: the scene looks at what was told, and frees it, once nothing runs any more */
    if (visit.on_queue)
        atomic_fetch_sub_explicit(&actor->running, 1, memory_order_release);
    if (request != NULL)
        atomic_store_explicit(&request->over, true, memory_order_release);
    scene_event();
}

static unsigned causes_of(const struct actor *actor) {
    unsigned causes = atomic_load_explicit(&actor->called.causes, memory_order_relaxed);
    if (actor->scene->faults)
        causes |= CAUSE_FAULT | CAUSE_UNSURE;
    if (atomic_load_explicit(&actor->scene->doors[actor->listener].cancel_called,
                             memory_order_relaxed))
        causes |= CAUSE_UNSURE;
    return causes;
}

/* --- states --- */

/* What was asked for before the end began, or in a handler before this one, has been answered. */
static void check_all_answered(struct actor *actor) {
    uint64_t cancelled = atomic_load_explicit(&actor->called.cancel, memory_order_relaxed);
    unsigned count = atomic_load_explicit(&actor->request_count, memory_order_relaxed), late = 0;
    for (int look_for_late = 1; look_for_late >= 0; look_for_late--)
        for (unsigned id = 0; id < count; id++) {
            struct request *request =
                atomic_load_explicit(&actor->requests[id], memory_order_acquire);
            if (request == NULL)
                continue; /* about to be asked for */
            uint64_t returned = atomic_load_explicit(&request->returned, memory_order_relaxed);
            uint64_t issued = atomic_load_explicit(&request->issued, memory_order_relaxed);
            if (look_for_late) {
                late += issued > cancelled;
                continue;
            }
            /* What was answered before there was a queue ran elsewhere, at its own pace. The
             * library gives up when a program goes on asking: then only the first count. */
            bool must = (returned != 0 && returned < cancelled) || (request->own && late < 40);
            if (must && issued != 0 && !request->idempotent && !request->any_queue &&
                atomic_load_explicit(&request->done, memory_order_relaxed) == 0)
                fail(actor, "cancelled before the completion of %s %u",
                     request->kind == REQUEST_SEND ? "send" : "receive", id);
        }
}

/* TLS: the stream ended without its end, as it does when a peer goes in the handshake, or when its
 * connection is cancelled by force or fails. */
static bool is_broken_tls(int code) {
    return scene_is_secure && code == errSSLClosedNoNotify;
}

void told_state(void *context, nw_connection_state_t state, nw_error_t error) {
    struct actor *actor = context;
    struct visit visit = enter(actor, NULL);
    bool gaps = atomic_load_explicit(&actor->called.handler_late, memory_order_relaxed) ||
                atomic_load_explicit(&actor->called.handler_removed, memory_order_relaxed);
    unsigned causes = causes_of(actor);
    /* The peer went before we saw that it had come: to us the attempt has failed. The kernel says
     * EPIPE of a reset that came after the end of the peer's stream. */
    int code = nw_error_get_error_code(error);
    if (actor->stream && (code == ECONNRESET || code == EPIPE || is_broken_tls(code)))
        causes |= CAUSE_UNSURE;
    const char *wrong =
        machine_check_connection(actor->told.state, state, causes, error != NULL, gaps);
    if (wrong != NULL)
        fail(actor, "state %d after %d (error %d): %s", (int)state, (int)actor->told.state,
             nw_error_get_error_code(error), wrong);
    actor->told.state = state;
    atomic_store_explicit(&actor->state_told, (unsigned)state, memory_order_relaxed);
    if (state == nw_connection_state_cancelled) {
        check_all_answered(actor);
        atomic_store_explicit(&actor->cancelled_told, true, memory_order_relaxed);
    }
    _Atomic unsigned long *reached[] = {[nw_connection_state_waiting] = &tally.waiting,
                                        [nw_connection_state_ready] = &tally.ready,
                                        [nw_connection_state_failed] = &tally.failed,
                                        [nw_connection_state_cancelled] = &tally.cancelled};
    if (state != nw_connection_state_preparing)
        atomic_fetch_add_explicit(reached[state], 1, memory_order_relaxed);
    leave(actor, NULL, visit);
}

/* --- paths --- */

static void check_started(struct actor *actor, const char *what) {
    if ((causes_of(actor) & CAUSE_STARTED) == 0)
        fail(actor, "%s before start", what);
}

void told_viable(void *context, bool viable) {
    struct actor *actor = context;
    struct visit visit = enter(actor, NULL);
    check_started(actor, "viability");
    /* Whoever sets the handler late may have missed that there is some. */
    if (actor->told.viable < 0 && !viable &&
        !atomic_load_explicit(&actor->called.viability_late, memory_order_relaxed))
        fail(actor, "the first word on viability is that there is none");
    actor->told.viable = viable;
    leave(actor, NULL, visit);
}

void told_better(void *context, bool better) {
    struct actor *actor = context;
    struct visit visit = enter(actor, NULL);
    (void)better;
    check_started(actor, "a better path");
    leave(actor, NULL, visit);
}

void told_path(void *context, nw_path_t path) {
    struct actor *actor = context;
    struct visit visit = enter(actor, NULL);
    check_started(actor, "a path");
    if (path == NULL)
        fail(actor, "a path handler without a path");
    leave(actor, NULL, visit);
}

/* --- completions --- */

static struct visit complete(struct request *request) {
    struct actor *actor = request->actor;
    struct visit visit = enter(actor, request);
    if (atomic_fetch_add_explicit(&request->done, 1, memory_order_relaxed) != 0 ||
        request->idempotent)
        fail(actor, "the completion of request %u ran twice", request->id);
    return visit;
}

/* Whether the connection is at its end, or on the way there. */
static bool may_be_over(const struct actor *actor) {
    return (causes_of(actor) & (CAUSE_CANCELLED | CAUSE_NEXT | CAUSE_FAULT)) != 0 ||
           atomic_load_explicit(&actor->called.given_up, memory_order_relaxed);
}

static bool is_broken_stream(int code) {
    return is_broken_tls(code) || code == ECONNRESET || code == EPIPE || code == ENOTCONN ||
           code == ECONNABORTED || code == ECONNREFUSED || code == ETIMEDOUT;
}

/* Errors that any request may get. */
static bool fits_any(const struct actor *actor, int code) {
    return actor->scene->faults || (code == ECANCELED && may_be_over(actor)) ||
           (actor->stream && is_broken_stream(code)) || (!actor->stream && code == ECONNREFUSED);
}

static bool fits_send(const struct request *request, int code) {
    const struct actor *actor = request->actor;
    uint32_t context = atomic_load_explicit(&request->context, memory_order_relaxed);
    const struct own_context *own =
        context >= OWN_CONTEXTS ? &actor->contexts[context - OWN_CONTEXTS] : NULL;
    switch (code) {
    case 0:
        return !request->refused;
    case EINVAL:
        return request->refused || actor->scene->faults;
    case ETIMEDOUT:
        return (own != NULL && own->expires) || fits_any(actor, code);
    case ECANCELED:
        return (own != NULL && own->antecedent >= 0) || fits_any(actor, code);
    case EPIPE:
        return atomic_load_explicit(&actor->called.final, memory_order_relaxed) ||
               fits_any(actor, code);
    case EMSGSIZE:
        return !actor->stream || fits_any(actor, code);
    default:
        return fits_any(actor, code);
    }
}

void told_sent(void *context, nw_error_t error) {
    struct request *request = context;
    struct actor *actor = request->actor;
    struct visit visit = complete(request);
    int code = nw_error_get_error_code(error);
    if (!fits_send(request, code))
        fail(actor, "send %u completed with error %d, which nothing explains", request->id, code);
    uint64_t issued = atomic_load_explicit(&request->issued, memory_order_relaxed);
    if (visit.on_queue && code == 0 && actor->told.final_done != 0 &&
        issued > actor->told.final_done)
        fail(actor, "send %u was taken after a final one", request->id);
    if (visit.on_queue && code == 0 &&
        atomic_load_explicit(&request->final, memory_order_relaxed) && actor->told.final_done == 0)
        actor->told.final_done = tick();
    if (code == 0)
        atomic_store_explicit(&request->sent, true, memory_order_relaxed);
    atomic_fetch_add_explicit(code == 0 ? &tally.sent : &tally.send_errors, 1,
                              memory_order_relaxed);
    leave(actor, request, visit);
}

/* Receives of one thread are answered in the order of its calls. */
static void check_receive_order(struct actor *actor, const struct request *request) {
    unsigned order = atomic_load_explicit(&request->order, memory_order_relaxed);
    if (order >= ORDERS || request->refused || request->any_queue)
        return;
    if (actor->told.last_receive[order] > (int)request->id)
        fail(actor, "receive %u was answered after receive %d", request->id,
             actor->told.last_receive[order]);
    actor->told.last_receive[order] = (int)request->id;
}

static void check_error(struct actor *actor, const struct request *request, size_t size, int code) {
    if (size > 0 && !actor->stream)
        fail(actor, "receive %u got content with error %d", request->id, code);
    if (request->refused ? code == EINVAL : code == ENODATA && actor->told.end_told)
        return;
    if (!fits_any(actor, code))
        fail(actor, "receive %u completed with error %d, which nothing explains", request->id,
             code);
}

static void check_answer(struct actor *actor, const struct request *request, size_t size,
                         nw_content_context_t context, bool complete) {
    uint32_t min = request->min == 0             ? 1
                   : request->min < request->max ? request->min
                                                 : request->max;
    if (context == NULL)
        fail(actor, "receive %u got no context", request->id);
    if (request->refused || actor->told.end_told)
        fail(actor, "receive %u was answered, and nothing is left to be given", request->id);
    if (actor->stream != nw_content_context_get_is_final(context))
        fail(actor, "receive %u got a context with the wrong is_final", request->id);
    if (request->whole && !complete)
        fail(actor, "receive_message %u got a part", request->id);
    if (!request->whole && !complete && size < min)
        fail(actor, "receive %u got %zu octets, fewer than %u", request->id, size, min);
    if (complete && actor->stream) {
        actor->told.end_told = true;
        atomic_fetch_add_explicit(&tally.ends, 1, memory_order_relaxed);
    }
}

void told_received(void *context, dispatch_data_t content, nw_content_context_t content_context,
                   bool complete_flag, nw_error_t error) {
    struct request *request = context;
    struct actor *actor = request->actor;
    struct visit visit = complete(request);
    size_t size = content != NULL ? dispatch_data_get_size(content) : 0;
    if (content != NULL && size == 0)
        fail(actor, "receive %u got content of no octets instead of none", request->id);
    if (!request->whole && size > request->max)
        fail(actor, "receive %u got %zu octets, more than %u", request->id, size, request->max);
    if (visit.on_queue)
        check_receive_order(actor, request);
    if (error != NULL)
        check_error(actor, request, size, nw_error_get_error_code(error));
    else
        check_answer(actor, request, size, content_context, complete_flag);
    if (visit.on_queue)
        wire_take(actor, content, complete_flag && error == NULL);
    atomic_fetch_add_explicit(&tally.octets, size, memory_order_relaxed);
    atomic_fetch_add_explicit(error == NULL ? &tally.received : &tally.receive_errors, 1,
                              memory_order_relaxed);
    if (request->draining) {
        if (error == NULL && !complete_flag)
            actor_drain_on(actor);
        else
            atomic_store_explicit(&actor->drained, true, memory_order_relaxed);
    }
    leave(actor, request, visit);
}
