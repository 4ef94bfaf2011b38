/*
 * explain.h - why the interfaces of this machine are used or not.
 * What:   the path that parameters get, and beside it a judgement on each interface.
 * Source: <Network/path_explanation.h>.
 * Runs:   any thread.
 */
#ifndef NWI_PATH_EXPLAIN_H
#define NWI_PATH_EXPLAIN_H

#include "model/path_explanation.h"
#include "path/table.h"

/* Without addresses: those are added by src/establish/ways.c. parameters may be NULL. +1, or NULL
 * when memory ran out. */
nw_path_explanation_t nwi_path_explain_in(const struct nwi_path_table *table,
                                          nw_parameters_t parameters);

/* The rule of the parameters that excludes the interface; nw_path_verdict_reason_preferred: none.
 */
nw_path_verdict_reason_t nwi_path_refusal(nw_parameters_t parameters,
                                          const struct nwi_path_interface *interface);

#endif
