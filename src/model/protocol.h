/*
 * protocol.h - what every protocol's definition, options and metadata begin with.
 * What:   a definition is one static object a protocol; options and metadata point to theirs. A
 *         protocol adds its own struct, with these as first member (tcp_options.h, ...).
 * Runs:   definitions: any thread, they never change. Options: unsynchronised, as the public calls
 *         say; a started connection works on a copy of its own.
 */
#ifndef NWI_MODEL_PROTOCOL_H
#define NWI_MODEL_PROTOCOL_H

#include "base/object.h"
#include <Network/protocol_options.h>

struct nw_protocol_definition {
    struct nwi_object base;
    const char *name; /* "tcp": for the log */
    bool transport;   /* may stand at the bottom of a stack */
    /* A deep copy, +1 or NULL when memory ran out. NULL: the options are plain values behind the
     * common part, and are copied and compared as such. */
    nw_protocol_options_t (*copy_options)(nw_protocol_options_t options);
    /* With copy_options only; NULL: nobody can tell whether two are alike. */
    bool (*are_equal)(nw_protocol_options_t a, nw_protocol_options_t b);
};
extern const struct nwi_type nwi_protocol_definition_type;
#define NWI_PROTOCOL_DEFINITION(...)                                                               \
    { .base = NWI_OBJECT_STATIC(&nwi_protocol_definition_type), __VA_ARGS__ }

struct nw_protocol_options {
    struct nwi_object base;
    nw_protocol_definition_t definition; /* static */
};

struct nw_protocol_metadata {
    struct nwi_object base;
    nw_protocol_definition_t definition; /* static */
};

/* Zeroed object of that type, with the definition set; +1 or NULL. */
void *nwi_protocol_options_create(const struct nwi_type *type, nw_protocol_definition_t definition);
void *nwi_protocol_metadata_create(const struct nwi_type *type,
                                   nw_protocol_definition_t definition);
/* A copy of options of any protocol; NULL for NULL or no memory. */
nw_protocol_options_t nwi_protocol_options_copy(nw_protocol_options_t options);
/* True: the same protocol with the same options, or both NULL. False also for options of
 * which nobody can tell. */
bool nwi_protocol_options_are_equal(nw_protocol_options_t a, nw_protocol_options_t b);

static inline bool nwi_protocol_options_are(nw_protocol_options_t options,
                                            nw_protocol_definition_t definition) {
    return options != NULL && options->definition == definition;
}
static inline bool nwi_protocol_metadata_is(nw_protocol_metadata_t metadata,
                                            nw_protocol_definition_t definition) {
    return metadata != NULL && metadata->definition == definition;
}

#endif
