/*
 * table.c - snapshots of the network.
 * What:   gathers the three netlink lists, joins them, and orders links by preference.
 * Source: rtnetlink(7); RFC 4862 section 2 (tentative, deprecated); RFC 3927.
 * Runs:   any thread.
 * Owns:   the arrays of a table.
 */
#include "path/table.h"
#include "base/alloc.h"
#include "path/costs.h"
#include "path/link_type.h"
#include "path/servers.h"
#include "path/settings_file.h"
#include "sys/address.h"
#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>

static void table_destroy(void *object) {
    struct nwi_path_table *table = object;
    nwi_free(table->interfaces);
    nwi_free(table->addresses);
    nwi_free(table->routes);
}
static const struct nwi_type table_type = {
    .name = "path table", .size = sizeof(struct nwi_path_table), .destroy = table_destroy};

/* --- what follows from the lists --- */
static _Atomic bool saw_ultra_constrained; /* relaxed: set before the table is given to anybody */

bool nwi_path_table_saw_ultra_constrained(void) {
    return atomic_load_explicit(&saw_ultra_constrained, memory_order_relaxed);
}

static void find_costs(struct nwi_path_interface *interface) {
    struct nwi_path_costs costs = {.type = interface->type,
                                   .expensive = interface->type == nw_interface_type_cellular};
    nwi_path_costs_source()->fill(&interface->link, &costs);
    interface->type = costs.type;
    interface->expensive = costs.expensive;
    interface->constrained = costs.constrained;
    interface->ultra_constrained = costs.ultra_constrained;
    interface->quality = costs.quality;
    if (costs.ultra_constrained)
        atomic_store_explicit(&saw_ultra_constrained, true, memory_order_relaxed);
}

/* An address that packets can be sent from now. A deprecated one can (RFC 4862 section 5.5.4: where
 * there is no other), and an optimistic one can while it is still being checked (RFC 4429 section
 * 3). */
static bool is_good(const struct nwi_link_address *address) {
    bool unchecked = (address->flags & IFA_F_TENTATIVE) && !(address->flags & IFA_F_OPTIMISTIC);
    return !unchecked && !(address->flags & IFA_F_DADFAILED);
}

static void take_address(struct nwi_path_interface *interface,
                         const struct nwi_link_address *address) {
    if (!is_good(address))
        return;
    interface->usable = (interface->link.flags & IFF_UP) && (interface->link.flags & IFF_RUNNING);
    if (nwi_address_is_link_local((const struct sockaddr *)&address->address))
        return;
    interface->has_v4 |= address->address.ss_family == AF_INET;
    interface->has_v6 |= address->address.ss_family == AF_INET6;
}

static void take_route(struct nwi_path_interface *interface,
                       const struct nwi_default_route *route) {
    interface->routed = true;
    interface->routed_v4 |= route->family == AF_INET;
    interface->routed_v6 |= route->family == AF_INET6;
    if (route->metric < interface->metric)
        interface->metric = route->metric;
}

static unsigned place_of_type(nw_interface_type_t type) {
    switch (type) {
    case nw_interface_type_wired:
        return 0;
    case nw_interface_type_wifi:
        return 1;
    case nw_interface_type_cellular:
        return 2;
    case nw_interface_type_loopback:
        return 4;
    default:
        return 3;
    }
}

#define ORDER(a, b) ((a) < (b) ? -1 : (a) > (b))

/* The kernel's own preference (routes and their metric) first; then what people expect; the index
 * makes it total. */
static int compare_interfaces(const void *left, const void *right) {
    const struct nwi_path_interface *a = left, *b = right;
    int order = ORDER(b->usable, a->usable);
    if (order == 0)
        order = ORDER(b->routed, a->routed);
    if (order == 0)
        order = ORDER(a->metric, b->metric);
    if (order == 0)
        order = ORDER(place_of_type(a->type), place_of_type(b->type));
    return order != 0 ? order : ORDER(a->link.index, b->link.index);
}

static int compare_routes(const void *left, const void *right) {
    const struct nwi_default_route *a = left, *b = right;
    int order = ORDER(a->metric, b->metric);
    if (order == 0)
        order = ORDER(a->family, b->family);
    return order != 0 ? order : ORDER(a->index, b->index);
}

