/*
 * path_monitor.c - nw_path_monitor_t: tells the machine's path, and each change of it once.
 * Source: nw_path_monitor_t as documented: a path soon after the start, then when it has become
 *         another one; after cancelling the cancel handler, and nothing more. docs/how/path.md.
 * Runs:   public calls on any thread become operations in the monitor's serial context; handlers on
 *         its queue.
 * Owns:   a started monitor holds itself until it has told its end.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/alarm.h"
#include "front/operation.h"
#include "model/parameters.h"
#include "path/monitor.h"
#include "path/table.h"
#include "path/view.h"
#include <Network/path_explanation.h>

/* How long addresses and routes may be away, their link running, before that is told: a DHCP client
 * that moves to another address takes a few runs of ip(8) for it. */
#define SETTLE (200 * NWI_MS)
#define RETRY NWI_SEC /* after the network could not be looked at */

enum handler_kind { HANDLER_UPDATE, HANDLER_CANCEL, HANDLERS };

struct nw_path_monitor {
    struct nwi_object base;
    struct nwi_loop *loop;
    struct nwi_serial context;
    struct nwi_outlet outlet;
    struct { /* in the context */
        struct nwi_path_view view;
        bool started, ended, holds_itself;
        bool settling; /* the alarm is set for a setback; else for a retry, if at all */
        struct nwi_handler *handlers[HANDLERS];
        struct nwi_path_subscription *changes; /* owned; NULL: not watching */
        struct nwi_alarm alarm;
        nw_path_t told; /* owned; NULL: nothing yet */
        nwi_ns seen;    /* when the table was read that was looked at last */
    } protocol;
    _Atomic bool
        cancelled; /* release by end, acquire by call_out: updates on their way stay away */
};

static void perform(nw_path_monitor_t monitor, struct nwi_operation operation) {
    operation.object = monitor;
    nwi_operation_perform(&monitor->context, operation);
}

static bool refuse_null(const void *object, const char *function) {
    return nwi_refuse_null(object, function, "monitor");
}

/* --- telling --- */
struct notice {
    struct nwi_task task;
    nw_path_monitor_t monitor;   /* borrowed: the outlet holds it */
    struct nwi_handler *handler; /* owned */
    nw_path_t path;              /* owned; NULL: the end */
    bool last;                   /* gives up the monitor's hold on itself */
};

static void call_out(struct nwi_task *task) {
    struct notice *notice = nwi_container_of(task, struct notice, task);
    nw_path_monitor_t monitor = notice->monitor;
    if (notice->handler != NULL && notice->path == NULL)
        NWI_CALL0(notice->handler->callback, void);
    else if (notice->handler != NULL &&
             !atomic_load_explicit(&monitor->cancelled, memory_order_acquire))
        NWI_CALL(notice->handler->callback, void, (nw_path_t), notice->path);
    nwi_release(notice->handler);
    nwi_release(notice->path);
    if (notice->last)
        nwi_release(monitor);
    nwi_free(notice);
}

static void tell(nw_path_monitor_t monitor, enum handler_kind which, nw_path_t path, bool last) {
    struct notice *notice = nwi_alloc_certain(sizeof *notice);
    *notice = (struct notice){.task.run = call_out,
                              .monitor = monitor,
                              .handler = nwi_retain(monitor->protocol.handlers[which]),
                              .path = nwi_retain(path),
                              .last = last};
    nwi_outlet_push(&monitor->outlet, &notice->task);
}

/* --- looking --- */
static void set_alarm(nw_path_monitor_t monitor, nwi_ns delay, bool settling) {
    if (settling && monitor->protocol.settling)
        return; /* counted from the first change */
    if (nwi_alarm_set(&monitor->protocol.alarm, nwi_now() + delay) == 0)
        monitor->protocol.settling = settling;
    else
        nwi_log(NWI_LOG_ERROR, "path-monitor", "memory",
                "no memory for a timer: the next change of the network will be told");
}

static void clear_alarm(nw_path_monitor_t monitor) {
    nwi_alarm_stop(&monitor->protocol.alarm);
    monitor->protocol.settling = false;
}

/* Tells the path that the table shows, unless it is what was told last, or `patient` and likely to
 * be taken back at once. */
