/*
 * rank.c - from an answer to the addresses a caller gets: port, scope, rank, order.
 * What:   finds the source address that the kernel would use towards each, and orders by RFC 6724.
 * Source: RFC 6724 section 6.
 * Runs:   in the caller's context.
 * Owns:   nothing.
 */
#include "resolver/private.h"
#include "sys/address.h"
#include "sys/sockets.h"
#include <stdlib.h>
#include <string.h>

enum { UNREACHABLE = 1u << 31 }; /* RFC 6724 section 6, rule 1: avoid unusable destinations */

static uint32_t rank_one(const struct nwi_resolved *r, unsigned interface_index) {
    struct sockaddr_storage source;
    socklen_t length;
    nwi_err err = nwi_socket_source_for((const struct sockaddr *)&r->address, r->length,
                                        interface_index, &source, &length);
    uint32_t rank = r->address.ss_family == AF_INET6 ? 0 : 1;
    return err != 0 ? rank | UNREACHABLE : rank;
}

/* Stable: servers order their answers on purpose (round robin), RFC 6724 section 6, rule 10. */
static void insert(struct nwi_resolved *sorted, size_t count, const struct nwi_resolved *r) {
    size_t place = count;
    while (place > 0 && sorted[place - 1].rank > r->rank)
        place--;
    memmove(&sorted[place + 1], &sorted[place], (count - place) * sizeof *sorted);
    sorted[place] = *r;
}

size_t nwi_rank(const struct nwi_answer *answer, const struct nwi_resolve_options *options,
                struct nwi_resolved *ret_sorted) {
    for (size_t i = 0; i < answer->count; i++) {
        struct nwi_resolved r = {.length = nwi_address_length(answer->family)};
        memcpy(&r.address, &answer->addresses[i], r.length);
        nwi_address_set_port((struct sockaddr *)&r.address, options->port);
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&r.address;
        if (answer->family == AF_INET6 && v6->sin6_scope_id == 0 &&
            IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
            v6->sin6_scope_id = options->interface_index;
        r.rank = rank_one(&r, options->interface_index);
        insert(ret_sorted, i, &r);
    }
    return answer->count;
}
