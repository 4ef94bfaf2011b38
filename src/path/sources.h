/*
 * sources.h - what this machine knows of the costs of an interface.
 * What:   the source of path/costs.h that serves unless a test puts another in its place.
 */
#ifndef NWI_PATH_SOURCES_H
#define NWI_PATH_SOURCES_H

#include "path/costs.h"

extern const struct nwi_path_costs_source nwi_path_sources;

#endif
