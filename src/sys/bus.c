/*
 * bus.c - see bus.h.
 * What:   drives an sd_bus from our loop, follows who owns the names of the services, and makes a
 *         new sd_bus after a loss. A `tap` is the registration of one descriptor: sd-bus changes
 *         its descriptor as it likes (it watches for a socket that is not there yet, then connects,
 *         to one address after the other) and closes it by itself, so the loop gets a duplicate.
 * Source: D-Bus Specification (org.freedesktop.DBus.GetNameOwner, NameOwnerChanged);
 *         sd_bus_get_fd(3), sd_bus_process(3), sd_bus_set_watch_bind(3).
 * Runs:   in the context of the connection.
 * Owns:   the sd_bus, the tap, the names of the owners.
 */
#include "sys/bus.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/object.h"
#include "dispatch/alarm.h"
#include "dispatch/watch.h"
#include "sys/sockets.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN_MAX = 64,   /* messages of one turn */
    OWNER_SIZE = 256 /* octets of a bus name, the end included: the specification's limit */
};
#define RETRY_FIRST NWI_SEC /* after a loss; twice as long each time */
#define RETRY_LAST (64 * NWI_SEC)

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

struct tap {
    struct nwi_object base;
    struct nwi_bus *bus; /* NULL: detached */
    int fd;              /* ours: a duplicate */
    dev_t device;        /* of the original, which tells whether sd-bus has another one now */
    ino_t inode;
    struct nwi_watch watch;
};

struct service {
    struct nwi_bus *bus;
    const struct nwi_bus_service *wanted;
    char owner[OWNER_SIZE]; /* its unique name; empty: nobody */
    sd_bus_slot *signals[8];
    size_t signal_count;
};

struct nwi_bus {
    struct nwi_object base;
    struct nwi_serial *context;
    const struct nwi_bus_handler *handler;
    void *user;
    struct service services[NWI_BUS_SERVICES];
    size_t service_count;
    bool started;
    bool welcomed; /* the bus knows us: names may be asked for */
    sd_bus *sd;    /* NULL: the alarm will make one */
    struct tap *tap;
    struct nwi_alarm alarm; /* what sd-bus waits for, or the next try */
    struct nwi_task more;   /* a turn was too short */
    bool more_is_coming;
    nwi_ns pause;
};

static _Atomic(int (*)(sd_bus **)) opener; /* set by tests before anything runs */

static void pump(struct nwi_bus *bus);

/* --- the descriptor --- */
static void tap_destroy(void *object) {
    struct tap *tap = object;
    nwi_socket_close(tap->fd);
}
static const struct nwi_type tap_type = {
    .name = "bus tap", .size = sizeof(struct tap), .destroy = tap_destroy};

static void on_ready(struct nwi_watch *watch, unsigned events) {
    struct tap *tap = nwi_container_of(watch, struct tap, watch);
    (void)events;
    if (tap->bus != NULL)
        pump(tap->bus);
}

static void detach(struct nwi_bus *bus) {
    if (bus->tap == NULL)
        return;
    bus->tap->bus = NULL;
    nwi_watch_stop(&bus->tap->watch);
    bus->tap = nwi_release(bus->tap);
}

/* Errors: those of fstat and fcntl, nwi_io_start's, NWI_ERR_NOMEM. */
static nwi_err attach(struct nwi_bus *bus, int fd, const struct stat *status) {
    struct tap *tap = nwi_object_create(&tap_type, 0);
    if (tap == NULL)
        return NWI_ERR_NOMEM;
    tap->bus = bus;
    tap->device = status->st_dev;
    tap->inode = status->st_ino;
    tap->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    nwi_err err = tap->fd >= 0 ? nwi_watch_start(&tap->watch, bus->context, nwi_loop_pick(),
                                                 tap->fd, tap, on_ready)
                               : nwi_posix(errno);
    if (err != 0) {
        nwi_release(tap);
        return err;
    }
    bus->tap = tap;
    return 0;
}

static void tell_absent(struct nwi_bus *bus) {
    for (unsigned i = 0; i < bus->service_count && bus->started && bus->handler->absent != NULL;
         i++)
        bus->handler->absent(bus->user, i);
}

/* Follows sd-bus to the descriptor that it uses now. Where it is no socket, sd-bus waits for the
 * bus to come. */
