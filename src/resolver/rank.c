/*
 * rank.c - from an answer to the addresses a caller gets: port, scope, rank, order.
 * What:   asks the kernel which source address it would use towards each, and lets order.c sort. Of
 *         the source only the address is asked: the kernel has weighed deprecated and home
 *         addresses itself when it chose.
 * Source: RFC 6724 section 6.
 * Runs:   in the caller's context.
 * Owns:   nothing.
 */
#include "resolver/order.h"
#include "resolver/private.h"
#include "sys/address.h"
#include "sys/sockets.h"
#include <string.h>

static struct nwi_resolved complete(const struct nwi_answer *answer, size_t index,
                                    const struct nwi_resolve_options *options) {
    struct nwi_resolved r = {.length = nwi_address_length(answer->family)};
    memcpy(&r.address, &answer->addresses[index], r.length);
    nwi_address_set_port((struct sockaddr *)&r.address, options->port);
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&r.address;
    if (answer->family == AF_INET6 && v6->sin6_scope_id == 0 &&
        IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
        v6->sin6_scope_id = options->interface_index;
    return r;
}

static struct nwi_order_candidate examine(struct nwi_resolved *r, unsigned interface_index) {
    struct nwi_order_candidate candidate = {.context = r};
    struct sockaddr_storage source;
    socklen_t length;
    memcpy(&candidate.destination, &r->address, r->length);
    nwi_err err = nwi_socket_source_for((const struct sockaddr *)&r->address, r->length,
                                        interface_index, &source, &length);
    candidate.has_source = err == 0 && length <= sizeof candidate.source;
    if (candidate.has_source)
        memcpy(&candidate.source, &source, length);
    return candidate;
}

size_t nwi_rank(const struct nwi_answer *answer, const struct nwi_resolve_options *options,
                const struct nwi_policy *policy, struct nwi_resolved *ret_sorted) {
    struct nwi_resolved found[NWI_ANSWER_MAX];
    struct nwi_order_candidate candidates[NWI_ANSWER_MAX];
    for (size_t i = 0; i < answer->count; i++) {
        found[i] = complete(answer, i, options);
        candidates[i] = examine(&found[i], options->interface_index);
    }
    nwi_order_sort(candidates, answer->count, policy);
    for (size_t i = 0; i < answer->count; i++) {
        ret_sorted[i] = *(const struct nwi_resolved *)candidates[i].context;
        ret_sorted[i].rank = nwi_order_rank(&candidates[i], (unsigned)i, policy);
    }
    return answer->count;
}
