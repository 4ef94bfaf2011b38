/*
 * pair.h - two chains with TLS on top, joined by octets in memory, without a loop or a thread.
 * What:   a wire layer at the bottom of each chain; the test says how many octets go at a time,
 *         where they stop and what is changed on the way.
 */
#ifndef NWI_TESTS_TLS_PAIR_H
#define NWI_TESTS_TLS_PAIR_H

#include "dispatch/data.h"
#include "protocol/tls/errors.h"
#include "protocol/tls/tls.h"
#include "stack/chain.h"
#include <Network/Network.h>
#include <Security/SecureTransport.h>

struct wire {
    struct nwi_layer base;
    struct side *side;
    unsigned char *octets; /* on their way to this end */
    size_t length, room;
    size_t delivered; /* so far */
    size_t window;
    bool final_coming, final_delivered;
    struct nwi_send_list held; /* while the side is blocked */
};

struct side {
    struct nwi_chain *chain;
    struct wire *wire;
    struct side *peer;
    struct nwi_tls_options *options; /* owned */
    struct nwi_serial *context;      /* NULL: the test drives */
    void *context_owner;
    const char *host;
    nw_endpoint_t remote;       /* owned; NULL: none */
    nw_parameters_t parameters; /* lent; NULL: none */
    struct nwi_early *early;    /* lent; NULL: none */
    bool is_server;
    size_t chunk;   /* octets a delivery; 0: all */
    size_t stop_at; /* octets delivered to this side at most; 0: no limit */
    bool cut;       /* the stream ends at stop_at */
    bool held;      /* nothing is delivered to this side */
    bool blocked;   /* what this side sends does not get to the wire */
    /* what the owner saw */
    int connected, failed, writable, asking;
    nwi_err error, create_error;
    char *text; /* received */
    size_t received, room;
    bool ended;
    bool closed_by_peer; /* the wire below the peer was disconnected */
    int abort_seen;
};

struct pair {
    struct side client, server;
};

/* Options of both ends are there to be set; nothing is connected yet. */
void pair_init(struct pair *pair);
/* Makes the chains and connects them; the octets wait for pair_run. */
void pair_start(struct pair *pair);
/* Moves octets until nothing moves any more. */
void pair_run(struct pair *pair);
/* start, run, and both are connected. */
void pair_shake(struct pair *pair);
void pair_end(struct pair *pair);

sec_protocol_options_t side_options(struct side *side); /* lent */
/* Same key and name at both ends. */
void pair_add_key(struct pair *pair);
/* The server shows a fresh certificate for `name`, which the client trusts. */
void pair_add_certificate(struct pair *pair, const char *name);

/* One CA for the whole run; +1. */
sec_certificate_t copy_authority(void);
/* A fresh key and a certificate for `name` (its SAN) from that CA; +1. */
sec_identity_t make_identity(const char *name);
void side_add_identity(struct side *side, const char *name);
void side_trust_authority(struct side *side);

/* What became of sends. */
struct sent {
    int done;
    nwi_err error;
};
void side_send(struct side *side, const void *bytes, size_t size, bool final, struct sent *sent);
void side_send_data(struct side *side, dispatch_data_t content, bool more, bool final,
                    struct sent *sent);
void side_unblock(struct side *side);

#endif
