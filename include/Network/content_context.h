/*
 * content_context.h - what one message is: its end, its priority, its metadata.
 * A context that a program made may be changed until it is first sent. The predefined contexts of
 * connection.h are shared and never change: setters on them are logged and have no effect.
 */
#ifndef NETWORK_CONTENT_CONTEXT_H
#define NETWORK_CONTENT_CONTEXT_H

#include <Network/nw_object.h>
#include <Network/protocol_options.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_content_context);

/**
 * Creates a context with an identifier, which is copied and serves the log only. Defaults: not
 * final, priority 0.5, no expiration, no antecedent. NULL when the identifier is NULL or memory ran
 * out.
 */
NW_EXPORT nw_content_context_t nw_content_context_create(const char *context_identifier);

/** The identifier; NULL for NULL. Lent. */
NW_EXPORT const char *nw_content_context_get_identifier(nw_content_context_t context);

/** Whether this is the last message in its direction. False for NULL. */
NW_EXPORT bool nw_content_context_get_is_final(nw_content_context_t context);

/** Marks the message as the last one: when it is complete the sending side of the connection
 * closes. */
NW_EXPORT void nw_content_context_set_is_final(nw_content_context_t context, bool is_final);

/** Milliseconds after which unsent content may be dropped; 0 = never. */
NW_EXPORT uint64_t nw_content_context_get_expiration_milliseconds(nw_content_context_t context);

/** Sets that time, which counts from the call to nw_connection_send(). 0 = never. */
NW_EXPORT void nw_content_context_set_expiration_milliseconds(nw_content_context_t context,
                                                              uint64_t expiration_milliseconds);

/** The priority, 0.0 to 1.0, among the messages of one connection. */
NW_EXPORT double nw_content_context_get_relative_priority(nw_content_context_t context);

/** Sets the priority; values outside 0.0 to 1.0 are taken to the nearer bound. NaN has no effect.
 */
NW_EXPORT void nw_content_context_set_relative_priority(nw_content_context_t context,
                                                        double relative_priority);

/**
 * Holds this message back until the antecedent message has been sent, and fails it when that one
 * fails. NULL removes the antecedent. A context that would wait for itself is refused.
 */
NW_EXPORT void nw_content_context_set_antecedent(nw_content_context_t context,
                                                 nw_content_context_t antecedent_context);

/** A reference to the antecedent, or NULL. */
NW_EXPORT nw_content_context_t nw_content_context_copy_antecedent(nw_content_context_t context);

/** Attaches metadata of one protocol, in place of what that protocol had before. */
NW_EXPORT void
nw_content_context_set_metadata_for_protocol(nw_content_context_t context,
                                             nw_protocol_metadata_t protocol_metadata);

/** A reference to the metadata of one protocol, or NULL when there is none. */
NW_EXPORT nw_protocol_metadata_t nw_content_context_copy_protocol_metadata(
    nw_content_context_t context, nw_protocol_definition_t protocol);

#ifdef __BLOCKS__
/** Calls the block for the metadata of each protocol, before the call returns. */
NW_EXPORT void nw_content_context_foreach_protocol_metadata(
    nw_content_context_t context,
    void (^foreach_block)(nw_protocol_definition_t definition, nw_protocol_metadata_t metadata));
#endif

/** Function form of the same. */
typedef void (*nw_content_context_metadata_f)(void *context, nw_protocol_definition_t definition,
                                              nw_protocol_metadata_t metadata);
NW_EXPORT void
nw_content_context_foreach_protocol_metadata_f(nw_content_context_t content_context, void *context,
                                               nw_content_context_metadata_f function);

NW_EXTERN_C_END

#endif
