/*
 * keylog.h - the secrets of sessions for a protocol analyser, when SSLKEYLOGFILE asks for them.
 * Source: the NSS key log format (draft-ietf-tls-keylogfile section 2).
 * Runs:   any thread.
 */
#ifndef NWI_PROTOCOL_TLS_KEYLOG_H
#define NWI_PROTOCOL_TLS_KEYLOG_H

#include <gnutls/gnutls.h>

/* Writes the secrets of this session to the file that SSLKEYLOGFILE names, if it may; otherwise
 * keeps GnuTLS from doing so by itself. To be called for every session, before its handshake. */
void nwi_tls_keylog_attach(gnutls_session_t session);

#endif
