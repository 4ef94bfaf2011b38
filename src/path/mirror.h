/*
 * mirror.h - the objects of one service, as far as costs follow from them.
 * What:   fed by messages of D-Bus, asked by the name of an interface. Objects are found by path;
 *         at most 4,096 are kept.
 * Source: D-Bus Specification, standard interfaces (ObjectManager, Properties); manager.h.
 * Runs:   one call at a time: its user has a lock.
 */
#ifndef NWI_PATH_MIRROR_H
#define NWI_PATH_MIRROR_H

#include "path/manager.h"
#include <sys/queue.h>

struct nwi_mirror_object;
/* Zeroed: empty. */
struct nwi_mirror {
    LIST_HEAD(, nwi_mirror_object) objects;
    unsigned count;
};

/* As nwi_manager_take. */
bool nwi_mirror_take(struct nwi_mirror *mirror, sd_bus_message *message);
/* True: there was something. */
bool nwi_mirror_clear(struct nwi_mirror *mirror);
/* Adds to *facts. */
void nwi_mirror_ask(const struct nwi_mirror *mirror, const char *interface,
                    struct nwi_manager_facts *facts);

#endif
