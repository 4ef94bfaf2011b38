/*
 * question.h - one question to a handler of the program, on its way there and back.
 * What:   the handler runs on its queue; whoever answers names the question by a number, so an
 *         answer that comes twice, or after all is gone, finds nothing and does no harm.
 * Runs:   created, posted and forgotten in the protocol context; answered on any thread.
 */
#ifndef NWI_PROTOCOL_TLS_QUESTION_H
#define NWI_PROTOCOL_TLS_QUESTION_H

#include "base/task.h"
#include "model/sec_options.h"
#include <sys/queue.h>

struct nwi_serial;

enum nwi_tls_asks {
    NWI_TLS_ASK_VERIFY,
    NWI_TLS_ASK_CHALLENGE,
    NWI_TLS_ASK_KEY,
    NWI_TLS_ASK_KEY_UPDATE
};

struct nwi_tls_question {
    struct nwi_object base;
    enum nwi_tls_asks asks;
    /* what the handler gets; owned */
    sec_protocol_metadata_t metadata;
    sec_trust_t trust;
    dispatch_data_t hint;
    /* what it answered; owned */
    bool yes;
    sec_identity_t identity;
    dispatch_data_t key_name;
    /* who waits: called in the context; NULL: nobody any more */
    void (*back)(struct nwi_tls_question *question);
    void *waiter;
    bool posted;
    /* question.c alone */
    struct nwi_sec_handler *handler; /* retained */
    struct nwi_serial *context;      /* NULL: answers are taken where they are given (tests) */
    void *context_owner;             /* retained */
    struct nwi_task task;
    uint64_t number;
    LIST_ENTRY(nwi_tls_question) link; /* of those that are out; under the list's lock */
};

/* For `handler`, retained. +1 or NULL. */
struct nwi_tls_question *nwi_tls_question_create(enum nwi_tls_asks asks,
                                                 struct nwi_sec_handler *handler);
/* Sends it to the program. `context`: where back() is called. */
void nwi_tls_question_post(struct nwi_tls_question *question, struct nwi_serial *context,
                           void *context_owner);
/* The waiter goes: releases its reference. */
void nwi_tls_question_forget(struct nwi_tls_question *question);

#endif
