/*
 * describe.h - what a session has agreed on, as sec_protocol_metadata.
 * Runs:   any thread, with the session to itself.
 */
#ifndef NWI_PROTOCOL_TLS_DESCRIBE_H
#define NWI_PROTOCOL_TLS_DESCRIBE_H

#include "model/sec_metadata.h"
#include "protocol/tls/ask.h"
#include "protocol/tls/config.h"

/* A snapshot, without a way to secrets. `host` is the name that a client sent; NULL: none, or a
 * server. +1 or NULL: no memory. */
sec_protocol_metadata_t nwi_tls_describe(gnutls_session_t session,
                                         const struct nwi_tls_config *config, const char *host);
/* The chain that the peer showed, its own certificate first. Returns its length; 0 when there is
 * none or it cannot be read. */
size_t nwi_tls_copy_chain(gnutls_session_t session, sec_certificate_t *chain);
/* The status that came with the peer's own certificate; +1, or NULL. */
dispatch_data_t nwi_tls_copy_staple(gnutls_session_t session);
/* RFC 5705 section 4, RFC 8446 section 7.5: for struct nwi_sec_exporter_ops. */
bool nwi_tls_export(gnutls_session_t session, const char *label, size_t label_length,
                    const uint8_t *context, size_t context_length, size_t length,
                    uint8_t *ret_secret);

#endif
