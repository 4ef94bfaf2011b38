/*
 * peek.h - looks at a server's flight before GnuTLS does.
 * What:   GnuTLS wants a client's certificate, or the name of its pre-shared key, in the moment in
 *         which it reads the message that asks for it; a program answers later. So that message is
 *         read here first, from a copy of its record, and the record is held back until there is an
 *         answer. Only sessions whose program wants to be asked have a peek.
 * Source: RFC 8446 sections 4.3.2, 5.2, 7.1 and 7.3; RFC 5246 sections 7.4.4 and 7.4.5; RFC 4279
 *         section 2 (the hint).
 * Runs:   in the protocol context.
 * Owns:   the message that is being gathered; the key of the server's handshake records (TLS 1.3).
 */
#ifndef NWI_PROTOCOL_TLS_PEEK_H
#define NWI_PROTOCOL_TLS_PEEK_H

#include "model/sec_metadata.h"
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

struct nwi_tls_peek;

enum {                         /* bits */
       NWI_TLS_SEEN_REQUEST = 1,  /* a CertificateRequest ends in this record */
       NWI_TLS_SEEN_KEY_TURN = 2, /* TLS 1.2: the client chooses its pre-shared key next */
};

struct nwi_tls_peek *nwi_tls_peek_create(void); /* NULL: no memory */
void *nwi_tls_peek_free(struct nwi_tls_peek *peek);
/* One whole record, header included, each once and in order. Returns what somebody has to be asked
 * about before GnuTLS sees it. */
unsigned nwi_tls_peek_record(struct nwi_tls_peek *peek, const unsigned char *record,
                                       size_t size);
/* GnuTLS's key log: the secret of the server's handshake records is among it. */
void nwi_tls_peek_secret(struct nwi_tls_peek *peek, const char *label,
                         const gnutls_datum_t *secret);
/* After SEEN_REQUEST: its names and signature schemes, into metadata. False: no memory. */
bool nwi_tls_peek_describe(const struct nwi_tls_peek *peek, sec_protocol_metadata_t metadata);
/* After SEEN_KEY_TURN: the server's hint, +1; NULL: it gave none. */
dispatch_data_t nwi_tls_peek_copy_hint(const struct nwi_tls_peek *peek);

#endif
