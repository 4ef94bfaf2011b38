/*
 * manager.h - what NetworkManager and ModemManager know of an interface.
 * What:   a mirror of the few properties that cost and quality follow from, kept by their signals.
 * Source: D-Bus API of NetworkManager 1.42 (Device: Interface, IpInterface, DeviceType, Metered;
 *         Device.Wireless: ActiveAccessPoint; AccessPoint: Strength) and of ModemManager 1.20
 *         (Modem: Ports, SignalQuality).
 * Runs:   any thread, but for what tests call.
 */
#ifndef NWI_PATH_MANAGER_H
#define NWI_PATH_MANAGER_H

#include "base/clock.h"
#include <Network/interface.h>
#include <Network/path.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

/* Zero: nothing is known. */
struct nwi_manager_facts {
    bool has_metered, metered;
    nw_interface_type_t type; /* wifi or cellular; other: nothing is known */
    nw_link_quality_t quality;
};

/* From now on the two are asked, where they run; `changed` runs after each change of what they say,
 * in a context of this file's own. Counted, as nwi_settings_watch_begin is. */
void nwi_manager_watch_begin(void (*changed)(void));
void nwi_manager_watch_end(void);
/* Any thread: what is known now is not about to be another thing only because the two have not been
 * heard yet: each has answered or is not there, or has taken NWI_MANAGER_PATIENCE. Then `changed`
 * runs. True at once where there is no bus. */
bool nwi_manager_settled(void);
#define NWI_MANAGER_PATIENCE (200 * NWI_MS)
/* What is known now. Nothing while nobody watches. */
void nwi_manager_of(const char *interface, struct nwi_manager_facts *ret_facts);

/* The decoder (for tests, too): takes one message into the mirror. An answer to GetManagedObjects
 * replaces what the service (0: NetworkManager, 1: ModemManager) said before; a signal adds to it.
 * What is not as documented is left out. True: something that counts changed. */
bool nwi_manager_take(unsigned service, sd_bus_message *message);
/* Forgets what the service said. True: there was something. */
bool nwi_manager_forget(unsigned service);

#endif
