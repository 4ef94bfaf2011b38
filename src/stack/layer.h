/*
 * layer.h - the face that every protocol shows to its neighbours.
 * What:   a layer is one protocol at work in one chain. Content travels down as struct nwi_send and
 *         up as struct nwi_input; the reader above grants a window, and nothing is read that nobody
 *         asked for.
 * Runs:   everything here in the protocol context of the chain; protocol code takes no lock.
 * Owns:   a chain owns its layers; a layer never ends or frees its neighbour (docs/how/stack.md).
 */
#ifndef NWI_STACK_LAYER_H
#define NWI_STACK_LAYER_H

#include "base/err.h"
#include "base/object.h"
#include <Network/Network.h>
#include <sys/queue.h>

struct nwi_chain;
struct nwi_layer;

enum nwi_layer_traits {
    NWI_TRAIT_STREAM = 1, /* octets without boundaries; otherwise messages */
    NWI_TRAIT_SECURE = 2,
    NWI_TRAIT_MUX = 4, /* hands out streams */
};

/* One piece of content on its way down. Whoever holds it calls done() exactly once; done() frees
 * it. */
struct nwi_send {
    STAILQ_ENTRY(nwi_send) link;
    dispatch_data_t content;      /* owned; NULL: nothing but the marks below */
    size_t offset;                /* octets of content already taken by the layer below */
    nw_content_context_t context; /* owned; carries metadata for each protocol */
    bool complete;                /* ends its message */
    bool final;                   /* ends the direction: half-close once all before it is out */
    bool more;                    /* another follows in this very turn: writing may wait for it */
    void (*done)(struct nwi_send *send, nwi_err err);
};
STAILQ_HEAD(nwi_send_list, nwi_send);
/* Octets of its content that no layer below has taken. */
static inline size_t nwi_send_left(const struct nwi_send *send) {
    return send->content != NULL ? dispatch_data_get_size(send->content) - send->offset : 0;
}

/* One piece of content on its way up. Fields are consumed by whom it is delivered to. */
struct nwi_input {
    dispatch_data_t content;      /* NULL: no octets (an empty datagram, the end of a stream) */
    nw_content_context_t context; /* of this message; NULL on a stream */
    bool complete;                /* ends its message or the stream */
    bool final;                   /* ends the stream: nothing follows */
};

enum nwi_disconnect { NWI_DISCONNECT_GRACEFUL, NWI_DISCONNECT_ABORT };

/* Questions a chain answers about itself; asked from the top, answered by the first layer that can.
 */
struct nwi_layer_facts {
    nw_endpoint_t local, remote; /* +1 each when set */
    uint32_t maximum_datagram;   /* octets of user content; 0 = stream */
    uint32_t overhead;           /* octets that layers add to each datagram of the transport */
    int fd;                      /* -1 when there is none */
    bool fd_only;                /* in: nothing else is asked for, and nothing need be made */
};

struct nwi_layer_ops { /* an op left out passes through to the neighbour */
    const char *name;
    unsigned traits;
    size_t size;
    /* The layer below is connected (the bottom: begin). Ends with nwi_layer_connected, now or
     * later. */
    nwi_err (*connect)(struct nwi_layer *layer);
    /* Stop. Consumes nothing later; queued sends are completed with `why`. The chain frees the
     * layer after. */
    void (*disconnect)(struct nwi_layer *layer, enum nwi_disconnect how, nwi_err why);
    /* From below; consumes `input`, on error too. An error ends the chain. */
    nwi_err (*input)(struct nwi_layer *layer, struct nwi_input *input);
    /* From above; consumes `send` in every case: errors arrive at its done(). */
    void (*output)(struct nwi_layer *layer, struct nwi_send *send);
    /* True while output would only queue: the layer above holds back what it may still reorder or
     * drop. */
    bool (*congested)(struct nwi_layer *layer);
    /* The layer below is no longer congested; this one says so to the one above when it is not
     * either. */
    void (*writable)(struct nwi_layer *layer);
    /* The layer below has come to its end. This one first delivers what it still holds, and then
     * calls nwi_layer_failed for itself, with this error or one that tells more. */
    void (*failed)(struct nwi_layer *layer, nwi_err err);
    /* nwi_layer_soft_error of a layer below; it used up the window as a message does. This one
     * passes it on when it is for the reader. */
    void (*soft_error)(struct nwi_layer *layer, nwi_err err);
    /* What nwi_layer_asking put off may be asked now. */
    void (*go_on)(struct nwi_layer *layer);
    /* The layer above takes up to `octets` more (one message, for message layers). Replaces the
     * last grant. */
    void (*window)(struct nwi_layer *layer, size_t octets);
    /* Adds what it knows; then the chain asks the layer below. */
    void (*facts)(struct nwi_layer *layer, struct nwi_layer_facts *facts);
    /* Protocol metadata of the connection for `definition` (+1), or NULL: the chain asks below. */
    nw_protocol_metadata_t (*copy_metadata)(struct nwi_layer *layer,
                                            nw_protocol_definition_t definition);
    /* Frees what the layer holds; works on a half-built one. */
    void (*free)(struct nwi_layer *layer);
};

struct nwi_layer {          /* first member of every protocol's struct */
    struct nwi_object base; /* a layer outlives its chain while a descriptor or timer lets go */
    const struct nwi_layer_ops *ops;
    struct nwi_chain *chain; /* NULL once stopped */
    struct nwi_layer *above, *below;
    bool connected;
};

/* Zeroed layer with one reference, or NULL when memory ran out. */
struct nwi_layer *nwi_layer_create(const struct nwi_layer_ops *ops);

/* --- what a layer calls --- */
void nwi_layer_connected(struct nwi_layer *layer); /* this layer is ready */
nwi_err nwi_layer_deliver(struct nwi_layer *layer, struct nwi_input *input); /* up; consumes */
void nwi_layer_output(struct nwi_layer *layer, struct nwi_send *send);       /* down; consumes */
void nwi_layer_grant(struct nwi_layer *layer, size_t octets);                /* down */
void nwi_layer_writable(struct nwi_layer *layer);            /* no longer congested */
void nwi_layer_failed(struct nwi_layer *layer, nwi_err err); /* this layer is at its end */
/* Before a question goes to the program (begins), and when it is answered or taken back. Of the
 * attempts at one connection only one asks at a time: false means not now, and go_on tells when.
 * While a question is out no further attempt is begun. The owner may have stopped the chain. */
bool nwi_layer_asking(struct nwi_layer *layer, bool begins);
/* A passing error of one message (ICMP on UDP): told to the reader, ends nothing. */
void nwi_layer_soft_error(struct nwi_layer *layer, nwi_err err);
static inline bool nwi_layer_stopped(const struct nwi_layer *layer) {
    return layer->chain == NULL;
}

/* Calls done() on every send of the list and empties it. */
void nwi_send_list_fail(struct nwi_send_list *list, nwi_err err);

#endif
