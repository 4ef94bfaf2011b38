/*
 * evaluate.h - the path that parameters, addresses and the network make.
 * What:   a table of the network, seen through the rules of path/rules.h.
 * Source: semantics of nw_parameters_t (path rules) and nw_path_t.
 * Runs:   any thread.
 */
#ifndef NWI_PATH_EVALUATE_H
#define NWI_PATH_EVALUATE_H

#include <Network/endpoint.h>
#include <Network/parameters.h>
#include <Network/path.h>

struct nwi_path_table;

/* The path as a connection with these addresses sees it; parameters, local and remote may each be
 * NULL. Without addresses: satisfied when an interface fits. With a local one: satisfied while an
 * interface holds it and the kernel knows a way to the remote one. Never to a remote address of the
 * local network while that is denied. +1, or NULL when memory ran out. */
nw_path_t nwi_path_evaluate(nw_parameters_t parameters, nw_endpoint_t local, nw_endpoint_t remote);
/* The path of a connection that waits because all that its name stands for is on the local network,
 * which is denied. +1 or NULL. */
nw_path_t nwi_path_evaluate_denied(nw_parameters_t parameters);

/* The same over a given table (tests). */
nw_path_t nwi_path_evaluate_in(const struct nwi_path_table *table, nw_parameters_t parameters,
                               nw_endpoint_t local, nw_endpoint_t remote);

#endif
