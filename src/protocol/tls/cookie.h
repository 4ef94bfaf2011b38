/*
 * cookie.h - a DTLS listener's first word with somebody it does not know, without remembering him.
 * What:   a ClientHello without a valid cookie is answered by a HelloVerifyRequest that carries
 *         one; a ClientHello that brings it back shows that its sender gets what is sent to that
 *         address. Only then is anything made for him. An answer is never larger than its question.
 * Source: RFC 6347 section 4.2.1.
 * Runs:   in one context at a time; no call waits or keeps anything of a peer.
 * Owns:   two secrets: the one that makes cookies now, and the one before it.
 */
#ifndef NWI_PROTOCOL_TLS_COOKIE_H
#define NWI_PROTOCOL_TLS_COOKIE_H

#include "base/clock.h"
#include <gnutls/dtls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct nwi_dtls_cookies;

/* A cookie is good for one to two of these. */
#define NWI_DTLS_COOKIE_PERIOD (30 * NWI_SEC)

/* NULL: out of memory, or no random octets. */
struct nwi_dtls_cookies *nwi_dtls_cookies_create(nwi_ns now);
/* Wipes the secrets. NULL is fine; returns NULL. */
struct nwi_dtls_cookies *nwi_dtls_cookies_free(struct nwi_dtls_cookies *cookies);

/* One datagram of an unknown peer. True: its cookie is that of this address, the peer may come in.
 * False: it may not; when *length is not 0 afterwards, that many octets of `answer` are to be sent
 * back to him. In: *length is the room for the answer. */
bool nwi_dtls_cookies_check(struct nwi_dtls_cookies *cookies, nwi_ns now,
                            const struct sockaddr *peer, const uint8_t *datagram, size_t size,
                            uint8_t *answer, size_t *length);

/* A number for the handshake that the datagram begins: of a ClientHello's random octets, never 0.
 * 0: it begins none. */
uint64_t nwi_dtls_beginning(const uint8_t *datagram, size_t size);

/* Where a server's session begins to count whose first datagram is this ClientHello. False: it is
 * the first message of its client; the session counts from zero. */
bool nwi_dtls_prestate(const uint8_t *datagram, size_t size, gnutls_dtls_prestate_st *ret_state);

#endif
