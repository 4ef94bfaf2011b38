/*
 * metadata.h - what protocols tell about a connection or a message.
 * What:   TCP (live: asks the socket while the connection lives), UDP, IP.
 * Runs:   TCP metadata: any thread. IP and UDP metadata: written by their maker before they are
 *         handed out.
 */
#ifndef NWI_MODEL_METADATA_H
#define NWI_MODEL_METADATA_H

#include "model/ip_options.h"
#include "model/protocol.h"
#include "model/tcp_options.h"
#include "model/udp_options.h"
#include <pthread.h>

enum nwi_direction { NWI_RECEIVE, NWI_SEND };

/* What a live TCP socket can be asked, on any thread. Called with the metadata's lock held: must
 * neither block nor call back into the metadata. */
struct nwi_tcp_metadata_ops {
    uint32_t (*available)(void *owner,
                          enum nwi_direction direction); /* octets unread / unacknowledged */
    int (*set_max_pacing_rate)(void *owner,
                               uint64_t octets_per_second); /* UINT64_MAX = no limit; errno */
};

struct nwi_tcp_metadata {
    struct nw_protocol_metadata base;
    pthread_mutex_t lock;
    const struct nwi_tcp_metadata_ops *ops; /* under lock */
    void *owner;                            /* not retained; NULL once detached; under lock */
};

/* +1 or NULL. `owner` must call nwi_tcp_metadata_detach before it goes away. */
nw_protocol_metadata_t nwi_tcp_metadata_create(const struct nwi_tcp_metadata_ops *ops, void *owner);
/* After it returns the owner is not called again. NULL is fine. */
void nwi_tcp_metadata_detach(nw_protocol_metadata_t metadata);

struct nwi_ip_metadata {
    struct nw_protocol_metadata base;
    nw_ip_ecn_flag_t ecn;
    nw_service_class_t service_class;
    bool service_class_set; /* else the parameters' holds */
    uint64_t receive_time;  /* ns of CLOCK_MONOTONIC_RAW; 0 = not measured */
};

/* UDP has nothing to tell, so one is enough for all that libnw makes. */
extern struct nw_protocol_metadata nwi_udp_metadata;
/* The same object, or NULL when the metadata is not IP's. */
struct nwi_ip_metadata *nwi_ip_metadata(nw_protocol_metadata_t metadata);

#endif
