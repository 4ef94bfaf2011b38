/*
 * server.c - the answering side of the soak.
 * What:   a TCP listener on each of many addresses of 127/8, so that ports of closed connections
 *         (TIME-WAIT, RFC 9293 section 3.6.1) do not run out; one for datagrams, one on a path.
 *         Every connection sends back what it gets, ends when its peer ends, and closes or resets
 *         when it is told to.
 * Runs:   each connection's handlers on one of the soak's queues; the rest on the main thread.
 * Owns:   the listeners; a `peer` for each connection until `cancelled` was told.
 */
#include "soak.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/queue.h>
#include <sys/un.h>

struct peer {
    LIST_ENTRY(peer) entry;
    nw_connection_t connection; /* owned */
    bool datagrams;
    _Atomic uint64_t heard; /* when something came last */
    _Atomic bool ending;
};
static LIST_HEAD(, peer) peers = LIST_HEAD_INITIALIZER(peers);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the list */
static _Atomic unsigned peer_count, taken;
static sem_t listener_news; /* posted at each state */

enum { UDP_LISTENER = ADDRESSES, PATH_LISTENER, LISTENERS };
static nw_listener_t listeners[LISTENERS];
static nw_parameters_t parameters[TRANSPORTS];
static char folder[] = "/tmp/nw-soak-XXXXXX";

static void end(struct peer *peer, bool at_once) {
    if (atomic_exchange(&peer->ending, true))
        return;
    if (at_once)
        nw_connection_force_cancel(peer->connection);
    else
        nw_connection_cancel(peer->connection);
}

static void listen_to(struct peer *peer);

static void on_echoed(void *context, nw_error_t error) {
    struct peer *peer = context;
    if (error != NULL)
        end(peer, false);
    else if (!peer->ending)
        listen_to(peer);
}

static void on_last(void *context, nw_error_t error) {
    (void)error;
    end(context, false);
}

static uint8_t last_octet(dispatch_data_t content) {
    size_t offset, size = dispatch_data_get_size(content);
    const void *octets;
    dispatch_data_t region = dispatch_data_copy_region(content, size - 1, &offset);
    dispatch_data_t map = dispatch_data_create_map(region, &octets, NULL);
    uint8_t octet = ((const uint8_t *)octets)[size - 1 - offset];
    dispatch_release(map);
    dispatch_release(region);
    return octet;
}

static void on_heard(void *context, dispatch_data_t content, nw_content_context_t received,
                     bool complete, nw_error_t error) {
    struct peer *peer = context;
    atomic_store(&peer->heard, soak_now());
    if (peer->ending)
        return;
    uint8_t order = content != NULL ? last_octet(content) : 0;
    if (order == ORDER_CLOSE || order == ORDER_RESET || error != NULL)
        end(peer, order == ORDER_RESET);
    else if (complete && nw_content_context_get_is_final(received))
        nw_connection_send_f(peer->connection, content, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true,
                             peer, on_last);
    else
        nw_connection_send_f(peer->connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                             peer, on_echoed);
}

static void listen_to(struct peer *peer) {
    if (peer->datagrams)
        nw_connection_receive_message_f(peer->connection, peer, on_heard);
    else
        nw_connection_receive_f(peer->connection, 1, PIECE_MAX, peer, on_heard);
}

static void on_state(void *context, nw_connection_state_t state, nw_error_t error) {
    struct peer *peer = context;
    (void)error;
    if (state == nw_connection_state_ready) {
        listen_to(peer);
    } else if (state == nw_connection_state_failed) {
        end(peer, false);
    } else if (state == nw_connection_state_cancelled) {
        pthread_mutex_lock(&lock);
        LIST_REMOVE(peer, entry);
        pthread_mutex_unlock(&lock);
        nw_release(peer->connection);
        free(peer);
        if (atomic_fetch_sub(&peer_count, 1) == 1)
            soak_nothing_left();
    }
}

