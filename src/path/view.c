/*
 * view.c - see view.h.
 * Source: semantics of nw_path_monitor_t and nw_path_t: interfaces most preferred first; gateways
 *         are addresses.
 * Runs:   any thread.
 * Owns:   nothing beyond each call.
 */
#include "path/view.h"
#include "base/alloc.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "model/parameters.h"
#include "model/path.h"
#include "path/explain.h"
#include "path/rules.h"
#include "path/table.h"
#include "sys/address.h"
#include <net/if_arp.h>
#include <string.h>

static bool is_running(const struct nwi_link *link) {
    return (link->flags & IFF_UP) && (link->flags & IFF_RUNNING);
}

/* Whether the interface leads somewhere, the rules apart. Nothing leaves by the loopback: who asks
 * for that type asks whether this machine can talk to itself. */
static bool fits(const struct nwi_path_view *view, const struct nwi_path_interface *interface) {
    if (view->ethernet)
        return interface->type == nw_interface_type_wired &&
               interface->link.arp_type == ARPHRD_ETHER && is_running(&interface->link);
    if (interface->type == nw_interface_type_loopback)
        return view->typed && interface->usable;
    return interface->usable && ((interface->has_v4 && interface->routed_v4) ||
                                 (interface->has_v6 && interface->routed_v6));
}

static bool is_allowed(const struct nwi_path_view *view,
                       const struct nwi_path_interface *interface) {
    return (!view->typed || interface->type == view->type) &&
           !(view->prohibited_types & 1u << interface->type) &&
           nwi_path_refusal(view->rules, interface) == nw_path_verdict_reason_preferred;
}

struct nwi_path_view nwi_path_view_of(nw_parameters_t parameters) {
    struct nwi_path_view view = {.rules = parameters};
    if (parameters == NULL)
        return view;
    view.prohibited_types = parameters->prohibited_types;
    view.type = parameters->required_type;
    if (view.type == nw_interface_type_other && parameters->required_interface != NULL &&
        parameters->required_interface->type == nw_interface_type_loopback)
        view.type = nw_interface_type_loopback; /* it leads to this machine, which is asked for */
    view.typed = view.type != nw_interface_type_other;
    return view;
}

bool nwi_path_view_lists(const struct nwi_path_view *view,
                         const struct nwi_path_interface *interface) {
    return is_allowed(view, interface) && fits(view, interface);
}

/* --- the path --- */
/* One gateway may serve several routes. Consumes the endpoint. */
static void add_gateway(struct nwi_path_facts *facts, nw_endpoint_t gateway) {
    for (size_t i = 0; i < facts->gateway_count; i++) {
        if (nwi_endpoint_is_equal(facts->gateways[i], gateway)) {
            nwi_release(gateway);
            return;
        }
    }
    facts->gateways[facts->gateway_count++] = gateway;
}

static bool add_gateways(struct nwi_path_facts *facts, const struct nwi_path_table *table,
                         unsigned index) {
    for (size_t i = 0; i < table->route_count; i++) {
        const struct sockaddr *gateway = (const struct sockaddr *)&table->routes[i].gateway;
        if (table->routes[i].index != index || gateway->sa_family == 0)
            continue;
        nw_endpoint_t endpoint =
            nwi_endpoint_from_sockaddr(gateway, nwi_address_length(gateway->sa_family));
        if (endpoint == NULL)
            return false;
        add_gateway(facts, endpoint);
    }
    return true;
}

static bool add_interface(struct nwi_path_facts *facts, const struct nwi_path_view *view,
                          const struct nwi_path_table *table,
                          const struct nwi_path_interface *found) {
    nw_interface_t made = nwi_interface_create(found->link.name, found->link.index, found->type);
    if (made == NULL)
        return false;
    if (facts->interface_count == 0) { /* the preferred one decides what the path is like */
        facts->expensive = found->expensive;
        facts->constrained = found->constrained;
        facts->ultra_constrained = found->ultra_constrained;
        facts->quality = found->quality;
    }
    facts->interfaces[facts->interface_count++] = made;
    if (view->ethernet)
        return true; /* what IP makes of the link is no news to those who send frames */
    bool itself = found->type == nw_interface_type_loopback; /* needs no route */
    facts->has_ipv4 |= found->has_v4 && (found->routed_v4 || itself);
    facts->has_ipv6 |= found->has_v6 && (found->routed_v6 || itself);
    return add_gateways(facts, table, found->link.index);
}

