/*
 * scene.h - one run of a plan: its listeners, ports that refuse, all its connections, and the end
 * of them all.
 */
#ifndef TESTS_MODEL_CONNECTION_SCENE_H
#define TESTS_MODEL_CONNECTION_SCENE_H

#include "actor.h"

enum { ACTORS_MAX = 600, WAIT_SECONDS = 20 };

struct door { /* a listener under the model */
    struct scene *scene;
    unsigned number;
    nw_listener_t listener;
    dispatch_queue_t queue;
    uint16_t port;
    _Atomic unsigned policy;
    atomic_bool cancel_called, cancelled_told, queue_gone;
    _Atomic unsigned state_told;
    struct {
        nw_listener_state_t state;
        unsigned next_slot;
    } told;
    _Atomic unsigned running;
};

struct scene {
    const struct plan *plan;
    unsigned number; /* of this process */
    bool faults;
    struct door doors[PLAN_LISTENERS];
    dispatch_queue_t shared_queue; /* target of queues of several connections */
    int refusing[2];               /* bound and not listening: TCP, UDP */
    uint16_t refusing_port[2];
    struct actor *_Atomic slots[PLAN_SLOTS];
    struct actor *_Atomic actors[ACTORS_MAX];
    _Atomic unsigned actor_count;
    unsigned ended;       /* actors that must come to their end now */
    atomic_bool closing;  /* handlers call nothing more */
    atomic_uint inside;   /* handlers that do call */
    atomic_long contents; /* made for sending and not yet destroyed */
};

struct tally { /* what the runs reached; else the properties say little */
    _Atomic unsigned long steps, connections, accepted, ready, waiting, failed, cancelled, sent,
        send_errors, received, octets, ends, receive_errors, inside, drained;
};
extern struct tally tally;

/* Runs the plan to its end, and everything it made to theirs. Does not return when a property does
 * not hold. */
void scene_run(const struct plan *plan, bool faults);
/* Before the first: what an empty run leaves is what every other may leave. */
void scene_warm_up(void);

/* Reports what does not hold, with the plan, and ends the process. actor may be NULL. */
void fail(struct actor *actor, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
/* Called by fail(), after the report. */
extern void (*fail_hook)(const struct plan *plan, const char *reason);

/* Something was seen: whoever waits looks again. */
void scene_event(void);
/* False when WAIT_SECONDS passed before `holds` did. */
bool scene_wait(bool (*holds)(void *context), void *context);
struct actor *scene_add(struct scene *scene, unsigned slot, enum target target, unsigned listener,
                        nw_connection_t connection, bool accepted);
/* Runs up to `count` steps of a thread as one list. */
void scene_steps(struct scene *scene, const struct step *steps, unsigned count, unsigned order);
/* The same in a handler, unless the scene is closing. */
void scene_steps_inside(struct scene *scene, const struct step *steps, unsigned count);

/* --- door.c --- */
void door_open(struct scene *scene, unsigned number);
void door_do(struct door *door, const struct step *step);
void door_end(struct door *door);
nw_parameters_t scene_parameters(bool stream);
extern bool scene_is_secure; /* streams are TLS over TCP; set before any scene */

#endif
