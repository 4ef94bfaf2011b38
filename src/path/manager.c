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
#include "dispatch/serial.h"
#include "path/mirror.h"
#include "sys/bus.h"
#include <pthread.h>
#include <stdatomic.h>

enum { NETWORK_MANAGER, MODEM_MANAGER, SERVICE_COUNT };

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
static _Atomic(void (*)(void)) hook;
static struct nwi_serial own_context; /* never ends */
static pthread_once_t own_context_once = PTHREAD_ONCE_INIT;
static void init_own_context(void) {
    nwi_serial_init(&own_context, NULL, NULL);
}

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

static void appeared(void *user, unsigned service) {
    nwi_err err = nwi_bus_call(*(struct nwi_bus **)user, service, roots[service],
                               "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
    if (err != 0)
        nwi_log(NWI_LOG_NOTICE, "path", "manager", "%s cannot be asked: %s", services[service].name,
                nwi_err_text(err));
}
static void vanished(void *user, unsigned service) {
    (void)user;
    tell(nwi_manager_forget(service));
}
static void take(void *user, unsigned service, sd_bus_message *message) {
    (void)user;
    if (message != NULL) /* NULL: the service had no answer, which has been logged */
        tell(nwi_manager_take(service, message));
}
static const struct nwi_bus_handler handler = {
    .appeared = appeared, .vanished = vanished, .signal = take, .answer = take};

static struct nwi_bus *bus; /* own context only */

/* The bus follows the count: begins and ends may come in any order from any thread. */
static void settle_run(struct nwi_task *task) {
    nwi_free(task);
    pthread_mutex_lock(&lock);
    bool wanted = watches > 0;
    pthread_mutex_unlock(&lock);
    if (wanted && bus == NULL) {
        bus = nwi_bus_create(&own_context, services, SERVICE_COUNT, &handler, &bus);
        if (bus != NULL)
            nwi_bus_start(bus);
        else
            nwi_log(NWI_LOG_ERROR, "path", "manager", "no memory for the system bus");
    } else if (!wanted && bus != NULL) {
        nwi_bus_stop(bus);
        bus = nwi_release(bus);
        for (unsigned i = 0; i < SERVICE_COUNT; i++)
            nwi_manager_forget(i);
    }
}

static void settle(void) {
    struct nwi_task *task = nwi_alloc_certain(sizeof *task);
    task->run = settle_run;
    nwi_serial_push(&own_context, task);
}

/* --- the face --- */
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

void nwi_manager_of(const char *interface, struct nwi_manager_facts *ret_facts) {
    struct nwi_manager_facts facts = {0};
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < SERVICE_COUNT; i++)
        nwi_mirror_ask(&mirror[i], interface, &facts);
    pthread_mutex_unlock(&lock);
    *ret_facts = facts;
}
