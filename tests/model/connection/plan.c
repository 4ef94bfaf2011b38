/*
 * plan.c - see plan.h.
 * What:   a plan is drawn so that it goes deep: a connection that is created is mostly also set up
 *         and started soon, and waited for now and then; all else is left to chance.
 */
#include "plan.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char *const op_names[OP_COUNT] = {
    [OP_CREATE] = "create",   [OP_QUEUE] = "queue",     [OP_HANDLER] = "handler",
    [OP_START] = "start",     [OP_RESTART] = "restart", [OP_CANCEL] = "cancel",
    [OP_FORCE] = "force",     [OP_NEXT] = "next",       [OP_CONTEXT] = "context",
    [OP_SEND] = "send",       [OP_RECEIVE] = "receive", [OP_MESSAGE] = "message",
    [OP_BATCH] = "batch",     [OP_INSIDE] = "inside",   [OP_GET] = "get",
    [OP_RELEASE] = "release", [OP_HOLD] = "hold",       [OP_SETTLE] = "settle",
    [OP_ENDED] = "ended",     [OP_FLUSH] = "flush",     [OP_LIMIT] = "limit",
    [OP_POLICY] = "policy",   [OP_CLOSE] = "close",     [OP_LISTENER_HANDLER] = "arrivals",
    [OP_FAULT] = "fault",
};

/* How often each is drawn; those of 0 come only as part of a set-up or when asked for. */
static const unsigned weight[OP_COUNT] = {
    [OP_CREATE] = 6,
    [OP_QUEUE] = 2,
    [OP_HANDLER] = 3,
    [OP_START] = 2,
    [OP_RESTART] = 2,
    [OP_CANCEL] = 4,
    [OP_FORCE] = 2,
    [OP_NEXT] = 1,
    [OP_CONTEXT] = 8,
    [OP_SEND] = 40,
    [OP_RECEIVE] = 36,
    [OP_MESSAGE] = 4,
    [OP_BATCH] = 3,
    [OP_INSIDE] = 10,
    [OP_GET] = 6,
    [OP_RELEASE] = 4,
    [OP_HOLD] = 2,
    [OP_SETTLE] = 10,
    [OP_ENDED] = 3,
    [OP_FLUSH] = 6,
    [OP_LIMIT] = 1,
    [OP_POLICY] = 1,
    [OP_LISTENER_HANDLER] = 1,
};

uint32_t draw(struct draw *draw) { /* splitmix64 */
    uint64_t z = draw->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) >> 32);
}

uint32_t draw_below(struct draw *source, uint32_t below) {
    return draw(source) % below;
}

bool draw_chance(struct draw *source, unsigned percent) {
    return draw_below(source, 100) < percent;
}

static enum op draw_op(struct draw *source) {
    unsigned sum = 0;
    for (unsigned i = 0; i < OP_COUNT; i++)
        sum += weight[i];
    unsigned at = draw_below(source, sum);
    for (unsigned i = 0; i < OP_COUNT; i++) {
        if (at < weight[i])
            return (enum op)i;
        at -= weight[i];
    }
    return OP_FLUSH;
}

static uint32_t draw_target(struct draw *source) {
    static const uint8_t often[] = {TARGET_TCP,         TARGET_TCP,        TARGET_TCP,
                                    TARGET_UDP,         TARGET_UDP,        TARGET_TCP_NAME,
                                    TARGET_TCP_REFUSED, TARGET_UDP_REFUSED};
    return often[draw_below(source, sizeof often)];
}

/* Small, around the sizes where a layer changes its mind, and sometimes more than a socket holds.
 */
static uint32_t draw_size(struct draw *source) {
    static const uint32_t edges[] = {8, 9, 2047, 2048, 2049, 16384, 65507, 65508, 65536};
    switch (draw_below(source, 16)) {
    case 0:
        return 0;
    case 1:
        return edges[draw_below(source, sizeof edges / sizeof edges[0])];
    case 2:
        return 8 + draw_below(source, 300 * 1024);
    case 3:
    case 4:
        return 8 + draw_below(source, 8000);
    default:
        return 8 + draw_below(source, 120);
    }
}

static uint32_t draw_bound(struct draw *source) {
    static const uint32_t edges[] = {0, 1, 2, 7, 8, 4096, 65536, UINT32_MAX};
    switch (draw_below(source, 4)) {
    case 0:
        return edges[draw_below(source, sizeof edges / sizeof edges[0])];
    case 1:
        return draw_below(source, 40000);
    default:
        return 1 + draw_below(source, 200);
    }
}