static void consider(nw_path_monitor_t monitor, const struct nwi_path_table *table, bool patient) {
    nw_path_t told = monitor->protocol.told;
    if (table->read_at < monitor->protocol.seen)
        return; /* the alarm has seen a later one */
    monitor->protocol.seen = table->read_at;
    if (told == NULL && !table->costs_settled)
        return; /* the first path is no guess: a notice comes when they have settled */
    NWI_AUTO_RELEASE
    nw_path_t path = nwi_path_view_path(&monitor->protocol.view, table);
    if (path == NULL) {
        set_alarm(monitor, RETRY, false);
        return;
    }
    if (told != NULL && nw_path_is_equal(told, path)) {
        clear_alarm(monitor);
        return;
    }
    if (patient && told != NULL && nwi_path_is_setback(told, path, table)) {
        set_alarm(monitor, SETTLE, true);
        return;
    }
    clear_alarm(monitor);
    nwi_release(told);
    monitor->protocol.told = nwi_retain(path);
    tell(monitor, HANDLER_UPDATE, path, false);
}

static void path_changed(void *object) {
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_latest();
    if (table != NULL)
        consider(object, table, true);
}

static void watch_now(nw_path_monitor_t monitor) {
    nwi_err err = nwi_path_subscribe(&monitor->context, monitor, path_changed, monitor,
                                     &monitor->protocol.changes);
    if (err == 0) {
        NWI_AUTO_RELEASE
        struct nwi_path_table *table = nwi_path_copy_table();
        if (table != NULL)
            consider(monitor, table, true);
        else
            set_alarm(monitor, RETRY, false);
        return;
    }
    nwi_log(NWI_LOG_ERROR, "path-monitor", "watch", "the network cannot be watched now: %s",
            nwi_err_text(err));
    set_alarm(monitor, RETRY, false);
}

/* A setback that lasted is told. After a time without running (a suspended machine, a stopped
 * process) the alarm may come before the kernel's news: the kernel is asked, not the last table. */
static void alarm_fired(struct nwi_alarm *alarm) {
    nw_path_monitor_t monitor = nwi_container_of(alarm, struct nw_path_monitor, protocol.alarm);
    monitor->protocol.settling = false;
    if (monitor->protocol.changes == NULL) {
        watch_now(monitor);
        return;
    }
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_read_table();
    if (table != NULL)
        consider(monitor, table, false);
    else
        set_alarm(monitor, RETRY, false);
}

/* --- making one --- */
static void destroy_monitor(void *object) {
    nw_path_monitor_t monitor = object;
    for (int i = 0; i < HANDLERS; i++)
        nwi_release(monitor->protocol.handlers[i]);
    nwi_outlet_clear(&monitor->outlet);
    nwi_release(monitor->protocol.told);
    nwi_release(monitor->protocol.view.rules);
}

static const struct nwi_type monitor_type = {
    .name = "nw_path_monitor",
    .size = sizeof(struct nw_path_monitor),
    .destroy = destroy_monitor,
};

static nw_path_monitor_t create_monitor(struct nwi_path_view view) {
    nw_path_monitor_t monitor = nwi_object_create(&monitor_type, 0);
    if (monitor == NULL)
        return NULL;
    monitor->loop = nwi_loop_pick();
    nwi_serial_init(&monitor->context, monitor->loop, monitor);
    nwi_outlet_init(&monitor->outlet, monitor);
    monitor->protocol.view = view;
    nwi_alarm_init(&monitor->protocol.alarm, &monitor->context, monitor->loop, monitor,
                   alarm_fired);
    return monitor;
}

nw_path_monitor_t nw_path_monitor_create(void) {
    return create_monitor((struct nwi_path_view){0});
}

static bool is_type(nw_interface_type_t type, const char *function) {
    if (type > nw_interface_type_loopback)
        nwi_log_misuse(function, "no such interface type");
    return type <= nw_interface_type_loopback;
}

nw_path_monitor_t nw_path_monitor_create_with_type(nw_interface_type_t required_interface_type) {
    if (!is_type(required_interface_type, __func__))
        return NULL;
    return create_monitor((struct nwi_path_view){.typed = true, .type = required_interface_type});
}

nw_path_monitor_t nw_path_monitor_create_with_rules(nw_parameters_t parameters) {
    nw_parameters_t rules = nwi_parameters_copy_for_connection(parameters);
    if (parameters != NULL && rules == NULL)
        return NULL;
    nw_path_monitor_t monitor = create_monitor(nwi_path_view_of(rules));
    if (monitor == NULL)
        nwi_release(rules);
    return monitor;
}

nw_path_monitor_t nw_path_monitor_create_for_ethernet_channel(void) {
    return create_monitor((struct nwi_path_view){.ethernet = true});
}

/* --- settings --- */
static void apply_prohibit(void *object, struct nwi_operation *operation) {
    nw_path_monitor_t monitor = object;
    if (monitor->protocol.started)
        nwi_log_misuse("nw_path_monitor_prohibit_interface_type",
                       "the monitor has been started: its rules stay");
    else
        monitor->protocol.view.prohibited_types |= 1u << operation->number;
}

