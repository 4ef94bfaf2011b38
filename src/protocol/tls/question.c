/*
 * question.c - see question.h.
 * Source: semantics of the handlers of sec_protocol_options_t; Block ABI ("Block Implementation
 *         Specification") for the completion of a block, which is a block.
 * Owns:   the list of questions that are out. One that is never answered stays in it: its handler
 *         may still do so.
 */
#include "protocol/tls/question.h"
#include "base/log.h"
#include "dispatch/dispatch.h"
#include "dispatch/serial.h"
#include "loop/loop.h"
#include <pthread.h>

LIST_HEAD(out_list, nwi_tls_question);
enum { OUT_LISTS = 64 };
#define QUICK (NWI_MS / 4)             /* a handler that takes longer is slow */
static struct out_list out[OUT_LISTS]; /* by number; under the lock */
static uint64_t last_number;           /* under the lock */
static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;

static void drop_what_it_got(struct nwi_tls_question *question) {
    nwi_release(nwi_take(&question->metadata));
    nwi_release(nwi_take(&question->trust));
    nwi_release(nwi_take(&question->hint));
    nwi_release(nwi_take(&question->handler));
}

static void destroy(void *object) {
    struct nwi_tls_question *question = object;
    drop_what_it_got(question);
    nwi_release(question->identity);
    nwi_release(question->key_name);
    nwi_release(question->context_owner);
}

static const struct nwi_type question_type = {
    .name = "nwi_tls_question",
    .size = sizeof(struct nwi_tls_question),
    .destroy = destroy,
};

struct nwi_tls_question *nwi_tls_question_create(enum nwi_tls_asks asks,
                                                 struct nwi_sec_handler *handler) {
    struct nwi_tls_question *question = nwi_object_create(&question_type, 0);
    if (question == NULL)
        return NULL;
    question->asks = asks;
    question->handler = nwi_retain(handler);
    return question;
}

/* --- the way back --- */

static void bring_back(struct nwi_task *task) { /* in the protocol context */
    struct nwi_tls_question *question = nwi_container_of(task, struct nwi_tls_question, task);
    if (question->back != NULL)
        question->back(question);
    nwi_release(question);
}

/* Takes the question of that number off the list: the list's reference is the caller's. */
static struct nwi_tls_question *take(uint64_t number) {
    struct nwi_tls_question *question;
    pthread_mutex_lock(&out_lock);
    LIST_FOREACH (question, &out[number % OUT_LISTS], link)
        if (question->number == number)
            break;
    if (question != NULL)
        LIST_REMOVE(question, link);
    pthread_mutex_unlock(&out_lock);
    if (question == NULL)
        nwi_log_misuse("sec_protocol_options", "a handler has given its answer a second time");
    return question;
}

static void answered(struct nwi_tls_question *question) {
    question->task.run = bring_back;
    if (question->context != NULL)
        nwi_serial_push(question->context, &question->task);
    else
        bring_back(&question->task);
}

static void answer_verify(uint64_t number, bool yes) {
    struct nwi_tls_question *question = take(number);
    if (question == NULL)
        return;
    question->yes = yes;
    answered(question);
}

static void answer_challenge(uint64_t number, sec_identity_t identity) {
    struct nwi_tls_question *question = take(number);
    if (question == NULL)
        return;
    question->identity = nwi_retain(identity);
    answered(question);
}

static void answer_key(uint64_t number, dispatch_data_t name) {
    struct nwi_tls_question *question = take(number);
    if (question == NULL)
        return;
    question->key_name = nwi_retain(name);
    answered(question);
}

static void answer_key_update(uint64_t number) {
    struct nwi_tls_question *question = take(number);
    if (question != NULL)
        answered(question);
}

/* --- completions: as functions, whose context is the number ... --- */

static void verify_f(void *context, bool result) {
    answer_verify((uintptr_t)context, result);
}
static void challenge_f(void *context, sec_identity_t identity) {
    answer_challenge((uintptr_t)context, identity);
}
static void key_f(void *context, dispatch_data_t name) {
    answer_key((uintptr_t)context, name);
}
static void key_update_f(void *context) {
    answer_key_update((uintptr_t)context);
}

/* --- ... and as blocks, which hold it --- */

