/*
 * costs.c - who is asked about costs.
 * What:   see costs.h.
 * Source: semantics of nw_path_t.
 * Runs:   any thread.
 * Owns:   which source serves.
 */
#include "path/costs.h"
#include "path/sources.h"
#include <stdatomic.h>
#include <stddef.h>

static _Atomic(const struct nwi_path_costs_source *) serving = &nwi_path_sources;

void nwi_path_set_costs(const struct nwi_path_costs_source *source) {
    atomic_store(&serving, source != NULL ? source : &nwi_path_sources);
}

const struct nwi_path_costs_source *nwi_path_costs_source(void) {
    return atomic_load(&serving);
}

bool nwi_path_costs_settled(void) {
    const struct nwi_path_costs_source *source = nwi_path_costs_source();
    return source->settled == NULL || source->settled();
}