void nw_path_monitor_prohibit_interface_type(nw_path_monitor_t monitor,
                                             nw_interface_type_t interface_type) {
    if (!refuse_null(monitor, __func__) && is_type(interface_type, __func__))
        perform(monitor,
                (struct nwi_operation){.apply = apply_prohibit, .number = (int)interface_type});
}

static void apply_queue(void *object, struct nwi_operation *operation) {
    nw_path_monitor_t monitor = object;
    if (monitor->protocol.started)
        nwi_log_misuse("nw_path_monitor_set_queue",
                       "the monitor has been started: the queue stays");
    else
        nwi_outlet_set_queue(&monitor->outlet, operation->queue);
    dispatch_release(operation->queue);
}

void nw_path_monitor_set_queue(nw_path_monitor_t monitor, dispatch_queue_t queue) {
    if (refuse_null(monitor, __func__))
        return;
    if (queue == NULL) {
        nwi_log_misuse(__func__, "queue is NULL");
        return;
    }
    dispatch_retain(queue);
    perform(monitor, (struct nwi_operation){.apply = apply_queue, .queue = queue});
}

static void apply_handler(void *object, struct nwi_operation *operation) {
    nw_path_monitor_t monitor = object;
    if (monitor->protocol.ended) {
        nwi_callback_clear(&operation->callback);
        return;
    }
    struct nwi_handler **slot = &monitor->protocol.handlers[operation->number];
    nwi_release(*slot);
    *slot = nwi_handler_create(operation->callback);
}

static void set_handler(nw_path_monitor_t monitor, const char *function, enum handler_kind which,
                        struct nwi_callback callback) {
    if (refuse_null(monitor, function))
        nwi_callback_clear(&callback);
    else
        perform(monitor, (struct nwi_operation){
                             .apply = apply_handler, .callback = callback, .number = (int)which});
}

void nw_path_monitor_set_update_handler_f(nw_path_monitor_t monitor, void *context,
                                          nw_path_monitor_update_handler_f update_handler) {
    set_handler(monitor, __func__, HANDLER_UPDATE, nwi_callback_f(context, (nwi_fn)update_handler));
}
NW_EXPORT void nw_path_monitor_set_update_handler(nw_path_monitor_t monitor, const void *block) {
    set_handler(monitor, __func__, HANDLER_UPDATE, nwi_callback_block(block));
}
void nw_path_monitor_set_cancel_handler_f(nw_path_monitor_t monitor, void *context,
                                          nw_path_monitor_cancel_handler_f cancel_handler) {
    set_handler(monitor, __func__, HANDLER_CANCEL, nwi_callback_f(context, (nwi_fn)cancel_handler));
}
NW_EXPORT void nw_path_monitor_set_cancel_handler(nw_path_monitor_t monitor, const void *block) {
    set_handler(monitor, __func__, HANDLER_CANCEL, nwi_callback_block(block));
}

/* --- begin and end --- */
static void begin(void *object, struct nwi_operation *operation) {
    nw_path_monitor_t monitor = object;
    (void)operation;
    if (monitor->protocol.started || monitor->protocol.ended)
        return;
    if (monitor->outlet.queue == NULL) {
        nwi_log_misuse("nw_path_monitor_start", "no queue: call nw_path_monitor_set_queue first");
        return;
    }
    monitor->protocol.started = true;
    monitor->protocol.holds_itself = true;
    nwi_retain(monitor);
    watch_now(monitor);
}

void nw_path_monitor_start(nw_path_monitor_t monitor) {
    if (!refuse_null(monitor, __func__))
        perform(monitor, (struct nwi_operation){.apply = begin});
}

static void end(void *object, struct nwi_operation *operation) {
    nw_path_monitor_t monitor = object;
    (void)operation;
    if (monitor->protocol.ended)
        return;
    monitor->protocol.ended = true;
    atomic_store_explicit(&monitor->cancelled, true, memory_order_release);
    clear_alarm(monitor);
    monitor->protocol.changes = nwi_path_unsubscribe(monitor->protocol.changes);
    bool last = monitor->protocol.holds_itself;
    monitor->protocol.holds_itself = false;
    if (monitor->outlet.queue != NULL)
        tell(monitor, HANDLER_CANCEL, NULL, last);
    for (int i = 0; i < HANDLERS; i++)
        monitor->protocol.handlers[i] = nwi_release(monitor->protocol.handlers[i]);
}

void nw_path_monitor_cancel(nw_path_monitor_t monitor) {
    if (!refuse_null(monitor, __func__))
        perform(monitor, (struct nwi_operation){.apply = end});
}