static nwi_err follow(struct nwi_bus *bus) {
    struct stat status;
    int fd = sd_bus_get_fd(bus->sd);
    if (fd < 0)
        return nwi_posix(-fd);
    if (nwi_sys()->fstat(fd, &status) != 0)
        return nwi_posix(errno);
    if (bus->tap != NULL && bus->tap->inode == status.st_ino && bus->tap->device == status.st_dev)
        return 0;
    detach(bus);
    nwi_err err = attach(bus, fd, &status);
    if (err == 0 && !S_ISSOCK(status.st_mode))
        tell_absent(bus);
    return err;
}

/* --- services --- */
static unsigned number_of(const struct service *service) {
    return (unsigned)(service - service->bus->services);
}

/* Messages that others send in the service's name are not for us. */
static int on_signal(sd_bus_message *message, void *user, sd_bus_error *error) {
    struct service *service = user;
    struct nwi_bus *bus = service->bus;
    const char *sender = sd_bus_message_get_sender(message);
    (void)error;
    if (sender != NULL && strcmp(sender, service->owner) == 0 && bus->handler->signal != NULL)
        bus->handler->signal(bus->user, number_of(service), message);
    return 0;
}

static void forget_signals(struct service *service) {
    while (service->signal_count > 0)
        sd_bus_slot_unref(service->signals[--service->signal_count]);
}

static int ignore_reply(sd_bus_message *message, void *user, sd_bus_error *error) {
    (void)message, (void)user, (void)error;
    return 0;
}

static void want_signals(struct service *service) {
    const char *const *match = service->wanted->matches;
    for (; match != NULL && *match != NULL && service->signal_count < 8; match++) {
        char rule[1024];
        snprintf(rule, sizeof rule, "type='signal',sender='%s',%s", service->owner, *match);
        int result =
            sd_bus_add_match_async(service->bus->sd, &service->signals[service->signal_count], rule,
                                   on_signal, ignore_reply, service);
        if (result < 0)
            nwi_log(NWI_LOG_ERROR, "bus", "match", "%s: signals cannot be had: %s",
                    service->wanted->name, nwi_err_text(nwi_posix(-result)));
        else
            service->signal_count++;
    }
}

/* The one writer of `owner`. */
static void set_owner(struct service *service, const char *owner) {
    struct nwi_bus *bus = service->bus;
    if (strcmp(service->owner, owner) == 0 || strlen(owner) >= OWNER_SIZE)
        return;
    bool was_there = service->owner[0] != '\0';
    forget_signals(service);
    memcpy(service->owner, owner, strlen(owner) + 1);
    nwi_log(NWI_LOG_DEBUG, "bus", "service", "%s is %s", service->wanted->name,
            *owner != '\0' ? "there" : "gone");
    if (was_there && bus->handler->vanished != NULL)
        bus->handler->vanished(bus->user, number_of(service));
    /* The handler may have stopped the bus. */
    if (service->owner[0] == '\0' || bus->sd == NULL)
        return;
    want_signals(service);
    if (bus->handler->appeared != NULL)
        bus->handler->appeared(bus->user, number_of(service));
}

/* The bus itself tells, nobody else. */
static int on_owner_changed(sd_bus_message *message, void *user, sd_bus_error *error) {
    struct service *service = user;
    const char *name, *old, *owner, *sender = sd_bus_message_get_sender(message);
    (void)error;
    if (sender != NULL && strcmp(sender, BUS_NAME) == 0 &&
        sd_bus_message_read(message, "sss", &name, &old, &owner) > 0 &&
        strcmp(name, service->wanted->name) == 0)
        set_owner(service, owner);
    return 0;
}

static int on_owner(sd_bus_message *message, void *user, sd_bus_error *error) {
    struct service *service = user;
    struct nwi_bus *bus = service->bus;
    const char *owner;
    (void)error;
    if (!sd_bus_message_is_method_error(message, NULL) &&
        sd_bus_message_read(message, "s", &owner) > 0) {
        set_owner(service, owner);
        return 0;
    }
    nwi_log(NWI_LOG_DEBUG, "bus", "service", "%s is not there", service->wanted->name);
    if (bus->handler->absent != NULL)
        bus->handler->absent(bus->user, number_of(service));
    return 0;
}

/* The signal is asked for before the question is put, so that no change slips between. */
static int follow_name(struct service *service) {
    char rule[512];
    snprintf(rule, sizeof rule,
             "type='signal',sender='" BUS_NAME "',path='" BUS_PATH "',interface='" BUS_NAME
             "',member='NameOwnerChanged',arg0='%s'",
             service->wanted->name);
    int result = sd_bus_add_match_async(service->bus->sd, NULL, rule, on_owner_changed,
                                        ignore_reply, service);
    if (result < 0)
        return result;
    return sd_bus_call_method_async(service->bus->sd, NULL, BUS_NAME, BUS_PATH, BUS_NAME,
                                    "GetNameOwner", on_owner, service, "s", service->wanted->name);
}

