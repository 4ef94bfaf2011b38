/*
 * evaluate.h - which interfaces parameters allow, and the path that results.
 * What:   rules of nw_parameters_t against a table of the network.
 * Source: semantics of nw_parameters_t (path rules) and nw_path_t.
 * Runs:   any thread.
 */
#ifndef NWI_PATH_EVALUATE_H
#define NWI_PATH_EVALUATE_H

#include "base/err.h"
#include <Network/endpoint.h>
#include <Network/interface.h>
#include <Network/parameters.h>
#include <Network/path.h>
#include <sys/socket.h>

struct nwi_path_table;

/* Whether the rules leave an interface to connect to others by (loopback only when they require
 * it). 0 and *ret_index: the interface to bind to; 0 when the rules exclude nothing that this
 * machine has, so that the kernel may route freely. posix ENETDOWN: none fits now (wait for a
 * change). Without rules nothing is looked up. */
nwi_err nwi_path_allows(nw_parameters_t parameters, unsigned *ret_index);
/* Whether the rules leave the way from this machine to itself (loopback addresses), which needs no
 * binding. 0 or posix ENETDOWN. */
nwi_err nwi_path_allows_itself(nw_parameters_t parameters);
/* The path as a connection with these addresses sees it; parameters, local and remote may each be
 * NULL. Without addresses: satisfied when an interface fits. With a local one: satisfied while an
 * interface holds it and the kernel knows a way to the remote one. +1, or NULL when memory ran out.
 */
nw_path_t nwi_path_evaluate(nw_parameters_t parameters, nw_endpoint_t local, nw_endpoint_t remote);

/* The same over a given table (tests). */
nwi_err nwi_path_allows_in(const struct nwi_path_table *table, nw_parameters_t parameters,
                           unsigned *ret_index);
nwi_err nwi_path_allows_itself_in(const struct nwi_path_table *table, nw_parameters_t parameters);
nw_path_t nwi_path_evaluate_in(const struct nwi_path_table *table, nw_parameters_t parameters,
                               nw_endpoint_t local, nw_endpoint_t remote);

#endif