static int compare_indices(const void *left, const void *right) {
    const struct nwi_path_interface *a = left, *b = right;
    return ORDER(a->link.index, b->link.index);
}

/* While the interfaces are in the order of their indices. */
static struct nwi_path_interface *find_by_index(struct nwi_path_table *table, unsigned index) {
    struct nwi_path_interface key = {.link.index = index};
    return table->interface_count > 0 ? bsearch(&key, table->interfaces, table->interface_count,
                                                sizeof key, compare_indices)
                                      : NULL;
}

/* Gives each interface its addresses and routes, in n log n steps: hosts of containers have
 * thousands of both. */
static void join(struct nwi_path_table *table) {
    struct nwi_path_interface *interface;
    if (table->interface_count > 1)
        qsort(table->interfaces, table->interface_count, sizeof *table->interfaces,
              compare_indices);
    for (size_t i = 0; i < table->address_count; i++) {
        if ((interface = find_by_index(table, table->addresses[i].index)) != NULL)
            take_address(interface, &table->addresses[i]);
    }
    for (size_t i = 0; i < table->route_count; i++) {
        if ((interface = find_by_index(table, table->routes[i].index)) != NULL)
            take_route(interface, &table->routes[i]);
    }
}

/* nwi_alloc(0) may be NULL, which is fine here: `count` says that there is nothing. False: no
 * memory. */
static bool copy(void *ret_array, size_t *ret_count, const void *from, size_t count, size_t size) {
    if (count == 0)
        return true;
    void *array = nwi_alloc(count * size);
    if (array == NULL)
        return false;
    memcpy(array, from, count * size);
    *(void **)ret_array = array;
    *ret_count = count;
    return true;
}

struct nwi_path_table *nwi_path_table_create(const struct nwi_path_records *records) {
    struct nwi_path_table *table = nwi_object_create(&table_type, 0);
    if (table == NULL)
        return NULL;
    table->has_dns = records->has_dns;
    table->local_network_denied = records->local_network_denied;
    if (!copy(&table->addresses, &table->address_count, records->addresses, records->address_count,
              sizeof *table->addresses) ||
        !copy(&table->routes, &table->route_count, records->routes, records->route_count,
              sizeof *table->routes))
        return nwi_release(table);
    if (records->link_count > 0) {
        table->interfaces = nwi_alloc(records->link_count * sizeof *table->interfaces);
        if (table->interfaces == NULL)
            return nwi_release(table);
    }
    for (size_t i = 0; i < records->link_count; i++) {
        struct nwi_path_interface *interface = &table->interfaces[table->interface_count++];
        interface->link = records->links[i];
        interface->type = nwi_link_type(&interface->link, records->is_wireless);
        interface->metric = UINT32_MAX;
        find_costs(interface);
    }
    join(table);
    if (table->interface_count > 1)
        qsort(table->interfaces, table->interface_count, sizeof *table->interfaces,
              compare_interfaces);
    if (table->route_count > 1)
        qsort(table->routes, table->route_count, sizeof *table->routes, compare_routes);
    return table;
}

/* --- reading it from the kernel --- */
struct gather {
    void *array;
    size_t count, room, size;
    bool failed; /* no memory */
};

static void add(struct gather *gather, const void *entry) {
    if (gather->count == gather->room) {
        size_t room = gather->room != 0 ? gather->room * 2 : 8;
        void *grown = nwi_realloc(gather->array, room * gather->size);
        if (grown == NULL) {
            gather->failed = true;
            return;
        }
        gather->array = grown;
        gather->room = room;
    }
    memcpy((char *)gather->array + gather->count++ * gather->size, entry, gather->size);
}
static void add_link(void *context, const struct nwi_link *link) {
    add(context, link);
}
static void add_address(void *context, const struct nwi_link_address *address) {
    add(context, address);
}
static void add_route(void *context, const struct nwi_default_route *route) {
    add(context, route);
}

