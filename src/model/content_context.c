/*
 * content_context.c - nw_content_context_t: what one message is.
 * What:   the three predefined contexts, custom ones, and those of received content.
 * Source: semantics of nw_content_context_t.
 * Runs:   edited unsynchronised before the first send, as the public calls say.
 * Owns:   identifier, antecedent, metadata.
 */
#include "model/content_context.h"
#include "base/alloc.h"
#include "base/callback.h"
#include "base/log.h"
#include <Network/connection.h>
#include <string.h>

/* Programs chain each message to the one before it, so a chain may be long: it is let go link by
 * link instead of by recursion. A link that only we hold cannot be touched by anybody else. */
static void release_antecedents(nw_content_context_t context) {
    while (context != NULL) {
        nw_content_context_t next = NULL;
        if (atomic_load(&context->base.refs) == 1)
            next = nwi_take(&context->antecedent);
        nwi_release(context);
        context = next;
    }
}

void nwi_content_context_clear(nw_content_context_t context) {
    for (size_t i = 0; i < context->metadata_count; i++)
        nwi_release(context->metadata[i]);
    if (!context->lent_metadata)
        nwi_free(context->metadata);
    if (!context->lent_identifier)
        nwi_free(context->identifier);
    release_antecedents(nwi_take(&context->antecedent));
}

static void context_destroy(void *object) {
    nwi_content_context_clear(object);
}

static const struct nwi_type context_type = {
    .name = "nw_content_context",
    .size = sizeof(struct nw_content_context),
    .destroy = context_destroy,
};

static const double default_priority = 0.5;

#define PREDEFINED(text, final)                                                                    \
    {                                                                                              \
        .base = NWI_OBJECT_STATIC(&context_type), .identifier = (char *)text, .is_final = final,   \
        .predefined = true, .priority = 0.5                                                        \
    }

struct nw_content_context nwi_default_message_context = PREDEFINED("default message", false);
struct nw_content_context nwi_final_message_context = PREDEFINED("final message", true);
struct nw_content_context nwi_default_stream_context = PREDEFINED("default stream", true);

NW_EXPORT const nw_content_context_t _nw_content_context_default_message =
    &nwi_default_message_context;
NW_EXPORT const nw_content_context_t _nw_content_context_final_send = &nwi_final_message_context;
NW_EXPORT const nw_content_context_t _nw_content_context_default_stream =
    &nwi_default_stream_context;

NW_EXPORT nw_content_context_t nw_content_context_create(const char *context_identifier) {
    if (context_identifier == NULL) {
        nwi_log_misuse(__func__, "the identifier is NULL");
        return NULL;
    }
    nw_content_context_t context = nwi_object_create(&context_type, 0);
    if (context == NULL)
        return NULL;
    context->priority = default_priority;
    context->identifier = nwi_strdup(context_identifier);
    return context->identifier != NULL ? context : nwi_release(context);
}

void nwi_content_context_init_received(nw_content_context_t context) {
    context->priority = default_priority;
    context->identifier = (char *)"received";
    context->lent_identifier = true;
}

nw_content_context_t nwi_content_context_create_received(bool is_final) {
    nw_content_context_t context = nwi_object_create(&context_type, 0);
    if (context == NULL)
        return NULL;
    nwi_content_context_init_received(context);
    context->is_final = is_final;
    return context;
}

/* Few contexts have late metadata: only they have the room for it. */
struct late_context {
    struct nw_content_context context; /* first */
    struct nwi_late_metadata late;
};

static void late_context_destroy(void *object) {
    nwi_release(((struct late_context *)object)->late.owner);
    nwi_content_context_clear(object);
}

static const struct nwi_type late_context_type = {
    .name = "nw_content_context",
    .size = sizeof(struct late_context),
    .destroy = late_context_destroy,
};

nw_content_context_t nwi_content_context_create_late(bool is_final, struct nwi_late_metadata late) {
    struct late_context *made = nwi_object_create(&late_context_type, 0);
    if (made == NULL)
        return NULL;
    nwi_content_context_init_received(&made->context);
    made->context.is_final = is_final;
    made->context.has_late = true;
    made->late = late;
    nwi_retain(late.owner);
    return &made->context;
}

NW_EXPORT const char *nw_content_context_get_identifier(nw_content_context_t context) {
    return context == NULL ? NULL : context->identifier;
}

/* For the setters: false, after having said so, when there is nothing that may be changed. */
static bool changeable(nw_content_context_t context, const char *function) {
    if (context == NULL)
        nwi_log_misuse(function, "the context is NULL");
    else if (context->predefined)
        nwi_log_misuse(function, "a predefined context cannot be changed");
    return context != NULL && !context->predefined;
}

NW_EXPORT bool nw_content_context_get_is_final(nw_content_context_t context) {
    return context != NULL && context->is_final;
}

NW_EXPORT void nw_content_context_set_is_final(nw_content_context_t context, bool is_final) {
    if (changeable(context, __func__))
        context->is_final = is_final;
}

NW_EXPORT uint64_t nw_content_context_get_expiration_milliseconds(nw_content_context_t context) {
    return context == NULL ? 0 : context->expiration_ms;
}

NW_EXPORT void nw_content_context_set_expiration_milliseconds(nw_content_context_t context,
                                                              uint64_t expiration_milliseconds) {
    if (changeable(context, __func__))
        context->expiration_ms = expiration_milliseconds;
}

