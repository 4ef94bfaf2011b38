/*
 * bus.h - the system's D-Bus inside a serial context.
 * What:   one connection to the system bus, which tells of the services that its user names: there,
 *         gone, a signal from them, an answer. It never blocks, waits for a bus that is not there
 *         yet, and connects again after a loss. A system without a bus, or without a service, is no
 *         error.
 * Source: D-Bus Specification; sd-bus(3).
 * Runs:   every function inside the context given at its creation, and so does every handler.
 */
#ifndef NWI_SYS_BUS_H
#define NWI_SYS_BUS_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-bus.h>

struct nwi_bus;
struct nwi_serial;

enum { NWI_BUS_SERVICES = 4 }; /* of one connection, at most */

/* Constant data; strings and the array must outlive the connection. */
struct nwi_bus_service {
    const char *name; /* "org.freedesktop.NetworkManager" */
    /* Match rules of the signals wanted, each without type and sender; NULL ends. */
    const char *const *matches;
};
/* Any may be NULL. `service` counts in the array of services. Messages are borrowed. */
struct nwi_bus_handler {
    void (*appeared)(void *user, unsigned service); /* it has an owner: ask it now */
    void (*vanished)(void *user, unsigned service); /* what it said counts no more */
    void (*absent)(void *user, unsigned service); /* looked for: it, or the bus, is not there now */
    void (*signal)(void *user, unsigned service, sd_bus_message *message);
    /* To nwi_bus_call. Not after the service has vanished. An error of the service is logged and
     * told as NULL. */
    void (*answer)(void *user, unsigned service, sd_bus_message *message);
};

/* Nothing happens before nwi_bus_start. +1, or NULL when memory ran out. `user` is borrowed until
 * nwi_bus_stop. */
struct nwi_bus *nwi_bus_create(struct nwi_serial *context, const struct nwi_bus_service *services,
                               size_t service_count, const struct nwi_bus_handler *handler,
                               void *user);
void nwi_bus_start(struct nwi_bus *bus);
/* No handler runs afterwards. NULL is fine. The reference stays the caller's. */
void nwi_bus_stop(struct nwi_bus *bus);

/* Calls a method without arguments of a service that is there. Errors: posix ENOTCONN: it is not;
 * those of sd-bus. */
nwi_err nwi_bus_call(struct nwi_bus *bus, unsigned service, const char *path, const char *interface,
                     const char *member);

/* Any thread: whether there is a bus to connect to, as far as its socket's name tells, which need
 * not mean that anybody answers there. */
bool nwi_bus_exists(void);

/* Tests: makes the connection in the place of the system's; NULL restores. 0 or a negative errno,
 * as sd-bus has it. */
void nwi_bus_set_opener(int (*open)(sd_bus **ret_bus));

#endif
