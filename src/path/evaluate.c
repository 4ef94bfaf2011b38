/*
 * evaluate.c - from rules, addresses and a table to a path.
 * What:   see evaluate.h.
 * Source: semantics of nw_parameters_t and nw_path_t: interfaces most preferred first; gateways are
 *         addresses.
 * Runs:   any thread.
 * Owns:   nothing beyond each call.
 */
#include "path/evaluate.h"
#include "base/alloc.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "model/path.h"
#include "path/monitor.h"
#include "path/rules.h"
#include "path/table.h"
#include "sys/address.h"
#include "sys/route.h"
#include "sys/sockets.h"

static nw_interface_t make_interface(const struct nwi_path_interface *interface) {
    return nwi_interface_create(interface->link.name, interface->link.index, interface->type);
}

struct builder {
    const struct nwi_path_table *table;
    nw_parameters_t parameters;
    struct nwi_path_facts facts; /* arrays and what is in them are owned */
    bool denied;                 /* known to be about the local network */
    bool failed;                 /* no memory */
};

static void add_interface(struct builder *b, const struct nwi_path_interface *interface) {
    nw_interface_t made = make_interface(interface);
    if (made == NULL) {
        b->failed = true;
        return;
    }
    b->facts.interfaces[b->facts.interface_count++] = made;
    b->facts.has_ipv4 |= interface->has_v4;
    b->facts.has_ipv6 |= interface->has_v6;
    for (size_t i = 0; i < b->table->route_count; i++) {
        const struct nwi_default_route *route = &b->table->routes[i];
        if (route->index != interface->link.index || route->gateway.ss_family == 0)
            continue;
        const struct sockaddr *gateway = (const struct sockaddr *)&route->gateway;
        nw_endpoint_t endpoint =
            nwi_endpoint_from_sockaddr(gateway, nwi_address_length(gateway->sa_family));
        if (endpoint == NULL)
            b->failed = true;
        else
            b->facts.gateways[b->facts.gateway_count++] = endpoint;
    }
}

/* Every usable interface that the rules allow, `first` before the others. Loopback is listed only
 * when it is the one in use or the one required. */
static void add_interfaces(struct builder *b, const struct nwi_path_interface *first) {
    if (first != NULL)
        add_interface(b, first);
    if (first != NULL && first->type == nw_interface_type_loopback)
        return;
    for (size_t i = 0; i < b->table->interface_count && !b->failed; i++) {
        const struct nwi_path_interface *interface = &b->table->interfaces[i];
        if (interface != first &&
            nwi_path_judge(b->table, b->parameters, interface) == NWI_PATH_FITS)
            add_interface(b, interface);
    }
}

static const struct sockaddr *address_of(nw_endpoint_t endpoint, socklen_t *ret_length) {
    return endpoint != NULL && nw_endpoint_get_type(endpoint) == nw_endpoint_type_address
               ? nwi_endpoint_sockaddr(endpoint, ret_length)
               : NULL;
}

/* What rules bound to an interface reaches nothing by another. */
static bool is_reachable(const struct builder *b, const struct nwi_path_interface *in_use,
                         const struct sockaddr *remote, socklen_t length) {
    struct sockaddr_storage source;
    socklen_t source_length;
    struct nwi_path_choice choice;
    if (remote->sa_family != AF_INET && remote->sa_family != AF_INET6)
        return true;
    if (nwi_socket_source_for(remote, length, 0, &source, &source_length) != 0)
        return false;
    if (in_use == NULL || in_use->type == nw_interface_type_loopback ||
        nwi_path_choose_in(b->table, b->parameters, &choice) != 0 || choice.free)
        return true;
    return nwi_route_leads(remote, in_use->link.index) == 0;
}

/* What the path says is said of the interface that is used, or would be. */
static void take_costs(struct builder *b) {
    const struct nwi_path_interface *first =
        b->facts.interface_count > 0 ? nwi_path_table_find(b->table, b->facts.interfaces[0]->index)
                                     : NULL;
    if (first == NULL)
        return;
    b->facts.expensive = first->expensive;
    b->facts.constrained = first->constrained;
    b->facts.ultra_constrained = first->ultra_constrained;
    b->facts.quality = first->quality;
}

