/*
 * address.h - what one can ask of a socket address.
 * What:   pure helpers over struct sockaddr of AF_INET, AF_INET6 and AF_UNIX.
 * Source: RFC 4291 (IPv6 addresses), RFC 4007 section 11 (scope in text), RFC 5952 (text form), RFC
 *         3927.
 * Runs:   any thread.
 */
#ifndef NWI_SYS_ADDRESS_H
#define NWI_SYS_ADDRESS_H

#include "base/siphash.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { NWI_ADDRESS_TEXT_SIZE = 128 }; /* room for any text this file writes, the end included */

/* sizeof the sockaddr of that family; 0 for families libnw does not use. */
socklen_t nwi_address_length(int family);
/* Same family, address, port and (for link-local IPv6) scope. AF_UNIX: same path. Flow labels do
 * not count. */
bool nwi_address_equal(const struct sockaddr *a, const struct sockaddr *b);
/* The same without the port. */
bool nwi_address_equal_host(const struct sockaddr *a, const struct sockaddr *b);
/* For tables, of what nwi_address_equal compares but for the scope. AF_INET and AF_INET6. */
uint64_t nwi_address_hash(const struct nwi_siphash_key *key, const struct sockaddr *address);
/* The same of what nwi_address_equal_host compares. */
uint64_t nwi_address_hash_host(const struct nwi_siphash_key *key, const struct sockaddr *address);
/* Host byte order; 0 for AF_UNIX. */
uint16_t nwi_address_port(const struct sockaddr *address);
void nwi_address_set_port(struct sockaddr *address, uint16_t port);
/* "192.0.2.1", "2001:db8::1", "fe80::1%eth0", or the path ("@name" for an abstract one; shortened
 * when it does not fit). Returns `text`, always terminated; "?" for other families. */
const char *nwi_address_text(const struct sockaddr *address, char *text, size_t size);
/* With the port: "192.0.2.1:80", "[2001:db8::1]:80". */
const char *nwi_address_text_port(const struct sockaddr *address, char *text, size_t size);
/* Reads "192.0.2.1" (four decimal parts), "2001:db8::1", "fe80::1%eth0", "fe80::1%3"; brackets are
 * not part of an address. False, and nothing written, for anything else, also for a scope that
 * names no interface. */
bool nwi_address_parse(const char *text, uint16_t port, struct sockaddr_storage *ret_address,
                       socklen_t *ret_length);
bool nwi_address_is_any(const struct sockaddr *address);      /* 0.0.0.0, ::, ::ffff:0.0.0.0 */
bool nwi_address_is_loopback(const struct sockaddr *address); /* 127/8, ::1, mapped 127/8 */
bool nwi_address_is_link_local(
    const struct sockaddr *address); /* 169.254/16, fe80::/10, also ff02::/16 */
bool nwi_address_is_v4_mapped(const struct sockaddr *address); /* ::ffff:a.b.c.d */
/* ::ffff:a.b.c.d becomes a.b.c.d, in place; true when it did. */
bool nwi_address_unmap(struct sockaddr_storage *address, socklen_t *length);
/* Zeroed any-address or loopback address of AF_INET or AF_INET6 with that port; returns its length.
 */
socklen_t nwi_address_any(int family, uint16_t port, struct sockaddr_storage *ret_address);
socklen_t nwi_address_loopback(int family, uint16_t port, struct sockaddr_storage *ret_address);

#endif
