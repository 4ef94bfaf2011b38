/*
 * layer.c - what layers call on their neighbours; see layer.h.
 * Runs:   in the protocol context.
 */
#include "stack/layer.h"
#include "base/alloc.h"
#include "stack/chain.h"

static void destroy_layer(void *object) {
    struct nwi_layer *layer = object;
    if (layer->ops->free != NULL)
        layer->ops->free(layer);
}

static const struct nwi_type layer_type = {
    .name = "nwi_layer",
    .size = sizeof(struct nwi_layer),
    .destroy = destroy_layer,
};

struct nwi_layer *nwi_layer_create(const struct nwi_layer_ops *ops) {
    struct nwi_layer *layer = nwi_object_create(&layer_type, ops->size - sizeof *layer);
    if (layer != NULL)
        layer->ops = ops;
    return layer;
}

void nwi_layer_connected(struct nwi_layer *layer) {
    if (layer->chain == NULL || layer->connected)
        return;
    layer->connected = true;
    nwi_chain_layer_connected(layer->chain, layer);
}

nwi_err nwi_layer_deliver(struct nwi_layer *layer, struct nwi_input *input) {
    struct nwi_layer *next = layer->above;
    while (next != NULL && next->ops->input == NULL)
        next = next->above;
    if (next != NULL)
        return next->ops->input(next, input);
    return nwi_chain_deliver(layer->chain, input);
}

void nwi_layer_output(struct nwi_layer *layer, struct nwi_send *send) {
    struct nwi_layer *next = layer->below;
    while (next != NULL && next->ops->output == NULL)
        next = next->below;
    if (next != NULL)
        next->ops->output(next, send);
    else
        send->done(send, nwi_posix(ENOTCONN));
}

void nwi_layer_grant(struct nwi_layer *layer, size_t octets) {
    struct nwi_layer *next = layer->below;
    while (next != NULL && next->ops->window == NULL)
        next = next->below;
    if (next != NULL)
        next->ops->window(next, octets);
}

void nwi_layer_writable(struct nwi_layer *layer) {
    struct nwi_layer *next = layer->above;
    while (next != NULL && next->ops->writable == NULL)
        next = next->above;
    if (next != NULL)
        next->ops->writable(next);
    else if (layer->chain != NULL)
        nwi_chain_writable(layer->chain);
}

void nwi_layer_failed(struct nwi_layer *layer, nwi_err err) {
    struct nwi_layer *next = layer->above;
    while (next != NULL && next->ops->failed == NULL)
        next = next->above;
    if (next != NULL)
        next->ops->failed(next, err);
    else if (layer->chain != NULL)
        nwi_chain_failed(layer->chain, err);
}

bool nwi_layer_asking(struct nwi_layer *layer, bool begins) {
    return layer->chain == NULL || nwi_chain_asking(layer->chain, begins);
}

void nwi_layer_soft_error(struct nwi_layer *layer, nwi_err err) {
    struct nwi_layer *next = layer->above;
    while (next != NULL && next->ops->soft_error == NULL)
        next = next->above;
    if (next != NULL)
        next->ops->soft_error(next, err);
    else if (layer->chain != NULL)
        nwi_chain_soft_error(layer->chain, err);
}

void nwi_send_list_fail(struct nwi_send_list *list, nwi_err err) {
    struct nwi_send *send;
    while ((send = STAILQ_FIRST(list)) != NULL) {
        STAILQ_REMOVE_HEAD(list, link);
        send->done(send, err);
    }
}
