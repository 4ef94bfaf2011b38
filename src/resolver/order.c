/*
 * order.c - destination address selection.
 * What:   the ten rules, one function each, in a table that reads like the RFC.
 * Source: RFC 6724 section 6; RFC 8305 section 4.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "resolver/order.h"
#include <stdint.h>
#include <string.h>

enum { PREFIX_V6 = 64 }; /* of a source whose prefix length is not known */

/* What the rules ask of one candidate, worked out once. */
struct facts {
    const struct nwi_order_candidate *candidate;
    struct in6_addr destination, source; /* IPv4 as ::ffff:a.b.c.d, RFC 6724 section 2.1 */
    unsigned scope;                      /* of the destination */
    bool scope_matches, label_matches;
    unsigned precedence;
    unsigned common; /* bits that source and destination share, rule 9 */
};

struct in6_addr nwi_order_as_v6(const union nwi_order_address *address) {
    if (address->sa.sa_family == AF_INET6)
        return address->in6.sin6_addr;
    struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(&mapped.s6_addr[12], &address->in.sin_addr, sizeof address->in.sin_addr);
    return mapped;
}

/* CommonPrefixLen, RFC 6724 section 2.2: up to the length of the source's prefix. */
static unsigned common_prefix(const struct facts *f) {
    bool is_v6 = f->candidate->destination.sa.sa_family == AF_INET6;
    unsigned limit = f->candidate->source_prefix;
    if (limit == 0)
        limit = is_v6 ? PREFIX_V6 : 0;
    unsigned first = is_v6 ? 0 : 96, bits = 0;
    for (unsigned i = first; i < 128 && bits < limit; i++, bits++) {
        unsigned mask = 0x80u >> (i % 8);
        if (((f->source.s6_addr[i / 8] ^ f->destination.s6_addr[i / 8]) & mask) != 0)
            break;
    }
    return bits;
}

static struct facts work_out(const struct nwi_order_candidate *candidate,
                             const struct nwi_policy *policy) {
    struct facts f = {.candidate = candidate,
                      .destination = nwi_order_as_v6(&candidate->destination)};
    f.scope = nwi_policy_scope(policy, &f.destination);
    f.precedence = nwi_policy_precedence(policy, &f.destination);
    if (!candidate->has_source)
        return f;
    f.source = nwi_order_as_v6(&candidate->source);
    f.scope_matches = nwi_policy_scope(policy, &f.source) == f.scope;
    f.label_matches =
        nwi_policy_label(policy, &f.source) == nwi_policy_label(policy, &f.destination);
    f.common = common_prefix(&f);
    return f;
}

/* --- the rules: less than 0 = a first --- */

static int yes_first(bool a, bool b) {
    return (int)b - (int)a;
}

static int less_first(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int avoid_unusable(const struct facts *a, const struct facts *b) {
    return yes_first(a->candidate->has_source, b->candidate->has_source);
}

static int matching_scope(const struct facts *a, const struct facts *b) {
    return yes_first(a->scope_matches, b->scope_matches);
}

static int avoid_deprecated(const struct facts *a, const struct facts *b) {
    return yes_first(!a->candidate->source_deprecated, !b->candidate->source_deprecated);
}

/* Home and care-of at once, then home, then what is neither, then care-of. The RFC orders only some
 * of these pairs; the plain address stands where it keeps the order one that can be sorted by. */
static unsigned home_class(const struct nwi_order_candidate *c) {
    if (c->source_is_home)
        return c->source_is_care_of ? 0 : 1;
    return c->source_is_care_of ? 3 : 2;
}

static int home_address(const struct facts *a, const struct facts *b) {
    return less_first(home_class(a->candidate), home_class(b->candidate));
}

static int matching_label(const struct facts *a, const struct facts *b) {
    return yes_first(a->label_matches, b->label_matches);
}

static int higher_precedence(const struct facts *a, const struct facts *b) {
    return less_first(b->precedence, a->precedence);
}

static int native_transport(const struct facts *a, const struct facts *b) {
    return yes_first(!a->candidate->tunneled, !b->candidate->tunneled);
}

static int smaller_scope(const struct facts *a, const struct facts *b) {
    return less_first(a->scope, b->scope);
}

/* RFC 8305 section 4, between rules 8 and 9. A measured address goes before one never measured: it
 * is known to answer, and otherwise the order would not be one that can be sorted by. */
static int shorter_round_trip(const struct facts *a, const struct facts *b) {
    return less_first(a->candidate->rtt - 1, b->candidate->rtt - 1); /* 0 becomes the largest */
}

static int longest_prefix(const struct facts *a, const struct facts *b) {
    return a->candidate->destination.sa.sa_family != b->candidate->destination.sa.sa_family
               ? 0
               : less_first(b->common, a->common);
}

/* RFC 8305 section 4, between rules 9 and 10. */
static int used_before(const struct facts *a, const struct facts *b) {
    return yes_first(a->candidate->used, b->candidate->used);
}

static const struct {
    unsigned number; /* in RFC 6724 section 6; 8305's take the number of the rule they follow */
    int (*compare)(const struct facts *a, const struct facts *b);
} rules[] = {
    {1, avoid_unusable},     {2, matching_scope},    {3, avoid_deprecated}, {4, home_address},
    {5, matching_label},     {6, higher_precedence}, {7, native_transport}, {8, smaller_scope},
    {8, shorter_round_trip}, {9, longest_prefix},    {9, used_before},
};

/* Rule 10 is that nothing follows: the order stays. */
static int compare_facts(const struct facts *a, const struct facts *b, unsigned *ret_rule) {
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        int order = rules[i].compare(a, b);
        if (order != 0) {
            *ret_rule = rules[i].number;
            return order;
        }
    }
    *ret_rule = 10;
    return 0;
}

