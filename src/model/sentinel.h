/*
 * sentinel.h - arguments that are compared by address and never called.
 * What:   NW_PARAMETERS_DEFAULT_CONFIGURATION, NW_PARAMETERS_DISABLE_PROTOCOL and
 *         NW_CONNECTION_SEND_IDEMPOTENT_CONTENT, each as a block (exported data) and as a function.
 * Source: Block ABI: a global block is a static struct whose isa is _NSConcreteGlobalBlock.
 */
#ifndef NWI_MODEL_SENTINEL_H
#define NWI_MODEL_SENTINEL_H

#include <Network/connection.h>
#include <Network/parameters.h>
#include <stdbool.h>

/* How one protocol of a stack is to be set up: neither pointer is ever called for default and
 * disable. */
enum nwi_configure { NWI_CONFIGURE_CALL, NWI_CONFIGURE_DEFAULT, NWI_CONFIGURE_DISABLE };
enum nwi_configure nwi_configure_block_kind(const void *block);
enum nwi_configure nwi_configure_f_kind(nw_parameters_configure_protocol_f function);

/* Whether a send completion, in either form, stands for "idempotent, tell nobody". */
bool nwi_send_block_is_idempotent(const void *block);
bool nwi_send_f_is_idempotent(nw_connection_send_completion_f function);

#endif
