/*
 * rules.h - the path rules of the command line as parameters.
 */
#ifndef NWPATH_RULES_H
#define NWPATH_RULES_H

#include "options.h"
#include "report.h"

/* Whether the command line has any; without, a monitor knows none either, while a connection leaves
 * out ultra constrained and peer-to-peer links. */
bool nwpath_has_rules(const struct nwpath_options *options);
/* A reference; NULL after a complaint on standard error, with the status to end with. */
nw_parameters_t nwpath_rules_create(const struct nwpath_options *options, int *ret_status);

#endif
