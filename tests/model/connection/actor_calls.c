/*
 * actor_calls.c - the calls of a plan on one connection, each noted before it is made.
 * Runs:   on the plan's threads and in handlers. A call holds a reference of its own, so that
 *         another thread may give up the program's meanwhile.
 */
#include "base/alloc.h"
#include "scene.h"
#include <Network/establishment_timeline.h>
#include <stdlib.h>

static _Atomic uint64_t clock_now;
static _Thread_local unsigned calls_open;

uint64_t tick(void) {
    return atomic_fetch_add_explicit(&clock_now, 1, memory_order_relaxed) + 1;
}

void call_begin(void) {
    calls_open++;
}

void call_end(void) {
    calls_open--;
}

unsigned call_pause(void) {
    unsigned open = calls_open;
    calls_open = 0;
    return open;
}

void call_resume(unsigned open) {
    calls_open = open;
}

bool call_is_open(void) {
    return calls_open > 0;
}

struct actor *actor_create(struct scene *scene, unsigned number, enum target target,
                           unsigned listener, nw_connection_t connection, bool accepted) {
    struct actor *actor = calloc(1, sizeof *actor);
    if (actor == NULL || connection == NULL)
        fail(NULL, "no memory for the model, or no connection");
    actor->number = number;
    actor->target = target;
    actor->listener = listener;
    actor->accepted = accepted;
    actor->stream = target != TARGET_UDP && target != TARGET_UDP_REFUSED;
    actor->scene = scene;
    actor->connection = connection;
    actor->inside_end = &actor->inside;
    actor->told.viable = -1;
    actor->told.wire.open_context = -1;
    for (unsigned i = 0; i < ORDERS; i++)
        actor->told.last_receive[i] = -1;
    unsigned causes = accepted ? CAUSE_ACCEPTED : CAUSE_CLIENT;
    if (actor->stream)
        causes |= CAUSE_STREAM;
    if (target == TARGET_TCP_REFUSED)
        causes |= CAUSE_UNSURE;
    atomic_init(&actor->called.causes, causes);
    pthread_mutex_init(&actor->lock, NULL);
    return actor;
}

void actor_free(struct actor *actor) {
    unsigned count = atomic_load_explicit(&actor->request_count, memory_order_relaxed);
    for (unsigned i = 0; i < count && i < REQUESTS_MAX; i++)
        free(atomic_load_explicit(&actor->requests[i], memory_order_relaxed));
    while (actor->inside != NULL) {
        struct inside *inside = actor->inside;
        actor->inside = inside->next;
        free(inside);
    }
    while (actor->queues != NULL) {
        struct own_queue *queue = actor->queues;
        actor->queues = queue->next;
        free(queue);
    }
    pthread_mutex_destroy(&actor->lock);
    free(actor);
}

/* A reference for the time of a call, or NULL; notes what is going to be called. */
static nw_connection_t take(struct actor *actor, unsigned causes) {
    pthread_mutex_lock(&actor->lock);
    nw_connection_t connection = actor->connection;
    if (connection != NULL) {
        nw_retain(connection);
        atomic_fetch_or_explicit(&actor->called.causes, causes, memory_order_relaxed);
    }
    pthread_mutex_unlock(&actor->lock);
    return connection;
}

nw_connection_t actor_take(struct actor *actor) {
    return take(actor, 0);
}

nw_connection_t actor_try_take(struct actor *actor) {
    if (pthread_mutex_trylock(&actor->lock) != 0)
        return NULL;
    nw_connection_t connection = nw_retain(actor->connection);
    pthread_mutex_unlock(&actor->lock);
    return connection;
}

static void give_back(nw_connection_t connection) {
    call_begin();
    nw_release(connection);
    call_end();
}

static void note_first(_Atomic uint64_t *when, uint64_t now) {
    uint64_t never = 0;
    atomic_compare_exchange_strong_explicit(when, &never, now, memory_order_relaxed,
                                            memory_order_relaxed);
}

/* --- sends and receives --- */

static struct request *request_create(struct actor *actor, enum request_kind kind, unsigned order) {
    unsigned id = atomic_fetch_add_explicit(&actor->request_count, 1, memory_order_relaxed);
    struct request *request = id < REQUESTS_MAX ? calloc(1, sizeof *request) : NULL;
    if (request == NULL)
        fail(actor, "more requests than the model has room for");
    bool own = actor_current() == actor;
    request->actor = actor;
    request->kind = kind;
    request->id = (uint16_t)id;
    request->own = own;
    request->any_queue = atomic_load_explicit(&actor->called.queue, memory_order_relaxed) == 0;
    unsigned ordered = actor_current() == NULL ? order : own ? PLAN_THREADS : ORDERS;
    atomic_init(&request->order, (uint8_t)ordered);
    atomic_init(&request->antecedent, -1);
    /* release: for those who find it there. What the call does comes after. */
    atomic_store_explicit(&actor->requests[id], request, memory_order_release);
    return request;
}