static void draw_fault(struct draw *source, struct step *step) {
    static const int codes[] = {EAGAIN, EINTR,      ENOBUFS,     ENOMEM,       EMFILE,
                                ENFILE, ECONNRESET, EPIPE,       EHOSTUNREACH, ENETUNREACH,
                                EACCES, EINVAL,     ECONNABORTED};
    step->a = draw_below(source, 16); /* the first of enum fake_sys_call: those of sockets */
    step->b = 1 + draw_below(source, 8);
    step->c = (uint32_t)codes[draw_below(source, sizeof codes / sizeof codes[0])];
}

static void draw_arguments(struct draw *source, struct step *step) {
    switch (step->op) {
    case OP_CREATE:
        step->slot = (uint8_t)draw_below(source, PLAN_CLIENTS);
        step->a = draw_target(source);
        break;
    case OP_QUEUE:
        step->a = draw_below(source, QUEUE_KINDS);
        break;
    case OP_HANDLER:
        step->a = draw_below(source, 4);
        step->b = draw_chance(source, 85);
        break;
    case OP_CONTEXT:
        step->a = draw_chance(source, 5) | (uint32_t)draw_chance(source, 30) << 1;
        step->b = draw_chance(source, 50) ? 4 : draw_below(source, 9);
        step->c = draw_chance(source, 15) ? 1 + draw_below(source, 30) : 0;
        break;
    case OP_SEND:
        step->a = draw_chance(source, 60)  ? DEFAULT_MESSAGE
                  : draw_chance(source, 4) ? FINAL_MESSAGE
                  : draw_chance(source, 5) ? DEFAULT_STREAM
                                           : OWN_CONTEXTS + draw_below(source, 8);
        step->b = draw_size(source);
        step->c = draw_chance(source, 80) | (uint32_t)draw_chance(source, 10) << 1 |
                  (uint32_t)draw_chance(source, 25) << 2;
        if (step->a == DEFAULT_STREAM && draw_chance(source, 70))
            step->c &= ~(uint32_t)SEND_COMPLETE;
        break;
    case OP_RECEIVE:
        step->a = draw_chance(source, 70) ? 1 : draw_bound(source);
        step->b = draw_bound(source);
        break;
    case OP_BATCH:
    case OP_INSIDE:
        step->a = 1 + draw_below(source, 4);
        break;
    case OP_GET:
        step->a = draw_below(source, 8);
        break;
    case OP_LIMIT:
        step->slot = (uint8_t)draw_below(source, PLAN_LISTENERS);
        step->a = draw_chance(source, 60) ? UINT32_MAX : draw_below(source, 4);
        break;
    case OP_POLICY:
        step->slot = (uint8_t)draw_below(source, PLAN_LISTENERS);
        step->a = draw_chance(source, 60) ? POLICY_START : draw_below(source, POLICY_COUNT);
        break;
    case OP_CLOSE:
    case OP_LISTENER_HANDLER:
        step->slot = (uint8_t)draw_below(source, PLAN_LISTENERS);
        break;
    case OP_FAULT:
        draw_fault(source, step);
        break;
    default:
        break;
    }
}

static struct step *add(struct plan *plan, uint8_t thread, enum op op, uint8_t slot) {
    if (plan->count == PLAN_STEPS)
        plan->count--; /* the last is replaced: only a set-up at the very end */
    struct step *step = &plan->steps[plan->count++];
    *step = (struct step){.thread = thread, .op = (uint8_t)op, .slot = slot};
    return step;
}

static struct step *add_drawn(struct plan *plan, struct draw *source, uint8_t thread, enum op op,
                              uint8_t slot) {
    struct step *step = add(plan, thread, op, slot);
    draw_arguments(source, step);
    step->slot = slot;
    return step;
}

/* Calls that may come before anything else. */
static void add_early_calls(struct plan *plan, struct draw *source, uint8_t thread, uint8_t slot) {
    static const uint8_t early[] = {OP_RECEIVE, OP_RECEIVE, OP_MESSAGE, OP_SEND,
                                    OP_CONTEXT, OP_QUEUE,   OP_HANDLER, OP_GET};
    for (unsigned count = draw_below(source, 6); count > 0; count--)
        add_drawn(plan, source, thread, early[draw_below(source, sizeof early)], slot);
    if (draw_chance(source, 30))
        add_drawn(plan, source, thread, OP_RECEIVE, slot)->b = 0; /* is answered at once */
}

