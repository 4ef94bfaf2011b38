/*
 * costs.h - what an interface costs and how good it is: the seam between the table of the network
 *         and those who know (configuration files, NetworkManager, ModemManager, nl80211).
 * What:   each new table asks the source about each link; the source tells the monitor to look
 *         again when an answer would be another one now.
 * Source: semantics of nw_path_t (expensive, constrained, link quality).
 * Runs:   as each function says.
 */
#ifndef NWI_PATH_COSTS_H
#define NWI_PATH_COSTS_H

#include "sys/netlink.h"
#include <Network/interface.h>
#include <Network/path.h>

struct nwi_path_costs {
    nw_interface_type_t type; /* may be corrected; decides the order of preference, too */
    bool expensive, constrained, ultra_constrained;
    nw_link_quality_t quality;
};

struct nwi_path_costs_source {
    /* Any thread, the monitor's lock may be held: from memory, at once, and without calling
     * path/monitor.h. *costs holds what the kernel tells: the type, and that cellular is expensive.
     */
    void (*fill)(const struct nwi_link *link, struct nwi_path_costs *costs);
    /* Any thread, the monitor's lock may be held: whether those who are asked when the watch begins
     * have answered, so that an answer of `fill` after this one is no first guess. Soon true in any
     * case, which is told with nwi_path_costs_changed. NULL: always. */
    bool (*settled)(void);
    /* The network is watched from here on, and no longer; in pairs, in the monitor's own context.
     * Changes in between are told with nwi_path_costs_changed. May be NULL. */
    void (*watch_begin)(void);
    void (*watch_end)(void);
};

/* The one that serves unless a test puts another in its place; NULL restores it. Not while the
 * network is watched. */
void nwi_path_set_costs(const struct nwi_path_costs_source *source);
const struct nwi_path_costs_source *nwi_path_costs_source(void);

bool nwi_path_costs_settled(void); /* any thread: what the source says */

/* Any thread, no lock of the caller's needed (path/monitor.c): the answers of `fill` or `settled`
 * changed; the table is made again within NWI_PATH_COALESCE. Nothing happens while nobody watches.
 */
void nwi_path_costs_changed(void);

#endif