/* The context of a send, its number, and what the model knows of it. */
static nw_content_context_t choose_context(struct actor *actor, struct request *request,
                                           uint32_t wanted, bool complete) {
    int count = atomic_load_explicit(&actor->context_count, memory_order_acquire);
    nw_content_context_t context = NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT;
    uint32_t number = wanted;
    bool final = false, plain = true;
    if (wanted >= OWN_CONTEXTS && count > 0) {
        number = (wanted - OWN_CONTEXTS) % (uint32_t)count;
        const struct own_context *own = &actor->contexts[number];
        number += OWN_CONTEXTS;
        context = own->context;
        final = own->final;
        plain = own->plain;
        if (own->antecedent >= 0)
            atomic_init(&request->antecedent, own->antecedent + OWN_CONTEXTS);
    } else if (wanted == DEFAULT_STREAM || wanted == FINAL_MESSAGE) {
        context = wanted == DEFAULT_STREAM ? NW_CONNECTION_DEFAULT_STREAM_CONTEXT
                                           : NW_CONNECTION_FINAL_MESSAGE_CONTEXT;
        final = true;
    } else {
        number = DEFAULT_MESSAGE;
    }
    atomic_store_explicit(&request->context, number, memory_order_relaxed);
    atomic_store_explicit(&request->plain, plain, memory_order_relaxed);
    atomic_store_explicit(&request->complete, complete, memory_order_relaxed);
    atomic_store_explicit(&request->final, complete && final, memory_order_relaxed);
    if (complete && final)
        atomic_store_explicit(&actor->called.final, true, memory_order_relaxed);
    if (!complete)
        atomic_fetch_or_explicit(&actor->called.opened, 1u << number, memory_order_relaxed);
    return context;
}

static void send_on(struct actor *actor, nw_connection_t connection, uint32_t wanted, uint32_t size,
                    unsigned bits, unsigned order) {
    struct request *request = request_create(actor, REQUEST_SEND, order);
    bool complete = (bits & SEND_COMPLETE) != 0;
    nw_content_context_t context = choose_context(actor, request, wanted, complete);
    if (size != 0 && size < HEADER)
        size = HEADER;
    atomic_store_explicit(&request->size, size, memory_order_relaxed);
    request->refused = size == 0 && !complete;
    request->idempotent = (bits & SEND_IDEMPOTENT) != 0;
    dispatch_data_t content = wire_make(request, (bits & SEND_PIECES) != 0);
    atomic_store_explicit(&request->issued, tick(), memory_order_relaxed);
    call_begin();
    nw_connection_send_f(connection, content, context, complete,
                         request->idempotent ? NULL : request,
                         request->idempotent ? NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F : told_sent);
    call_end();
    atomic_store_explicit(&request->returned, tick(), memory_order_relaxed);
    if (content != NULL)
        dispatch_release(content);
}

static void receive_on(struct actor *actor, nw_connection_t connection, uint32_t min, uint32_t max,
                       bool whole, bool draining, unsigned order) {
    struct request *request = request_create(actor, REQUEST_RECEIVE, order);
    request->min = min;
    request->max = max;
    request->whole = whole;
    request->draining = draining;
    request->refused = !whole && max == 0;
    atomic_store_explicit(&request->issued, tick(), memory_order_relaxed);
    call_begin();
    if (whole)
        nw_connection_receive_message_f(connection, request, told_received);
    else
        nw_connection_receive_f(connection, min, max, request, told_received);
    call_end();
    atomic_store_explicit(&request->returned, tick(), memory_order_relaxed);
}

