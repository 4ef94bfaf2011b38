/*
 * received.c - the context of a received packet and its metadata, in one block of memory.
 * What:   every datagram has a context of its own, with IP metadata that the program may keep and
 *         edit; so both are made together, and last until neither is referenced.
 * Runs:   create on any thread; the end on the thread that drops the last reference.
 * Owns:   the block belongs to the IP metadata, on which the context holds a reference.
 */
#include "model/received.h"
#include "base/task.h"

struct received {
    struct nwi_ip_metadata ip; /* first: its last reference frees the block */
    struct nw_content_context context;
    nw_protocol_metadata_t metadata[2]; /* the context's */
};

static const struct nwi_type block_type = {
    .name = "nw_ip_metadata",
    .size = sizeof(struct received),
};

static void end_context(void *object) {
    struct received *received = nwi_container_of(object, struct received, context);
    nwi_content_context_clear(&received->context);
    nwi_release(received);
}

static const struct nwi_type context_type = {
    .name = "nw_content_context",
    .size = sizeof(struct nw_content_context),
    .last_release = end_context,
};

nw_content_context_t nwi_received_datagram(nw_ip_ecn_flag_t ecn, uint64_t receive_time) {
    struct received *received = nwi_protocol_metadata_create(&block_type, &nwi_ip_definition);
    if (received == NULL)
        return NULL;
    received->ip.ecn = ecn;
    received->ip.receive_time = receive_time;
    nw_content_context_t context = &received->context;
    context->base.type = &context_type;
    atomic_init(&context->base.refs, 1);
    nwi_content_context_init_received(context);
    received->metadata[0] = nwi_retain(&received->ip);
    received->metadata[1] = &nwi_udp_metadata;
    context->metadata = received->metadata;
    context->metadata_count = 2;
    context->lent_metadata = true;
    return context;
}
