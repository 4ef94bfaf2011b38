/* advertise_descriptor.h - what a listener wants to be known as. Unsynchronised; a listener works
 * on a copy. */
#ifndef NWI_MODEL_ADVERTISE_DESCRIPTOR_H
#define NWI_MODEL_ADVERTISE_DESCRIPTOR_H

#include "base/object.h"
#include <Network/advertise_descriptor.h>

struct nw_advertise_descriptor {
    struct nwi_object base;
    char *name; /* NULL = the machine's name */
    char *type;
    char *domain; /* NULL = the default domains */
    uint8_t *txt;
    size_t txt_length;
    bool no_auto_rename;
};

#endif
