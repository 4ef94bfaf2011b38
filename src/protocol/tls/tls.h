/*
 * tls.h - TLS as a layer over a stream, client and server.
 * What:   one session: its handshake, records in both directions, its end. Octets come from the
 *         layer below and go to it; nothing here knows a socket.
 * Source: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2).
 */
#ifndef NWI_PROTOCOL_TLS_H
#define NWI_PROTOCOL_TLS_H

#include "model/tls_options.h"
#include "stack/early.h"
#include "stack/layer.h"

struct nwi_tls_request {
    struct nwi_tls_options *options; /* those of a started connection or listener; retained */
    const char *host;     /* name or address as text: checked, and when it is a name, sent (SNI).
                             Copied; NULL: none, as on a server */
    nw_endpoint_t remote; /* whose sessions may be resumed; retained; NULL: nobody's */
    nw_parameters_t parameters; /* of the attempt; lent for the call; NULL: defaults */
    bool is_server, is_datagram;
    struct nwi_early *early; /* lent until connected; NULL: nothing may go early */
};

/* Whether anything can come of these options in that role: what is found out is kept for the
 * sessions to come. Errors as below; the log says why. */
nwi_err nwi_tls_check(struct nwi_tls_options *options, bool is_server, bool is_datagram);
/* A layer that shakes hands when the one below is connected. +1 or NULL, with *ret_err: settings
 * that leave nothing to offer (errSSLBadConfiguration), no memory. */
struct nwi_layer *nwi_tls_create(const struct nwi_tls_request *request, nwi_err *ret_err);

#endif
