/*
 * ways.c - see ways.h.
 * What:   the order is not judged here: each family is sorted and numbered as the resolver does it
 *         (rank.c), and a race in which every attempt fails at once tells who is started when.
 * Runs:   any thread.
 * Owns:   nothing beyond each call.
 */
#include "establish/ways.h"
#include "base/alloc.h"
#include "establish/carriers.h"
#include "establish/race.h"
#include "model/endpoint.h"
#include "model/interface.h"
#include "model/parameters.h"
#include "path/rules.h"
#include "resolver/order.h"
#include "sys/address.h"
#include "sys/route.h"
#include "sys/sockets.h"
#include <linux/rtnetlink.h>
#include <string.h>

struct way {
    struct sockaddr_storage address;
    struct nwi_order_candidate candidate; /* context: this way */
    struct nwi_route route;
    struct nwi_carriers carriers; /* the interfaces that it is bound to, one after the other */
    nwi_err err;                  /* of the rules, or of the question for a route */
    uint32_t rank;
};

struct plan {
    const struct nwi_path_table *table;
    struct nwi_policy policy;
    const struct sockaddr *from; /* the local endpoint's address, or NULL */
    nw_parameters_t parameters;  /* may be NULL */
    struct nwi_path_choice choice;
    nwi_err err; /* the rules leave none */
    struct way *ways;
    size_t count;
    unsigned order[NWI_RACE_CAPACITY];   /* place in the race -> way */
    unsigned by_rank[NWI_RACE_CAPACITY]; /* place in RFC 6724 order -> way */
};

static const struct sockaddr *address_of(const struct way *way) {
    return (const struct sockaddr *)&way->address;
}

/* --- asking --- */

static void examine(struct plan *plan, struct way *way) {
    const struct sockaddr *to = address_of(way);
    socklen_t length = nwi_address_length(to->sa_family), source_length = 0;
    struct sockaddr_storage source;
    way->candidate.context = way;
    nwi_carriers_find(&plan->choice, plan->parameters, to, &way->carriers);
    unsigned index = way->carriers.interfaces[0];
    way->err = nwi_route_lookup(to, index, plan->from, &way->route);
    if (way->carriers.obstacle != 0)
        way->err = way->carriers.obstacle;
    memcpy(&way->candidate.destination, to, length);
    bool has_source = way->err == 0 &&
                      nwi_socket_source_for(to, length, index, &source, &source_length) == 0 &&
                      source_length <= sizeof way->candidate.source;
    way->candidate.has_source = has_source;
    if (has_source)
        memcpy(&way->candidate.source, &source, source_length);
}

/* An address that is there already is one attempt only. */
static void add(struct plan *plan, const struct sockaddr_storage *address) {
    for (size_t i = 0; i < plan->count; i++) {
        if (nwi_address_equal(address_of(&plan->ways[i]), (const struct sockaddr *)address))
            return;
    }
    struct way *way = &plan->ways[plan->count++];
    way->address = *address;
    examine(plan, way);
}

/* --- ordering --- */

/* Sorts and numbers the ways of one family; returns how many. */
static unsigned rank_family(struct plan *plan, int family, struct nwi_race_address *ret_ranked) {
    struct nwi_order_candidate sorted[NWI_RACE_CAPACITY];
    unsigned count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->ways[i].address.ss_family == family)
            sorted[count++] = plan->ways[i].candidate;
    }
    nwi_order_sort(sorted, count, &plan->policy);
    for (unsigned i = 0; i < count; i++) {
        struct way *way = sorted[i].context;
        way->rank = nwi_order_rank(&sorted[i], i, &plan->policy);
        ret_ranked[i] = (struct nwi_race_address){.rank = way->rank, .context = way};
        memcpy(&ret_ranked[i].sockaddr, &way->address, nwi_address_length(family));
    }
    return count;
}

static void answer(struct plan *plan, struct nwi_race *race, enum nwi_race_question question) {
    struct nwi_race_address ranked[NWI_RACE_CAPACITY];
    unsigned count = rank_family(plan, question == NWI_RACE_AAAA ? AF_INET6 : AF_INET, ranked);
    nwi_race_answer(
        race, 0,
        &(struct nwi_race_answer){.question = question, .addresses = ranked, .count = count});
}

