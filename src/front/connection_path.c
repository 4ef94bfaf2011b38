/*
 * connection_path.c - what a connection tells of its path: path, viability, better path.
 * What:   looks at the path after each change of the network, while waiting and, where a handler
 *         asks for it, while ready; tells what differs from what was told last.
 * Source: the path, viability and better path handlers as nw_connection_t documents them.
 * Runs:   in the protocol context; callouts go through the outlet.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "establish/carriers.h"
#include "front/connection.h"
#include "model/endpoint.h"
#include "path/monitor.h"
#include "sys/route.h"

/* Made when first needed, so that an idle connection does not carry it. */
struct connection_path_watch {
    struct nwi_path_subscription *changes; /* owned */
    nw_path_t told;                        /* owned; what the path handler was told last */
    bool awaits_costs;                     /* preparing, with nothing under way */
};

/* The interface a path uses first; 0 = none. Enumerating calls inline. */
static bool take_first_index(void *context, nw_interface_t interface) {
    *(uint32_t *)context = nw_interface_get_index(interface);
    return false;
}

static uint32_t first_index(nw_path_t path) {
    uint32_t index = 0;
    nw_path_enumerate_interfaces_f(path, &index, take_first_index);
    return index;
}

/* The interface by which a new connection to that address would try first; 0 = none, or unknown. */
static unsigned preferred_index(nw_parameters_t parameters, const struct sockaddr *remote) {
    struct nwi_path_choice choice;
    struct nwi_carriers carriers;
    struct nwi_route route = {0};
    if (nwi_path_choose(parameters, &choice) != 0)
        return 0;
    nwi_carriers_find(&choice, parameters, remote, &carriers);
    if (carriers.obstacle != 0 || carriers.interfaces[0] != 0)
        return carriers.interfaces[0];
    return nwi_route_lookup(remote, 0, NULL, &route) == 0 ? route.index : 0;
}

/* A better path exists when a new connection would take another interface than this one has. What
 * goes over loopback has the best path there is. */
static bool better_path_exists(nw_connection_t connection, nw_path_t path) {
    socklen_t length;
    NWI_AUTO_RELEASE
    nw_endpoint_t remote = nw_path_copy_effective_remote_endpoint(path);
    const struct sockaddr *address = nwi_endpoint_sockaddr(remote, &length);
    if (address == NULL || nw_path_uses_interface_type(path, nw_interface_type_loopback))
        return false;
    unsigned index = preferred_index(connection->parameters, address);
    return index != 0 && index != first_index(path);
}

/* Equal paths are not repeated. */
static void tell_path_if_new(nw_connection_t connection, nw_path_t path) {
    struct connection_path_watch *watch = connection->protocol.path_watch;
    if (connection->protocol.handlers[HANDLER_PATH] == NULL)
        return;
    if (watch != NULL) {
        if (nw_path_is_equal(watch->told, path))
            return;
        nwi_release(watch->told);
        watch->told = nwi_retain(path);
    }
    nwi_connection_tell_path(connection, path);
}

void nwi_connection_tell_path_if_new(nw_connection_t connection) {
    if (connection->protocol.handlers[HANDLER_PATH] == NULL)
        return;
    NWI_AUTO_RELEASE
    nw_path_t path = nwi_connection_create_path(connection);
    if (path != NULL) /* else out of memory: the next change tells it */
        tell_path_if_new(connection, path);
}

static void look_at_path(nw_connection_t connection) {
    NWI_AUTO_RELEASE
    nw_path_t path = nwi_connection_create_path(connection);
    if (path == NULL)
        return; /* out of memory: the next change looks again */
    bool viable = nw_path_get_status(path) == nw_path_status_satisfied;
    bool better = better_path_exists(connection, path);
    if (viable != connection->protocol.viable) {
        connection->protocol.viable = viable;
        nwi_connection_tell_bool(connection, HANDLER_VIABILITY, viable);
    }
    if (better != connection->protocol.better) {
        connection->protocol.better = better;
        nwi_connection_tell_bool(connection, HANDLER_BETTER_PATH, better);
    }
    tell_path_if_new(connection, path);
}

static void path_changed(void *context) {
    nw_connection_t connection = context;
    if (connection->protocol.state == nw_connection_state_waiting)
        nwi_connection_retry(connection);
    else if (connection->protocol.path_watch->awaits_costs)
        nwi_connection_establish(connection);
    else if (connection->protocol.state == nw_connection_state_ready)
        look_at_path(connection);
}

void nwi_connection_watch_path(nw_connection_t connection) {
    if (connection->protocol.path_watch != NULL)
        return;
    struct connection_path_watch *watch = nwi_alloc(sizeof *watch);
    nwi_err err = watch == NULL ? NWI_ERR_NOMEM
                                : nwi_path_subscribe(&connection->context, connection, path_changed,
                                                     connection, &watch->changes);
    if (err == 0) {
        connection->protocol.path_watch = watch;
        return;
    }
    char name[16], text[160];
    nwi_connection_name(connection, name);
    nwi_log(NWI_LOG_NOTICE, name, "path", "network changes cannot be watched: %s",
            nwi_err_format(err, text, sizeof text));
    nwi_free(watch);
}

void nwi_connection_unwatch_path(nw_connection_t connection) {
    struct connection_path_watch *watch = nwi_take(&connection->protocol.path_watch);
    if (watch == NULL)
        return;
    nwi_path_unsubscribe(watch->changes);
    nwi_release(watch->told);
    nwi_free(watch);
}

bool nwi_connection_awaits_costs(nw_connection_t connection) {
    if (!nwi_path_rules_weigh_costs(connection->parameters))
        return false;
    nwi_connection_watch_path(connection); /* before the look: no notice may slip between */
    struct connection_path_watch *watch = connection->protocol.path_watch;
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = watch != NULL ? nwi_path_copy_table() : NULL;
    if (watch != NULL)
        watch->awaits_costs = table != NULL && !table->costs_settled;
    return watch != NULL && watch->awaits_costs;
}

bool nwi_connection_wants_path(nw_connection_t connection) {
    struct nwi_handler *const *handlers = connection->protocol.handlers;
    return handlers[HANDLER_PATH] != NULL || handlers[HANDLER_VIABILITY] != NULL ||
           handlers[HANDLER_BETTER_PATH] != NULL;
}
