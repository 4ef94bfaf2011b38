/*
 * tree.h - the tree that becomes one connection.
 * What:   resolves the endpoint, races its addresses (race.h decides, this acts), and delivers the
 *         winner's chain. One establishment is one round: a retry is a new one.
 * Runs:   everything in the protocol context named in the request.
 * Owns:   attempts and resolution; the chain passes to the owner with `ready`.
 */
#ifndef NWI_ESTABLISH_TREE_H
#define NWI_ESTABLISH_TREE_H

#include "establish/timeline.h"
#include "stack/chain.h"

struct nwi_establishment;
struct nwi_serial;
struct nwi_loop;

struct nwi_establishment_request { /* borrowed for the call */
    nw_endpoint_t endpoint;
    nw_parameters_t parameters;
    const char *name; /* "C8" */
    struct nwi_serial *context;
    struct nwi_loop *loop;
    void *context_owner;           /* object that embeds the context */
    struct nwi_timeline *timeline; /* may be NULL */
    dispatch_data_t early;         /* the first content, which each attempt may send; NULL: none */
};

/* One of the two comes, once, never after nwi_establishment_cancel; perhaps inside
 * nwi_establishment_begin. */
struct nwi_establishment_events {
    void (*ready)(void *owner, struct nwi_chain *chain); /* consumes the chain */
    /* permanent: no change of the network can help (an unsupported stack, an endpoint that cannot
     * be connected to). */
    void (*failed)(void *owner, nwi_err err, bool permanent);
};

/* NULL when memory ran out. */
struct nwi_establishment *nwi_establishment_create(const struct nwi_establishment_request *request,
                                                   const struct nwi_establishment_events *events,
                                                   void *owner);
void nwi_establishment_begin(struct nwi_establishment *establishment);
/* Gives up the attempt that has run longest and goes on to the next address. */
void nwi_establishment_next(struct nwi_establishment *establishment);
/* After `ready`: how many octets of the early content the chain has sent already. */
size_t nwi_establishment_early_sent(const struct nwi_establishment *establishment);
/* Whether the policy about the local network was what kept it from an address. */
bool nwi_establishment_was_denied(const struct nwi_establishment *establishment);
/* Closes everything at once. No event comes afterwards. */
void nwi_establishment_cancel(struct nwi_establishment *establishment);
/* Cancels if need be; returns NULL. */
struct nwi_establishment *nwi_establishment_release(struct nwi_establishment *establishment);

#endif
