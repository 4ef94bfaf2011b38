/*
 * endpoint_parse.h - reads the texts that endpoints are made of. Private to src/model.
 * Runs:   any thread; pure, but for the table of services that a port name is looked up in.
 */
#ifndef NWI_MODEL_ENDPOINT_PARSE_H
#define NWI_MODEL_ENDPOINT_PARSE_H

#include <stdbool.h>
#include <stdint.h>

enum { NWI_HOSTNAME_MAX = 253 }; /* octets, a final dot not counted; RFC 1035 section 2.3.4 */

struct nwi_url_parts {
    char host[NWI_HOSTNAME_MAX + 2]; /* without brackets; with the final dot, if any */
    uint16_t port;                   /* given, or the scheme's own, or 0 */
};

/* "scheme://[user@]host[:port][/path][?query][#fragment]". False: no such URL, or one without a
 * host. */
bool nwi_url_parse(const char *url, struct nwi_url_parts *ret);
/* Could be asked of a resolver: 1 to 253 octets without blanks, control characters or colons. */
bool nwi_hostname_is_usable(const char *hostname);

#endif
