/*
 * end.c - one end of the wire.
 * What:   enters the namespace, makes the interface there and sets it up, comes back.
 * Runs:   in the only thread of nwlink.
 */
#include "end.h"

#include "conditions.h"
#include "device.h"
#include "netns.h"
#include "packet.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Packets wait here only until we are scheduled; at 1 Gbit/s the kernel's 500 are 6 ms. */
enum { MTU_DEFAULT = 1500, DEVICE_QUEUE = 4000 };

static bool set_up(struct nwlink_end *end, const struct nwlink_end_wish *wish,
                   const struct nwlink_end_wish *other, unsigned mtu, char *why) {
    if (wish->up && !nwlink_device_up(end->device, mtu, DEVICE_QUEUE, why))
        return false;
    for (unsigned i = 0; i < wish->address_count; i++)
        if (!nwlink_device_address(end->device, wish->addresses[i], why))
            return false;
    for (unsigned i = 0; wish->route && i < other->address_count; i++)
        if (!nwlink_device_route(end->device, other->addresses[i], why))
            return false;
    return true;
}

static bool open_here(struct nwlink_end *end, const struct nwlink_end_wish *wish,
                      const struct nwlink_end_wish *other, char *why) {
    unsigned mtu = wish->mtu != 0 ? wish->mtu : MTU_DEFAULT;
    snprintf(end->device, sizeof end->device, "%s", wish->device);
    end->fd = nwlink_device_make(end->device, wish->tap, why);
    end->ethernet = wish->tap;
    end->largest = mtu + (wish->tap ? NWLINK_ETHERNET + 4U : 0); /* 4: a VLAN tag */
    if (end->fd >= 0 && set_up(end, wish, other, mtu, why))
        return true;
    nwlink_end_close(end);
    return false;
}

bool nwlink_end_open(struct nwlink_end *end, const struct nwlink_end_wish *wish,
                     const struct nwlink_end_wish *other, char *why) {
    memset(end, 0, sizeof *end);
    end->fd = -1;
    int place = wish->place == NULL ? wish->place_fd : nwlink_netns_open(wish->place, why);
    if (place < 0)
        return false;
    int before = nwlink_netns_enter(place, why);
    if (wish->place != NULL)
        close(place);
    if (before < 0)
        return false;
    bool good = open_here(end, wish, other, why);
    nwlink_netns_leave(before);
    return good;
}

void nwlink_end_close(struct nwlink_end *end) {
    if (end->fd >= 0)
        close(end->fd);
    end->fd = -1;
}
