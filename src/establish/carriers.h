/*
 * carriers.h - by which interfaces one address may be tried.
 * What:   what the rules leave (path/rules.h) and the kernel's routes lead by, best first: the one
 *         that the kernel would take, then the others in order of preference.
 * Runs:   any thread.
 */
#ifndef NWI_ESTABLISH_CARRIERS_H
#define NWI_ESTABLISH_CARRIERS_H

#include "path/rules.h"

enum { NWI_CARRIERS_MAX = NWI_PATH_CHOICES + 1 };

struct nwi_carriers {
    unsigned count;                        /* never 0 */
    unsigned interfaces[NWI_CARRIERS_MAX]; /* to bind to; 0: none, the kernel routes */
    nwi_err obstacle; /* no way at all: the error of an attempt, which is not made */
    bool denied;      /* the obstacle is the local-network policy */
};
void nwi_carriers_find(const struct nwi_path_choice *choice, nw_parameters_t parameters,
                       const struct sockaddr *remote, struct nwi_carriers *ret_carriers);

#endif
