/*
 * content_context.h - message contexts as the connection reads them.
 * Runs:   edited unsynchronised before the first send; `progress` on any thread.
 * Owns:   identifier, antecedent, metadata.
 */
#ifndef NWI_MODEL_CONTENT_CONTEXT_H
#define NWI_MODEL_CONTENT_CONTEXT_H

#include "base/object.h"
#include "model/protocol.h"
#include <Network/content_context.h>

/* How far sending the context has come; the connection writes it, antecedents are judged by it. */
enum nwi_context_progress { NWI_CONTEXT_UNSENT, NWI_CONTEXT_SENT, NWI_CONTEXT_FAILED };

/* Metadata of one protocol that is made only when somebody asks for it, on whichever thread. */
struct nwi_late_metadata {
    nw_protocol_definition_t definition;
    nw_protocol_metadata_t (*copy)(void *owner, nw_protocol_definition_t definition);
    void *owner; /* an object */
};

struct nw_content_context {
    struct nwi_object base;
    char *identifier; /* owned, unless lent or `predefined` */
    bool is_final;
    bool lent_identifier;   /* static text */
    bool lent_metadata;     /* the array stands in its maker's memory, until one more is added */
    bool predefined;        /* static and shared: setters are refused */
    bool has_late;          /* it is a nwi_content_context_create_late() one */
    uint64_t expiration_ms; /* 0 = never */
    double priority;        /* 0.0 .. 1.0 */
    nw_content_context_t antecedent;
    nw_protocol_metadata_t *metadata; /* retained; one a protocol */
    size_t metadata_count;
    _Atomic uint8_t progress; /* enum nwi_context_progress */
};

/* A context for content that arrived; +1 or NULL. */
nw_content_context_t nwi_content_context_create_received(bool is_final);
/* For whoever embeds one (model/received.c): what every received context starts as, and what its
 * type does last. */
void nwi_content_context_init_received(nw_content_context_t context);
void nwi_content_context_clear(nw_content_context_t context);
/* Adds metadata before the context is handed out; retains it. False when memory ran out. */
bool nwi_content_context_add_metadata(nw_content_context_t context,
                                      nw_protocol_metadata_t metadata);
/* Such a context with metadata that is made late, besides what is added; retains its owner. */
nw_content_context_t nwi_content_context_create_late(bool is_final, struct nwi_late_metadata late);
/* The metadata of one protocol, lent, or NULL; what is made late is not looked at. */
nw_protocol_metadata_t nwi_content_context_metadata(nw_content_context_t context,
                                                    nw_protocol_definition_t definition);

extern struct nw_content_context nwi_default_message_context, nwi_final_message_context,
    nwi_default_stream_context;

#endif
