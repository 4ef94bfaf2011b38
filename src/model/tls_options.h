/* tls_options.h - TLS options: a definition and a set of security settings. */
#ifndef NWI_MODEL_TLS_OPTIONS_H
#define NWI_MODEL_TLS_OPTIONS_H

#include "model/protocol.h"
#include "model/protocol_stack.h"
#include "model/sec_options.h"
#include <Network/tls_options.h>

extern struct nw_protocol_definition nwi_tls_definition;

struct nwi_tls_options {
    struct nw_protocol_options base;
    sec_protocol_options_t sec; /* owned; shared with whoever asked for it: live */
    /* What the protocol makes of the settings of a started object, an object; owned. NULL until it
     * is made; set once (protocol/tls/config.c). */
    _Atomic(struct nwi_object *) shared;
};

/* What the TLS protocol makes of a handshake (sec_metadata.h). */
struct nwi_tls_metadata {
    struct nw_protocol_metadata base;
    sec_protocol_metadata_t sec; /* owned */
};

/* Consumes `sec`, on error too; NULL gives NULL. +1 or NULL. */
nw_protocol_metadata_t nwi_tls_metadata_create(sec_protocol_metadata_t sec);

/* The same object, or NULL when the options are not TLS's. */
struct nwi_tls_options *nwi_tls_options(nw_protocol_options_t options);
/* Those of TLS right above the transport; NULL: something else stands there, or nothing. */
struct nwi_tls_options *nwi_tls_options_of_stack(const struct nw_protocol_stack *stack);

#endif