static void add_context(struct actor *actor, const struct step *step) {
    pthread_mutex_lock(&actor->lock);
    int count = atomic_load_explicit(&actor->context_count, memory_order_relaxed);
    if (count < CONTEXTS_MAX) {
        struct own_context *own = &actor->contexts[count];
        own->context = nw_content_context_create("model");
        own->final = (step->a & CONTEXT_FINAL) != 0;
        own->antecedent = (step->a & CONTEXT_ANTECEDENT) != 0 ? count - 1 : -1;
        own->expires = step->c != 0;
        own->plain = step->b == 4 && own->antecedent < 0 && !own->expires;
        nw_content_context_set_is_final(own->context, own->final);
        nw_content_context_set_relative_priority(own->context, step->b / 8.0);
        nw_content_context_set_expiration_milliseconds(own->context, step->c);
        if (own->antecedent >= 0)
            nw_content_context_set_antecedent(own->context,
                                              actor->contexts[own->antecedent].context);
        atomic_store_explicit(&actor->context_count, count + 1, memory_order_release);
    }
    pthread_mutex_unlock(&actor->lock);
}

/* --- set-up --- */

const char actor_queue_key;

static void queue_gone(void *context) {
    struct own_queue *own = context;
    /* release: it is freed once this is seen */
    atomic_store_explicit(&own->gone, true, memory_order_release);
    scene_event();
}

static void set_queue(struct actor *actor, nw_connection_t connection, unsigned kind) {
    struct own_queue *own = calloc(1, sizeof *own);
    if (own == NULL)
        fail(actor, "no memory for the model");
    own->actor = actor;
    own->concurrent = kind == QUEUE_CONCURRENT;
    own->queue = kind == QUEUE_TARGETED
                     ? dispatch_queue_create_with_target("model", DISPATCH_QUEUE_SERIAL,
                                                         actor->scene->shared_queue)
                     : dispatch_queue_create("model", own->concurrent ? DISPATCH_QUEUE_CONCURRENT
                                                                      : DISPATCH_QUEUE_SERIAL);
    dispatch_queue_set_specific(own->queue, &actor_queue_key, own, NULL);
    dispatch_set_context(own->queue, own);
    dispatch_set_finalizer_f(own->queue, queue_gone);
    pthread_mutex_lock(&actor->lock);
    own->next = actor->queues;
    actor->queues = own;
    pthread_mutex_unlock(&actor->lock);
    call_begin();
    nw_connection_set_queue(connection, own->queue);
    call_end();
    note_first(&actor->called.queue, tick());
}

static void set_handler(struct actor *actor, nw_connection_t connection, unsigned which, bool on) {
    call_begin();
    switch (which) {
    case 0:
        if (!on)
            atomic_store_explicit(&actor->called.handler_removed, true, memory_order_relaxed);
        if (atomic_load_explicit(&actor->called.start, memory_order_relaxed) != 0 &&
            atomic_load_explicit(&actor->called.handler, memory_order_relaxed) == 0)
            atomic_store_explicit(&actor->called.handler_late, true, memory_order_relaxed);
        nw_connection_set_state_changed_handler_f(connection, actor, on ? told_state : NULL);
        if (on)
            note_first(&actor->called.handler, tick());
        break;
    case 1:
        atomic_store_explicit(&actor->called.viability_late, true, memory_order_relaxed);
        nw_connection_set_viability_changed_handler_f(connection, actor, on ? told_viable : NULL);
        if (atomic_load_explicit(&actor->called.start, memory_order_relaxed) == 0)
            atomic_store_explicit(&actor->called.viability_late, false, memory_order_relaxed);
        break;
    case 2:
        nw_connection_set_better_path_available_handler_f(connection, actor,
                                                          on ? told_better : NULL);
        break;
    default:
        nw_connection_set_path_changed_handler_f(connection, actor, on ? told_path : NULL);
    }
    call_end();
}

static void start(struct actor *actor, nw_connection_t connection) {
    if (atomic_load_explicit(&actor->called.queue, memory_order_relaxed) != 0)
        note_first(&actor->called.start, tick()); /* without a queue it is refused */
    if (atomic_load_explicit(&actor->called.handler, memory_order_relaxed) == 0)
        atomic_store_explicit(&actor->called.handler_late, true, memory_order_relaxed);
    call_begin();
    nw_connection_start(connection);
    call_end();
}

static void cancel(struct actor *actor, nw_connection_t connection, bool force) {
    note_first(&actor->called.cancel, tick());
    call_begin();
    if (force)
        nw_connection_force_cancel(connection);
    else
        nw_connection_cancel(connection);
    call_end();
}