static void run_race(struct plan *plan) {
    struct nwi_race race;
    struct nwi_race_action action;
    size_t started = 0;
    nwi_race_init(&race, NULL);
    nwi_race_start(&race, 0);
    answer(plan, &race, NWI_RACE_A); /* alone it waits, so that both are there at the start */
    answer(plan, &race, NWI_RACE_AAAA);
    while (nwi_race_next_action(&race, &action)) {
        if (action.kind != NWI_RACE_START)
            continue;
        plan->order[started++] = (unsigned)((struct way *)action.address->context - plan->ways);
        nwi_race_attempt_failed(&race, 0, action.attempt, nwi_posix(ECONNREFUSED));
    }
    plan->count = started;
}

/* The started ones in RFC 6724 order over both families; on a tie IPv6 stands first, as in
 * race.c. */
static void sort_by_rank(struct plan *plan) {
    memcpy(plan->by_rank, plan->order, plan->count * sizeof plan->order[0]);
    for (size_t i = 1; i < plan->count; i++) {
        unsigned moved = plan->by_rank[i];
        size_t to = i;
        for (; to > 0; to--) {
            const struct way *before = &plan->ways[plan->by_rank[to - 1]];
            const struct way *way = &plan->ways[moved];
            bool tie_lost =
                before->rank == way->rank && before->address.ss_family < way->address.ss_family;
            if (before->rank < way->rank || (before->rank == way->rank && !tie_lost))
                break;
            plan->by_rank[to] = plan->by_rank[to - 1];
        }
        plan->by_rank[to] = moved;
    }
}

/* --- words about the order --- */

static unsigned precedence_of(const struct plan *plan, const struct way *way) {
    struct in6_addr address = nwi_order_as_v6(&way->candidate.destination);
    return nwi_policy_precedence(&plan->policy, &address);
}

static char *rule_text(const struct plan *plan, const struct way *front, const struct way *way,
                       unsigned rule) {
    static const char *const words[] = {
        [nw_address_order_unusable_destination] = "nothing can be sent to it",
        [nw_address_order_scope] = "its scope is not that of its source address",
        [nw_address_order_deprecated_source] = "its source address is deprecated",
        [nw_address_order_home_address] = "its source is no home address",
        [nw_address_order_label] = "its label is not that of its source address",
        [nw_address_order_transport] = "it is reached by a tunnel",
        [nw_address_order_smaller_scope] = "its scope is larger",
        [nw_address_order_longest_prefix] = "it shares fewer bits with its source address",
        [nw_address_order_as_answered] = "no rule tells them apart",
    };
    if (rule == nw_address_order_precedence)
        return nwi_asprintf("its precedence %u is lower than %u (RFC 6724 rule 6)",
                            precedence_of(plan, way), precedence_of(plan, front));
    return nwi_asprintf("%s (RFC 6724 rule %u)", words[rule], rule);
}

/* Why the way at `place` comes there. `left`: those not yet started before it, in RFC 6724 order.
 */
static bool explain_order(const struct plan *plan, size_t place, const unsigned *left,
                          nw_address_explanation_t made) {
    unsigned own = plan->order[place];
    const struct way *way = &plan->ways[own];
    if (place == 0) {
        made->order = nw_address_order_first;
        made->order_text = plan->count == 1
                               ? nwi_strdup("the only address")
                               : nwi_strdup("first in the order of RFC 6724 section 6");
        return made->order_text != NULL;
    }
    const struct way *front = &plan->ways[plan->order[place - 1]];
    if (left[0] != own || front->rank > way->rank) {
        made->order = nw_address_order_family_turn;
        made->order_text = nwi_asprintf("the turn of %s (RFC 8305 section 4)",
                                        way->address.ss_family == AF_INET6 ? "IPv6" : "IPv4");
        return made->order_text != NULL;
    }
    unsigned rule = nwi_order_rule(&front->candidate, &way->candidate, &plan->policy);
    made->order = (nw_address_order_t)rule;
    made->order_text = rule_text(plan, front, way, rule);
    return made->order_text != NULL;
}

/* --- words about the way --- */

static nw_route_kind_t kind_of(const struct way *way) {
    if (way->err != 0)
        return nw_route_kind_none;
    switch (way->route.type) {
    case RTN_LOCAL:
        return nw_route_kind_local;
    case RTN_BROADCAST:
        return nw_route_kind_broadcast;
    case RTN_MULTICAST:
        return nw_route_kind_multicast;
    case RTN_UNREACHABLE:
        return nw_route_kind_unreachable;
    case RTN_PROHIBIT:
        return nw_route_kind_prohibit;
    case RTN_BLACKHOLE:
        return nw_route_kind_blackhole;
    default:
        return nw_route_kind_unicast;
    }
}

