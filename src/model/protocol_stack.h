/*
 * protocol_stack.h - application protocols, one transport, one internet protocol.
 * Runs:   unsynchronised, as the public calls say.
 * Owns:   the options in it.
 */
#ifndef NWI_MODEL_PROTOCOL_STACK_H
#define NWI_MODEL_PROTOCOL_STACK_H

#include "base/object.h"
#include "model/protocol.h"
#include <Network/parameters.h>

struct nw_protocol_stack {
    struct nwi_object base;
    nw_protocol_options_t *applications; /* [0] is the top; retained */
    size_t application_count;
    nw_protocol_options_t transport; /* TCP or UDP; NULL: none yet, or a custom protocol over IP */
    nw_protocol_options_t internet;  /* IP; NULL while the stack is empty */
};

/* Empty; +1 or NULL. */
nw_protocol_stack_t nwi_protocol_stack_create(void);
/* Deep copy; +1 or NULL. */
nw_protocol_stack_t nwi_protocol_stack_copy(nw_protocol_stack_t stack);
/* Whether the two are alike in all, as far as that can be told (nwi_protocol_options_are_equal). */
bool nwi_protocol_stack_is_equal(nw_protocol_stack_t a, nw_protocol_stack_t b);

#endif
