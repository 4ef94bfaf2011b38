/*
 * carriers.c - see carriers.h.
 * Runs:   any thread.
 */
#include "establish/carriers.h"
#include "sys/address.h"
#include "sys/route.h"
#include "sys/sockets.h"

static bool is_chosen(const struct nwi_path_choice *choice, unsigned index) {
    for (unsigned i = 0; i < choice->count; i++)
        if (choice->interfaces[i] == index)
            return true;
    return false;
}

static void add(struct nwi_carriers *carriers, unsigned index) {
    carriers->interfaces[carriers->count++] = index;
}

static void block(struct nwi_carriers *carriers, nwi_err obstacle) {
    carriers->count = 1;
    carriers->interfaces[0] = 0;
    carriers->obstacle = obstacle;
}

/* The interface that the address itself names: RFC 4007 section 6; 0 = none. */
static unsigned scope_of(const struct sockaddr *remote) {
    return remote->sa_family == AF_INET6
               ? ((const struct sockaddr_in6 *)(const void *)remote)->sin6_scope_id
               : 0;
}

/* No route says where groups are: they are on every link. */
static bool is_group(const struct sockaddr *remote) {
    if (remote->sa_family == AF_INET6)
        return IN6_IS_ADDR_MULTICAST(
            &((const struct sockaddr_in6 *)(const void *)remote)->sin6_addr);
    uint32_t v4 = ntohl(((const struct sockaddr_in *)(const void *)remote)->sin_addr.s_addr);
    return IN_MULTICAST(v4) || v4 == INADDR_BROADCAST;
}

static void find_routed(const struct nwi_path_choice *choice, const struct sockaddr *remote,
                        struct nwi_carriers *carriers) {
    struct nwi_route route = {0};
    nwi_err shortage = 0;
    (void)nwi_route_lookup(remote, 0, NULL, &route);
    unsigned first = route.index;
    if (is_chosen(choice, first))
        add(carriers, first);
    for (unsigned i = 0; i < choice->count; i++) {
        if (carriers->count > 0 && choice->interfaces[i] == first)
            continue;
        nwi_err err = nwi_route_leads(remote, choice->interfaces[i]);
        if (err == 0)
            add(carriers, choice->interfaces[i]);
        else if (nwi_err_is_shortage(err))
            shortage = err;
    }
    if (choice->may_be_routed && (carriers->count == 0 || carriers->interfaces[0] != first))
        add(carriers, 0);
    if (carriers->count == 0)
        block(carriers, shortage != 0 ? shortage : nwi_posix(ENETUNREACH));
}

void nwi_carriers_find(const struct nwi_path_choice *choice, nw_parameters_t parameters,
                       const struct sockaddr *remote, struct nwi_carriers *ret_carriers) {
    struct nwi_carriers *carriers = ret_carriers;
    *carriers = (struct nwi_carriers){0};
    unsigned scope = scope_of(remote);
    if (remote->sa_family != AF_INET && remote->sa_family != AF_INET6) {
        add(carriers, 0);
    } else if (nwi_address_is_loopback(remote)) { /* needs no binding: it cannot leave */
        block(carriers, nwi_path_allows_itself(parameters));
    } else if (choice->denied && nwi_path_is_on_local_network(remote)) {
        block(carriers, nwi_posix(ENETDOWN));
        carriers->denied = true;
    } else if (choice->free) {
        add(carriers, 0);
    } else if (scope != 0) {
        if (is_chosen(choice, scope))
            add(carriers, scope);
        else
            block(carriers, nwi_posix(ENETDOWN));
    } else if (is_group(remote)) {
        add(carriers, choice->interfaces[0]);
    } else {
        find_routed(choice, remote, carriers);
    }
}
