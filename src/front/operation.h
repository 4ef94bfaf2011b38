/*
 * operation.h - a public call on its way into the serial context of a front object.
 * What:   runs at once when the context is idle, otherwise in turn; so the calls of one thread keep
 *         their order, since a busy context queues them all.
 * Runs:   perform on any thread; apply inside the context.
 */
#ifndef NWI_FRONT_OPERATION_H
#define NWI_FRONT_OPERATION_H

#include "base/callback.h"
#include "base/task.h"
#include "front/callout.h"

struct nwi_serial;

struct nwi_operation {
    struct nwi_task task;
    void *object; /* borrowed: its context holds it while it has work */
    void (*apply)(void *object, struct nwi_operation *operation);
    struct nwi_callback callback; /* each of these as `apply` wants it */
    dispatch_queue_t queue;
    void *subject;
    int number;
};

/* Copies the operation when it has to wait. */
void nwi_operation_perform(struct nwi_serial *context, struct nwi_operation operation);
/* True, and logged as misuse of `function`, when `object` is NULL. */
bool nwi_refuse_null(const void *object, const char *function, const char *what);

#endif
