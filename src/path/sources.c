/*
 * sources.c - see sources.h.
 * What:   who is asked, and in which order: what NetworkManager and ModemManager say counts before
 *         what the kernel tells, and the configuration files before both.
 * Source: libnw-network.conf(5); semantics of nw_path_t (expensive, constrained, link quality).
 * Runs:   as costs.h says.
 * Owns:   nothing.
 */
#include "path/sources.h"
#include "path/manager.h"
#include "path/radio.h"
#include "path/settings_file.h"

static void choose(enum nwi_settings_choice choice, bool *value) {
    if (choice == NWI_SETTINGS_YES || choice == NWI_SETTINGS_NO)
        *value = choice == NWI_SETTINGS_YES;
}

/* The kernel is asked for a signal only where nobody else has told one. */
static nw_link_quality_t quality_of(const struct nwi_link *link,
                                    const struct nwi_settings_interface *set,
                                    const struct nwi_manager_facts *managed,
                                    nw_interface_type_t type) {
    if (set->has_quality == NWI_SETTINGS_YES)
        return set->quality;
    if (managed->quality != nw_link_quality_unknown)
        return managed->quality;
    return type == nw_interface_type_wifi ? nwi_radio_of(link->index) : nw_link_quality_unknown;
}

static void fill(const struct nwi_link *link, struct nwi_path_costs *costs) {
    struct nwi_manager_facts managed;
    struct nwi_settings_interface set;
    if (costs->type == nw_interface_type_loopback) /* leads nowhere that costs anything */
        return;
    nwi_manager_of(link->name, &managed);
    nwi_settings_of(link->name, &set);
    if (managed.type != nw_interface_type_other)
        costs->type = managed.type;
    if (set.has_type == NWI_SETTINGS_YES)
        costs->type = set.type;
    costs->expensive =
        managed.has_metered ? managed.metered : costs->type == nw_interface_type_cellular;
    costs->quality = quality_of(link, &set, &managed, costs->type);
    choose(set.expensive, &costs->expensive);
    choose(set.constrained, &costs->constrained);
    choose(set.ultra_constrained, &costs->ultra_constrained);
}

static void watch_begin(void) {
    nwi_settings_watch_begin(nwi_path_costs_changed);
    nwi_manager_watch_begin(nwi_path_costs_changed);
    nwi_radio_watch_begin(nwi_path_costs_changed);
}

static void watch_end(void) {
    nwi_radio_watch_end();
    nwi_manager_watch_end();
    nwi_settings_watch_end();
}

const struct nwi_path_costs_source nwi_path_sources = {.fill = fill,
                                                       .settled = nwi_manager_settled,
                                                       .watch_begin = watch_begin,
                                                       .watch_end = watch_end};
