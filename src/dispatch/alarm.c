/*
 * alarm.c - see alarm.h.
 * Rules:  two references on the owner at most: one for the armed loop timer, one for a travelling
 *         task. The loop's fire passes the timer's reference to the task, or drops it when a task
 *         already travels: that task looks at the deadline when it arrives, so it serves both.
 */
#include "dispatch/alarm.h"
#include "base/object.h"

/* On a loop thread. */
static void timer_fired(struct nwi_timer *timer) {
    struct nwi_alarm *alarm = nwi_container_of(timer, struct nwi_alarm, timer);
    /* acq_rel pairs with the exchange in arrived(): whoever sees true leaves the work to the other
     * side. */
    if (atomic_exchange_explicit(&alarm->travelling, true, memory_order_acq_rel))
        nwi_release(alarm->owner);
    else
        nwi_serial_perform(alarm->context, &alarm->task);
}

/* In the context. */
static void arrived(struct nwi_task *task) {
    struct nwi_alarm *alarm = nwi_container_of(task, struct nwi_alarm, task);
    void *owner = alarm->owner;
    /* An exchange, not a store, and acq_rel: a timer that fired before it left its news to us, so
     * the look at the clock below has to come after that firing. A store could still be on its way
     * when the clock is read. */
    atomic_exchange_explicit(&alarm->travelling, false, memory_order_acq_rel);
    if (alarm->deadline != NWI_NEVER && nwi_now() >= alarm->deadline) {
        /* The timer that brought us here is spent unless it was armed anew for this very deadline.
         */
        if (alarm->armed && nwi_timer_stop(&alarm->timer))
            nwi_release(owner);
        alarm->armed = false;
        alarm->deadline = NWI_NEVER;
        alarm->fire(alarm);
    }
    nwi_release(owner);
}

void nwi_alarm_init(struct nwi_alarm *alarm, struct nwi_serial *context, struct nwi_loop *loop,
                    void *owner, void (*fire)(struct nwi_alarm *alarm)) {
    nwi_timer_init(&alarm->timer, loop, timer_fired);
    alarm->task.run = arrived;
    alarm->context = context;
    alarm->owner = owner;
    alarm->fire = fire;
    alarm->deadline = NWI_NEVER;
}

nwi_err nwi_alarm_set(struct nwi_alarm *alarm, nwi_ns deadline) {
    bool held = alarm->armed && nwi_timer_stop(&alarm->timer);
    if (!held)
        nwi_retain(alarm->owner);
    alarm->deadline = deadline;
    alarm->armed = true;
    nwi_err err = nwi_timer_set(&alarm->timer, deadline);
    if (err != 0) {
        alarm->armed = false;
        alarm->deadline = NWI_NEVER;
        nwi_release(alarm->owner);
    }
    return err;
}

void nwi_alarm_stop(struct nwi_alarm *alarm) {
    alarm->deadline = NWI_NEVER;
    bool held = alarm->armed && nwi_timer_stop(&alarm->timer);
    alarm->armed = false;
    if (held)
        nwi_release(alarm->owner);
}
