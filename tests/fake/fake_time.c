/*
 * fake_time.c - see fake_time.h. Its functions stand in front of those of the same names in the
 *               library and in libc.
 */
#include "fake/fake_time.h"
#include "base/object.h"
#include "dispatch/alarm.h"
#include <assert.h>
#include <stdatomic.h>
#include <time.h>

enum { ALARMS = 32 };
static struct nwi_alarm *alarms[ALARMS]; /* that are set */
/* 0: not asked for yet. Relaxed: moved by the test alone, read by the loops' threads as well. */
static _Atomic nwi_ns now;

static nwi_ns read_now(void) {
    return atomic_load_explicit(&now, memory_order_relaxed);
}

static void move_to(nwi_ns time) {
    if (time > read_now())
        atomic_store_explicit(&now, time, memory_order_relaxed);
}

int clock_gettime(clockid_t clock, struct timespec *ret_time) {
    (void)clock;
    if (read_now() == 0)
        move_to((nwi_ns)time(NULL) * NWI_SEC); /* certificates are made in the present */
    nwi_ns at = read_now();
    *ret_time = (struct timespec){(time_t)(at / NWI_SEC), (long)(at % NWI_SEC)};
    return 0;
}

void nwi_alarm_init(struct nwi_alarm *alarm, struct nwi_serial *context, struct nwi_loop *loop,
                    void *owner, void (*fire)(struct nwi_alarm *alarm)) {
    (void)context, (void)loop;
    alarm->owner = owner;
    alarm->fire = fire;
    alarm->deadline = NWI_NEVER;
}

static int place_of(const struct nwi_alarm *alarm) {
    int place = 0;
    while (place < ALARMS && alarms[place] != alarm)
        place++;
    return place;
}

void nwi_alarm_stop(struct nwi_alarm *alarm) {
    int place = place_of(alarm);
    if (place == ALARMS)
        return;
    alarms[place] = NULL;
    alarm->deadline = NWI_NEVER;
    nwi_release(alarm->owner);
}

nwi_err nwi_alarm_set(struct nwi_alarm *alarm, nwi_ns deadline) {
    int place = place_of(alarm);
    if (place == ALARMS) {
        place = place_of(NULL);
        assert(place < ALARMS);
        alarms[place] = alarm;
        nwi_retain(alarm->owner);
    }
    alarm->deadline = deadline;
    return 0;
}

static struct nwi_alarm *next(void) {
    struct nwi_alarm *first = NULL;
    for (int i = 0; i < ALARMS; i++)
        if (alarms[i] != NULL && (first == NULL || alarms[i]->deadline < first->deadline))
            first = alarms[i];
    return first;
}

nwi_ns fake_time_next(void) {
    struct nwi_alarm *first = next();
    return first != NULL ? first->deadline : NWI_NEVER;
}

void fake_time_pass(nwi_ns until) {
    struct nwi_alarm *first;
    while ((first = next()) != NULL && first->deadline <= until) {
        void *owner = nwi_retain(first->owner);
        move_to(first->deadline);
        nwi_alarm_stop(first);
        first->fire(first);
        nwi_release(owner);
    }
    move_to(until);
}
