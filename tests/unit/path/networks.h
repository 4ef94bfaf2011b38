/*
 * networks.h - the state of tests over written networks: a laptop's, an island's, and rules.
 */
#ifndef TESTS_UNIT_PATH_NETWORKS_H
#define TESTS_UNIT_PATH_NETWORKS_H

#include "base/object.h"
#include "fake/fake_net.h"
#include <Network/parameters.h>

struct network {
    struct nwi_path_table *laptop, *island;
    nw_parameters_t rules;
};

static inline int setup(void **state) {
    static struct network network;
    network = (struct network){net_laptop(), net_island(), nw_parameters_create()};
    *state = &network;
    return network.laptop != NULL && network.island != NULL && network.rules != NULL ? 0 : -1;
}

static inline int teardown(void **state) {
    struct network *network = *state;
    nwi_release(network->laptop);
    nwi_release(network->island);
    nwi_release(network->rules);
    return 0;
}

#endif