static void evaluate(struct builder *b, const struct sockaddr *local, const struct sockaddr *remote,
                     socklen_t remote_length) {
    const struct nwi_path_interface *in_use = NULL;
    b->facts.has_dns = b->table->has_dns;
    if ((local != NULL && local->sa_family == AF_UNIX) ||
        (remote != NULL && remote->sa_family == AF_UNIX)) {
        b->facts.status = nw_path_status_satisfied; /* no network is needed to talk to oneself */
        return;
    }
    if (local != NULL && !nwi_address_is_any(local))
        in_use = nwi_path_table_find_address(b->table, local);
    else if (remote != NULL && nwi_address_is_loopback(remote))
        in_use = nwi_path_table_find_address(b->table, remote);
    bool lost = local != NULL && !nwi_address_is_any(local) && in_use == NULL;
    if (in_use != NULL && !in_use->usable) {
        lost = true;
        in_use = NULL;
    }
    add_interfaces(b, in_use);
    take_costs(b);
    bool denied = b->denied || (b->table->local_network_denied && remote != NULL &&
                                nwi_path_is_local_network(b->table, remote));
    bool satisfied = b->facts.interface_count > 0 && !lost && !denied &&
                     (remote == NULL || is_reachable(b, in_use, remote, remote_length));
    b->facts.status = satisfied ? nw_path_status_satisfied : nw_path_status_unsatisfied;
    if (denied)
        b->facts.reason = nw_path_unsatisfied_reason_local_network_denied;
    else if (b->facts.interface_count == 0)
        b->facts.reason = nwi_path_reason(b->table, b->parameters);
}

static nw_path_t build(struct builder *b) {
    nw_path_t path = NULL;
    socklen_t local_length = 0, remote_length = 0;
    b->facts.interfaces = nwi_alloc((b->table->interface_count + 1) * sizeof *b->facts.interfaces);
    b->facts.gateways = nwi_alloc((b->table->route_count + 1) * sizeof *b->facts.gateways);
    if (b->facts.interfaces != NULL && b->facts.gateways != NULL) {
        const struct sockaddr *local = address_of(b->facts.local, &local_length);
        const struct sockaddr *remote = address_of(b->facts.remote, &remote_length);
        evaluate(b, local, remote, remote_length);
        if (!b->failed)
            path = nwi_path_create(&b->facts);
    }
    for (size_t i = 0; i < b->facts.interface_count; i++)
        nwi_release(b->facts.interfaces[i]);
    for (size_t i = 0; i < b->facts.gateway_count; i++)
        nwi_release(b->facts.gateways[i]);
    nwi_free(b->facts.interfaces);
    nwi_free(b->facts.gateways);
    return path;
}

nw_path_t nwi_path_evaluate_in(const struct nwi_path_table *table, nw_parameters_t parameters,
                               nw_endpoint_t local, nw_endpoint_t remote) {
    return build(&(struct builder){
        .table = table, .parameters = parameters, .facts = {.local = local, .remote = remote}});
}

/* Unreadable: an empty network is all we can vouch for. */
static struct nwi_path_table *copy_table(void) {
    struct nwi_path_table *table = nwi_path_copy_table();
    return table != NULL ? table : nwi_path_table_create(&(struct nwi_path_records){0});
}

nw_path_t nwi_path_evaluate(nw_parameters_t parameters, nw_endpoint_t local, nw_endpoint_t remote) {
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = copy_table();
    return table != NULL ? nwi_path_evaluate_in(table, parameters, local, remote) : NULL;
}

nw_path_t nwi_path_evaluate_denied(nw_parameters_t parameters) {
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = copy_table();
    return table != NULL
               ? build(&(struct builder){.table = table, .parameters = parameters, .denied = true})
               : NULL;
}
