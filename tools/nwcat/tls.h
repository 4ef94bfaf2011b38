/*
 * tls.h - TLS as the command line asks for it, and what came of it.
 * What:   files are read once; each connection (or the listener) has a record of what was found of
 *         its peer's certificate.
 * Runs:   on the main queue.
 */
#ifndef NWCAT_TLS_H
#define NWCAT_TLS_H

#include "app.h"
#include "reason.h"
#include "suites.h"

#include <Network/Network.h>

struct nwcat_tls; /* identity and anchors, read from files */

/* NULL after a complaint on standard error; *status then says how to exit. */
struct nwcat_tls *nwcat_tls_create(const struct nwcat_app *app, enum nwcat_status *status);

/* What was found of the peer's certificate. Must live as long as connections made of the parameters
 * that it was given to. */
struct nwcat_trust {
    const struct nwcat_app *app;
    bool refused;   /* the certificate was, for `text` */
    int32_t status; /* the errSSL code of the broken rule */
    char text[400]; /* one line: which certificate, which rule, which value */
};

/* Adds what the options ask for to the settings of TLS. */
void nwcat_tls_configure(const struct nwcat_app *app, nw_protocol_options_t options,
                         struct nwcat_trust *trust);
/* The same as nwcat_reason_of; where the peer's certificate was refused, why. `trust` NULL: nothing
 * is known. */
struct nwcat_reason nwcat_tls_reason(nw_error_t error, const struct nwcat_trust *trust);

struct nwcat_tls_facts {
    const char *version, *suite; /* "TLS 1.3", "TLS_AES_128_GCM_SHA256" */
    char alpn[256];              /* "": none was agreed on */
    char server_name[256];       /* "": none was sent */
    bool resumed, early_data;
    char suite_text[NWCAT_SUITE_NAME];
};

/* What the handshake agreed on; false when there was none. */
bool nwcat_tls_facts_read(nw_connection_t connection, struct nwcat_tls_facts *facts);

#endif