static void on_new_connection(void *context, nw_connection_t connection) {
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return;
    peer->connection = nw_retain(connection);
    peer->datagrams = context == &listeners[UDP_LISTENER];
    atomic_store(&peer->heard, soak_now());
    pthread_mutex_lock(&lock);
    LIST_INSERT_HEAD(&peers, peer, entry);
    pthread_mutex_unlock(&lock);
    atomic_fetch_add(&peer_count, 1);
    nw_connection_set_queue(connection, soak_queues[atomic_fetch_add(&taken, 1) % QUEUES]);
    nw_connection_set_state_changed_handler_f(connection, peer, on_state);
    nw_connection_start(connection);
}

void server_sweep(uint64_t silence_ns) {
    uint64_t now = soak_now();
    pthread_mutex_lock(&lock);
    struct peer *peer;
    LIST_FOREACH (peer, &peers, entry) {
        if (!peer->datagrams || now - atomic_load(&peer->heard) < silence_ns)
            continue;
        atomic_fetch_add(&soak_counts.swept, 1);
        end(peer, false); /* listed, so not yet told `cancelled`: it is there */
    }
    pthread_mutex_unlock(&lock);
}

unsigned server_count(void) {
    return atomic_load(&peer_count);
}

/* --- listeners --- */

nw_parameters_t server_parameters(enum transport transport) {
    return parameters[transport];
}

static nw_endpoint_t path_endpoint(void) {
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    snprintf(local.sun_path, sizeof local.sun_path, "%s/echo", folder);
    return nw_endpoint_create_address((struct sockaddr *)&local);
}

static nw_endpoint_t host_endpoint(unsigned which, uint16_t port) {
    char host[16], text[8];
    snprintf(host, sizeof host, "127.0.1.%u", which % ADDRESSES + 1);
    snprintf(text, sizeof text, "%u", port);
    return nw_endpoint_create_host(host, text);
}

nw_endpoint_t server_endpoint(enum transport transport, unsigned choice) {
    unsigned which = transport == OVER_UDP ? UDP_LISTENER : choice % ADDRESSES;
    return transport == OVER_PATH ? path_endpoint()
                                  : host_endpoint(which, nw_listener_get_port(listeners[which]));
}

static void on_listener_state(void *context, nw_listener_state_t state, nw_error_t error) {
    (void)context;
    if (state != nw_listener_state_ready && state != nw_listener_state_cancelled)
        soak_unexpected("a listener failed", nw_error_get_error_code(error));
    sem_post(&listener_news);
}

static void await_listeners(void) {
    for (unsigned i = 0; i < LISTENERS; i++)
        while (sem_wait(&listener_news) != 0) {
        }
}

static void open_listener(unsigned which, enum transport transport) {
    nw_parameters_t own = nw_parameters_copy(parameters[transport]);
    nw_endpoint_t local = transport == OVER_PATH ? path_endpoint() : host_endpoint(which, 0);
    nw_parameters_set_local_endpoint(own, local);
    listeners[which] = nw_listener_create(own);
    nw_listener_set_queue(listeners[which], soak_queues[which % QUEUES]);
    nw_listener_set_state_changed_handler_f(listeners[which], NULL, on_listener_state);
    nw_listener_set_new_connection_handler_f(listeners[which], &listeners[which],
                                             on_new_connection);
    nw_listener_start(listeners[which]);
    nw_release(local);
    nw_release(own);
}

void server_open(void) {
    if (mkdtemp(folder) == NULL || sem_init(&listener_news, 0, 0) != 0)
        abort();
    parameters[OVER_TCP] = parameters[OVER_PATH] = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    parameters[OVER_UDP] = nw_parameters_create_secure_udp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    for (unsigned i = 0; i < LISTENERS; i++)
        open_listener(i, i == UDP_LISTENER ? OVER_UDP : i == PATH_LISTENER ? OVER_PATH : OVER_TCP);
    await_listeners();
}

void server_close(void) {
    char path[sizeof folder + 8];
    for (unsigned i = 0; i < LISTENERS; i++)
        nw_listener_cancel(listeners[i]);
    await_listeners();
    for (unsigned i = 0; i < LISTENERS; i++)
        nw_release(listeners[i]);
    nw_release(parameters[OVER_TCP]);
    nw_release(parameters[OVER_UDP]);
    snprintf(path, sizeof path, "%s/echo", folder);
    unlink(path);
    rmdir(folder);
}