/* --- life of a connection --- */
static const char *system_address(void) {
    const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
    return address != NULL ? address : "unix:path=/run/dbus/system_bus_socket";
}

static int open_system(sd_bus **ret_bus) {
    sd_bus *sd = NULL;
    int result = sd_bus_new(&sd);
    if (result >= 0)
        result = sd_bus_set_address(sd, system_address());
    if (result >= 0)
        result = sd_bus_set_bus_client(sd, 1);
    if (result >= 0)
        result = sd_bus_set_watch_bind(sd, 1);
    if (result >= 0)
        result = sd_bus_start(sd);
    if (result < 0)
        sd_bus_close_unref(sd);
    else
        *ret_bus = sd;
    return result;
}

static void close_connection(struct nwi_bus *bus) {
    sd_bus *sd = bus->sd;
    bus->sd = NULL;
    bus->welcomed = false;
    for (size_t i = 0; i < bus->service_count; i++)
        forget_signals(&bus->services[i]);
    detach(bus);
    nwi_alarm_stop(&bus->alarm);
    sd_bus_close_unref(sd); /* without a flush, which would block */
}

static void lose(struct nwi_bus *bus, nwi_err why) {
    close_connection(bus);
    nwi_log(NWI_LOG_DEBUG, "bus", "lost", "no system bus: %s", nwi_err_text(why));
    for (size_t i = 0; i < bus->service_count && bus->started; i++)
        set_owner(&bus->services[i], "");
    tell_absent(bus);
    if (!bus->started)
        return;
    if (nwi_alarm_set(&bus->alarm, nwi_now() + bus->pause) != 0)
        nwi_log(NWI_LOG_ERROR, "bus", "lost", "no memory to try again");
    bus->pause = bus->pause * 2 < RETRY_LAST ? bus->pause * 2 : RETRY_LAST;
}

static nwi_err welcome(struct nwi_bus *bus) {
    if (bus->welcomed || sd_bus_is_ready(bus->sd) <= 0)
        return 0;
    bus->welcomed = true;
    bus->pause = RETRY_FIRST;
    nwi_log(NWI_LOG_DEBUG, "bus", "connected", "connected to the system bus");
    for (size_t i = 0; i < bus->service_count; i++) {
        int result = follow_name(&bus->services[i]);
        if (result < 0)
            return nwi_posix(-result);
    }
    return 0;
}

static void more_run(struct nwi_task *task) {
    struct nwi_bus *bus = nwi_container_of(task, struct nwi_bus, more);
    bus->more_is_coming = false;
    pump(bus);
    nwi_release(bus);
}

static void come_again(struct nwi_bus *bus) {
    if (bus->more_is_coming)
        return;
    bus->more_is_coming = true;
    nwi_retain(bus); /* until more_run ran */
    nwi_serial_push(bus->context, &bus->more);
}

/* Has sd-bus do all it can; handlers run inside, and may stop the bus. False: one did. */
static bool process(struct nwi_bus *bus, nwi_err *ret_err) {
    sd_bus *sd = bus->sd;
    int result = 1;
    nwi_err err = 0;
    for (int i = 0; i < TURN_MAX && result > 0 && err == 0; i++) {
        result = sd_bus_process(sd, NULL);
        if (bus->sd != sd)
            return false;
        err = result < 0 ? nwi_posix(-result) : welcome(bus);
    }
    if (err == 0 && result > 0)
        come_again(bus);
    *ret_err = err;
    return true;
}

static nwi_err await_timeout(struct nwi_bus *bus) {
    uint64_t timeout = UINT64_MAX; /* microseconds of the monotonic clock */
    int result = sd_bus_get_timeout(bus->sd, &timeout);
    if (result < 0)
        return nwi_posix(-result);
    if (timeout < NWI_NEVER / 1000)
        return nwi_alarm_set(&bus->alarm, (nwi_ns)timeout * 1000);
    nwi_alarm_stop(&bus->alarm);
    return 0;
}

static void pump(struct nwi_bus *bus) {
    nwi_err err = 0;
    if (bus->sd == NULL)
        return;
    nwi_retain(bus); /* a handler may release it */
    if (process(bus, &err)) {
        if (err == 0)
            err = follow(bus);
        if (err == 0 && bus->sd != NULL) /* a handler may have stopped it */
            err = await_timeout(bus);
        if (err != 0)
            lose(bus, err);
    }
    nwi_release(bus);
}

