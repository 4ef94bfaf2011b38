/*
 * alarm.h - a timer that fires inside a serial context.
 * What:   joins the loop's timer (which fires on a loop thread) to a serial context: the handler
 *         runs in the context, and never after nwi_alarm_stop has returned there.
 * Runs:   set and stop inside the context; init before first use.
 * Owns:   a reference on `owner` (the object that embeds the alarm) while armed or on its way to
 *         the context.
 */
#ifndef NWI_DISPATCH_ALARM_H
#define NWI_DISPATCH_ALARM_H

#include "dispatch/serial.h"
#include "loop/loop.h"

struct nwi_alarm {
    struct nwi_timer timer;
    struct nwi_task task;
    struct nwi_serial *context;
    void *owner; /* an object (base/object.h) */
    void (*fire)(struct nwi_alarm *alarm);
    nwi_ns deadline;         /* NWI_NEVER = stopped; context only */
    bool armed;              /* the loop's timer holds a reference on owner; context only */
    _Atomic bool travelling; /* task pushed and not yet run: set by the loop, cleared in the
                                context, both by acq_rel exchange */
};

/* `owner` is borrowed here, retained while armed. */
void nwi_alarm_init(struct nwi_alarm *alarm, struct nwi_serial *context, struct nwi_loop *loop,
                    void *owner, void (*fire)(struct nwi_alarm *alarm));
/* Arms or re-arms. Errors: NWI_ERR_NOMEM; the alarm is then stopped. */
nwi_err nwi_alarm_set(struct nwi_alarm *alarm, nwi_ns deadline);
void nwi_alarm_stop(struct nwi_alarm *alarm);

#endif
