/*
 * view.h - the network as a path monitor sees it: without a destination.
 * What:   from a table to a path, for the default way out, one type of interface, or Ethernet; and
 *         whether a change looks like one that is about to be taken back.
 * Source: semantics of nw_path_monitor_t and nw_path_t; docs/how/path.md.
 * Runs:   any thread.
 */
#ifndef NWI_PATH_VIEW_H
#define NWI_PATH_VIEW_H

#include <Network/interface.h>
#include <Network/parameters.h>
#include <Network/path.h>
#include <stdbool.h>

struct nwi_path_interface;
struct nwi_path_table;

/* Zero: the default way out. */
struct nwi_path_view {
    bool typed; /* only interfaces of `type` */
    nw_interface_type_t type;
    unsigned prohibited_types; /* bit n: type n */
    bool ethernet;             /* wired Ethernet links that are up, whatever their addresses */
    nw_parameters_t rules; /* others than those of types; NULL: none. The viewer's, unchanging */
};

/* What new connections with these parameters (NULL: none) would take; they are borrowed. */
struct nwi_path_view nwi_path_view_of(nw_parameters_t parameters);

/* Whether the path of this view would list the interface. */
bool nwi_path_view_lists(const struct nwi_path_view *view,
                         const struct nwi_path_interface *interface);
/* +1, or NULL when memory ran out. */
nw_path_t nwi_path_view_path(const struct nwi_path_view *view, const struct nwi_path_table *table);
/* Whether `next` says less than `told` only because of addresses or routes, while each link that
 * `told` lists is still there, up and running. A client of DHCP that changes an address, and
 * whoever replaces a route, takes the old one away first: such a change is worth a short wait. */
bool nwi_path_is_setback(nw_path_t told, nw_path_t next, const struct nwi_path_table *table);

#endif