/* The program's last reference goes, unless nobody could end the connection then. */
static void release(struct actor *actor) {
    pthread_mutex_lock(&actor->lock);
    unsigned causes = atomic_load_explicit(&actor->called.causes, memory_order_relaxed);
    bool may = (causes & CAUSE_STARTED) == 0 ||
               atomic_load_explicit(&actor->called.cancel, memory_order_relaxed) != 0 ||
               atomic_load_explicit(&actor->state_told, memory_order_relaxed) ==
                   nw_connection_state_failed;
    nw_connection_t connection = may ? actor->connection : NULL;
    if (may) {
        actor->connection = NULL;
        atomic_store_explicit(&actor->called.given_up, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&actor->lock);
    give_back(connection);
}

/* --- getters --- */

static void get(struct actor *actor, nw_connection_t connection, unsigned which) {
    bool over = atomic_load_explicit(&actor->cancelled_told, memory_order_relaxed);
    void *object = NULL;
    char *text = NULL;
    uint32_t size = 0;
    nw_protocol_definition_t definition = NULL;
    call_begin();
    switch (which) {
    case 0:
        object = nw_connection_copy_endpoint(connection);
        break;
    case 1:
        object = nw_connection_copy_parameters(connection);
        break;
    case 2:
        text = nw_connection_copy_description(connection);
        break;
    case 3:
        object = nw_connection_copy_current_path(connection);
        break;
    case 4:
        object = nw_connection_copy_establishment_timeline(connection);
        break;
    case 5:
        size = nw_connection_get_maximum_datagram_size(connection);
        break;
    default:
        definition =
            which == 6 ? nw_protocol_copy_tcp_definition() : nw_protocol_copy_udp_definition();
        object = nw_connection_copy_protocol_metadata(connection, definition);
    }
    call_end();
    if ((which < 2 && object == NULL) || (which == 2 && text == NULL))
        fail(actor, "getter %u gave nothing", which);
    if (which == 3 && object != NULL && over)
        fail(actor, "a path after cancelled");
    if (which == 3 && object != NULL &&
        (atomic_load_explicit(&actor->called.causes, memory_order_relaxed) & CAUSE_STARTED) == 0)
        fail(actor, "a path before start");
    if (which == 5 && size != 0 && actor->stream)
        fail(actor, "a stream with a datagram size");
    if (which == (actor->stream ? 7 : 6) && object != NULL)
        fail(actor, "metadata of a protocol that is not in use");
    nw_release(object);
    nw_release(definition);
    nwi_free(text); /* as free(), and counted */
}

/* --- waiting --- */

bool actor_hears_states(struct actor *actor) {
    return atomic_load_explicit(&actor->called.handler, memory_order_relaxed) != 0 &&
           !atomic_load_explicit(&actor->called.handler_removed, memory_order_relaxed);
}

bool actor_must_be_told_cancelled(struct actor *actor) {
    uint64_t cancelled = atomic_load_explicit(&actor->called.cancel, memory_order_relaxed);
    uint64_t queue = atomic_load_explicit(&actor->called.queue, memory_order_relaxed);
    uint64_t handler = atomic_load_explicit(&actor->called.handler, memory_order_relaxed);
    return cancelled != 0 && queue != 0 && queue < cancelled && handler < cancelled &&
           actor_hears_states(actor);
}

static bool is_settled(void *context) {
    struct actor *actor = context;
    unsigned state = atomic_load_explicit(&actor->state_told, memory_order_relaxed);
    if (!actor_hears_states(actor) ||
        (atomic_load_explicit(&actor->called.cancel, memory_order_relaxed) != 0 &&
         !actor_must_be_told_cancelled(actor)))
        return true; /* nobody can be told any more */
    return state != nw_connection_state_invalid && state != nw_connection_state_preparing;
}

static bool is_cancelled(void *context) {
    struct actor *actor = context;
    return atomic_load_explicit(&actor->cancelled_told, memory_order_relaxed) ||
           !actor_hears_states(actor);
}

static void wait_settled(struct actor *actor) {
    if (atomic_load_explicit(&actor->called.start, memory_order_relaxed) != 0 &&
        actor_hears_states(actor) &&
        !atomic_load_explicit(&actor->called.handler_late, memory_order_relaxed) &&
        !scene_wait(is_settled, actor))
        fail(actor, "started, and still preparing after %d s", WAIT_SECONDS);
}

static void wait_ended(struct actor *actor) {
    if (actor_must_be_told_cancelled(actor) && !scene_wait(is_cancelled, actor))
        fail(actor, "cancelled, and not told so after %d s", WAIT_SECONDS);
}

static void nothing(void *context) {
    (void)context;
}

static void flush(struct actor *actor) {
    pthread_mutex_lock(&actor->lock);
    dispatch_queue_t queue = actor->queues != NULL ? actor->queues->queue : NULL;
    pthread_mutex_unlock(&actor->lock);
    if (queue != NULL) /* the scene keeps it */
        dispatch_barrier_sync_f(queue, NULL, nothing);
}

/* --- steps --- */

static void do_call(struct actor *actor, nw_connection_t connection, const struct step *step,
                    unsigned order) {
    switch (step->op) {
    case OP_QUEUE:
        set_queue(actor, connection, step->a);
        break;
    case OP_HANDLER:
        set_handler(actor, connection, step->a, step->b != 0);
        break;
    case OP_START:
        start(actor, connection);
        break;
    case OP_RESTART:
        call_begin();
        nw_connection_restart(connection);
        call_end();
        break;
    case OP_CANCEL:
    case OP_FORCE:
        cancel(actor, connection, step->op == OP_FORCE);
        break;
    case OP_NEXT:
        atomic_store_explicit(&actor->called.next, true, memory_order_relaxed);
        call_begin();
        nw_connection_cancel_current_endpoint(connection);
        call_end();
        break;
    case OP_CONTEXT:
        add_context(actor, step);
        break;
    case OP_SEND:
        send_on(actor, connection, step->a, step->b, step->c, order);
        break;
    case OP_RECEIVE:
    case OP_MESSAGE:
        receive_on(actor, connection, step->a, step->b, step->op == OP_MESSAGE, false, order);
        break;
    case OP_GET:
        get(actor, connection, step->a);
        break;
    case OP_HOLD:
        nw_release(nw_retain(connection));
        break;
    default:
        break;
    }
}

void actor_do(struct actor *actor, const struct step *step, unsigned order) {
    bool may_wait = actor_current() == NULL;
    switch (step->op) {
    case OP_SETTLE:
        if (may_wait)
            wait_settled(actor);
        return;
    case OP_ENDED:
        if (may_wait)
            wait_ended(actor);
        return;
    case OP_FLUSH:
        if (may_wait)
            flush(actor);
        return;
    case OP_RELEASE:
        release(actor);
        return;
    default:
        break;
    }
    unsigned causes = step->op == OP_START                            ? CAUSE_STARTED
                      : step->op == OP_CANCEL || step->op == OP_FORCE ? CAUSE_CANCELLED
                      : step->op == OP_NEXT                           ? CAUSE_NEXT
                                                                      : 0;
    nw_connection_t connection = take(actor, causes);
    if (connection == NULL)
        return; /* given up */
    do_call(actor, connection, step, order);
    give_back(connection);
}

void actor_set_up(struct actor *actor) {
    static const struct step steps[] = {
        {.op = OP_QUEUE, .a = QUEUE_SERIAL},
        {.op = OP_HANDLER, .a = 0, .b = 1},
        {.op = OP_HANDLER, .a = 1, .b = 1},
        {.op = OP_START},
    };
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++)
        actor_do(actor, &steps[i], ORDERS);
}

