/*
 * operation.c - see operation.h.
 */
#include "front/operation.h"
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/serial.h"
#include <stdio.h>

static void arrived(struct nwi_task *task) {
    struct nwi_operation *operation = nwi_container_of(task, struct nwi_operation, task);
    operation->apply(operation->object, operation);
    nwi_free(operation);
}

void nwi_operation_perform(struct nwi_serial *context, struct nwi_operation operation) {
    if (nwi_serial_try_enter(context)) {
        operation.apply(operation.object, &operation);
        nwi_serial_leave(context);
        return;
    }
    struct nwi_operation *queued = nwi_alloc_certain(sizeof *queued);
    *queued = operation;
    queued->task.run = arrived;
    nwi_serial_push(context, &queued->task);
}

bool nwi_refuse_null(const void *object, const char *function, const char *what) {
    char text[64];
    if (object != NULL)
        return false;
    snprintf(text, sizeof text, "%s is NULL", what);
    nwi_log_misuse(function, text);
    return true;
}
