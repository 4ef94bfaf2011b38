/*
 * interface.c - nw_interface_t: name, index and type of one interface at one moment.
 * What:   constructor and public questions.
 * Source: semantics of nw_interface_t: NULL answers NULL, 0 and other.
 * Runs:   any thread: an interface object never changes.
 * Owns:   its name.
 */
#include "model/interface.h"
#include <string.h>

static const struct nwi_type interface_type = {
    .name = "nw_interface",
    .size = sizeof(struct nw_interface),
};

nw_interface_t nwi_interface_create(const char *name, uint32_t index, nw_interface_type_t type) {
    size_t size = strlen(name) + 1;
    nw_interface_t interface = nwi_object_create(&interface_type, size);
    if (interface == NULL)
        return NULL;
    memcpy(interface->name, name, size);
    interface->index = index;
    interface->type = type;
    return interface;
}

bool nwi_interface_is_equal(nw_interface_t a, nw_interface_t b) {
    if (a == NULL || b == NULL)
        return a == b;
    return a->index == b->index && strcmp(a->name, b->name) == 0;
}

NW_EXPORT nw_interface_type_t nw_interface_get_type(nw_interface_t interface) {
    return interface == NULL ? nw_interface_type_other : interface->type;
}

NW_EXPORT const char *nw_interface_get_name(nw_interface_t interface) {
    return interface == NULL ? NULL : interface->name;
}

NW_EXPORT uint32_t nw_interface_get_index(nw_interface_t interface) {
    return interface == NULL ? 0 : interface->index;
}
