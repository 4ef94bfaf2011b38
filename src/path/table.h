/*
 * table.h - the machine's interfaces, addresses and default routes at one moment.
 * What:   a reference counted snapshot that never changes; made from netlink, or from records in a
 *         test.
 * Source: rtnetlink(7); sysfs-class-net (wireless).
 * Runs:   any thread.
 */
#ifndef NWI_PATH_TABLE_H
#define NWI_PATH_TABLE_H

#include "base/clock.h"
#include "base/object.h"
#include "sys/netlink.h"
#include <Network/interface.h>
#include <Network/path.h>

struct nwi_path_interface {
    struct nwi_link link;
    nw_interface_type_t type;
    bool usable;     /* up, running, with an address that can be sent from */
    bool has_v4;     /* such an address of IPv4; link-local ones do not count */
    bool has_v6;     /* the same of IPv6 */
    bool routed;     /* has a default route */
    bool routed_v4;  /* one of IPv4 */
    bool routed_v6;  /* one of IPv6 */
    uint32_t metric; /* of the best default route; UINT32_MAX without one */
    bool expensive, constrained, ultra_constrained; /* path/costs.h */
    nw_link_quality_t quality;
};

struct nwi_path_table {
    struct nwi_object base;
    struct nwi_path_interface *interfaces; /* most preferred first */
    size_t interface_count;
    struct nwi_link_address *addresses; /* in the kernel's order */
    size_t address_count;
    struct nwi_default_route *routes; /* best metric first */
    size_t route_count;
    bool has_dns;              /* resolv.conf names a server */
    bool local_network_denied; /* to this process: libnw-network.conf(5) */
    bool costs_settled;        /* path/costs.h; no part of nwi_path_table_equal */
    nwi_ns read_at;            /* when the kernel was asked; 0: made from records */
};

/* What a snapshot is made of; arrays borrowed. */
struct nwi_path_records {
    const struct nwi_link *links;
    size_t link_count;
    const struct nwi_link_address *addresses;
    size_t address_count;
    const struct nwi_default_route *routes;
    size_t route_count;
    bool has_dns, local_network_denied;
    /* Whether the link is a wireless one; NULL: look into /sys. */
    bool (*is_wireless)(const char *name);
};
/* +1, or NULL when memory ran out. */
struct nwi_path_table *nwi_path_table_create(const struct nwi_path_records *records);
/* Asks the kernel. Errors: those of netlink, NWI_ERR_NOMEM. */
nwi_err nwi_path_table_read(struct nwi_path_table **ret_table);
/* Any thread: whether any table of this process ever had an ultra constrained interface, which are
 * refused where no rule allows them. One load. */
bool nwi_path_table_saw_ultra_constrained(void);
/* Says the same, to every reader of the table. */
bool nwi_path_table_equal(const struct nwi_path_table *a, const struct nwi_path_table *b);

/* Borrowed from the table, or NULL. */
const struct nwi_path_interface *nwi_path_table_find(const struct nwi_path_table *table,
                                                     unsigned index);
/* The interface that holds this address (the port does not count; mapped IPv4 counts as IPv4).
 * NULL: none. */
const struct nwi_path_interface *nwi_path_table_find_address(const struct nwi_path_table *table,
                                                             const struct sockaddr *address);

#endif
