/*
 * policy.h - the policy table that address selection consults.
 * What:   labels and precedences of prefixes, and the scopes of IPv4 prefixes: the defaults, or
 *         what the text of an /etc/gai.conf puts in their place.
 * Source: RFC 6724 sections 2.1 and 3.2; gai.conf(5).
 * Runs:   any thread; a table does not change once it is filled.
 */
#ifndef NWI_RESOLVER_POLICY_H
#define NWI_RESOLVER_POLICY_H

#include <netinet/in.h>
#include <stddef.h>

enum { NWI_POLICY_ROWS = 32 }; /* of each kind; further lines of a file are logged and skipped */

struct nwi_policy_row {
    struct in6_addr prefix; /* IPv4 as ::ffff:a.b.c.d */
    unsigned length;        /* bits, 0 to 128 */
    unsigned value;
};
struct nwi_policy_list {
    unsigned count;
    struct nwi_policy_row rows[NWI_POLICY_ROWS];
};
struct nwi_policy {
    struct nwi_policy_list label, precedence, scope_v4;
};

/* The default table, static. */
const struct nwi_policy *nwi_policy_default(void);
/* Fills *ret_policy from the text of a gai.conf. As there, the first line of a kind (label,
 * precedence, scopev4) removes the defaults of that kind. Lines that make no sense are logged and
 * skipped. */
void nwi_policy_parse(const char *text, size_t length, struct nwi_policy *ret_policy);
/* Reads the file; the default table when it cannot be read (which is the usual case and no error).
 */
void nwi_policy_read(const char *path, struct nwi_policy *ret_policy);

/* Values of the longest matching row. `address`: IPv4 as ::ffff:a.b.c.d. No match: label and
 * precedence 0, scope global. */
unsigned nwi_policy_label(const struct nwi_policy *policy, const struct in6_addr *address);
unsigned nwi_policy_precedence(const struct nwi_policy *policy, const struct in6_addr *address);

enum { NWI_SCOPE_LINK = 2, NWI_SCOPE_SITE = 5, NWI_SCOPE_GLOBAL = 14 }; /* RFC 4291 section 2.7 */
/* The scope of an address, IPv4 included (RFC 6724 sections 3.1 to 3.4). */
unsigned nwi_policy_scope(const struct nwi_policy *policy, const struct in6_addr *address);

#endif