/* --- the face --- */

static int compare(const struct nwi_order_candidate *a, const struct nwi_order_candidate *b,
                   const struct nwi_policy *policy, unsigned *ret_rule) {
    if (policy == NULL)
        policy = nwi_policy_default();
    struct facts fa = work_out(a, policy), fb = work_out(b, policy);
    return compare_facts(&fa, &fb, ret_rule);
}

int nwi_order_compare(const struct nwi_order_candidate *a, const struct nwi_order_candidate *b,
                      const struct nwi_policy *policy) {
    unsigned rule;
    return compare(a, b, policy, &rule);
}

unsigned nwi_order_rule(const struct nwi_order_candidate *a, const struct nwi_order_candidate *b,
                        const struct nwi_policy *policy) {
    unsigned rule;
    compare(a, b, policy, &rule);
    return rule;
}

/* By insertion: stable, needs no memory, and an answer has a handful of addresses. Rule 9 speaks of
 * one family only, so with equal precedences for both families (a gai.conf can do that) the order
 * is not a total one; the outcome still is a fixed one. */
void nwi_order_sort(struct nwi_order_candidate *candidates, size_t count,
                    const struct nwi_policy *policy) {
    for (size_t i = 1; i < count; i++) {
        struct nwi_order_candidate moved = candidates[i];
        size_t place = i;
        for (; place > 0 && nwi_order_compare(&candidates[place - 1], &moved, policy) > 0; place--)
            candidates[place] = candidates[place - 1];
        candidates[place] = moved;
    }
}

/* From the top: unusable 1 bit, scope differs 1, deprecated 1, home class 2, label differs 1,
 * precedence turned round 8, tunneled 1, scope 4, place 13. */
enum { PRECEDENCE_MAX = 255, PLACE_MAX = (1 << 13) - 1 };

static uint32_t append(uint32_t rank, unsigned bits, uint32_t value) {
    return rank << bits | value;
}

uint32_t nwi_order_rank(const struct nwi_order_candidate *candidate, unsigned place,
                        const struct nwi_policy *policy) {
    struct facts f = work_out(candidate, policy != NULL ? policy : nwi_policy_default());
    unsigned precedence = f.precedence < PRECEDENCE_MAX ? f.precedence : PRECEDENCE_MAX;
    uint32_t rank = !candidate->has_source;
    rank = append(rank, 1, !f.scope_matches);
    rank = append(rank, 1, candidate->source_deprecated);
    rank = append(rank, 2, home_class(candidate));
    rank = append(rank, 1, !f.label_matches);
    rank = append(rank, 8, PRECEDENCE_MAX - precedence);
    rank = append(rank, 1, candidate->tunneled);
    rank = append(rank, 4, f.scope & 0x0f);
    return append(rank, 13, place < PLACE_MAX ? place : PLACE_MAX);
}
