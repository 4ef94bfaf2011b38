/*
 * listener_peers.c - the connections that come in by a listener's door.
 * Runs:   the door's events in any context, never two at once; arrivals in the listener's.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "front/listener.h"
#include "model/endpoint.h"
#include "model/parameters.h"
#include "path/rules.h"
#include "path/settings_file.h"
#include "sys/address.h"

struct arrival { /* a new connection on its way into the listener's context */
    struct nwi_task task;
    nw_listener_t listener;     /* borrowed */
    nw_connection_t connection; /* owned */
};

static void give_back_limit(nw_listener_t listener) {
    if (atomic_load_explicit(&listener->limit, memory_order_relaxed) != UINT32_MAX)
        atomic_fetch_add_explicit(&listener->limit, 1, memory_order_relaxed);
}

static void arrived(struct nwi_task *task) {
    struct arrival *arrival = nwi_container_of(task, struct arrival, task);
    nw_listener_t listener = arrival->listener;
    if (listener->protocol.state == nw_listener_state_ready &&
        listener->protocol.handlers[LISTENER_NEW_CONNECTION] != NULL) {
        nwi_listener_tell_connection(listener, arrival->connection);
    } else {
        nwi_listener_delivered(listener);
        nwi_release(arrival->connection); /* nobody will start it: closed */
    }
    nwi_free(arrival);
}

/* In any context: the atomics decide. */
static bool wants(void *owner) {
    nw_listener_t listener = owner;
    return atomic_load_explicit(&listener->limit, memory_order_relaxed) > 0 &&
           atomic_load_explicit(&listener->undelivered, memory_order_relaxed) <
               NWI_LISTENER_UNDELIVERED_MAX;
}

static bool is_local(const struct sockaddr *remote) {
    return remote->sa_family == AF_UNIX || nwi_address_is_loopback(remote);
}

/* By the rules about interfaces and the policy about the local network; peers on the local links
 * only, when the parameters say so. */
static bool allows(void *owner, const struct sockaddr *remote, unsigned interface_index) {
    nw_listener_t listener = owner;
    if (interface_index != 0 && !nwi_path_allows_arrival(listener->parameters, interface_index))
        return false;
    if (!is_local(remote) && nwi_path_local_network_denied() &&
        nwi_path_is_on_local_network(remote))
        return false;
    return !listener->parameters->local_only || is_local(remote) ||
           nwi_address_is_link_local(remote);
}

/* Takes one off the limit; false when there is none left. */
static bool take_from_limit(nw_listener_t listener) {
    uint32_t limit = atomic_load_explicit(&listener->limit, memory_order_relaxed);
    do {
        if (limit == UINT32_MAX)
            return true;
        if (limit == 0)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&listener->limit, &limit, limit - 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static struct nwi_chain *begin(void *owner, const struct sockaddr *remote, socklen_t length,
                               void **ret_token) {
    nw_listener_t listener = owner;
    if (!wants(listener) || !take_from_limit(listener))
        return NULL;
    struct sockaddr_storage plain;
    memcpy(&plain, remote, length);
    nwi_address_unmap(&plain, &length);
    NWI_AUTO_RELEASE
    nw_endpoint_t endpoint = nwi_endpoint_from_sockaddr((struct sockaddr *)&plain, length);
    if (endpoint == NULL &&
        remote->sa_family == AF_UNIX) /* a local peer seldom has a name: the listener's own path */
        endpoint = nwi_retain(listener->parameters->local_endpoint);
    struct arrival *arrival = nwi_alloc(sizeof *arrival);
    nw_connection_t connection =
        endpoint != NULL ? nwi_connection_create_accepted(endpoint, listener->parameters) : NULL;
    struct nwi_chain *chain = connection != NULL ? nwi_connection_chain(connection) : NULL;
    if (arrival == NULL || chain == NULL) {
        nwi_log(NWI_LOG_ERROR, "listener", "accept", "a peer was turned away: out of memory");
        nwi_free(arrival);
        nwi_release(connection);
        give_back_limit(listener);
        return NULL;
    }
    arrival->task.run = arrived;
    arrival->listener = listener;
    arrival->connection = connection;
    *ret_token = arrival;
    return chain;
}

static void ready(void *owner, void *token, nwi_err err) {
    nw_listener_t listener = owner;
    struct arrival *arrival = token;
    if (err != 0) {
        nwi_release(arrival->connection);
        nwi_free(arrival);
        give_back_limit(listener);
        return;
    }
    atomic_fetch_add_explicit(&listener->undelivered, 1, memory_order_relaxed);
    nwi_serial_push(&listener->context, &arrival->task);
}

const struct nwi_door_events nwi_listener_door_events = {
    .allows = allows, .wants = wants, .begin = begin, .ready = ready};