static void open_connection(struct nwi_bus *bus) {
    int (*open)(sd_bus **) = atomic_load(&opener);
    int result = (open != NULL ? open : open_system)(&bus->sd);
    if (result < 0) {
        bus->sd = NULL;
        lose(bus, nwi_posix(-result));
        return;
    }
    pump(bus);
}

static void alarm_fired(struct nwi_alarm *alarm) {
    struct nwi_bus *bus = nwi_container_of(alarm, struct nwi_bus, alarm);
    if (bus->sd != NULL)
        pump(bus);
    else if (bus->started)
        open_connection(bus);
}

/* --- the face --- */
static const struct nwi_type bus_type = {.name = "bus", .size = sizeof(struct nwi_bus)};

struct nwi_bus *nwi_bus_create(struct nwi_serial *context, const struct nwi_bus_service *services,
                               size_t service_count, const struct nwi_bus_handler *handler,
                               void *user) {
    if (service_count > NWI_BUS_SERVICES)
        return NULL;
    struct nwi_bus *bus = nwi_object_create(&bus_type, 0);
    if (bus == NULL)
        return NULL;
    bus->context = context;
    bus->handler = handler;
    bus->user = user;
    bus->service_count = service_count;
    bus->pause = RETRY_FIRST;
    bus->more.run = more_run;
    for (size_t i = 0; i < service_count; i++)
        bus->services[i] = (struct service){.bus = bus, .wanted = &services[i]};
    nwi_alarm_init(&bus->alarm, context, nwi_loop_pick(), bus, alarm_fired);
    return bus;
}

void nwi_bus_start(struct nwi_bus *bus) {
    bus->started = true;
    open_connection(bus);
}

void nwi_bus_stop(struct nwi_bus *bus) {
    if (bus == NULL || !bus->started)
        return;
    bus->started = false;
    for (size_t i = 0; i < bus->service_count; i++)
        bus->services[i].owner[0] = '\0';
    close_connection(bus);
}

static int on_answer(sd_bus_message *message, void *user, sd_bus_error *error) {
    struct service *service = user;
    struct nwi_bus *bus = service->bus;
    const sd_bus_error *problem = sd_bus_message_get_error(message);
    const char *sender = sd_bus_message_get_sender(message);
    (void)error;
    if (problem != NULL)
        nwi_log(NWI_LOG_DEBUG, "bus", "answer", "%s: %s: %s", service->wanted->name, problem->name,
                problem->message != NULL ? problem->message : "no reason given");
    /* Of the owner before: the one that is there now has been asked, too. What sd-bus makes itself
     * (a timeout) has no sender. */
    if (service->owner[0] == '\0' ||
        (sender != NULL && strcmp(sender, service->owner) != 0 && strcmp(sender, BUS_NAME) != 0))
        return 0;
    if (bus->handler->answer != NULL)
        bus->handler->answer(bus->user, number_of(service), problem != NULL ? NULL : message);
    return 0;
}

nwi_err nwi_bus_call(struct nwi_bus *bus, unsigned service, const char *path, const char *interface,
                     const char *member) {
    struct service *called = &bus->services[service];
    if (bus->sd == NULL || called->owner[0] == '\0')
        return nwi_posix(ENOTCONN);
    int result = sd_bus_call_method_async(bus->sd, NULL, called->owner, path, interface, member,
                                          on_answer, called, NULL);
    if (result < 0)
        return nwi_posix(-result);
    come_again(bus); /* its time-out has to be waited for */
    return 0;
}

/* Several addresses and escaped ones (D-Bus Specification, server addresses) are left to sd-bus. */
bool nwi_bus_exists(void) {
    static const char prefix[] = "unix:path=";
    const char *address = system_address();
    char path[PATH_MAX];
    struct stat status;
    if (atomic_load(&opener) != NULL || strncmp(address, prefix, sizeof prefix - 1) != 0 ||
        strpbrk(address, ";%") != NULL)
        return true;
    address += sizeof prefix - 1;
    size_t length = strcspn(address, ",");
    if (length >= sizeof path)
        return true;
    memcpy(path, address, length);
    path[length] = '\0';
    return nwi_sys()->stat(path, &status) == 0;
}

void nwi_bus_set_opener(int (*open)(sd_bus **ret_bus)) {
    atomic_store(&opener, open);
}