/* What nearly every program does after nw_connection_create. */
static void add_set_up(struct plan *plan, struct draw *source, uint8_t thread, uint8_t slot) {
    if (draw_chance(source, 15))
        add_early_calls(plan, source, thread, slot);
    add(plan, thread, OP_QUEUE, slot)->a =
        draw_chance(source, 70) ? QUEUE_SERIAL : draw_below(source, QUEUE_KINDS);
    for (uint32_t which = 0; which < 4; which++)
        if (which == 0 || draw_chance(source, 20)) {
            struct step *step = add(plan, thread, OP_HANDLER, slot);
            step->a = which;
            step->b = 1;
        }
    if (draw_chance(source, 15))
        add_early_calls(plan, source, thread, slot);
    if (draw_chance(source, 6)) { /* given up before it was ever started */
        add(plan, thread, OP_RELEASE, slot);
        return;
    }
    add(plan, thread, OP_START, slot);
    if (draw_chance(source, 60))
        add(plan, thread, OP_SETTLE, slot);
}

/* Whether a call ends something, so that little can be seen afterwards. */
static bool is_destructive(enum op op) {
    return op == OP_CREATE || op == OP_CANCEL || op == OP_FORCE || op == OP_NEXT ||
           op == OP_RELEASE || op == OP_CLOSE || op == OP_LIMIT || op == OP_POLICY;
}

void plan_make(struct plan *plan, uint64_t seed, unsigned threads, unsigned steps, bool faults) {
    struct draw source = {seed * UINT64_C(0x2545f4914f6cdd1d) + 1};
    *plan = (struct plan){.seed = seed, .threads = threads};
    if (steps > PLAN_STEPS)
        steps = PLAN_STEPS;
    unsigned busy = 2 + draw_below(&source, PLAN_CLIENTS - 1); /* slots of this plan */
    static const uint8_t calms[] = {0, 0, 60, 90, 97};
    unsigned calm = calms[draw_below(&source, sizeof calms)]; /* per cent of ends not made */
    while (plan->count < steps) {
        uint8_t thread = (uint8_t)draw_below(&source, threads);
        enum op op = faults && draw_chance(&source, 2) ? OP_FAULT : draw_op(&source);
        uint8_t slot =
            (uint8_t)(draw_below(&source, busy) + (draw_chance(&source, 45) ? PLAN_CLIENTS : 0));
        if (slot >= PLAN_CLIENTS && draw_chance(&source, 1))
            op = OP_CLOSE;
        if (plan->count > steps / 8 && is_destructive(op) && draw_chance(&source, calm))
            continue;
        struct step *step = add(plan, thread, op, slot);
        draw_arguments(&source, step);
        if (calm > 80 && op == OP_SEND && step->a < OWN_CONTEXTS && step->a != DEFAULT_MESSAGE)
            step->c &= ~(uint32_t)SEND_COMPLETE; /* ends no direction */
        if (op == OP_CREATE) {
            step->slot = (uint8_t)(step->slot % busy);
            if (draw_chance(&source, 85))
                add_set_up(plan, &source, thread, step->slot);
        }
    }
}

/* --- text --- */

void plan_write(const struct plan *plan, FILE *out) {
    fprintf(out, "plan %llu %u\n", (unsigned long long)plan->seed, plan->threads);
    for (unsigned i = 0; i < plan->count; i++) {
        const struct step *step = &plan->steps[i];
        fprintf(out, "%u %s %u %u %u %u\n", step->thread, op_names[step->op], step->slot, step->a,
                step->b, step->c);
    }
}

static bool read_step(const char *line, struct plan *plan) {
    char name[16];
    unsigned thread, slot, a, b, c;
    if (sscanf(line, "%u %15s %u %u %u %u", &thread, name, &slot, &a, &b, &c) != 6 ||
        thread >= PLAN_THREADS || slot >= PLAN_SLOTS || plan->count == PLAN_STEPS)
        return false;
    for (unsigned op = 0; op < OP_COUNT; op++)
        if (strcmp(name, op_names[op]) == 0) {
            plan->steps[plan->count++] =
                (struct step){(uint8_t)thread, (uint8_t)op, (uint8_t)slot, a, b, c};
            return true;
        }
    return false;
}

bool plan_read(struct plan *plan, const char *path) {
    char line[128];
    unsigned long long seed = 0;
    *plan = (struct plan){.threads = 0};
    FILE *in = fopen(path, "re");
    bool good = in != NULL;
    for (unsigned number = 1; good && fgets(line, sizeof line, in) != NULL; number++) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (plan->threads == 0) {
            good = sscanf(line, "plan %llu %u", &seed, &plan->threads) == 2 && plan->threads >= 1 &&
                   plan->threads <= PLAN_THREADS;
            plan->seed = seed;
        } else {
            good = read_step(line, plan);
        }
        if (!good)
            fprintf(stderr, "%s:%u: not understood: %s", path, number, line);
    }
    if (in == NULL)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    else
        fclose(in);
    return good && plan->threads > 0;
}
