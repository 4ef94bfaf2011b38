/*
 * protocol.c - definitions, options and metadata, as far as all protocols share them.
 * What:   constructors of the common part and the public questions about identity.
 * Runs:   any thread: definitions are static, and the pointer to one never changes.
 * Owns:   nothing; definitions are immortal.
 */
#include "model/protocol.h"
#include "base/log.h"
#include <string.h>

const struct nwi_type nwi_protocol_definition_type = {
    .name = "nw_protocol_definition",
    .size = sizeof(struct nw_protocol_definition),
};

void *nwi_protocol_options_create(const struct nwi_type *type,
                                  nw_protocol_definition_t definition) {
    nw_protocol_options_t options = nwi_object_create(type, 0);
    if (options != NULL)
        options->definition = definition;
    return options;
}

void *nwi_protocol_metadata_create(const struct nwi_type *type,
                                   nw_protocol_definition_t definition) {
    nw_protocol_metadata_t metadata = nwi_object_create(type, 0);
    if (metadata != NULL)
        metadata->definition = definition;
    return metadata;
}

/* Octets of plain values, which lie behind the common part (`options + 1`). */
static size_t values_size(nw_protocol_options_t options) {
    return options->base.type->size - sizeof *options;
}

nw_protocol_options_t nwi_protocol_options_copy(nw_protocol_options_t options) {
    if (options == NULL)
        return NULL;
    if (options->definition->copy_options != NULL)
        return options->definition->copy_options(options);
    nw_protocol_options_t copy =
        nwi_protocol_options_create(options->base.type, options->definition);
    if (copy != NULL)
        memcpy(copy + 1, options + 1, values_size(options));
    return copy;
}

bool nwi_protocol_options_are_equal(nw_protocol_options_t a, nw_protocol_options_t b) {
    if (a == NULL || b == NULL)
        return a == b;
    if (a->definition != b->definition)
        return false;
    if (a->definition->copy_options == NULL)
        return memcmp(a + 1, b + 1, values_size(a)) == 0;
    return a->definition->are_equal != NULL && a->definition->are_equal(a, b);
}

NW_EXPORT bool nw_protocol_definition_is_equal(nw_protocol_definition_t definition1,
                                               nw_protocol_definition_t definition2) {
    /* One static object a protocol: the same protocol is the same object. */
    return definition1 != NULL && definition1 == definition2;
}

NW_EXPORT nw_protocol_definition_t
nw_protocol_options_copy_definition(nw_protocol_options_t options) {
    if (options == NULL) {
        nwi_log_misuse(__func__, "options are NULL");
        return NULL;
    }
    return nwi_retain(options->definition);
}

NW_EXPORT nw_protocol_definition_t
nw_protocol_metadata_copy_definition(nw_protocol_metadata_t metadata) {
    if (metadata == NULL) {
        nwi_log_misuse(__func__, "metadata is NULL");
        return NULL;
    }
    return nwi_retain(metadata->definition);
}
