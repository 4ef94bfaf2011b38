/*
 * explain.c - from a table, rules and the path they give to a judgement on each interface.
 * What:   the path decides (view.c); here is told why it decided so, so an interface counts as used
 *         when the path has it, and the reason is looked for afterwards.
 * Source: see view.c and table.c, whose order and rules are put into words.
 * Runs:   any thread.
 * Owns:   nothing beyond each call.
 */
#include "path/explain.h"
#include "base/alloc.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "model/parameters.h"
#include "model/path.h"
#include "path/rules.h"
#include "path/view.h"
#include "sys/address.h"
#include <linux/if_addr.h>

struct judge {
    const struct nwi_path_table *table;
    nw_parameters_t parameters; /* may be NULL */
    nw_path_t path;
};

static const char *type_name(nw_interface_type_t type) {
    static const char *const names[] = {
        [nw_interface_type_other] = "other",       [nw_interface_type_wifi] = "wifi",
        [nw_interface_type_cellular] = "cellular", [nw_interface_type_wired] = "wired",
        [nw_interface_type_loopback] = "loopback",
    };
    return names[type];
}

/* --- what nothing can be sent by --- */

static nw_address_state_t state_of(const struct nwi_link_address *address) {
    if (address->flags & IFA_F_DADFAILED)
        return nw_address_state_duplicate;
    if ((address->flags & IFA_F_TENTATIVE) && !(address->flags & IFA_F_OPTIMISTIC))
        return nw_address_state_tentative;
    return address->flags & IFA_F_DEPRECATED ? nw_address_state_deprecated
                                             : nw_address_state_usable;
}

/* Of addresses that are all unusable: the state that may end soonest counts. */
static nw_path_verdict_reason_t lacking_address(const struct judge *judge, unsigned index) {
    unsigned seen = 0; /* bit n: state n */
    for (size_t i = 0; i < judge->table->address_count; i++) {
        if (judge->table->addresses[i].index == index)
            seen |= 1u << state_of(&judge->table->addresses[i]);
    }
    if (seen & 1u << nw_address_state_tentative)
        return nw_path_verdict_reason_tentative;
    return seen & 1u << nw_address_state_duplicate ? nw_path_verdict_reason_duplicate
                                                   : nw_path_verdict_reason_no_address;
}

static nw_path_verdict_reason_t unusable_reason(const struct judge *judge,
                                                const struct nwi_path_interface *interface) {
    if (!(interface->link.flags & IFF_UP))
        return nw_path_verdict_reason_down;
    if (!(interface->link.flags & IFF_RUNNING))
        return nw_path_verdict_reason_no_carrier;
    return lacking_address(judge, interface->link.index);
}

/* --- what the rules exclude --- */

nw_path_verdict_reason_t nwi_path_refusal(nw_parameters_t parameters,
                                          const struct nwi_path_interface *interface) {
    if (parameters == NULL)
        return nw_path_verdict_reason_preferred;
    switch (nwi_path_judge_rules(parameters, interface)) {
    case NWI_PATH_INTERFACE_REQUIRED:
        return nw_path_verdict_reason_required_interface;
    case NWI_PATH_TYPE_REQUIRED:
        return nw_path_verdict_reason_required_type;
    case NWI_PATH_INTERFACE_PROHIBITED:
        return nw_path_verdict_reason_prohibited_interface;
    case NWI_PATH_TYPE_PROHIBITED:
        return nw_path_verdict_reason_prohibited_type;
    case NWI_PATH_EXPENSIVE:
        return nw_path_verdict_reason_prohibited_expensive;
    case NWI_PATH_CONSTRAINED:
        return nw_path_verdict_reason_prohibited_constrained;
    case NWI_PATH_ULTRA_CONSTRAINED:
        return nw_path_verdict_reason_ultra_constrained;
    case NWI_PATH_PEER_TO_PEER:
        return nw_path_verdict_reason_peer_to_peer;
    default:
        return nw_path_verdict_reason_preferred;
    }
}

/* Of a usable interface that the path does not have. */
static nw_path_verdict_reason_t absent_reason(const struct judge *judge,
                                              const struct nwi_path_interface *interface) {
    nw_path_verdict_reason_t refusal = nwi_path_refusal(judge->parameters, interface);
    if (refusal != nw_path_verdict_reason_preferred)
        return refusal;
    return interface->type == nw_interface_type_loopback ? nw_path_verdict_reason_loopback
                                                         : nw_path_verdict_reason_no_route;
}