/* "default route", "route 10.0.0.0/8": the destination cut to the prefix that matched. */
static void format_prefix(const struct way *way, char *text, size_t size) {
    struct sockaddr_storage cut = way->address;
    bool v4 = cut.ss_family == AF_INET;
    unsigned char *octets = v4 ? (unsigned char *)&((struct sockaddr_in *)&cut)->sin_addr
                               : ((struct sockaddr_in6 *)&cut)->sin6_addr.s6_addr;
    unsigned length = way->route.prefix_length, width = v4 ? 32 : 128;
    char address[NWI_ADDRESS_TEXT_SIZE];
    if (!way->route.has_match) {
        snprintf(text, size, "route");
        return;
    }
    if (length == 0) {
        snprintf(text, size, "default route, metric %u,", way->route.metric);
        return;
    }
    for (unsigned bit = length; bit < width; bit++)
        octets[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
    if (!v4)
        ((struct sockaddr_in6 *)&cut)->sin6_scope_id = 0;
    snprintf(text, size, "route %s/%u, metric %u,",
             nwi_address_text((struct sockaddr *)&cut, address, sizeof address), length,
             way->route.metric);
}

/* ", bound to it by the rules, then tried on wlan0, wwan0"; empty when nothing is bound. */
static void format_carriers(const struct plan *plan, const struct way *way, char *text,
                            size_t size) {
    const struct nwi_carriers *carriers = &way->carriers;
    size_t used = 0;
    text[0] = '\0';
    if (carriers->interfaces[0] != 0)
        used = (size_t)snprintf(text, size, ", bound to it by the rules");
    for (unsigned i = 1; i < carriers->count && used < size; i++) {
        const struct nwi_path_interface *next =
            nwi_path_table_find(plan->table, carriers->interfaces[i]);
        if (next != NULL)
            used += (size_t)snprintf(text + used, size - used, "%s%s",
                                     i == 1 ? ", then tried on " : ", ", next->link.name);
    }
}

static char *unicast_text(const struct plan *plan, const struct way *way, const char *interface) {
    char prefix[NWI_ADDRESS_TEXT_SIZE + 48], gateway[NWI_ADDRESS_TEXT_SIZE] = "", table[32] = "";
    char carriers[64 + NWI_CARRIERS_MAX * (IF_NAMESIZE + 2)];
    format_prefix(way, prefix, sizeof prefix);
    format_carriers(plan, way, carriers, sizeof carriers);
    if (way->route.gateway.ss_family != 0)
        nwi_address_text((const struct sockaddr *)&way->route.gateway, gateway, sizeof gateway);
    if (way->route.table != 0 && way->route.table != RT_TABLE_MAIN)
        snprintf(table, sizeof table, ", table %u", way->route.table);
    return nwi_asprintf("%s %s%s on %s%s%s%s", prefix,
                        gateway[0] != '\0' ? "by way of " : "directly", gateway, interface, table,
                        carriers, way->candidate.has_source ? "" : ", but no address to send from");
}

static char *way_text(const struct plan *plan, const struct way *way, nw_route_kind_t kind,
                      const char *interface) {
    char why[160];
    if (way->carriers.denied)
        return nwi_strdup("on the local network, which is denied to this program");
    switch (kind) {
    case nw_route_kind_none:
        return way->err == nwi_posix(ENETUNREACH)
                   ? nwi_strdup("no route")
                   : nwi_strdup(nwi_err_format(way->err, why, sizeof why));
    case nw_route_kind_local:
        return nwi_strdup("an address of this machine");
    case nw_route_kind_unreachable:
        return nwi_strdup("a route says that it is unreachable");
    case nw_route_kind_prohibit:
        return nwi_strdup("a route prohibits it");
    case nw_route_kind_blackhole:
        return nwi_strdup("a route drops all packets to it (blackhole)");
    default:
        return unicast_text(plan, way, interface);
    }
}

/* --- from a way to what is told about it --- */

/* NULL for no address; false: no memory. */
static bool set_endpoint(nw_endpoint_t *to, const struct sockaddr *address) {
    socklen_t length = nwi_address_length(address->sa_family);
    if (length == 0)
        return true;
    *to = nwi_endpoint_from_sockaddr(address, length);
    return *to != NULL;
}

static bool set_interface(nw_address_explanation_t made, const struct plan *plan,
                          const struct way *way) {
    const struct nwi_path_interface *interface =
        way->err == 0 ? nwi_path_table_find(plan->table, way->route.index) : NULL;
    made->mtu = way->route.mtu;
    if (interface == NULL)
        return true;
    if (made->mtu == 0)
        made->mtu = interface->link.mtu;
    made->interface =
        nwi_interface_create(interface->link.name, interface->link.index, interface->type);
    return made->interface != NULL;
}

/* What nothing can be sent to has no source either. */
static bool fill(nw_address_explanation_t made, const struct plan *plan, const struct way *way) {
    made->kind = kind_of(way);
    made->table = way->route.table;
    made->metric = way->route.metric;
    made->has_match = way->route.has_match;
    made->prefix_length = way->route.prefix_length;
    return set_endpoint(&made->remote, address_of(way)) && set_interface(made, plan, way) &&
           (!way->candidate.has_source || set_endpoint(&made->source, &way->candidate.source.sa)) &&
           set_endpoint(&made->gateway, (const struct sockaddr *)&way->route.gateway);
}

static nw_path_verdict_t verdict_of(const struct plan *plan, const struct way *way, size_t place) {
    if (plan->err != 0 || way->carriers.denied)
        return nw_path_verdict_refused;
    if (!way->candidate.has_source)
        return nw_path_verdict_unusable;
    return place == 0 ? nw_path_verdict_used : nw_path_verdict_next;
}

static nw_address_explanation_t explain(const struct plan *plan, size_t place,
                                        const unsigned *left) {
    const struct way *way = &plan->ways[plan->order[place]];
    nw_address_explanation_t made = nwi_address_explanation_create();
    if (made == NULL || !fill(made, plan, way) || !explain_order(plan, place, left, made))
        return nwi_release(made);
    made->verdict = verdict_of(plan, way, place);
    made->text =
        way_text(plan, way, made->kind, made->interface != NULL ? made->interface->name : "?");
    return made->text != NULL ? made : nwi_release(made);
}

static nwi_err tell(const struct plan *plan, nw_path_explanation_t whole) {
    unsigned left[NWI_RACE_CAPACITY];
    size_t left_count = plan->count;
    memcpy(left, plan->by_rank, plan->count * sizeof left[0]);
    whole->addresses = nwi_alloc((plan->count + 1) * sizeof whole->addresses[0]);
    if (whole->addresses == NULL)
        return NWI_ERR_NOMEM;
    for (size_t place = 0; place < plan->count; place++) {
        nw_address_explanation_t made = explain(plan, place, left);
        if (made == NULL)
            return NWI_ERR_NOMEM;
        whole->addresses[whole->address_count++] = made;
        size_t gone = 0;
        while (left[gone] != plan->order[place])
            gone++;
        memmove(&left[gone], &left[gone + 1], (--left_count - gone) * sizeof left[0]);
    }
    return 0;
}

/* --- the face --- */

nwi_err nwi_ways_add(nw_path_explanation_t whole, const struct nwi_path_table *table,
                     nw_parameters_t parameters, const struct sockaddr_storage *addresses,
                     size_t count, bool itself) {
    struct plan plan = {.table = table, .parameters = parameters};
    socklen_t length;
    if (parameters != NULL && parameters->local_endpoint != NULL)
        plan.from = nwi_endpoint_sockaddr(parameters->local_endpoint, &length);
    if (plan.from != NULL && nwi_address_is_any(plan.from))
        plan.from = NULL;
    plan.err = itself ? nwi_path_allows_itself(parameters)
                      : nwi_path_choose_in(table, parameters, &plan.choice);
    plan.choice.free = plan.choice.free || itself || plan.err != 0;
    whole->err = plan.err;
    nwi_policy_read("/etc/gai.conf", &plan.policy);
    plan.ways = nwi_alloc((count + 1) * sizeof plan.ways[0]);
    if (plan.ways == NULL)
        return NWI_ERR_NOMEM;
    for (size_t i = 0; i < count && plan.count < NWI_RACE_CAPACITY; i++)
        add(&plan, &addresses[i]);
    run_race(&plan);
    sort_by_rank(&plan);
    nwi_err err = tell(&plan, whole);
    nwi_free(plan.ways);
    return err;
}
