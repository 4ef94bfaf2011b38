/*
 * door.c - see door.h. With assemble.c it is where protocols are known by name.
 */
#include "establish/door.h"
#include "base/clock.h"
#include "establish/assemble.h"
#include "model/parameters.h"
#include "model/tls_options.h"
#include "model/udp_options.h"
#include "path/rules.h"
#include "protocol/tcp/acceptor.h"
#include "protocol/tcp/tcp.h"
#include "protocol/tls/cookie.h"
#include "protocol/udp/udp.h"
#include "sys/arrival.h"
#include "sys/sockets.h"

struct nwi_door {
    struct nwi_object base;
    const struct nwi_door_events *events;
    nw_parameters_t parameters;       /* owned; of every peer */
    void *owner;                      /* owned: events may come from the port's context */
    struct nwi_acceptor *acceptor;    /* owned; stream */
    struct nwi_udp_port *port;        /* owned; datagrams */
    struct nwi_dtls_cookies *cookies; /* owned; NULL: not DTLS */
    int family;                       /* of the listening socket */
    bool ruled;                       /* rules decide by which interfaces peers may come */
};

static bool wants(void *door_object) {
    struct nwi_door *door = door_object;
    return door->events->wants(door->owner);
}

/* Gives the new peer's chain its layers. False: turned away. */
static bool come_in(struct nwi_door *door, const struct sockaddr *remote, socklen_t length,
                    struct nwi_layer *(*make)(void *context), void *context) {
    void *token = NULL;
    struct nwi_chain *chain = door->events->begin(door->owner, remote, length, &token);
    if (chain == NULL)
        return false;
    struct nwi_layer *layer = make(context);
    nwi_err err = layer != NULL ? 0 : NWI_ERR_NOMEM;
    if (layer != NULL) {
        nwi_chain_push(chain, layer);
        err = nwi_assemble_server(chain, door->parameters);
    }
    door->events->ready(door->owner, token, err);
    return true;
}

static struct nwi_layer *make_stream(void *context) {
    return nwi_tcp_adopt(*(int *)context);
}

/* Where the first packet cannot be asked, the address that the peer chose to connect to tells. */
static unsigned arrival_of(const struct nwi_door *door, int fd) {
    struct sockaddr_storage local;
    socklen_t length;
    unsigned index = 0;
    if (!door->ruled || door->family == AF_UNIX)
        return 0;
    if (nwi_arrival_interface(fd, door->family, &index) == 0 && index != 0)
        return index;
    return nwi_socket_local(fd, &local, &length) == 0 ? nwi_path_holder((struct sockaddr *)&local)
                                                      : 0;
}

static void accepted(void *door_object, int fd, const struct sockaddr *remote, socklen_t length) {
    struct nwi_door *door = door_object;
    if (!door->events->allows(door->owner, remote, arrival_of(door, fd)) ||
        !come_in(door, remote, length, make_stream, &fd))
        nwi_socket_close(fd);
}

static const struct nwi_acceptor_events acceptor_events = {.wants = wants, .accepted = accepted};

struct datagram_peer {
    struct nwi_udp_port *port;
    const struct nwi_datagram *first;
};

static struct nwi_layer *make_datagram(void *context) {
    struct datagram_peer *peer = context;
    return nwi_udp_peer_create(peer->port, peer->first);
}

static bool allows(const struct nwi_door *door, const struct nwi_datagram *first) {
    return door->events->allows(door->owner, (const struct sockaddr *)&first->peer,
                                door->ruled ? first->interface_index : 0);
}

static bool new_peer(void *door_object, struct nwi_udp_port *port,
                     const struct nwi_datagram *first) {
    struct nwi_door *door = door_object;
    struct datagram_peer peer = {port, first};
    if (!allows(door, first))
        return true; /* never: dropped */
    return come_in(door, (const struct sockaddr *)&first->peer, first->peer_length, make_datagram,
                   &peer);
}

/* DTLS: a stranger shows first that it is his own address that he writes from. */
static bool screen(void *door_object, const struct nwi_datagram *first, struct iovec *answer) {
    struct nwi_door *door = door_object;
    if (allows(door, first))
        return nwi_dtls_cookies_check(door->cookies, nwi_now(),
                                      (const struct sockaddr *)&first->peer, first->data.iov_base,
                                      first->length, answer->iov_base, &answer->iov_len);
    answer->iov_len = 0;
    return false;
}

static uint64_t beginning(const struct nwi_datagram *datagram) {
    return nwi_dtls_beginning(datagram->data.iov_base, datagram->length);
}

static const struct nwi_udp_port_events port_events = {.new_peer = new_peer};
static const struct nwi_udp_port_events dtls_port_events = {
    .screen = screen, .beginning = beginning, .new_peer = new_peer};

static nwi_err open_port(struct nwi_door *door, const struct nwi_door_request *request) {
    bool is_dtls = nwi_tls_options_of_stack(request->parameters->stack) != NULL;
    if (is_dtls && (door->cookies = nwi_dtls_cookies_create(nwi_now())) == NULL)
        return NWI_ERR_NOMEM;
    return nwi_udp_port_open(request->local, request->length, request->parameters,
                             is_dtls ? &dtls_port_events : &port_events, door, &door->port);
}

static void destroy_door(void *object) {
    struct nwi_door *door = object;
    nwi_dtls_cookies_free(door->cookies);
    nwi_release(door->port);
    nwi_release(door->parameters);
    nwi_release(door->owner);
}

static const struct nwi_type door_type = {
    .name = "nwi_door",
    .size = sizeof(struct nwi_door),
    .destroy = destroy_door,
};

nwi_err nwi_door_open(const struct nwi_door_request *request, struct nwi_door **ret_door) {
    NWI_AUTO_RELEASE
    struct nwi_door *door = nwi_object_create(&door_type, 0);
    if (door == NULL)
        return NWI_ERR_NOMEM;
    door->events = request->events;
    door->parameters = nwi_retain(request->parameters);
    door->owner = nwi_retain(request->owner);
    door->family = request->local->sa_family;
    door->ruled = nwi_path_has_rules(request->parameters);
    nwi_err err;
    if (request->parameters->stack->transport->definition == &nwi_udp_definition)
        err = open_port(door, request);
    else
        err = nwi_acceptor_open(
            &(struct nwi_acceptor_request){
                .local = request->local,
                .length = request->length,
                .parameters = request->parameters,
                .context = request->context,
                .loop = request->loop,
                .context_owner = request->owner,
                .tell_arrival = door->ruled,
                .events = &acceptor_events,
                .owner = door,
            },
            &door->acceptor);
    if (err == 0)
        *ret_door = nwi_take(&door);
    return err;
}

struct nwi_door *nwi_door_close(struct nwi_door *door) {
    if (door == NULL)
        return NULL;
    door->acceptor = nwi_acceptor_close(door->acceptor);
    if (door->port != NULL)
        nwi_udp_port_detach(door->port);
    return nwi_release(door);
}

void nwi_door_resume(struct nwi_door *door) {
    if (door->acceptor != NULL)
        nwi_acceptor_resume(door->acceptor);
    if (door->port != NULL)
        nwi_udp_port_resume(door->port);
}

nwi_err nwi_door_port(const struct nwi_door *door, uint16_t *ret_port) {
    return door->acceptor != NULL ? nwi_acceptor_port(door->acceptor, ret_port)
                                  : nwi_udp_port_number(door->port, ret_port);
}
