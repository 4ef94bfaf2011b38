/*
 * interface.h - one network interface, as a snapshot.
 * Runs:   any thread: it never changes.
 */
#ifndef NWI_MODEL_INTERFACE_H
#define NWI_MODEL_INTERFACE_H

#include "base/object.h"
#include <Network/interface.h>

struct nw_interface {
    struct nwi_object base;
    nw_interface_type_t type;
    uint32_t index;
    char name[]; /* terminated */
};

/* +1, or NULL when memory ran out. */
nw_interface_t nwi_interface_create(const char *name, uint32_t index, nw_interface_type_t type);
/* The same interface: index and name agree (a name may be given to another interface later). */
bool nwi_interface_is_equal(nw_interface_t a, nw_interface_t b);

#endif
