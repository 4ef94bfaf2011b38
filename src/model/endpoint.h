/*
 * endpoint.h - endpoints as the rest of libnw sees them.
 * What:   what nw_endpoint_t holds, constructors from values that are already checked, text for the
 *         log.
 * Source: RFC 3986 (URLs), RFC 4007 section 11 (scopes); semantics of nw_endpoint_t.
 * Runs:   any thread: an endpoint never changes.
 * Owns:   its texts and its address.
 */
#ifndef NWI_MODEL_ENDPOINT_H
#define NWI_MODEL_ENDPOINT_H

#include "base/object.h"
#include <Network/endpoint.h>

enum {
    NWI_ENDPOINT_TEXT_SIZE = 320
}; /* room for a host name (253 octets) or a local path, and a port */

extern const struct nwi_type nwi_endpoint_type;

/* One allocation: address and texts lie behind the struct. */
struct nw_endpoint {
    struct nwi_object base;
    nw_endpoint_type_t type; /* chooses the member of the union */
    uint16_t port;           /* host order; 0 for local sockets and Bonjour services */
    uint16_t address_length; /* 0 unless type is address */
    const char *hostname;    /* host, url: the name (no brackets); address: the text form */
    union {
        struct sockaddr *address;
        const char *url; /* as given */
        struct {
            const char *name, *type, *domain;
        } service; /* Bonjour */
    };
};

/* Copies the address; families AF_INET, AF_INET6, AF_UNIX. For AF_UNIX `length` bounds the path
 * (abstract names keep their length). +1; NULL: another family, an empty or too short address, or
 * no memory. */
nw_endpoint_t nwi_endpoint_from_sockaddr(const struct sockaddr *address, socklen_t length);
/* Lent, with its length; NULL and 0 unless the endpoint is an address. */
const struct sockaddr *nwi_endpoint_sockaddr(nw_endpoint_t endpoint, socklen_t *ret_length);
/* True when it can be connected to as it is: an address. False: it needs a resolver first. */
static inline bool nwi_endpoint_is_resolved(nw_endpoint_t endpoint) {
    return endpoint != NULL && endpoint->type == nw_endpoint_type_address;
}
/* Same type, and same address and port / name and port (case does not count) / service / URL. */
bool nwi_endpoint_is_equal(nw_endpoint_t a, nw_endpoint_t b);
/* "example.com:443", "[2001:db8::1]:80", "/run/x.sock", "name._http._tcp.local", the URL; "(none)"
 * for NULL. Returns `text`, always terminated. */
const char *nwi_endpoint_text(nw_endpoint_t endpoint, char *text, size_t size);

/* Reads a port: decimal 0..65535 or the name of a service of any protocol. False: neither. */
bool nwi_port_parse(const char *text, uint16_t *ret_port);

#endif
