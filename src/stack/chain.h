/*
 * chain.h - the driver of one protocol stack.
 * What:   layers from a socket (bottom) to whoever uses the chain (its owner, above the top). Only
 *         this file walks the layers: connects them from the bottom up, disconnects from the top
 *         down.
 * Runs:   in the protocol context given at creation. Owner events are called there too,
 *         synchronously; the owner may stop the chain inside any of them.
 * Owns:   its layers; one reference for the caller of nwi_chain_create.
 */
#ifndef NWI_STACK_CHAIN_H
#define NWI_STACK_CHAIN_H

#include "stack/layer.h"

struct nwi_serial;
struct nwi_loop;

struct nwi_chain_events { /* each may be left out */
    void (*connected)(void *owner);
    /* A layer below the top is connected; those above go on from there. Before their connect. */
    void (*progress)(void *owner, struct nwi_layer *layer);
    /* A layer is about to ask the program something (begins), or has its answer. False: not now;
     * nwi_chain_go_on tells it when. Left out: always now. */
    bool (*asking)(void *owner, bool begins);
    nwi_err (*input)(void *owner, struct nwi_input *input); /* consumes input */
    void (*writable)(void *owner);
    void (*failed)(void *owner, nwi_err err);     /* once; the chain has ended, stop it */
    void (*soft_error)(void *owner, nwi_err err); /* a datagram could not be delivered */
};

struct nwi_chain {
    struct nwi_object base;
    struct nwi_layer *top;
    const struct nwi_chain_events *events; /* NULL once stopped */
    void *owner;
    struct nwi_serial *context;
    struct nwi_loop *loop;
    void *context_owner; /* the object that embeds `context`: layers retain it */
    bool connected, ended;
};

/* `context_owner` is the object whose memory holds the context; whatever outlives the chain retains
 * it. */
struct nwi_chain *nwi_chain_create(struct nwi_serial *context, struct nwi_loop *loop,
                                   void *context_owner);
void nwi_chain_set_owner(struct nwi_chain *chain, const struct nwi_chain_events *events,
                         void *owner);
/* Adds a layer on top; consumes the reference. */
void nwi_chain_push(struct nwi_chain *chain, struct nwi_layer *layer);
/* Begins connecting. Errors come back here only when the bottom refuses at once; the chain is then
 * ended. */
nwi_err nwi_chain_connect(struct nwi_chain *chain);
void nwi_chain_send(struct nwi_chain *chain, struct nwi_send *send);
bool nwi_chain_congested(const struct nwi_chain *chain);
void nwi_chain_window(struct nwi_chain *chain, size_t octets);
/* Stops and takes the layers apart. Sends in them complete with `why`. No event comes afterwards.
 */
void nwi_chain_stop(struct nwi_chain *chain, enum nwi_disconnect how, nwi_err why);
struct nwi_layer_facts nwi_chain_facts(const struct nwi_chain *chain);
/* The descriptor alone, lent; -1 when there is none of its own. */
int nwi_chain_fd(const struct nwi_chain *chain);
nw_protocol_metadata_t nwi_chain_copy_metadata(const struct nwi_chain *chain,
                                               nw_protocol_definition_t definition);
/* The layer that makes it secure, lent; NULL: none does. */
struct nwi_layer *nwi_chain_secure_layer(const struct nwi_chain *chain);
bool nwi_chain_is_stream(const struct nwi_chain *chain);
/* After `asking` was refused: the layers may ask now. */
void nwi_chain_go_on(struct nwi_chain *chain);

/* For layer.c */
void nwi_chain_layer_connected(struct nwi_chain *chain, struct nwi_layer *layer);
bool nwi_chain_asking(struct nwi_chain *chain, bool begins);
nwi_err nwi_chain_deliver(struct nwi_chain *chain, struct nwi_input *input);
void nwi_chain_writable(struct nwi_chain *chain);
void nwi_chain_failed(struct nwi_chain *chain, nwi_err err);
void nwi_chain_soft_error(struct nwi_chain *chain, nwi_err err);
/* Frees what an input holds, for whoever cannot pass it on. */
void nwi_input_drop(struct nwi_input *input);

#endif