static char *absent_text(const struct judge *judge, nw_interface_explanation_t made) {
    nw_parameters_t p = judge->parameters;
    const char *type = type_name(made->interface->type);
    switch (made->reason) {
    case nw_path_verdict_reason_required_interface:
        return nwi_asprintf("%s is required", p->required_interface->name);
    case nw_path_verdict_reason_required_type:
        return nwi_asprintf("type %s is required, this is %s", type_name(p->required_type), type);
    case nw_path_verdict_reason_prohibited_interface:
        return nwi_asprintf("%s is prohibited", made->interface->name);
    case nw_path_verdict_reason_prohibited_type:
        return nwi_asprintf("type %s is prohibited", type);
    case nw_path_verdict_reason_prohibited_expensive:
        return nwi_strdup("expensive interfaces are prohibited");
    case nw_path_verdict_reason_prohibited_constrained:
        return nwi_strdup("constrained interfaces are prohibited");
    case nw_path_verdict_reason_ultra_constrained:
        return nwi_strdup("ultra-constrained interfaces were not asked for");
    case nw_path_verdict_reason_peer_to_peer:
        return nwi_strdup("peer-to-peer links are not included");
    case nw_path_verdict_reason_loopback:
        return nwi_strdup("loopback leads to this machine only");
    case nw_path_verdict_reason_no_route:
        return nwi_strdup(made->routed ? "no default route of its addresses' family"
                                       : "no default route");
    case nw_path_verdict_reason_down:
        return nwi_strdup("down");
    case nw_path_verdict_reason_no_carrier:
        return nwi_strdup("no carrier");
    case nw_path_verdict_reason_no_address:
        return nwi_strdup("no address");
    case nw_path_verdict_reason_tentative:
        return nwi_strdup("all addresses are tentative (duplicate detection)");
    default:
        return nwi_strdup("all addresses are duplicates of others on the link");
    }
}

/* --- what the path has --- */

static void explain_first(const struct judge *judge, nw_interface_explanation_t made) {
    bool only = judge->path->facts.interface_count == 1;
    made->verdict = nw_path_verdict_used;
    made->reason = only ? nw_path_verdict_reason_only : nw_path_verdict_reason_preferred;
    const char *why = only ? "the only one that fits" : "preferred";
    made->text = made->routed ? nwi_asprintf("%s: default route, metric %u", why, made->metric)
                              : nwi_asprintf("%s: this machine alone", why);
}

/* Why it stands behind `front`, in the order of compare_interfaces() in table.c. */
static void explain_behind(nw_interface_explanation_t made,
                           const struct nwi_path_interface *front) {
    const char *name = front->link.name;
    made->verdict = nw_path_verdict_next;
    if (front->metric < made->metric) {
        made->reason = nw_path_verdict_reason_behind_metric;
        made->text = nwi_asprintf("behind %s: its metric %u is lower than %u", name, front->metric,
                                  made->metric);
    } else if (front->type != made->interface->type) {
        made->reason = nw_path_verdict_reason_behind_type;
        made->text = nwi_asprintf("behind %s: same metric, and %s comes before %s", name,
                                  type_name(front->type), type_name(made->interface->type));
    } else {
        made->reason = nw_path_verdict_reason_behind_index;
        made->text = nwi_asprintf("behind %s: same metric and type, lower number", name);
    }
}

/* Its place in the path; the count: it is not there. */
static size_t place_in_path(nw_path_t path, nw_interface_t identity) {
    size_t place = 0;
    while (place < path->facts.interface_count &&
           !nwi_interface_is_equal(path->facts.interfaces[place], identity))
        place++;
    return place;
}

static void decide(const struct judge *judge, const struct nwi_path_interface *interface,
                   nw_interface_explanation_t made) {
    const struct nwi_path_facts *facts = &judge->path->facts;
    size_t place = place_in_path(judge->path, made->interface);
    bool listed = place < facts->interface_count && facts->status == nw_path_status_satisfied;
    const struct nwi_path_interface *front =
        listed && place > 0 ? nwi_path_table_find(judge->table, facts->interfaces[place - 1]->index)
                            : NULL;
    if (listed && front == NULL) {
        explain_first(judge, made);
        return;
    }
    if (front != NULL) {
        explain_behind(made, front);
        return;
    }
    made->reason =
        interface->usable ? absent_reason(judge, interface) : unusable_reason(judge, interface);
    made->verdict = made->reason >= nw_path_verdict_reason_down ? nw_path_verdict_unusable
                                                                : nw_path_verdict_refused;
    made->text = absent_text(judge, made);
}

