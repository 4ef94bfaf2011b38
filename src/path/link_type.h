/*
 * link_type.h - what kind of link it is, as far as the kernel tells.
 * What:   loopback, Wi-Fi, cellular, wired, and other for all that only looks like a wire: bridges,
 *         tunnels, VPNs, links without Ethernet frames. A veth, vlan, bond, macvlan or dummy is
 *         wired: for a container or a virtual machine it is the wire.
 * Source: rtnetlink(7) IFLA_INFO_KIND; the kernel's sysfs-class-net: phy80211, and DEVTYPE of
 *         uevent.
 * Runs:   any thread; asks /sys about links without a kind (hardware).
 */
#ifndef NWI_PATH_LINK_TYPE_H
#define NWI_PATH_LINK_TYPE_H

#include "sys/netlink.h"
#include <Network/interface.h>

/* `is_wireless` answers in the place of /sys (tests); NULL: /sys. */
nw_interface_type_t nwi_link_type(const struct nwi_link *link,
                                  bool (*is_wireless)(const char *name));

#endif
