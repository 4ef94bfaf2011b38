/*
 * io_operation.c - operations of dispatch I/O and how their handlers are called.
 * What:   messages to one handler run one at a time and in order, on any kind of queue.
 * Runs:   reports in the file's context; handlers on the operation's queue.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/io_internal.h"
#include <sched.h>

static void destroy(void *object) {
    struct nwi_io_operation *operation = object;
    nwi_callback_clear(&operation->handler);
    nwi_release(operation->queue);
    nwi_release(operation->context.data);
    pthread_mutex_destroy(&operation->mail.lock);
    nwi_release(operation->file);
}

static const struct nwi_type operation_type = {
    .name = "dispatch_io operation", .size = sizeof(struct nwi_io_operation), .destroy = destroy};

/* --- messages --- */

static void call(struct nwi_io_operation *operation, const struct nwi_io_message *message) {
    if (operation->once)
        NWI_CALL(operation->handler, void, (dispatch_data_t, int), message->data, message->error);
    else
        NWI_CALL(operation->handler, void, (bool, dispatch_data_t, int), message->done,
                 message->data, message->error);
}

static void run_mail(struct nwi_task *task) {
    struct nwi_io_operation *operation = nwi_container_of(task, struct nwi_io_operation, mail.task);
    pthread_mutex_lock(&operation->mail.lock);
    struct nwi_io_message *message = STAILQ_FIRST(&operation->mail.messages);
    STAILQ_REMOVE_HEAD(&operation->mail.messages, link);
    pthread_mutex_unlock(&operation->mail.lock);
    bool done = message->done;
    call(operation, message);
    nwi_release(message->data);
    nwi_free(message);
    if (done) {
        nwi_release(operation); /* the flow's reference: nothing follows the last message */
        return;
    }
    pthread_mutex_lock(&operation->mail.lock);
    operation->mail.busy = !STAILQ_EMPTY(&operation->mail.messages);
    bool more = operation->mail.busy;
    pthread_mutex_unlock(&operation->mail.lock);
    if (more)
        nwi_queue_push(operation->queue, &operation->mail.task);
}

/* Consumes `data`. */
static void send(struct nwi_io_operation *operation, bool done, dispatch_data_t data, int error) {
    struct nwi_io_message *message;
    while ((message = nwi_alloc(sizeof(*message))) == NULL)
        sched_yield(); /* a handler is owed its call */
    message->done = done;
    message->data = data;
    message->error = error;
    pthread_mutex_lock(&operation->mail.lock);
    STAILQ_INSERT_TAIL(&operation->mail.messages, message, link);
    bool push = !operation->mail.busy;
    operation->mail.busy = true;
    pthread_mutex_unlock(&operation->mail.lock);
    if (push)
        nwi_queue_push(operation->queue, &operation->mail.task);
}

/* --- reports --- */

static void tick(struct nwi_alarm *alarm) {
    struct nwi_io_operation *operation = alarm->owner;
    nwi_io_operation_report(operation, operation->strict);
    nwi_alarm_set(&operation->context.alarm, nwi_now() + operation->interval);
}

/* What a write has still to do. */
static dispatch_data_t copy_rest(struct nwi_io_operation *operation) {
    dispatch_data_t rest =
        dispatch_data_create_subrange(operation->context.data, operation->context.moved, SIZE_MAX);
    if (rest == NULL)
        nwi_log(NWI_LOG_ERROR, "dispatch", "io", "no memory to tell what is left of a write");
    return rest;
}

void nwi_io_operation_report(struct nwi_io_operation *operation, bool force) {
    if (operation->once || operation->direction == NWI_BARRIER)
        return;
    if (operation->direction == NWI_READING) {
        size_t size = dispatch_data_get_size(operation->context.data);
        if (size >= operation->low || (force && size > 0))
            send(operation, false, nwi_take(&operation->context.data), 0);
        return;
    }
    size_t fresh = operation->context.moved - operation->context.reported;
    if (fresh > 0 && (force || fresh >= operation->low)) {
        operation->context.reported = operation->context.moved;
        send(operation, false, copy_rest(operation), 0);
    }
}

void nwi_io_operation_finish(struct nwi_io_operation *operation, int error, bool eof) {
    if (operation->interval > 0)
        nwi_alarm_stop(&operation->context.alarm);
    dispatch_data_t data = NULL;
    if (operation->direction == NWI_READING) {
        if (eof)
            nwi_io_operation_report(operation, true); /* then the end: done, and empty */
        data = nwi_take(&operation->context.data);
        if (data == NULL)
            data = dispatch_data_empty;
    } else if (operation->direction == NWI_WRITING && error != 0) {
        data = copy_rest(operation);
    }
    send(operation, true, data, error);
}

struct nwi_io_operation *nwi_io_operation_create(struct nwi_io_file *file,
                                                 enum nwi_io_direction direction,
                                                 dispatch_queue_t queue,
                                                 struct nwi_callback handler) {
    struct nwi_io_operation *operation = nwi_object_create(&operation_type, 0);
    if (operation == NULL)
        return NULL;
    operation->direction = direction;
    operation->file = nwi_retain(file);
    operation->queue = nwi_retain(queue);
    operation->handler = handler;
    operation->low = 1;
    operation->high = SIZE_MAX;
    pthread_mutex_init(&operation->mail.lock, NULL);
    STAILQ_INIT(&operation->mail.messages);
    operation->mail.task.run = run_mail;
    nwi_alarm_init(&operation->context.alarm, &file->serial, nwi_loop_pick(), operation, tick);
    return operation;
}
