/*
 * evaluate.c - from rules and a table to a path.
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
#include "model/parameters.h"
#include "model/path.h"
#include "path/monitor.h"
#include "path/table.h"
#include "sys/address.h"
#include "sys/sockets.h"

static bool has_rules(nw_parameters_t p) {
    return p != NULL && (p->required_interface != NULL || p->prohibited_interface_count > 0 ||
                         p->required_type != nw_interface_type_other || p->prohibited_types != 0 ||
                         p->prohibit_expensive || p->prohibit_constrained);
}

/* Whether traffic costs money. Until a network manager is asked, the radio type tells. */
static bool is_expensive(const struct nwi_path_interface *interface) {
    return interface->type == nw_interface_type_cellular;
}

static nw_interface_t make_interface(const struct nwi_path_interface *interface) {
    return nwi_interface_create(interface->link.name, interface->link.index, interface->type);
}

/* *ret_allowed only on success. Errors: NWI_ERR_NOMEM. */
static nwi_err judge(nw_parameters_t parameters, const struct nwi_path_interface *interface,
                     bool *ret_allowed) {
    if (!has_rules(parameters)) {
        *ret_allowed = true;
        return 0;
    }
    if (parameters->prohibit_expensive && is_expensive(interface)) {
        *ret_allowed = false;
        return 0;
    }
    NWI_AUTO_RELEASE
    nw_interface_t identity = make_interface(interface);
    if (identity == NULL)
        return NWI_ERR_NOMEM;
    *ret_allowed = nwi_parameters_allow_interface(parameters, identity);
    return 0;
}

/* Loopback leads nowhere else, so rules must ask for it before it counts as a way to others. */
static bool wants_loopback(nw_parameters_t parameters) {
    return parameters != NULL &&
           (parameters->required_type == nw_interface_type_loopback ||
            (parameters->required_interface != NULL &&
             parameters->required_interface->type == nw_interface_type_loopback));
}

nwi_err nwi_path_allows_in(const struct nwi_path_table *table, nw_parameters_t parameters,
                           unsigned *ret_index) {
    unsigned best = 0;
    bool excluded = false;
    for (size_t i = 0; i < table->interface_count; i++) {
        const struct nwi_path_interface *interface = &table->interfaces[i];
        bool allowed;
        if (!interface->usable)
            continue;
        nwi_err err = judge(parameters, interface, &allowed);
        if (err != 0)
            return err;
        excluded = excluded || !allowed;
        if (allowed && best == 0 &&
            (interface->type != nw_interface_type_loopback || wants_loopback(parameters)))
            best = interface->link.index;
    }
    if (best == 0)
        return nwi_posix(ENETDOWN);
    *ret_index = excluded ? best : 0;
    return 0;
}

nwi_err nwi_path_allows(nw_parameters_t parameters, unsigned *ret_index) {
    if (!has_rules(
            parameters)) { /* the attempt itself will tell; a table costs more than a connect */
        *ret_index = 0;
        return 0;
    }
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    return table != NULL ? nwi_path_allows_in(table, parameters, ret_index) : nwi_posix(ENETDOWN);
}

nwi_err nwi_path_allows_itself_in(const struct nwi_path_table *table, nw_parameters_t parameters) {
    for (size_t i = 0; i < table->interface_count; i++) {
        const struct nwi_path_interface *interface = &table->interfaces[i];
        bool allowed;
        if (!interface->usable || interface->type != nw_interface_type_loopback)
            continue;
        nwi_err err = judge(parameters, interface, &allowed);
        if (err != 0)
            return err;
        if (allowed)
            return 0;
    }
    return nwi_posix(ENETDOWN);
}

nwi_err nwi_path_allows_itself(nw_parameters_t parameters) {
    if (!has_rules(parameters))
        return 0;
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    return table != NULL ? nwi_path_allows_itself_in(table, parameters) : nwi_posix(ENETDOWN);
}

/* --- paths --- */
struct builder {
    const struct nwi_path_table *table;
    nw_parameters_t parameters;
    struct nwi_path_facts facts; /* arrays and what is in them are owned */
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
    bool want_loopback = wants_loopback(b->parameters);
    if (first != NULL)
        add_interface(b, first);
    if (first != NULL && first->type == nw_interface_type_loopback)
        return;
    for (size_t i = 0; i < b->table->interface_count && !b->failed; i++) {
        const struct nwi_path_interface *interface = &b->table->interfaces[i];
        bool allowed = false;
        if (interface == first || !interface->usable ||
            (interface->type == nw_interface_type_loopback && !want_loopback))
            continue;
        if (judge(b->parameters, interface, &allowed) != 0)
            b->failed = true;
        else if (allowed)
            add_interface(b, interface);
    }
}

static const struct sockaddr *address_of(nw_endpoint_t endpoint, socklen_t *ret_length) {
    return endpoint != NULL && nw_endpoint_get_type(endpoint) == nw_endpoint_type_address
               ? nwi_endpoint_sockaddr(endpoint, ret_length)
               : NULL;
}

static bool is_reachable(const struct sockaddr *remote, socklen_t length) {
    struct sockaddr_storage source;
    socklen_t source_length;
    if (remote->sa_family != AF_INET && remote->sa_family != AF_INET6)
        return true;
    return nwi_socket_source_for(remote, length, 0, &source, &source_length) == 0;
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
    if (b->facts.interface_count > 0) {
        const struct nwi_path_interface *first =
            nwi_path_table_find(b->table, b->facts.interfaces[0]->index);
        b->facts.expensive = first != NULL && is_expensive(first);
    }
    bool satisfied = b->facts.interface_count > 0 && !lost &&
                     (remote == NULL || is_reachable(remote, remote_length));
    b->facts.status = satisfied ? nw_path_status_satisfied : nw_path_status_unsatisfied;
}

nw_path_t nwi_path_evaluate_in(const struct nwi_path_table *table, nw_parameters_t parameters,
                               nw_endpoint_t local, nw_endpoint_t remote) {
    struct builder b = {.table = table, .parameters = parameters};
    socklen_t local_length = 0, remote_length = 0;
    nw_path_t path = NULL;
    b.facts.interfaces = nwi_alloc((table->interface_count + 1) * sizeof *b.facts.interfaces);
    b.facts.gateways = nwi_alloc((table->route_count + 1) * sizeof *b.facts.gateways);
    b.facts.local = local;
    b.facts.remote = remote;
    if (b.facts.interfaces != NULL && b.facts.gateways != NULL) {
        const struct sockaddr *local_address = address_of(local, &local_length);
        const struct sockaddr *remote_address = address_of(remote, &remote_length);
        evaluate(&b, local_address, remote_address, remote_length);
        if (!b.failed)
            path = nwi_path_create(&b.facts);
    }
    for (size_t i = 0; i < b.facts.interface_count; i++)
        nwi_release(b.facts.interfaces[i]);
    for (size_t i = 0; i < b.facts.gateway_count; i++)
        nwi_release(b.facts.gateways[i]);
    nwi_free(b.facts.interfaces);
    nwi_free(b.facts.gateways);
    return path;
}

nw_path_t nwi_path_evaluate(nw_parameters_t parameters, nw_endpoint_t local, nw_endpoint_t remote) {
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    if (table == NULL) /* unreadable: an empty network is all we can vouch for */
        table = nwi_path_table_create(&(struct nwi_path_records){0});
    return table != NULL ? nwi_path_evaluate_in(table, parameters, local, remote) : NULL;
}
