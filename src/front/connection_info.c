/*
 * connection_info.c - what a connection tells about itself: path, metadata, sizes, timeline.
 * Runs:   getters on any thread. They read what is published under the connection's lock: the chain
 *         while the connection is ready, and take it away before it is stopped.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "establish/timeline.h"
#include "front/connection.h"
#include "model/endpoint.h"
#include "model/metadata.h"
#include "model/parameters.h"
#include "path/evaluate.h"

void nwi_connection_publish(nw_connection_t connection, struct nwi_chain *chain) {
    pthread_mutex_lock(&connection->shared.lock);
    connection->shared.chain = chain;
    pthread_mutex_unlock(&connection->shared.lock);
}

/* The addresses at both ends, +1 each or NULL; false when the connection is not ready. */
static bool copy_facts(nw_connection_t connection, struct nwi_layer_facts *ret_facts) {
    pthread_mutex_lock(&connection->shared.lock);
    bool live = connection->shared.chain != NULL;
    if (live)
        *ret_facts = nwi_chain_facts(connection->shared.chain);
    pthread_mutex_unlock(&connection->shared.lock);
    return live;
}

static void drop_facts(struct nwi_layer_facts *facts) {
    nwi_release(facts->local);
    nwi_release(facts->remote);
}

nw_connection_state_t nwi_connection_state(nw_connection_t connection) {
    pthread_mutex_lock(&connection->shared.lock);
    nw_connection_state_t state = connection->shared.state;
    pthread_mutex_unlock(&connection->shared.lock);
    return state;
}

nw_path_t nwi_connection_create_path(nw_connection_t connection) {
    struct nwi_layer_facts facts = {0};
    bool live = copy_facts(connection, &facts);
    pthread_mutex_lock(&connection->shared.lock);
    bool denied = !live && connection->shared.denied;
    pthread_mutex_unlock(&connection->shared.lock);
    nw_path_t path = denied ? nwi_path_evaluate_denied(connection->parameters)
                            : nwi_path_evaluate(connection->parameters, facts.local, facts.remote);
    drop_facts(&facts);
    return path;
}

nw_path_t nw_connection_copy_current_path(nw_connection_t connection) {
    if (connection == NULL) {
        nwi_log_misuse(__func__, "connection is NULL");
        return NULL;
    }
    nw_connection_state_t state = nwi_connection_state(connection);
    if (state == nw_connection_state_invalid || state == nw_connection_state_cancelled)
        return NULL;
    return nwi_connection_create_path(connection);
}

/* IP's has the usual service class of the connection's messages; no layer of a chain is IP. */
static nw_protocol_metadata_t create_ip_metadata(nw_connection_t connection) {
    struct nwi_layer_facts facts = {0};
    socklen_t length;
    copy_facts(connection, &facts);
    const struct sockaddr *remote = nwi_endpoint_sockaddr(facts.remote, &length);
    bool is_ip = remote != NULL && (remote->sa_family == AF_INET || remote->sa_family == AF_INET6);
    drop_facts(&facts);
    nw_protocol_metadata_t metadata = is_ip ? nw_ip_create_metadata() : NULL;
    if (metadata != NULL)
        nwi_ip_metadata(metadata)->service_class = connection->parameters->service_class;
    return metadata;
}

nw_protocol_metadata_t nw_connection_copy_protocol_metadata(nw_connection_t connection,
                                                            nw_protocol_definition_t definition) {
    if (connection == NULL || definition == NULL) {
        nwi_log_misuse(__func__, connection == NULL ? "connection is NULL" : "definition is NULL");
        return NULL;
    }
    pthread_mutex_lock(&connection->shared.lock);
    nw_protocol_metadata_t metadata =
        connection->shared.chain != NULL
            ? nwi_chain_copy_metadata(connection->shared.chain, definition)
            : NULL;
    pthread_mutex_unlock(&connection->shared.lock);
    if (metadata == NULL && definition == &nwi_ip_definition)
        metadata = create_ip_metadata(connection);
    return metadata;
}

uint32_t nw_connection_get_maximum_datagram_size(nw_connection_t connection) {
    struct nwi_layer_facts facts = {0};
    if (connection == NULL) {
        nwi_log_misuse(__func__, "connection is NULL");
        return 0;
    }
    if (!copy_facts(connection, &facts))
        return 0;
    drop_facts(&facts);
    return facts.maximum_datagram;
}

nw_establishment_timeline_t nw_connection_copy_establishment_timeline(nw_connection_t connection) {
    if (connection == NULL) {
        nwi_log_misuse(__func__, "connection is NULL");
        return NULL;
    }
    pthread_mutex_lock(&connection->shared.lock);
    NWI_AUTO_RELEASE
    struct nwi_timeline *timeline = nwi_retain(connection->shared.timeline);
    pthread_mutex_unlock(&connection->shared.lock);
    char name[16];
    nwi_connection_name(connection, name);
    return nwi_timeline_copy(timeline, name);
}
