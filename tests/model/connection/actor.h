/*
 * actor.h - one connection under the model: what was called, and what its handlers have seen.
 * Runs:   fields under `called` are written by the threads that make calls, as relaxed atomics, so
 *         that the model puts no order between threads that the library would not put there
 *         itself. Fields under `told` belong to the connection's handlers and are plain on purpose:
 *         handlers of one connection run one at a time, and TSan says so when they do not.
 * Owns:   the connection until the plan gives it up; requests until the scene ends.
 */
#ifndef TESTS_MODEL_CONNECTION_ACTOR_H
#define TESTS_MODEL_CONNECTION_ACTOR_H

#include "machine.h"
#include "plan.h"
#include <Network/Network.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
    REQUESTS_MAX = 2048,
    CONTEXTS_MAX = 24 /* with the predefined ones in 32 bits */,
    HEADER = 8,                /* octets before the pattern of every send */
    ORDERS = PLAN_THREADS + 1, /* threads that call, and the connection's own handlers */
    PATTERN_SIZE = 512 * 1024,
};

struct actor;

enum request_kind { REQUEST_SEND, REQUEST_RECEIVE };

/* One send or receive. */
struct request {
    struct actor *actor;
    enum request_kind kind;
    uint16_t id;
    bool idempotent;
    bool own;       /* asked for in a handler of the same connection */
    bool any_queue; /* asked for before the queue was set */
    bool draining;  /* a receive that asks for the next until the end */
    uint32_t min, max;
    bool whole, refused;
    _Atomic uint64_t issued, returned; /* ticks around the call */
    _Atomic unsigned done;             /* times that its completion has begun */
    atomic_bool over;                  /* it has returned: nothing touches the request any more */
    /* sends: what the other side's handlers look at */
    _Atomic uint32_t size, context;
    _Atomic int antecedent; /* context that has to come before, or -1 */
    _Atomic uint8_t order;  /* whose calls it is ordered among; ORDERS: nobody's */
    _Atomic bool complete, final, plain, sent;
    _Atomic unsigned seen;
};

/* A content context of the plan's. */
struct own_context {
    nw_content_context_t context;
    bool final, plain; /* plain: default rank, no antecedent, no expiry */
    bool expires;
    int antecedent; /* index, or -1 */
};

/* A queue of one connection; its finalizer tells that nobody holds it any more. */
struct own_queue {
    struct actor *actor;
    dispatch_queue_t queue;
    bool concurrent;
    atomic_bool gone;
    struct own_queue *next;
};

struct wire { /* what came in, put together */
    struct actor *sender;
    char header[HEADER];
    unsigned header_got;
    struct request *current;
    uint32_t offset;
    int open_context; /* of the sender; -1: none */
    unsigned open_id;
    uint64_t completed;       /* contexts that have been complete, as bits */
    unsigned free_id[ORDERS]; /* newest plain send of each thread that came in its own right */
    bool final_seen;
};

struct inside { /* steps for the next handler */
    const struct step *steps;
    unsigned count;
    struct inside *next;
};

struct actor {
    unsigned number, slot;
    enum target target;
    bool accepted, stream;
    unsigned listener; /* which one it goes to or came from */
    struct scene *scene;
    pthread_mutex_t lock;       /* of connection, contexts' making, queues, inside */
    nw_connection_t connection; /* owned; NULL once given up */
    struct own_context contexts[CONTEXTS_MAX];
    atomic_int context_count;
    struct own_queue *queues; /* newest first */
    struct inside *inside, **inside_end;
    struct {
        _Atomic unsigned causes;
        _Atomic uint64_t start, cancel;  /* ticks when first called; 0: never */
        _Atomic uint64_t queue, handler; /* ticks when set first, once the call had returned */
        atomic_bool handler_removed, handler_late, final, next, given_up;
        atomic_bool viability_late; /* its handler was set when start had been called */
        atomic_bool draining;
        _Atomic uint32_t opened; /* contexts that got a piece and not the whole, as bits */
    } called;
    struct {
        nw_connection_state_t state;
        unsigned char count[6];
        uint64_t final_done; /* tick when a final send completed */
        int last_receive[ORDERS];
        bool end_told, failed_told;
        int viable; /* -1: not told */
        struct wire wire;
    } told;
    _Atomic unsigned running;    /* handlers inside */
    _Atomic unsigned state_told; /* the same as told.state, for other threads */
    atomic_bool cancelled_told, end_seen, drained;
    struct actor *_Atomic peer; /* the other end of a stream, once an octet has shown it */
    _Atomic unsigned request_count;
    struct request *_Atomic requests[REQUESTS_MAX];
};

/* The library's own clock of the model: a number for each moment that is compared. */
uint64_t tick(void);

struct actor *actor_create(struct scene *scene, unsigned number, enum target target,
                           unsigned listener, nw_connection_t connection, bool accepted);
void actor_free(struct actor *actor);

/* --- calls (actor_calls.c). `order`: the thread that calls, see struct request. --- */
void actor_do(struct actor *actor, const struct step *step, unsigned order);
/* A reference for the time of a call, or NULL. */
nw_connection_t actor_take(struct actor *actor);
/* The same, or NULL when another thread is just at it. */
nw_connection_t actor_try_take(struct actor *actor);
void actor_set_up(struct actor *actor); /* queue, state handler, start */
void actor_drain(struct actor *actor);
void actor_drain_on(struct actor *actor); /* one receive more */
void actor_end(struct actor *actor, bool force);
void actor_let_go(struct actor *actor);
bool actor_hears_states(struct actor *actor); /* from its first handler on, without a gap */
bool actor_must_be_told_cancelled(struct actor *actor);

/* --- what handlers see (actor_told.c) --- */
void told_state(void *context, nw_connection_state_t state, nw_error_t error);
void told_viable(void *context, bool viable);
void told_better(void *context, bool better);
void told_path(void *context, nw_path_t path);
void told_sent(void *context, nw_error_t error);
void told_received(void *context, dispatch_data_t content, nw_content_context_t content_context,
                   bool complete, nw_error_t error);
/* The actor whose handler runs on this thread, or NULL. */
struct actor *actor_current(void);
/* Around every call into the library: no handler may run on this thread meanwhile. */
void call_begin(void);
void call_end(void);
bool call_is_open(void);
/* Around code of the program that runs inside a call, as a batch does. */
unsigned call_pause(void);
void call_resume(unsigned open);
extern const char actor_queue_key;

/* --- contents (wire.c) --- */
dispatch_data_t wire_make(const struct request *request, bool pieces);
/* One piece of content as it came; `complete` as the receive said. */
void wire_take(struct actor *actor, dispatch_data_t content, bool complete);

#endif
