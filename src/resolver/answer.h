/*
 * answer.h - the addresses of one name in one family: immutable, shared by cache, lookups and
 * resolutions.
 * Runs:   any thread: an answer never changes.
 */
#ifndef NWI_RESOLVER_ANSWER_H
#define NWI_RESOLVER_ANSWER_H

#include "base/err.h"
#include "base/object.h"
#include <netinet/in.h>
#include <stdint.h>

union nwi_inet {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

enum {
    NWI_ANSWER_MAX = 64, /* addresses taken from one answer; a server that sends more is cut off */
    NWI_ANSWER_TTL_MAX = 86400,  /* seconds: a day, whatever the server says */
    NWI_ANSWER_TTL_NEGATIVE = 2, /* seconds: short, since people retry after mending a name */
};

struct nwi_answer {
    struct nwi_object base;
    int family;       /* AF_INET, AF_INET6 */
    nwi_err err;      /* 0, or why there is no address */
    uint32_t ttl;     /* seconds; 0 = not to be cached, UINT32_MAX = for ever */
    uint8_t protocol; /* enum nwi_resolve_protocol: how it came, when it came from a server */
    size_t count;
    union nwi_inet addresses[]; /* port 0; no two alike */
};

/* Copies up to NWI_ANSWER_MAX addresses of that family (others are dropped); none left gives
 * dns/NoSuchRecord. +1, or NULL when memory ran out. */
struct nwi_answer *nwi_answer_create(int family, const union nwi_inet *addresses, size_t count,
                                     uint32_t ttl);
/* An answer without address. +1 or NULL. */
struct nwi_answer *nwi_answer_create_error(int family, nwi_err err, uint32_t ttl);
/* What a DNS message says, CNAMEs followed. `status` is c-ares's verdict on it; the message is read
 * only when that is success. +1, or NULL when memory ran out. */
struct nwi_answer *nwi_answer_from_message(int family, int status, const unsigned char *message,
                                           size_t size);

/* The error that a c-ares status means; 0 for success. Unknown ones give dns/Unknown. */
nwi_err nwi_answer_status_error(int status);

#endif
