/*
 * config.h - what one set of TLS options and a role mean to GnuTLS.
 * What:   made once and shared by all sessions of a listener, or by the attempts of a connection:
 *         credentials, priorities, application protocols. It hangs on the options of the started
 *         object, whose settings do not change any more.
 * Runs:   any thread: it never changes.
 * Owns:   GnuTLS's credentials; a reference to the settings.
 */
#ifndef NWI_PROTOCOL_TLS_CONFIG_H
#define NWI_PROTOCOL_TLS_CONFIG_H

#include "base/err.h"
#include "model/tls_options.h"
#include "protocol/tls/suites.h"
#include <gnutls/gnutls.h>

struct nwi_tls_config {
    struct nwi_object base;
    sec_protocol_options_t sec;                    /* retained */
    gnutls_certificate_credentials_t certificates; /* a client's are those of all clients */
    gnutls_psk_client_credentials_t client_keys;   /* NULL: no pre-shared keys, or a server */
    gnutls_psk_server_credentials_t server_keys;
    gnutls_dh_params_t dh;             /* of a server; NULL: the groups of RFC 7919 alone */
    struct nwi_tls_priority *priority; /* retained */
    struct nwi_tls_tickets *tickets;   /* of a server; NULL: none are issued */
    gnutls_datum_t *protocols;         /* ALPN, point into the settings */
    unsigned protocol_count;
    gnutls_certificate_request_t asks; /* what a server asks of its clients */
    bool is_server, is_datagram;
    bool chooses_key; /* a client whose program chooses among its pre-shared keys */
    bool has_13;      /* TLS 1.3 may be spoken */
};

/* +1: the one that hangs on the options, made when there is none yet for that role. Errors:
 * errSSLBadConfiguration, NWI_ERR_NOMEM. */
nwi_err nwi_tls_config_get(struct nwi_tls_options *options, bool is_server, bool is_datagram,
                           struct nwi_tls_config **ret_config);
/* A session with all that is common to the config's sessions. `host` NULL or an address: no SNI.
 * `user` is what the questions of ask.h come to; `flags` are
 * GnuTLS's, besides those of the role. */
nwi_err nwi_tls_config_session(struct nwi_tls_config *config, const char *host, void *user,
                               unsigned flags, gnutls_session_t *ret_session);
/* Whether a host is an address, which is never sent as a name (RFC 6066 section 3). */
bool nwi_tls_is_address(const char *host);

#endif