/* Completes what is open, ends the direction, and reads until the other side has done so too. */
void actor_drain(struct actor *actor) {
    nw_connection_t connection = take(actor, 0);
    if (connection == NULL)
        return;
    uint32_t opened = atomic_load_explicit(&actor->called.opened, memory_order_relaxed);
    atomic_store_explicit(&actor->called.draining, true, memory_order_relaxed);
    for (uint32_t context = 0; context < 32; context++)
        if ((opened & 1u << context) != 0 && context != FINAL_MESSAGE)
            send_on(actor, connection, context, 0, SEND_COMPLETE, ORDERS);
    send_on(actor, connection, FINAL_MESSAGE, 0, SEND_COMPLETE, ORDERS);
    receive_on(actor, connection, 1, 65536, false, true, ORDERS);
    give_back(connection);
}

void actor_drain_on(struct actor *actor) {
    nw_connection_t connection = take(actor, 0);
    if (connection == NULL)
        return;
    receive_on(actor, connection, 1, 65536, false, true, ORDERS);
    give_back(connection);
}

/* Ends it from outside the plan: cancelled where the plan did not, and given up. */
void actor_end(struct actor *actor, bool force) {
    nw_connection_t connection = take(actor, CAUSE_CANCELLED);
    if (connection == NULL)
        return;
    cancel(actor, connection, force);
    give_back(connection);
    release(actor);
}

/* Our own references on queues and contexts, once nothing is called any more. */
void actor_let_go(struct actor *actor) {
    for (struct own_queue *own = actor->queues; own != NULL; own = own->next)
        dispatch_release(own->queue);
    int count = atomic_load_explicit(&actor->context_count, memory_order_relaxed);
    for (int i = 0; i < count; i++)
        nw_release(actor->contexts[i].context);
}
