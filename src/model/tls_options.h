/* tls_options.h - TLS options: a definition and a set of security settings. */
#ifndef NWI_MODEL_TLS_OPTIONS_H
#define NWI_MODEL_TLS_OPTIONS_H

#include "model/protocol.h"
#include "model/sec_options.h"
#include <Network/tls_options.h>

extern struct nw_protocol_definition nwi_tls_definition;

struct nwi_tls_options {
    struct nw_protocol_options base;
    sec_protocol_options_t sec; /* owned; shared with whoever asked for it: live */
};

/* What the TLS protocol makes of a handshake; `sec` is filled and owned by its maker's type. */
struct nwi_tls_metadata {
    struct nw_protocol_metadata base;
    sec_protocol_metadata_t sec; /* owned */
};

/* The same object, or NULL when the options are not TLS's. */
struct nwi_tls_options *nwi_tls_options(nw_protocol_options_t options);

#endif
