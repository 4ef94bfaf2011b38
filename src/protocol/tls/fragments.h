/*
 * fragments.h - a server's flight in its order, for a look at it before GnuTLS has one (peek.h).
 * What:   over datagrams messages come in pieces, late and more than once. Where somebody looks, a
 *         datagram that is ahead of its turn is treated as lost: its sender repeats the flight.
 * Source: RFC 6347 sections 4.1 (records) and 4.2.2 (messages and their fragments).
 * Runs:   in the protocol context.
 */
#ifndef NWI_PROTOCOL_TLS_FRAGMENTS_H
#define NWI_PROTOCOL_TLS_FRAGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nwi_dtls_fragments { /* zeroed: nothing has come */
    bool begun, headed;     /* the ServerHello has come; the header of message `next` has */
    uint16_t next;          /* number of the message that comes next, or is coming */
    size_t fed, length;     /* octets of its body so far, and in all */
};

/* Puts what is new in the datagram into `record` (room for the datagram's octets and
 * NWI_DTLS_FRAGMENTS_MORE) as a record of TLS over a stream would hold it: messages behind one
 * another, each with its short header. *ret_size: its octets, 0 = nothing new. False: something in
 * the datagram is ahead of its turn. */
enum { NWI_DTLS_FRAGMENTS_MORE = 5 };
bool nwi_dtls_fragments_order(struct nwi_dtls_fragments *fragments, const unsigned char *datagram,
                              size_t size, unsigned char *record, size_t *ret_size);

#endif
