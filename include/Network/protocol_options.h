/*
 * protocol_options.h - what all protocols share: a definition names the protocol, options configure
 * one use of it in a stack, metadata tells about one connection or one message of it.
 */
#ifndef NETWORK_PROTOCOL_OPTIONS_H
#define NETWORK_PROTOCOL_OPTIONS_H

#include <Network/nw_object.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_protocol_definition);
NW_OBJECT_DECL(nw_protocol_options);
NW_OBJECT_DECL(nw_protocol_metadata);

/** Whether two definitions name the same protocol. False when either is NULL. */
NW_EXPORT bool nw_protocol_definition_is_equal(nw_protocol_definition_t definition1,
                                               nw_protocol_definition_t definition2);

/** A reference to the definition of the protocol that the options are for; NULL for NULL. */
NW_EXPORT nw_protocol_definition_t
nw_protocol_options_copy_definition(nw_protocol_options_t options);

/** A reference to the definition of the protocol that the metadata is of; NULL for NULL. */
NW_EXPORT nw_protocol_definition_t
nw_protocol_metadata_copy_definition(nw_protocol_metadata_t metadata);

NW_EXTERN_C_END

#endif
