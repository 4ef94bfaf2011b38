/*
 * chain.c - see chain.h.
 * Rules:  whoever calls an owner's event holds the chain meanwhile and looks again afterwards,
 *         because the owner may have stopped it inside the call.
 */
#include "stack/chain.h"

static void destroy_chain(void *object) {
    struct nwi_chain *chain = object;
    nwi_chain_stop(chain, NWI_DISCONNECT_ABORT, NWI_ERR_CANCELED);
    nwi_release(chain->context_owner);
}

static const struct nwi_type chain_type = {
    .name = "nwi_chain",
    .size = sizeof(struct nwi_chain),
    .destroy = destroy_chain,
};

struct nwi_chain *nwi_chain_create(struct nwi_serial *context, struct nwi_loop *loop,
                                   void *context_owner) {
    struct nwi_chain *chain = nwi_object_create(&chain_type, 0);
    if (chain == NULL)
        return NULL;
    chain->context = context;
    chain->loop = loop;
    chain->context_owner = nwi_retain(context_owner);
    return chain;
}

void nwi_chain_set_owner(struct nwi_chain *chain, const struct nwi_chain_events *events,
                         void *owner) {
    chain->events = events;
    chain->owner = owner;
}

void nwi_chain_push(struct nwi_chain *chain, struct nwi_layer *layer) {
    layer->chain = chain;
    layer->below = chain->top;
    if (chain->top != NULL)
        chain->top->above = layer;
    chain->top = layer;
}

/* Connects `layer`; one without a connect op is connected as soon as its neighbour below is. */
static nwi_err connect_layer(struct nwi_layer *layer) {
    if (layer->ops->connect != NULL)
        return layer->ops->connect(layer);
    nwi_layer_connected(layer);
    return 0;
}

nwi_err nwi_chain_connect(struct nwi_chain *chain) {
    struct nwi_layer *bottom = chain->top;
    while (bottom->below != NULL)
        bottom = bottom->below;
    nwi_retain(chain);
    nwi_err err = connect_layer(bottom);
    if (err != 0)
        chain->ended = true;
    nwi_release(chain);
    return err;
}

/* `layer` is connected: tells the owner, then connects the one above. */
static void climb(struct nwi_chain *chain, struct nwi_layer *layer) {
    nwi_retain(chain);
    nwi_retain(layer);
    if (chain->events != NULL && chain->events->progress != NULL)
        chain->events->progress(chain->owner, layer);
    nwi_err err = layer->above != NULL ? connect_layer(layer->above) : 0;
    if (err != 0)
        nwi_chain_failed(chain, err);
    nwi_release(layer);
    nwi_release(chain);
}

void nwi_chain_layer_connected(struct nwi_chain *chain, struct nwi_layer *layer) {
    if (layer->above != NULL) {
        climb(chain, layer);
        return;
    }
    chain->connected = true;
    if (chain->events != NULL && chain->events->connected != NULL)
        chain->events->connected(chain->owner);
}

bool nwi_chain_asking(struct nwi_chain *chain, bool begins) {
    return chain->events == NULL || chain->events->asking == NULL ||
           chain->events->asking(chain->owner, begins);
}

void nwi_chain_go_on(struct nwi_chain *chain) {
    nwi_retain(chain);
    for (struct nwi_layer *layer = chain->top; layer != NULL;) {
        NWI_AUTO_RELEASE
        struct nwi_layer *held = nwi_retain(layer);
        if (held->ops->go_on != NULL)
            held->ops->go_on(held);
        layer = held->below; /* NULL once the chain has been stopped inside the call */
    }
    nwi_release(chain);
}

void nwi_input_drop(struct nwi_input *input) {
    if (input->content != NULL)
        dispatch_release(input->content);
    input->content = NULL;
    input->context = nwi_release(input->context);
}

nwi_err nwi_chain_deliver(struct nwi_chain *chain, struct nwi_input *input) {
    if (chain == NULL || chain->events == NULL || chain->events->input == NULL) {
        nwi_input_drop(input);
        return 0;
    }
    return chain->events->input(chain->owner, input);
}

