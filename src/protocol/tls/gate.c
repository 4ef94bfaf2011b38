/*
 * gate.c - see gate.h.
 * Rules:  a loop fires the timers that are due once a turn, after the events that it has fetched and
 *         before it fetches again. So a gate is a timer that is always due while somebody waits.
 */
#include "protocol/tls/gate.h"
#include "base/alloc.h"
#include "base/object.h"
#include "dispatch/serial.h"
#include "loop/loop.h"
#include <pthread.h>
#include <sys/queue.h>

#define BUDGET NWI_MS /* of steps, a turn of the loop */

struct waiting {
    STAILQ_ENTRY(waiting) link;
    struct nwi_serial *context;
    void *owner; /* retained */
    struct nwi_task *task;
};

struct gate {
    SLIST_ENTRY(gate) link;
    struct nwi_loop *loop;
    struct nwi_timer timer;
    STAILQ_HEAD(, waiting) list; /* under the lock */
    bool open;                   /* the timer is armed, or firing; under the lock */
};

static SLIST_HEAD(, gate) gates = SLIST_HEAD_INITIALIZER(gates);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* held for some instructions */

/* The first that waits; NULL closes the gate. */
static struct waiting *take(struct gate *gate) {
    pthread_mutex_lock(&lock);
    struct waiting *first = STAILQ_FIRST(&gate->list);
    if (first != NULL)
        STAILQ_REMOVE_HEAD(&gate->list, link);
    else
        gate->open = false;
    pthread_mutex_unlock(&lock);
    return first;
}

static void let_through(struct waiting *waiting) {
    nwi_serial_perform(waiting->context, waiting->task);
    nwi_release(waiting->owner);
    nwi_free(waiting);
}

static void fire(struct nwi_timer *timer) {
    struct gate *gate = nwi_container_of(timer, struct gate, timer);
    nwi_ns start = nwi_now(), now = start;
    for (;;) {
        struct waiting *waiting = take(gate);
        if (waiting == NULL)
            return;
        let_through(waiting);
        now = nwi_now();
        if (now - start < BUDGET)
            continue;
        if (nwi_timer_set(timer, now) == 0) /* due in the next turn: not before `now` */
            return;
        start = now; /* no memory for a timer: then without pause */
    }
}

/* Under the lock. */
static struct gate *find(struct nwi_loop *loop) {
    struct gate *gate;
    SLIST_FOREACH (gate, &gates, link)
        if (gate->loop == loop)
            return gate;
    gate = nwi_alloc(sizeof *gate);
    if (gate == NULL)
        return NULL;
    gate->loop = loop;
    STAILQ_INIT(&gate->list);
    nwi_timer_init(&gate->timer, loop, fire);
    SLIST_INSERT_HEAD(&gates, gate, link);
    return gate;
}

void nwi_tls_gate_wait(struct nwi_loop *loop, struct nwi_serial *context, void *owner,
                       struct nwi_task *task) {
    struct waiting *waiting = nwi_alloc(sizeof *waiting);
    bool opens = false;
    pthread_mutex_lock(&lock);
    struct gate *gate = waiting != NULL ? find(loop) : NULL;
    if (gate != NULL) {
        *waiting =
            (struct waiting){.context = context, .owner = nwi_retain(owner), .task = task};
        STAILQ_INSERT_TAIL(&gate->list, waiting, link);
        opens = !gate->open;
        gate->open = true;
    }
    pthread_mutex_unlock(&lock);
    if (gate == NULL) {
        nwi_free(waiting);
        nwi_serial_push(context, task);
    } else if (opens && nwi_timer_set(&gate->timer, nwi_now()) != 0) {
        fire(&gate->timer);
    }
}
