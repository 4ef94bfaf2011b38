/*
 * monitor.c - one netlink watch, many listeners.
 * What:   see monitor.h. A `monitor` object lives from the first subscription to the end of the
 *         last; the next one after that makes a new monitor, so nothing is ever restarted. A
 *         monitor that is kept never ends.
 * Source: rtnetlink(7).
 * Runs:   subscribing on any thread; reading netlink in a serial context of our own; notices in the
 *         subscriber's.
 * Owns:   the monitor: the descriptor and the latest table. The list of subscriptions is guarded by
 *         `lock`, which is held for list work and pushing only.
 */
#include "path/monitor.h"
#include "base/log.h"
#include "dispatch/alarm.h"
#include "dispatch/watch.h"
#include "path/costs.h"
#include "path/servers.h"
#include "sys/sockets.h"
#include <errno.h>
#include <pthread.h>
#include <sys/queue.h>

#define RETRY NWI_SEC /* after the network's state could not be read */
/* Where reading the state takes long (thousands of links), it is read more rarely while changes go
 * on: one part in this many of a processor, but every so often in any case. */
enum { THRIFT = 100 };
#define PACE_MAX (500 * NWI_MS)
/* Hosts with full routing tables see thousands of route changes a second; subscribers hear of those
 * that the table does not show this often at most. */
#define WAYS_PACE (100 * NWI_MS)

struct nwi_path_subscription {
    struct nwi_object base;
    struct nwi_serial *context;
    void (*changed)(void *handler_context);
    void *handler_context;
    struct nwi_task task;
    _Atomic bool
        travelling; /* task pushed and not yet run: set by the monitor, cleared in the context */
    bool ended;     /* the subscriber's context only */
    LIST_ENTRY(nwi_path_subscription) entry; /* under lock */
};