nwi_err nwi_path_table_read(struct nwi_path_table **ret_table) {
    struct gather links = {.size = sizeof(struct nwi_link)};
    struct gather addresses = {.size = sizeof(struct nwi_link_address)};
    struct gather routes = {.size = sizeof(struct nwi_default_route)};
    nwi_ns now = nwi_now();
    bool settled = nwi_path_costs_settled(); /* before the costs are looked up */
    nwi_err err = nwi_netlink_links(add_link, &links);
    if (err == 0)
        err = nwi_netlink_addresses(add_address, &addresses);
    if (err == 0)
        err = nwi_netlink_default_routes(add_route, &routes);
    if (err == 0 && (links.failed || addresses.failed || routes.failed))
        err = NWI_ERR_NOMEM;
    if (err == 0) {
        struct nwi_path_table *table = nwi_path_table_create(&(struct nwi_path_records){
            .links = links.array,
            .link_count = links.count,
            .addresses = addresses.array,
            .address_count = addresses.count,
            .routes = routes.array,
            .route_count = routes.count,
            .has_dns = nwi_servers_named(),
            .local_network_denied = nwi_path_local_network_denied(),
        });
        if (table != NULL) {
            table->read_at = now;
            table->costs_settled = settled;
            *ret_table = table;
        } else {
            err = NWI_ERR_NOMEM;
        }
    }
    nwi_free(links.array);
    nwi_free(addresses.array);
    nwi_free(routes.array);
    return err;
}

/* --- questions --- */
static bool same_interface(const struct nwi_path_interface *a, const struct nwi_path_interface *b) {
    enum { FLAGS = IFF_UP | IFF_RUNNING | IFF_LOOPBACK | IFF_POINTOPOINT | IFF_MULTICAST };
    return a->link.index == b->link.index && strcmp(a->link.name, b->link.name) == 0 &&
           a->type == b->type && a->link.mtu == b->link.mtu &&
           (a->link.flags & FLAGS) == (b->link.flags & FLAGS) && a->usable == b->usable &&
           a->metric == b->metric && a->routed == b->routed && a->expensive == b->expensive &&
           a->constrained == b->constrained && a->ultra_constrained == b->ultra_constrained &&
           a->quality == b->quality;
}

bool nwi_path_table_equal(const struct nwi_path_table *a, const struct nwi_path_table *b) {
    enum { FLAGS = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TEMPORARY };
    if (a->interface_count != b->interface_count || a->address_count != b->address_count ||
        a->route_count != b->route_count || a->has_dns != b->has_dns ||
        a->local_network_denied != b->local_network_denied)
        return false;
    for (size_t i = 0; i < a->interface_count; i++) {
        if (!same_interface(&a->interfaces[i], &b->interfaces[i]))
            return false;
    }
    for (size_t i = 0; i < a->address_count; i++) {
        const struct nwi_link_address *x = &a->addresses[i], *y = &b->addresses[i];
        if (x->index != y->index || x->prefix_length != y->prefix_length ||
            (x->flags & FLAGS) != (y->flags & FLAGS) ||
            !nwi_address_equal((const struct sockaddr *)&x->address,
                               (const struct sockaddr *)&y->address))
            return false;
    }
    for (size_t i = 0; i < a->route_count; i++) {
        const struct nwi_default_route *x = &a->routes[i], *y = &b->routes[i];
        if (x->index != y->index || x->family != y->family || x->metric != y->metric ||
            memcmp(&x->gateway, &y->gateway, sizeof x->gateway) != 0)
            return false;
    }
    return true;
}

const struct nwi_path_interface *nwi_path_table_find(const struct nwi_path_table *table,
                                                     unsigned index) {
    for (size_t i = 0; i < table->interface_count; i++) {
        if (table->interfaces[i].link.index == index)
            return &table->interfaces[i];
    }
    return NULL;
}

const struct nwi_path_interface *nwi_path_table_find_address(const struct nwi_path_table *table,
                                                             const struct sockaddr *address) {
    struct sockaddr_storage plain = {0};
    socklen_t length = nwi_address_length(address->sa_family);
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6)
        return NULL;
    memcpy(&plain, address, length);
    nwi_address_unmap(&plain, &length);
    for (size_t i = 0; i < table->address_count; i++) {
        if (nwi_address_equal_host((const struct sockaddr *)&table->addresses[i].address,
                                   (const struct sockaddr *)&plain))
            return nwi_path_table_find(table, table->addresses[i].index);
    }
    /* All of 127/8 is the machine itself, though only 127.0.0.1 is listed. */
    for (size_t i = 0;
         nwi_address_is_loopback((const struct sockaddr *)&plain) && i < table->interface_count;
         i++) {
        if (table->interfaces[i].type == nw_interface_type_loopback)
            return &table->interfaces[i];
    }
    return NULL;
}