extern void *_NSConcreteStackBlock[32];
struct completion {
    void *isa;
    int flags, reserved;
    nwi_fn invoke;
    const void *descriptor;
    uint64_t number;
};
static const struct {
    unsigned long reserved, size;
} completion_descriptor = {0, sizeof(struct completion)};

static void verify_invoke(struct completion *block, bool result) {
    answer_verify(block->number, result);
}
static void challenge_invoke(struct completion *block, sec_identity_t identity) {
    answer_challenge(block->number, identity);
}
static void key_invoke(struct completion *block, dispatch_data_t name) {
    answer_key(block->number, name);
}
static void key_update_invoke(struct completion *block) {
    answer_key_update(block->number);
}

/* --- the way there --- */

/* Parameters of a handler are followed by a block, or by a function and its context: called with
 * all of these, each kind takes what is its own. */
#define ASK(types, ...)                                                                            \
    do {                                                                                           \
        if (question->handler->is_block)                                                           \
            NWI_CALL(question->handler->callback, void, (NWI_UNPAREN types, const void *),         \
                     __VA_ARGS__, &block);                                                         \
        else                                                                                       \
            NWI_CALL(question->handler->callback, void, (NWI_UNPAREN types, nwi_fn, void *),       \
                     __VA_ARGS__, function, (void *)(uintptr_t)question->number);                  \
    } while (0)

static void call_handler(struct nwi_tls_question *question) {
    static const nwi_fn functions[] = {(nwi_fn)verify_f, (nwi_fn)challenge_f, (nwi_fn)key_f,
                                       (nwi_fn)key_update_f};
    static const nwi_fn invokes[] = {(nwi_fn)verify_invoke, (nwi_fn)challenge_invoke,
                                     (nwi_fn)key_invoke, (nwi_fn)key_update_invoke};
    nwi_fn function = functions[question->asks];
    struct completion block = {.isa = _NSConcreteStackBlock,
                               .invoke = invokes[question->asks],
                               .descriptor = &completion_descriptor,
                               .number = question->number};
    switch (question->asks) {
    case NWI_TLS_ASK_VERIFY:
        ASK((sec_protocol_metadata_t, sec_trust_t), question->metadata, question->trust);
        break;
    case NWI_TLS_ASK_KEY:
        ASK((sec_protocol_metadata_t, dispatch_data_t), question->metadata, question->hint);
        break;
    case NWI_TLS_ASK_CHALLENGE:
    case NWI_TLS_ASK_KEY_UPDATE:
        ASK((sec_protocol_metadata_t), question->metadata);
        break;
    }
}

/* On the handler's queue, so perhaps on a loop. A handler that has taken its time before (it asks a
 * server, a disk, a person) shall not hold that up until the loop's patience ends: a thousand of
 * them in a row would, with each connection that is there. A quick one is not worth a change of
 * threads. */
static void run_handler(struct nwi_task *task) {
    struct nwi_tls_question *question = nwi_container_of(task, struct nwi_tls_question, task);
    /* Relaxed, here and below: a hint. */
    if (atomic_load_explicit(&question->handler->slow, memory_order_relaxed))
        nwi_loop_will_block();
    nwi_ns begun = nwi_now();
    call_handler(question);
    atomic_store_explicit(&question->handler->slow, nwi_now() - begun > QUICK,
                          memory_order_relaxed);
    drop_what_it_got(question); /* the answer may never come */
    nwi_release(question);
}

void nwi_tls_question_post(struct nwi_tls_question *question, struct nwi_serial *context,
                           void *context_owner) {
    question->posted = true;
    question->context = context;
    question->context_owner = nwi_retain(context_owner);
    question->task.run = run_handler;
    nwi_retain(question); /* the list's, later that of the way back */
    nwi_retain(question); /* the handler's */
    pthread_mutex_lock(&out_lock);
    question->number = ++last_number;
    LIST_INSERT_HEAD(&out[question->number % OUT_LISTS], question, link);
    pthread_mutex_unlock(&out_lock);
    nwi_queue_push(question->handler->queue, &question->task);
}

void nwi_tls_question_forget(struct nwi_tls_question *question) {
    question->back = NULL;
    nwi_release(question);
}
