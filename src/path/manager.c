/*
 * manager.c - see manager.h.
 * What:   the connection to the bus, counted, and the questions. The mirror that it fills is in
 *         mirror.c.
 * Source: manager.h names the D-Bus interfaces.
 * Runs:   in a serial context of our own; questions on any thread.
 * Owns:   the connection to the bus while somebody watches.
 */
#include "path/manager.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/object.h"
#include "dispatch/alarm.h"
#include "path/mirror.h"
#include "sys/bus.h"
#include <pthread.h>
#include <stdatomic.h>

enum { NETWORK_MANAGER, MODEM_MANAGER, SERVICE_COUNT, EACH_SERVICE = (1 << SERVICE_COUNT) - 1 };

#define PROPERTIES "interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
static const char *const nm_matches[] = {
    PROPERTIES "arg0='org.freedesktop.NetworkManager.Device'",
    PROPERTIES "arg0='org.freedesktop.NetworkManager.Device.Wireless'",
    PROPERTIES "arg0='org.freedesktop.NetworkManager.AccessPoint'",
    "interface='org.freedesktop.DBus.ObjectManager'",
    NULL,
};
static const char *const mm_matches[] = {
    PROPERTIES "arg0='org.freedesktop.ModemManager1.Modem'",
    "interface='org.freedesktop.DBus.ObjectManager'",
    NULL,
};
static const struct nwi_bus_service services[SERVICE_COUNT] = {
    {"org.freedesktop.NetworkManager", nm_matches},
    {"org.freedesktop.ModemManager1", mm_matches},
};
static const char *const roots[SERVICE_COUNT] = {
    "/org/freedesktop",
    "/org/freedesktop/ModemManager1",
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nwi_mirror mirror[SERVICE_COUNT]; /* under lock */
static unsigned watches;                        /* under lock */
static unsigned heard; /* bit n: service n has answered, or will not; under lock */
static _Atomic(void (*)(void)) hook;
static struct nwi_serial own_context; /* never ends */
static pthread_once_t own_context_once = PTHREAD_ONCE_INIT;

/* --- the decoder's face --- */
bool nwi_manager_take(unsigned service, sd_bus_message *message) {
    pthread_mutex_lock(&lock);
    bool changed = nwi_mirror_take(&mirror[service], message);
    pthread_mutex_unlock(&lock);
    return changed;
}

bool nwi_manager_forget(unsigned service) {
    pthread_mutex_lock(&lock);
    bool changed = nwi_mirror_clear(&mirror[service]);
    pthread_mutex_unlock(&lock);
    return changed;
}

/* --- the bus, in our context --- */
static void tell(bool changed) {
    void (*function)(void) = atomic_load(&hook);
    if (changed && function != NULL)
        function();
}

static struct nwi_alarm patience; /* own context only */

/* Comes after what was heard has been taken into the mirror. */
static void hear(unsigned bits) {
    pthread_mutex_lock(&lock);
    bool settled_before = heard == EACH_SERVICE;
    heard |= bits;
    bool settles = !settled_before && heard == EACH_SERVICE;
    pthread_mutex_unlock(&lock);
    if (settles)
        nwi_alarm_stop(&patience);
    tell(settles);
}

static void patience_ended(struct nwi_alarm *alarm) {
    (void)alarm;
    nwi_log(NWI_LOG_NOTICE, "path", "manager", "no answer over the system bus: not waited for");
    hear(EACH_SERVICE);
}

static void appeared(void *user, unsigned service) {
    nwi_err err = nwi_bus_call(*(struct nwi_bus **)user, service, roots[service],
                               "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
    if (err == 0)
        return;
    nwi_log(NWI_LOG_NOTICE, "path", "manager", "%s cannot be asked: %s", services[service].name,
            nwi_err_text(err));
    hear(1u << service);
}
static void vanished(void *user, unsigned service) {
    (void)user;
    tell(nwi_manager_forget(service));
}
static void absent(void *user, unsigned service) {
    (void)user;
    hear(1u << service);
}
static void take_signal(void *user, unsigned service, sd_bus_message *message) {
    (void)user;
    tell(nwi_manager_take(service, message));
}
static void take_answer(void *user, unsigned service, sd_bus_message *message) {
    if (message != NULL) /* NULL: the service had no answer, which has been logged */
        take_signal(user, service, message);
    hear(1u << service);
}
static const struct nwi_bus_handler handler = {.appeared = appeared,
                                               .vanished = vanished,
                                               .absent = absent,
                                               .signal = take_signal,
                                               .answer = take_answer};

static struct nwi_bus *bus; /* own context only */

static void start_bus(void) {
    bus = nwi_bus_create(&own_context, services, SERVICE_COUNT, &handler, &bus);
    if (bus == NULL) {
        nwi_log(NWI_LOG_ERROR, "path", "manager", "no memory for the system bus");
        hear(EACH_SERVICE);
        return;
    }
    if (nwi_alarm_set(&patience, nwi_now() + NWI_MANAGER_PATIENCE) != 0)
        hear(EACH_SERVICE);
    nwi_bus_start(bus);
}

static void stop_bus(void) {
    nwi_alarm_stop(&patience);
    nwi_bus_stop(bus);
    bus = nwi_release(bus);
    for (unsigned i = 0; i < SERVICE_COUNT; i++)
        nwi_manager_forget(i);
    pthread_mutex_lock(&lock);
    heard = 0;
    pthread_mutex_unlock(&lock);
}

/* The bus follows the count: begins and ends may come in any order from any thread. */
static void settle_run(struct nwi_task *task) {
    nwi_free(task);
    pthread_mutex_lock(&lock);
    bool wanted = watches > 0;
    pthread_mutex_unlock(&lock);
    if (wanted && bus == NULL)
        start_bus();
    else if (!wanted && bus != NULL)
        stop_bus();
}

static void settle(void) {
    struct nwi_task *task = nwi_alloc_certain(sizeof *task);
    task->run = settle_run;
    nwi_serial_push(&own_context, task);
}

/* --- the face --- */
static void init_own_context(void) {
    nwi_serial_init(&own_context, NULL, NULL);
    nwi_alarm_init(&patience, &own_context, nwi_loop_pick(), NULL, patience_ended);
}

void nwi_manager_watch_begin(void (*changed)(void)) {
    pthread_once(&own_context_once, init_own_context);
    atomic_store(&hook, changed);
    pthread_mutex_lock(&lock);
    if (watches++ == 0)
        settle();
    pthread_mutex_unlock(&lock);
}

void nwi_manager_watch_end(void) {
    pthread_mutex_lock(&lock);
    if (watches > 0 && --watches == 0)
        settle();
    pthread_mutex_unlock(&lock);
}

bool nwi_manager_settled(void) {
    pthread_mutex_lock(&lock);
    bool settled = heard == EACH_SERVICE;
    pthread_mutex_unlock(&lock);
    return settled || !nwi_bus_exists();
}

void nwi_manager_of(const char *interface, struct nwi_manager_facts *ret_facts) {
    struct nwi_manager_facts facts = {0};
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < SERVICE_COUNT; i++)
        nwi_mirror_ask(&mirror[i], interface, &facts);
    pthread_mutex_unlock(&lock);
    *ret_facts = facts;
}
