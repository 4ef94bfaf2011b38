/*
 * resume.h - sessions that go on where an earlier one ended, and content that goes with the
 *         ClientHello.
 * Source: RFC 8446 sections 2.2, 2.3 and 4.6.1; RFC 5077.
 * Runs:   in the protocol context, with the session to itself.
 */
#ifndef NWI_PROTOCOL_TLS_RESUME_H
#define NWI_PROTOCOL_TLS_RESUME_H

#include "protocol/tls/private.h"

/* Flags for GnuTLS's session, before it is made. */
unsigned nwi_tls_resume_flags(const struct nwi_tls_config *config, bool early);
/* A fresh session takes up an earlier one of that endpoint (client), or issues and takes tickets
 * (server). Errors: NWI_ERR_NOMEM. */
nwi_err nwi_tls_resume_begin(struct tls *tls, const struct nwi_tls_request *request);
/* Before the first step: puts early content beside the ClientHello, when the earlier session
 * permits it. */
void nwi_tls_resume_send_early(struct tls *tls);
/* After the last step. */
void nwi_tls_resume_finished(struct tls *tls);
/* The handshake failed: what it resumed may be why. */
void nwi_tls_resume_failed(struct tls *tls);
/* After a record was read: keeps a ticket that came in it. */
void nwi_tls_resume_keep(struct tls *tls);
/* A server's: some of the content that came with the ClientHello; NULL: none is left, or, while
 * has_early stays, a piece is lost for want of memory. */
dispatch_data_t nwi_tls_resume_take_early(struct tls *tls);

#endif
