/*
 * port.h - a listener's datagram socket and its peers; shared by port.c and peer.c only.
 * Runs:   a port has a serial context of its own, in which its socket is read and its peer table
 *         kept.
 */
#ifndef NWI_PROTOCOL_UDP_PORT_H
#define NWI_PROTOCOL_UDP_PORT_H

#include "base/siphash.h"
#include "dispatch/alarm.h"
#include "dispatch/watch.h"
#include "protocol/udp/inbox.h"
#include "protocol/udp/message.h"
#include "protocol/udp/strangers.h"
#include <pthread.h>

struct nwi_udp_peer {
    struct nwi_layer base;
    struct nwi_udp_port *port; /* owned */
    struct sockaddr_storage address;
    socklen_t address_length;
    struct sockaddr_storage local; /* source address for answers: the one that the peer wrote to */
    unsigned interface_index;
    uint64_t beginning; /* of its first datagram, where the port screens; port's context */
    bool in_table;      /* port's context */
    struct {            /* in the protocol context */
        struct nwi_udp_outbox outbox;
        size_t window;
        bool delivering;
    } protocol;
    struct { /* under lock: the port's context adds, the protocol context takes */
        pthread_mutex_t lock;
        struct nwi_serial *context; /* NULL before connect and after disconnect */
        struct nwi_udp_inbox inbox;
        bool travelling; /* `news` is on its way to the context */
        bool writable;   /* the socket takes datagrams again */
        bool closed;
        bool superseded; /* whoever is at that address has begun anew */
    } shared;
    struct nwi_task news;
    struct nwi_task removal;          /* to the port's context, once */
    LIST_ENTRY(nwi_udp_peer) bucket;  /* in the port's table: port's context */
    LIST_ENTRY(nwi_udp_peer) blocked; /* under the port's lock */
    bool is_blocked;
};
LIST_HEAD(nwi_udp_peer_list, nwi_udp_peer);

struct nwi_udp_port {
    struct nwi_object base;
    struct nwi_serial context;
    struct nwi_watch watch;
    int fd, family;
    char *room;                        /* to read into: mostly never touched, so never there */
    nw_service_class_t service_class;  /* of the listener's parameters */
    struct nwi_siphash_key key;        /* of the hash of addresses */
    struct nwi_udp_peer_list *buckets; /* by address; port's context */
    size_t bucket_count, peer_count;
    struct nwi_udp_strangers strangers; /* port's context */
    struct nwi_task turn, close_task, admission;
    struct nwi_alarm retry; /* after a shortage */
    bool readable, turn_queued;
    bool screens; /* the owner looks at strangers first */
    uint64_t (*beginning)(const struct nwi_datagram *datagram); /* of the owner's events; or NULL */
    struct {
        pthread_mutex_t lock;
        const struct nwi_udp_port_events *events; /* NULL once the listener is gone */
        void *owner;
        unsigned users; /* listener and peers: 0 closes the socket */
        bool admission_queued;
        struct nwi_udp_peer_list blocked;
    } shared;
};

/* port.c, for peers */
void nwi_udp_port_use(struct nwi_udp_port *port);
void nwi_udp_port_leave(struct nwi_udp_port *port);
void nwi_udp_port_insert(struct nwi_udp_port *port, struct nwi_udp_peer *peer);
void nwi_udp_port_remove(struct nwi_udp_port *port, struct nwi_udp_peer *peer);
void nwi_udp_port_block(struct nwi_udp_port *port, struct nwi_udp_peer *peer);
/* peer.c, for the port */
void nwi_udp_peer_take(struct nwi_udp_peer *peer, const struct nwi_datagram *datagram);
void nwi_udp_peer_writable(struct nwi_udp_peer *peer);
void nwi_udp_peer_supersede(struct nwi_udp_peer *peer);

#endif