/* Why nothing is listed: a prohibited radio that would do is named. */
static nw_path_unsatisfied_reason_t find_reason(const struct nwi_path_view *view,
                                                const struct nwi_path_table *table) {
    if (view->rules != NULL)
        return nwi_path_reason(table, view->rules);
    for (size_t i = 0; i < table->interface_count; i++) {
        const struct nwi_path_interface *interface = &table->interfaces[i];
        if (!fits(view, interface) || !(view->prohibited_types & 1u << interface->type))
            continue;
        if (interface->type == nw_interface_type_wifi)
            return nw_path_unsatisfied_reason_wifi_denied;
        if (interface->type == nw_interface_type_cellular)
            return nw_path_unsatisfied_reason_cellular_denied;
    }
    return nw_path_unsatisfied_reason_not_available;
}

static bool gather(struct nwi_path_facts *facts, const struct nwi_path_view *view,
                   const struct nwi_path_table *table) {
    for (size_t i = 0; i < table->interface_count; i++) {
        if (nwi_path_view_lists(view, &table->interfaces[i]) &&
            !add_interface(facts, view, table, &table->interfaces[i]))
            return false;
    }
    bool satisfied = facts->interface_count > 0;
    facts->status = satisfied ? nw_path_status_satisfied : nw_path_status_unsatisfied;
    facts->has_dns = satisfied && table->has_dns && !view->ethernet;
    if (!satisfied)
        facts->reason = find_reason(view, table);
    return true;
}

nw_path_t nwi_path_view_path(const struct nwi_path_view *view, const struct nwi_path_table *table) {
    struct nwi_path_facts facts = {0};
    nw_path_t path = NULL;
    facts.interfaces = nwi_alloc((table->interface_count + 1) * sizeof *facts.interfaces);
    facts.gateways = nwi_alloc((table->route_count + 1) * sizeof *facts.gateways);
    if (facts.interfaces != NULL && facts.gateways != NULL && gather(&facts, view, table))
        path = nwi_path_create(&facts);
    for (size_t i = 0; i < facts.interface_count; i++)
        nwi_release(facts.interfaces[i]);
    for (size_t i = 0; i < facts.gateway_count; i++)
        nwi_release(facts.gateways[i]);
    nwi_free(facts.interfaces);
    nwi_free(facts.gateways);
    return path;
}

/* --- setbacks --- */
static bool has_interface(const struct nwi_path_facts *facts, nw_interface_t interface) {
    for (size_t i = 0; i < facts->interface_count; i++) {
        if (nwi_interface_is_equal(facts->interfaces[i], interface))
            return true;
    }
    return false;
}

static bool link_is_running(nw_interface_t interface, const struct nwi_path_table *table) {
    const struct nwi_path_interface *found = nwi_path_table_find(table, interface->index);
    return found != NULL && strcmp(found->link.name, interface->name) == 0 &&
           is_running(&found->link);
}

bool nwi_path_is_setback(nw_path_t told, nw_path_t next, const struct nwi_path_table *table) {
    const struct nwi_path_facts *before = &told->facts, *after = &next->facts;
    bool less = (before->has_ipv4 && !after->has_ipv4) || (before->has_ipv6 && !after->has_ipv6) ||
                after->gateway_count < before->gateway_count;
    for (size_t i = 0; i < before->interface_count; i++) {
        if (!link_is_running(before->interfaces[i], table))
            return false;
        less = less || !has_interface(after, before->interfaces[i]);
    }
    return less;
}