void nwi_chain_writable(struct nwi_chain *chain) {
    if (chain->events != NULL && chain->events->writable != NULL)
        chain->events->writable(chain->owner);
}

void nwi_chain_failed(struct nwi_chain *chain, nwi_err err) {
    if (chain->ended)
        return;
    chain->ended = true;
    if (chain->events != NULL && chain->events->failed != NULL)
        chain->events->failed(chain->owner, err);
}

void nwi_chain_soft_error(struct nwi_chain *chain, nwi_err err) {
    if (chain->events != NULL && chain->events->soft_error != NULL)
        chain->events->soft_error(chain->owner, err);
}

void nwi_chain_send(struct nwi_chain *chain, struct nwi_send *send) {
    struct nwi_layer *layer = chain->top;
    while (layer != NULL && layer->ops->output == NULL)
        layer = layer->below;
    if (layer == NULL || chain->ended)
        send->done(send, nwi_posix(ENOTCONN));
    else
        layer->ops->output(layer, send);
}

bool nwi_chain_congested(const struct nwi_chain *chain) {
    for (struct nwi_layer *layer = chain->top; layer != NULL; layer = layer->below)
        if (layer->ops->congested != NULL && layer->ops->congested(layer))
            return true;
    return false;
}

void nwi_chain_window(struct nwi_chain *chain, size_t octets) {
    struct nwi_layer *layer = chain->top;
    while (layer != NULL && layer->ops->window == NULL)
        layer = layer->below;
    if (layer != NULL)
        layer->ops->window(layer, octets);
}

void nwi_chain_stop(struct nwi_chain *chain, enum nwi_disconnect how, nwi_err why) {
    chain->events = NULL;
    chain->owner = NULL;
    chain->ended = true;
    struct nwi_layer *layer = nwi_take(&chain->top);
    for (struct nwi_layer *below; layer != NULL; layer = below) {
        below = layer->below;
        if (layer->ops->disconnect != NULL)
            layer->ops->disconnect(layer, how, why);
        layer->chain = NULL;
        layer->above = layer->below = NULL;
        nwi_release(layer);
    }
}

static void ask_facts(const struct nwi_chain *chain, struct nwi_layer_facts *facts) {
    for (struct nwi_layer *layer = chain->top; layer != NULL; layer = layer->below)
        if (layer->ops->facts != NULL)
            layer->ops->facts(layer, facts);
    uint32_t taken =
        facts->overhead < facts->maximum_datagram ? facts->overhead : facts->maximum_datagram;
    facts->maximum_datagram -= taken;
}

struct nwi_layer_facts nwi_chain_facts(const struct nwi_chain *chain) {
    struct nwi_layer_facts facts = {.fd = -1};
    ask_facts(chain, &facts);
    return facts;
}

int nwi_chain_fd(const struct nwi_chain *chain) {
    struct nwi_layer_facts facts = {.fd = -1, .fd_only = true};
    ask_facts(chain, &facts);
    return facts.fd;
}

nw_protocol_metadata_t nwi_chain_copy_metadata(const struct nwi_chain *chain,
                                               nw_protocol_definition_t definition) {
    for (struct nwi_layer *layer = chain->top; layer != NULL; layer = layer->below) {
        nw_protocol_metadata_t metadata =
            layer->ops->copy_metadata != NULL ? layer->ops->copy_metadata(layer, definition) : NULL;
        if (metadata != NULL)
            return metadata;
    }
    return NULL;
}

struct nwi_layer *nwi_chain_secure_layer(const struct nwi_chain *chain) {
    struct nwi_layer *layer = chain->top;
    while (layer != NULL && (layer->ops->traits & NWI_TRAIT_SECURE) == 0)
        layer = layer->below;
    return layer;
}

bool nwi_chain_is_stream(const struct nwi_chain *chain) {
    return chain->top != NULL && (chain->top->ops->traits & NWI_TRAIT_STREAM) != 0;
}