NW_EXPORT double nw_content_context_get_relative_priority(nw_content_context_t context) {
    return context == NULL ? 0.0 : context->priority;
}

NW_EXPORT void nw_content_context_set_relative_priority(nw_content_context_t context,
                                                        double relative_priority) {
    if (!changeable(context, __func__))
        return;
    if (relative_priority != relative_priority) /* NaN has no place in any order */
        nwi_log_misuse(__func__, "the priority is not a number");
    else if (relative_priority < 0.0)
        context->priority = 0.0;
    else
        context->priority = relative_priority > 1.0 ? 1.0 : relative_priority;
}

NW_EXPORT void nw_content_context_set_antecedent(nw_content_context_t context,
                                                 nw_content_context_t antecedent_context) {
    if (!changeable(context, __func__))
        return;
    /* A context that waits, by whatever way, for itself would never be sent, and never be freed. */
    for (nw_content_context_t c = antecedent_context; c != NULL; c = c->antecedent)
        if (c == context) {
            nwi_log_misuse(__func__, "a context cannot wait for itself");
            return;
        }
    nw_content_context_t old = context->antecedent;
    context->antecedent = nwi_retain(antecedent_context);
    release_antecedents(old);
}

NW_EXPORT nw_content_context_t nw_content_context_copy_antecedent(nw_content_context_t context) {
    return context == NULL ? NULL : nwi_retain(context->antecedent);
}

/* --- metadata --- */

bool nwi_content_context_add_metadata(nw_content_context_t context,
                                      nw_protocol_metadata_t metadata) {
    for (size_t i = 0; i < context->metadata_count; i++)
        if (context->metadata[i]->definition == metadata->definition) {
            nw_protocol_metadata_t old = context->metadata[i];
            context->metadata[i] = nwi_retain(metadata);
            nwi_release(old);
            return true;
        }
    size_t count = context->metadata_count;
    nw_protocol_metadata_t *old = context->lent_metadata ? NULL : context->metadata;
    nw_protocol_metadata_t *grown = nwi_realloc(old, (count + 1) * sizeof grown[0]);
    if (grown == NULL)
        return false;
    if (context->lent_metadata)
        memcpy(grown, context->metadata, count * sizeof grown[0]);
    context->lent_metadata = false;
    grown[count] = nwi_retain(metadata);
    context->metadata = grown;
    context->metadata_count = count + 1;
    return true;
}

nw_protocol_metadata_t nwi_content_context_metadata(nw_content_context_t context,
                                                    nw_protocol_definition_t definition) {
    for (size_t i = 0; i < context->metadata_count; i++)
        if (context->metadata[i]->definition == definition)
            return context->metadata[i];
    return NULL;
}

/* +1 or NULL. definition NULL: whichever it is. */
static nw_protocol_metadata_t copy_late(nw_content_context_t context,
                                        nw_protocol_definition_t definition) {
    if (!context->has_late)
        return NULL;
    const struct nwi_late_metadata *late = &((struct late_context *)context)->late;
    return definition == NULL || definition == late->definition
               ? late->copy(late->owner, late->definition)
               : NULL;
}

NW_EXPORT void
nw_content_context_set_metadata_for_protocol(nw_content_context_t context,
                                             nw_protocol_metadata_t protocol_metadata) {
    if (!changeable(context, __func__))
        return;
    if (protocol_metadata == NULL)
        nwi_log_misuse(__func__, "the metadata is NULL");
    else if (!nwi_content_context_add_metadata(context, protocol_metadata))
        nwi_log_misuse(__func__, "out of memory: the metadata was not set");
}

NW_EXPORT nw_protocol_metadata_t nw_content_context_copy_protocol_metadata(
    nw_content_context_t context, nw_protocol_definition_t protocol) {
    if (context == NULL || protocol == NULL) {
        nwi_log_misuse(__func__, "an argument is NULL");
        return NULL;
    }
    nw_protocol_metadata_t metadata = nwi_content_context_metadata(context, protocol);
    return metadata != NULL ? nwi_retain(metadata) : copy_late(context, protocol);
}

/* The callee may edit or release the context: entry by entry, holding both, looking again after
 * each. */
static void foreach_metadata(nw_content_context_t context, struct nwi_callback callback,
                             const char *function) {
    if (!nwi_callback_can_walk(context, callback, function))
        return;
    nwi_retain(context);
    for (size_t i = 0; i < context->metadata_count; i++) {
        nw_protocol_metadata_t metadata = nwi_retain(context->metadata[i]);
        NWI_CALL(callback, void, (nw_protocol_definition_t, nw_protocol_metadata_t),
                 metadata->definition, metadata);
        nwi_release(metadata);
    }
    NWI_AUTO_RELEASE
    nw_protocol_metadata_t late = copy_late(context, NULL);
    if (late != NULL)
        NWI_CALL(callback, void, (nw_protocol_definition_t, nw_protocol_metadata_t),
                 late->definition, late);
    nwi_release(context);
}

NW_EXPORT void
nw_content_context_foreach_protocol_metadata_f(nw_content_context_t content_context, void *context,
                                               nw_content_context_metadata_f function) {
    foreach_metadata(content_context, nwi_callback_f(context, (nwi_fn)function), __func__);
}

NW_EXPORT void nw_content_context_foreach_protocol_metadata(nw_content_context_t context,
                                                            const void *foreach_block) {
    foreach_metadata(context, nwi_callback_block_noescape(foreach_block), __func__);
}