/* --- facts of one interface --- */

static nw_endpoint_t endpoint_of(const struct sockaddr_storage *address) {
    return nwi_endpoint_from_sockaddr((const struct sockaddr *)address,
                                      nwi_address_length(address->ss_family));
}

/* False: no memory. */
static bool add_addresses(const struct nwi_path_table *table, nw_interface_explanation_t made) {
    made->addresses = nwi_alloc((table->address_count + 1) * sizeof made->addresses[0]);
    for (size_t i = 0; made->addresses != NULL && i < table->address_count; i++) {
        const struct nwi_link_address *address = &table->addresses[i];
        if (address->index != made->interface->index)
            continue;
        struct nwi_explained_address *to = &made->addresses[made->address_count];
        to->endpoint = endpoint_of(&address->address);
        if (to->endpoint == NULL)
            return false;
        to->prefix_length = address->prefix_length;
        to->state = state_of(address);
        made->address_count++;
    }
    return made->addresses != NULL;
}

static bool add_gateways(const struct nwi_path_table *table, nw_interface_explanation_t made) {
    made->gateways = nwi_alloc((table->route_count + 1) * sizeof made->gateways[0]);
    for (size_t i = 0; made->gateways != NULL && i < table->route_count; i++) {
        const struct nwi_default_route *route = &table->routes[i];
        if (route->index != made->interface->index)
            continue;
        struct nwi_explained_gateway *to = &made->gateways[made->gateway_count];
        if (route->gateway.ss_family != 0 && (to->endpoint = endpoint_of(&route->gateway)) == NULL)
            return false;
        to->metric = route->metric;
        made->gateway_count++;
    }
    return made->gateways != NULL;
}

static nw_interface_explanation_t explain(const struct judge *judge,
                                          const struct nwi_path_interface *interface) {
    nw_interface_explanation_t made = nwi_interface_explanation_create();
    if (made == NULL)
        return NULL;
    made->interface =
        nwi_interface_create(interface->link.name, interface->link.index, interface->type);
    if (made->interface == NULL || !add_addresses(judge->table, made) ||
        !add_gateways(judge->table, made))
        return nwi_release(made);
    made->routed = interface->routed;
    made->metric = interface->metric;
    made->mtu = interface->link.mtu;
    made->expensive = interface->expensive;
    made->constrained = interface->constrained;
    made->ultra_constrained = interface->ultra_constrained;
    made->quality = interface->quality;
    decide(judge, interface, made);
    return made->text != NULL ? made : nwi_release(made);
}

/* --- all of them: those of the path in its order, then the others --- */

static void sort_by_place(const struct judge *judge, nw_path_explanation_t whole) {
    for (size_t i = 1; i < whole->interface_count; i++) { /* by insertion: stable */
        nw_interface_explanation_t moved = whole->interfaces[i];
        size_t place = place_in_path(judge->path, moved->interface), to = i;
        for (; to > 0 && place_in_path(judge->path, whole->interfaces[to - 1]->interface) > place;
             to--)
            whole->interfaces[to] = whole->interfaces[to - 1];
        whole->interfaces[to] = moved;
    }
}

nw_path_explanation_t nwi_path_explain_in(const struct nwi_path_table *table,
                                          nw_parameters_t parameters) {
    nw_path_explanation_t whole = nwi_path_explanation_create();
    if (whole == NULL)
        return NULL;
    struct nwi_path_view view = nwi_path_view_of(parameters);
    whole->path = nwi_path_view_path(&view, table);
    whole->interfaces = nwi_alloc((table->interface_count + 1) * sizeof whole->interfaces[0]);
    if (whole->path == NULL || whole->interfaces == NULL)
        return nwi_release(whole);
    struct judge judge = {.table = table, .parameters = parameters, .path = whole->path};
    for (size_t i = 0; i < table->interface_count; i++) {
        nw_interface_explanation_t made = explain(&judge, &table->interfaces[i]);
        if (made == NULL)
            return nwi_release(whole);
        whole->interfaces[whole->interface_count++] = made;
    }
    sort_by_place(&judge, whole);
    return whole;
}
