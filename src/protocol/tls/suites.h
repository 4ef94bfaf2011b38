/*
 * suites.h - which cipher suites, versions and groups a set of options stands for.
 * What:   from sec_protocol_options to a GnuTLS priority string and the parsed form of it, shared by
 *         all who need the same; the suite that was negotiated, by its number on the wire.
 * Source: RFC 8446 sections 4.2 and 9, RFC 9325 (which suites), RFC 7465 (no RC4); docs/tls.md.
 * Runs:   any thread.
 */
#ifndef NWI_PROTOCOL_TLS_SUITES_H
#define NWI_PROTOCOL_TLS_SUITES_H

#include "base/err.h"
#include "model/sec_options.h"
#include <gnutls/gnutls.h>

/* 0 and the string, which the caller frees with nwi_free(). What a program named and cannot be
 * offered is an error in the log. Errors: errSSLBadConfiguration when nothing is left or the
 * versions contradict each other; NWI_ERR_NOMEM. */
nwi_err nwi_tls_suites_priority(sec_protocol_options_t options, bool is_server, bool is_datagram,
                                char **ret_priority);

/* The parsed form. A session that it is set on lives within the life of a reference to it: GnuTLS
 * counts its own users, but not safely when two of them end at one time. */
struct nwi_tls_priority {
    struct nwi_object base;
    gnutls_priority_t value;
};
/* +1, given back with nwi_release(); the process keeps the last few of them, by their strings. NULL
 * with the error: errSSLBadConfiguration for a string that GnuTLS does not take, NWI_ERR_NOMEM. */
struct nwi_tls_priority *nwi_tls_priority_get(const char *string, nwi_err *ret_err);

/* The negotiated suite; 0 until the keys that it gives are in use: in TLS 1.2 up to the end of the
 * handshake, in TLS 1.3 up to the ServerHello. */
tls_ciphersuite_t nwi_tls_suite_of(gnutls_session_t session);
/* Whether an exact list, when there is one, holds it. GnuTLS is told ciphers, MACs and key
 * exchanges, not suites, so it may offer more than the list: who has negotiated asks here, before
 * any content goes either way, and ends the session with errSSLNegotiation on "no". */
bool nwi_tls_suite_is_allowed(sec_protocol_options_t options, tls_ciphersuite_t suite);
/* A server with an exact list calls this before GnuTLS reads a ClientHello, given the body of that:
 * then nothing else is ever chosen where the list and the client have a suite in common. GnuTLS's
 * code; 0 = done, or nothing to do. */
int nwi_tls_suites_narrow(gnutls_session_t session, sec_protocol_options_t options,
                          bool is_datagram, const gnutls_datum_t *hello);
/* A suite's name in the IANA registry; "an unregistered suite" for one without. Static. */
const char *nwi_tls_suite_name(tls_ciphersuite_t suite);

#endif
