/*
 * tls_options.c - TLS's definition, options and metadata.
 * What:   the options carry one set of security settings (sec_options.c), live for whoever holds
 *         it.
 * Source: semantics of nw_tls_options.
 * Runs:   unsynchronised, as the public calls say.
 * Owns:   references: options to the security settings, metadata to what was agreed on.
 */
#include "model/tls_options.h"
#include "base/log.h"

static void tls_options_destroy(void *object) {
    struct nwi_tls_options *options = object;
    options->sec = nwi_release(options->sec);
    /* Relaxed: the last reference is gone. */
    nwi_release(atomic_load_explicit(&options->shared, memory_order_relaxed));
}

static const struct nwi_type tls_options_type = {
    .name = "nw_tls_options",
    .size = sizeof(struct nwi_tls_options),
    .destroy = tls_options_destroy,
};

/* Consumes `sec`; NULL (no memory) gives NULL. */
static nw_protocol_options_t create_with(sec_protocol_options_t sec) {
    if (sec == NULL)
        return NULL;
    struct nwi_tls_options *options =
        nwi_protocol_options_create(&tls_options_type, &nwi_tls_definition);
    if (options == NULL)
        return nwi_release(sec);
    options->sec = sec;
    return &options->base;
}

static nw_protocol_options_t copy_tls_options(nw_protocol_options_t options) {
    return create_with(nwi_sec_options_copy(((struct nwi_tls_options *)options)->sec));
}

/* Connections made of the same parameters then share one copy, and with it all that is worked out
 * of the settings. */
static bool are_equal(nw_protocol_options_t a, nw_protocol_options_t b) {
    return sec_protocol_options_are_equal(((struct nwi_tls_options *)a)->sec,
                                          ((struct nwi_tls_options *)b)->sec);
}

struct nw_protocol_definition nwi_tls_definition =
    NWI_PROTOCOL_DEFINITION(.name = "tls", .copy_options = copy_tls_options,
                            .are_equal = are_equal);

NW_EXPORT nw_protocol_definition_t nw_protocol_copy_tls_definition(void) {
    return nwi_retain(&nwi_tls_definition);
}

NW_EXPORT nw_protocol_options_t nw_tls_create_options(void) {
    return create_with(nwi_sec_options_create());
}

struct nwi_tls_options *nwi_tls_options(nw_protocol_options_t options) {
    return nwi_protocol_options_are(options, &nwi_tls_definition)
               ? (struct nwi_tls_options *)options
               : NULL;
}

struct nwi_tls_options *nwi_tls_options_of_stack(const struct nw_protocol_stack *stack) {
    return stack->application_count > 0
               ? nwi_tls_options(stack->applications[stack->application_count - 1])
               : NULL;
}

NW_EXPORT sec_protocol_options_t nw_tls_copy_sec_protocol_options(nw_protocol_options_t options) {
    struct nwi_tls_options *tls = nwi_tls_options(options);
    if (tls == NULL) {
        nwi_log_misuse(__func__, options == NULL ? "options are NULL" : "options are not TLS's");
        return NULL;
    }
    return nwi_retain(tls->sec);
}

static void tls_metadata_destroy(void *object) {
    struct nwi_tls_metadata *metadata = object;
    nwi_release(metadata->sec);
}

static const struct nwi_type tls_metadata_type = {
    .name = "nw_tls_metadata",
    .size = sizeof(struct nwi_tls_metadata),
    .destroy = tls_metadata_destroy,
};

nw_protocol_metadata_t nwi_tls_metadata_create(sec_protocol_metadata_t sec) {
    struct nwi_tls_metadata *metadata =
        sec == NULL ? NULL : nwi_protocol_metadata_create(&tls_metadata_type, &nwi_tls_definition);
    if (metadata == NULL)
        return nwi_release(sec);
    metadata->sec = sec;
    return &metadata->base;
}

NW_EXPORT bool nw_protocol_metadata_is_tls(nw_protocol_metadata_t metadata) {
    return nwi_protocol_metadata_is(metadata, &nwi_tls_definition);
}

NW_EXPORT sec_protocol_metadata_t
nw_tls_copy_sec_protocol_metadata(nw_protocol_metadata_t metadata) {
    if (!nw_protocol_metadata_is_tls(metadata)) {
        nwi_log_misuse(__func__, metadata == NULL ? "metadata is NULL" : "metadata is not TLS's");
        return NULL;
    }
    return nwi_retain(((struct nwi_tls_metadata *)metadata)->sec);
}
