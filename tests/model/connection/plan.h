/*
 * plan.h - a sequence of calls: drawn from a seed, written as text, read back.
 * What:   a plan is a list of steps. Each names the thread that makes it, the call, the connection
 *         or listener that it is made on, and up to three numbers. The text of a plan is what a
 *         failure prints, what shrinking writes, and what is kept of those that failed.
 */
#ifndef TESTS_MODEL_CONNECTION_PLAN_H
#define TESTS_MODEL_CONNECTION_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    PLAN_THREADS = 4,
    PLAN_CLIENTS = 6,  /* slots 0..5: connections that the plan creates */
    PLAN_ACCEPTED = 6, /* slots 6..11: connections that came in by a listener */
    PLAN_SLOTS = PLAN_CLIENTS + PLAN_ACCEPTED,
    PLAN_LISTENERS = 2, /* 0: TCP, 1: UDP */
    PLAN_STEPS = 1200,
};

enum op {
    OP_CREATE,  /* slot, target */
    OP_QUEUE,   /* slot, kind of queue */
    OP_HANDLER, /* slot, which handler, 0 = remove */
    OP_START,
    OP_RESTART,
    OP_CANCEL,
    OP_FORCE,
    OP_NEXT,    /* nw_connection_cancel_current_endpoint */
    OP_CONTEXT, /* slot, bits (final, antecedent), priority in eighths, expiry in ms */
    OP_SEND,    /* slot, context, size, bits (complete, idempotent, in pieces) */
    OP_RECEIVE, /* slot, min, max */
    OP_MESSAGE,
    OP_BATCH,   /* slot, steps: the next ones of this thread run inside nw_connection_batch */
    OP_INSIDE,  /* slot, steps: the next ones of this thread run inside its next handler */
    OP_GET,     /* slot, which getter */
    OP_RELEASE, /* the program's last reference, where that is not the end of an unseen life */
    OP_HOLD,    /* one retain and one release more */
    OP_SETTLE,  /* waits until the connection is neither unstarted nor preparing */
    OP_ENDED,   /* waits, after a cancel, for the end */
    OP_FLUSH,   /* waits until the client queue has turned once */
    OP_LIMIT,   /* listener, limit */
    OP_POLICY,  /* listener, what becomes of what arrives */
    OP_CLOSE,   /* listener: cancel */
    OP_LISTENER_HANDLER,
    OP_FAULT, /* system call, how many calls from now, errno */
    OP_COUNT,
};

enum target {
    TARGET_TCP,
    TARGET_UDP,
    TARGET_TCP_NAME, /* "localhost": resolved, perhaps raced */
    TARGET_TCP_REFUSED,
    TARGET_UDP_REFUSED,
    TARGET_COUNT,
};

enum queue_kind { QUEUE_SERIAL, QUEUE_CONCURRENT, QUEUE_TARGETED, QUEUE_KINDS };
enum policy { POLICY_START, POLICY_KEEP, POLICY_DROP, POLICY_COUNT };

enum { CONTEXT_FINAL = 1, CONTEXT_ANTECEDENT = 2 };
enum { SEND_COMPLETE = 1, SEND_IDEMPOTENT = 2, SEND_PIECES = 4 };
/* Contexts of OP_SEND: three predefined ones, then the connection's own, oldest first. */
enum { DEFAULT_MESSAGE, DEFAULT_STREAM, FINAL_MESSAGE, OWN_CONTEXTS };

struct step {
    uint8_t thread, op, slot;
    uint32_t a, b, c;
};

struct plan {
    uint64_t seed;
    unsigned threads, count;
    struct step steps[PLAN_STEPS];
};

struct draw { /* the same numbers for the same seed, on any machine */
    uint64_t state;
};
uint32_t draw(struct draw *draw);
/* 0 .. below - 1 */
uint32_t draw_below(struct draw *draw, uint32_t below);
bool draw_chance(struct draw *draw, unsigned percent);

/* steps: how many the plan has. faults: system calls may fail. */
void plan_make(struct plan *plan, uint64_t seed, unsigned threads, unsigned steps, bool faults);
void plan_write(const struct plan *plan, FILE *out);
/* False, with a message on stderr, when the text is no plan. */
bool plan_read(struct plan *plan, const char *path);

#endif
