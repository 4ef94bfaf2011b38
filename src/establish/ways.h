/*
 * ways.h - the way to each address of a destination, and the order of trying them.
 * What:   asks the kernel for the route to each address, and puts into words what order.c and
 *         race.c decide about them.
 * Source: <Network/path_explanation.h>; RFC 6724 section 6; RFC 8305 section 4.
 * Runs:   any thread.
 */
#ifndef NWI_ESTABLISH_WAYS_H
#define NWI_ESTABLISH_WAYS_H

#include "model/path_explanation.h"
#include "path/table.h"
#include <netinet/in.h>

/* Adds `count` addresses (at most NWI_RACE_CAPACITY count; ports included) to an explanation that
 * nobody else has seen yet, in the order in which a connection would try them. `itself`: the name
 * or address always means this machine. Errors: NWI_ERR_NOMEM. Where the rules leave no interface,
 * whole->err becomes ENETDOWN and the addresses are judged without rules. */
nwi_err nwi_ways_add(nw_path_explanation_t whole, const struct nwi_path_table *table,
                     nw_parameters_t parameters, const struct sockaddr_storage *addresses,
                     size_t count, bool itself);

#endif
