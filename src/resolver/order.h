/*
 * order.h - which of several addresses to try first.
 * What:   destination address selection, pure: candidates with what is known of them go in, and are
 *         sorted in place. It opens no socket: whoever calls finds the source addresses first.
 * Source: RFC 6724 section 6, all ten rules; RFC 8305 section 4 for the two rules about history.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#ifndef NWI_RESOLVER_ORDER_H
#define NWI_RESOLVER_ORDER_H

#include "base/clock.h"
#include "resolver/policy.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

union nwi_order_address {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* IPv4 as ::ffff:a.b.c.d (RFC 6724 section 2.1), which is what a policy is asked with. */
struct in6_addr nwi_order_as_v6(const union nwi_order_address *address);

/* Zero is a fine default of every field but destination. */
struct nwi_order_candidate {
    union nwi_order_address destination; /* AF_INET or AF_INET6 */
    /* What the kernel would send from; has_source false: no route, or nothing to send from. */
    bool has_source;
    union nwi_order_address source;
    /* Length of the source's prefix on its interface, in bits. 0 = unknown: 64 for IPv6, and for
     * IPv4 rule 9 is left out, which leaves a server's rotation of addresses alone. */
    unsigned source_prefix;
    bool source_deprecated;
    bool source_is_home, source_is_care_of; /* RFC 6275; plain addresses are neither */
    bool tunneled; /* reached through an encapsulation (6to4, Teredo, a 6in4 tunnel) */
    nwi_ns rtt;    /* measured, 0 = unknown */
    bool used;     /* has been connected to before */
    void *context; /* the caller's */
};

/* Less than 0: a goes first; more: b does; 0: no rule tells. `policy` NULL = the default table. */
int nwi_order_compare(const struct nwi_order_candidate *a, const struct nwi_order_candidate *b,
                      const struct nwi_policy *policy);
/* Stable: what no rule separates keeps its order (rule 10). */
void nwi_order_sort(struct nwi_order_candidate *candidates, size_t count,
                    const struct nwi_policy *policy);
/* For the log: the rule of RFC 6724 that separates the two, 1 to 9; 10 = none does. RFC 8305's own
 * rules answer 8 (round trip) and 9 (used before). */
unsigned nwi_order_rule(const struct nwi_order_candidate *a, const struct nwi_order_candidate *b,
                        const struct nwi_policy *policy);

/* The order as a number, lower first, for lists that come one after the other (the two families
 * do): what rules 1 to 8 say of a candidate by itself, then `place`, its place in its own sorted
 * list. So sort each list, and number it; the numbers compare across lists. */
uint32_t nwi_order_rank(const struct nwi_order_candidate *candidate, unsigned place,
                        const struct nwi_policy *policy);

#endif