struct monitor {
    struct nwi_object base;
    int fd;
    struct nwi_loop *loop;
    struct nwi_watch watch;
    struct nwi_alarm alarm;
    bool watching;    /* the watch was started; own context only */
    bool waiting;     /* the alarm is set; own context only */
    nwi_ns earliest;  /* of the next look; own context only */
    bool ways;        /* routes that the table does not show changed; own context only */
    nwi_ns ways_told; /* when that was told last; own context only */
    struct nwi_task start, stop, again;
    bool again_travelling;        /* `again` is pushed and has not run; under lock */
    struct nwi_path_table *table; /* owned; under lock */
    /* Others that read the state themselves, between two looks, may have seen what neither look
     * shows: they are told even when nothing differs. Under lock: those at it, and a count of
     * beginnings and ends; own context only: the count at the last look. */
    unsigned peeking, peeks, peeks_seen;
    _Atomic bool stale; /* a change is known that `table` does not show yet */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_HEAD(, nwi_path_subscription) subscriptions; /* under lock */
static struct monitor *running;                          /* under lock; NULL: nobody listens */
static _Atomic bool kept;                                /* written under lock */
static _Atomic unsigned changes;                         /* written under lock */
static _Atomic(void (*)(void)) hook;
static struct nwi_serial own_context; /* every monitor's; never ends */
static pthread_once_t own_context_once = PTHREAD_ONCE_INIT;
static void init_own_context(void) {
    nwi_serial_init(&own_context, NULL, NULL);
}

static void monitor_destroy(void *object) {
    struct monitor *monitor = object;
    nwi_socket_close(monitor->fd);
    nwi_release(monitor->table);
}
static const struct nwi_type monitor_type = {
    .name = "path monitor", .size = sizeof(struct monitor), .destroy = monitor_destroy};
static const struct nwi_type subscription_type = {.name = "path subscription",
                                                  .size = sizeof(struct nwi_path_subscription)};

/* --- in our context --- */
static void tell_all(void) { /* under lock */
    struct nwi_path_subscription *subscription;
    LIST_FOREACH (subscription, &subscriptions, entry) {
        if (atomic_exchange(&subscription->travelling, true))
            continue;
        nwi_retain(subscription); /* until the task ran */
        nwi_serial_push(subscription->context, &subscription->task);
    }
}

/* Whether a change that the table shows is among what the kernel has told since; notes the others.
 */
static bool drain(struct monitor *monitor) {
    bool changed = true, ways = true; /* also when reading fails: better look once too often */
    nwi_err err = nwi_netlink_drain(monitor->fd, &changed, &ways);
    if (err != 0)
        nwi_log(NWI_LOG_ERROR, "path", "netlink", "cannot read changes: %s", nwi_err_text(err));
    monitor->ways = monitor->ways || ways;
    return changed;
}

static void set_pace(struct monitor *monitor, nwi_ns cost) {
    nwi_ns pace = cost * THRIFT;
    if (pace < NWI_PATH_COALESCE)
        pace = NWI_PATH_COALESCE;
    monitor->earliest = nwi_now() + (pace < PACE_MAX ? pace : PACE_MAX);
}

static void look(struct monitor *monitor) {
    struct nwi_path_table *fresh;
    nwi_ns begun = nwi_thread_time();
    nwi_err err = nwi_path_table_read(&fresh);
    set_pace(monitor, nwi_thread_time() - begun);
    if (err != 0) { /* the change has been told by the kernel, and will not be told again */
        bool moving = err == nwi_posix(EBUSY); /* it changes faster than it can be read */
        monitor->waiting =
            nwi_alarm_set(&monitor->alarm, moving ? monitor->earliest : nwi_now() + RETRY) == 0;
        nwi_log(moving ? NWI_LOG_DEBUG : NWI_LOG_ERROR, "path", "read",
                "cannot read the network's state: %s", nwi_err_text(err));
        return;
    }
    /* Only this context writes a monitor's table, so it may read it without the lock. */
    bool same = nwi_path_table_equal(monitor->table, fresh);
    void (*changed)(void) = atomic_load(&hook);
    if (!same && changed != NULL)
        changed();
    pthread_mutex_lock(&lock);
    struct nwi_path_table *old = monitor->table;
    bool peeked = monitor->peeking > 0 || monitor->peeks != monitor->peeks_seen;
    bool settled = old->costs_settled != fresh->costs_settled; /* for who waits for that alone */
    monitor->peeks_seen = monitor->peeks;
    monitor->table = fresh;
    /* Release pairs with nwi_path_changes: who sees the count sees the table. */
    if (!same)
        atomic_fetch_add_explicit(&changes, 1, memory_order_release);
    if ((!same || peeked || settled) && monitor == running)
        tell_all();
    atomic_store(&monitor->stale, false); /* only this context says that it is, so none is missed */
    pthread_mutex_unlock(&lock);
    nwi_release(old);
    if (!same)
        nwi_log(NWI_LOG_DEBUG, "path", "changed", "links, addresses or routes changed");
}

static void on_ready(struct nwi_watch *watch, unsigned events);

/* Tried again by the alarm: a process that is short of something now need not be for ever. */
static void start_watch(struct monitor *monitor) {
    nwi_err err = nwi_watch_start(&monitor->watch, &own_context, monitor->loop, monitor->fd,
                                  monitor, on_ready);
    monitor->watching = err == 0;
    if (err == 0)
        return;
    nwi_log(NWI_LOG_ERROR, "path", "netlink", "changes cannot be watched now: %s",
            nwi_err_text(err));
    monitor->waiting = nwi_alarm_set(&monitor->alarm, nwi_now() + RETRY) == 0;
}

/* A route to some place only: who has a connection there looks again. What is known of names and of
 * the links stays. */
static void tell_ways(struct monitor *monitor) {
    if (!monitor->ways)
        return;
    monitor->ways = false;
    monitor->ways_told = nwi_now();
    pthread_mutex_lock(&lock);
    atomic_fetch_add_explicit(&changes, 1, memory_order_release); /* pairs with nwi_path_changes */
    if (monitor == running)
        tell_all();
    pthread_mutex_unlock(&lock);
}

static void alarm_fired(struct nwi_alarm *alarm) {
    struct monitor *monitor = nwi_container_of(alarm, struct monitor, alarm);
    bool blind = !monitor->watching;
    monitor->waiting = false;
    if (blind)
        start_watch(monitor);
    bool changed = drain(monitor); /* all that came while waiting is in what is read now */
    if (changed || blind || atomic_load(&monitor->stale))
        look(monitor);
    tell_ways(monitor);
}

static void tell_ways_soon(struct monitor *monitor) {
    nwi_ns soon = nwi_now() + NWI_PATH_COALESCE, paced = monitor->ways_told + WAYS_PACE;
    monitor->waiting = nwi_alarm_set(&monitor->alarm, soon > paced ? soon : paced) == 0;
    if (!monitor->waiting)
        tell_ways(monitor);
}

/* The table differs from the network, or may: looks again soon, once for a whole burst. */
static void look_soon(struct monitor *monitor) {
    atomic_store(&monitor->stale, true);
    if (monitor->waiting)
        return;
    nwi_ns soon = nwi_now() + NWI_PATH_COALESCE;
    monitor->waiting =
        nwi_alarm_set(&monitor->alarm, soon > monitor->earliest ? soon : monitor->earliest) == 0;
    if (!monitor->waiting)
        look(monitor);
}

static void again_run(struct nwi_task *task) {
    struct monitor *monitor = nwi_container_of(task, struct monitor, again);
    pthread_mutex_lock(&lock);
    monitor->again_travelling = false; /* a change from here on is told again */
    pthread_mutex_unlock(&lock);
    look_soon(monitor);
    nwi_release(monitor);
}

void nwi_path_costs_changed(void) {
    pthread_mutex_lock(&lock);
    if (running != NULL && !running->again_travelling) { /* behind `start`, before `stop` */
        running->again_travelling = true;
        nwi_retain(running); /* until the task ran */
        nwi_serial_push(&own_context, &running->again);
    }
    pthread_mutex_unlock(&lock);
}

static void on_ready(struct nwi_watch *watch, unsigned events) {
    struct monitor *monitor = nwi_container_of(watch, struct monitor, watch);
    (void)events;
    if (monitor->waiting)
        return; /* the alarm reads it, and what comes until then */
    if (drain(monitor))
        look_soon(monitor);
    else if (monitor->ways)
        tell_ways_soon(monitor);
}

static void start_run(struct nwi_task *task) {
    struct monitor *monitor = nwi_container_of(task, struct monitor, start);
    monitor->loop = nwi_loop_pick();
    nwi_alarm_init(&monitor->alarm, &own_context, monitor->loop, monitor, alarm_fired);
    start_watch(monitor);
    nwi_servers_watch_begin(&own_context, nwi_path_costs_changed);
    if (nwi_path_costs_source()->watch_begin != NULL)
        nwi_path_costs_source()->watch_begin();
    nwi_release(monitor);
}

static void stop_run(struct nwi_task *task) {
    struct monitor *monitor = nwi_container_of(task, struct monitor, stop);
    if (nwi_path_costs_source()->watch_end != NULL)
        nwi_path_costs_source()->watch_end();
    nwi_servers_watch_end();
    if (monitor->watching)
        nwi_watch_stop(&monitor->watch);
    nwi_alarm_stop(&monitor->alarm);
    nwi_release(monitor);
}

/* --- subscribing --- */
/* The descriptor is opened before the table is read, so that no change slips between. */
static nwi_err create_monitor(struct monitor **ret_monitor) {
    pthread_once(&own_context_once, init_own_context);
    struct monitor *monitor = nwi_object_create(&monitor_type, 0);
    if (monitor == NULL)
        return NWI_ERR_NOMEM;
    monitor->fd = -1;
    monitor->start.run = start_run;
    monitor->stop.run = stop_run;
    monitor->again.run = again_run;
    nwi_err err = nwi_netlink_subscribe(&monitor->fd);
    if (err == 0)
        err = nwi_path_table_read(&monitor->table);
    if (err != 0) {
        nwi_release(monitor);
        return err;
    }
    *ret_monitor = monitor;
    return 0;
}

/* Under lock. */
static nwi_err ensure_running(void) {
    if (running != NULL)
        return 0;
    nwi_err err = create_monitor(&running);
    if (err == 0) {
        nwi_retain(running); /* until start_run ran */
        nwi_serial_push(&own_context, &running->start);
    }
    return err;
}

nwi_err nwi_path_keep_watching(void) {
    if (atomic_load_explicit(&kept, memory_order_relaxed)) /* once set it stays */
        return 0;
    pthread_mutex_lock(&lock);
    nwi_err err = ensure_running();
    atomic_store_explicit(&kept, err == 0, memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    return err;
}

unsigned nwi_path_changes(void) {
    return atomic_load_explicit(&changes, memory_order_acquire);
}

static void notify_run(struct nwi_task *task) {
    struct nwi_path_subscription *subscription =
        nwi_container_of(task, struct nwi_path_subscription, task);
    atomic_store(&subscription->travelling, false); /* a change from here on is told again */
    if (!subscription->ended)
        subscription->changed(subscription->handler_context);
    nwi_release(subscription);
}

nwi_err nwi_path_subscribe(struct nwi_serial *context, void *owner,
                           void (*changed)(void *handler_context), void *handler_context,
                           struct nwi_path_subscription **ret_subscription) {
    (void)owner; /* the context keeps it while a notice is on its way */
    struct nwi_path_subscription *subscription = nwi_object_create(&subscription_type, 0);
    if (subscription == NULL)
        return NWI_ERR_NOMEM;
    subscription->context = context;
    subscription->changed = changed;
    subscription->handler_context = handler_context;
    subscription->task.run = notify_run;
    pthread_mutex_lock(&lock);
    nwi_err err = ensure_running();
    if (err == 0)
        LIST_INSERT_HEAD(&subscriptions, subscription, entry);
    pthread_mutex_unlock(&lock);
    if (err != 0) {
        nwi_release(subscription);
        return err;
    }
    *ret_subscription = subscription;
    return 0;
}

struct nwi_path_subscription *nwi_path_unsubscribe(struct nwi_path_subscription *subscription) {
    if (subscription == NULL)
        return NULL;
    subscription->ended = true;
    pthread_mutex_lock(&lock);
    LIST_REMOVE(subscription, entry);
    if (LIST_EMPTY(&subscriptions) &&
        !kept) { /* the reference of `running` travels with the stop task */
        nwi_serial_push(&own_context, &running->stop);
        running = NULL;
    }
    pthread_mutex_unlock(&lock);
    return nwi_release(subscription);
}

void nwi_path_set_hook(void (*changed)(void)) {
    atomic_store(&hook, changed);
}

/* Under lock; +1 or NULL. */
static struct monitor *begin_peek(void) {
    struct monitor *monitor = nwi_retain(running);
    if (monitor != NULL) {
        monitor->peeking++;
        monitor->peeks++;
    }
    return monitor;
}

static void end_peek(struct monitor *monitor) {
    if (monitor == NULL)
        return;
    pthread_mutex_lock(&lock);
    monitor->peeking--;
    monitor->peeks++;
    pthread_mutex_unlock(&lock);
    nwi_release(monitor);
}

static struct nwi_path_table *read_now(struct monitor *monitor) { /* ends the peek */
    struct nwi_path_table *table = NULL;
    nwi_err err = nwi_path_table_read(&table);
    end_peek(monitor);
    if (err != 0)
        nwi_log(NWI_LOG_ERROR, "path", "read", "cannot read the network's state: %s",
                nwi_err_text(err));
    return table;
}

struct nwi_path_table *nwi_path_copy_table(void) {
    struct monitor *peeked = NULL;
    pthread_mutex_lock(&lock);
    bool known = running != NULL && !atomic_load(&running->stale);
    struct nwi_path_table *table = known ? nwi_retain(running->table) : NULL;
    if (!known)
        peeked = begin_peek();
    pthread_mutex_unlock(&lock);
    return known ? table : read_now(peeked);
}

struct nwi_path_table *nwi_path_copy_latest(void) {
    pthread_mutex_lock(&lock);
    struct nwi_path_table *table = running != NULL ? nwi_retain(running->table) : NULL;
    pthread_mutex_unlock(&lock);
    return table;
}

struct nwi_path_table *nwi_path_read_table(void) {
    pthread_mutex_lock(&lock);
    struct monitor *peeked = begin_peek();
    pthread_mutex_unlock(&lock);
    return read_now(peeked);
}
