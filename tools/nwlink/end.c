/*
 * end.c - one end of the wire.
 * What:   enters the namespace, makes the interface there and sets it up, or opens one that is there;
 *         comes back.
 * Runs:   in the only thread of nwlink.
 */
#include "end.h"

#include "conditions.h"
#include "device.h"
#include "netns.h"
#include "packet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Packets wait here only until we are scheduled; at 1 Gbit/s the kernel's 500 are 6 ms. */
enum { MTU_DEFAULT = 1500, DEVICE_QUEUE = 4000, VLAN_TAG = 4 };

/* Containers often have no IPv6; that shall not keep a wire with IPv4 from standing. */
static bool is_dispensable(const struct nwlink_end_wish *wish, const char *address) {
    return wish->usual && strchr(address, ':') != NULL;
}

static bool set_up(struct nwlink_end *end, const struct nwlink_end_wish *wish,
                   const struct nwlink_end_wish *other, unsigned mtu, char *why) {
    if (wish->up && !nwlink_device_up(end->device, mtu, DEVICE_QUEUE, why))
        return false;
    for (unsigned i = 0; i < wish->address_count; i++)
        if (!nwlink_device_address(end->device, wish->addresses[i], why) &&
            !is_dispensable(wish, wish->addresses[i]))
            return false;
    for (unsigned i = 0; wish->route && i < other->address_count; i++)
        if (!nwlink_device_route(end->device, other->addresses[i], why) &&
            !is_dispensable(wish, other->addresses[i]))
            return false;
    return true;
}

static bool make(struct nwlink_end *end, const struct nwlink_end_wish *wish,
                 const struct nwlink_end_wish *other, char *why) {
    unsigned mtu = wish->mtu != 0 ? wish->mtu : MTU_DEFAULT;
    end->fd = end->out = nwlink_device_make(end->device, wish->tap, why);
    end->ethernet = wish->tap;
    end->largest = mtu + (wish->tap ? NWLINK_ETHERNET + VLAN_TAG : 0U);
    return end->fd >= 0 && set_up(end, wish, other, mtu, why);
}

static bool open_existing(struct nwlink_end *end, char *why) {
    unsigned mtu = nwlink_device_mtu(end->device, why);
    if (mtu == 0 || !nwlink_device_up(end->device, 0, 0, why))
        return false;
    end->ethernet = end->large = true;
    end->largest = mtu + NWLINK_ETHERNET + VLAN_TAG;
    end->fd = nwlink_device_listen(end->device, why);
    end->out = end->fd >= 0 ? nwlink_device_send(end->device, why) : -1;
    return end->out >= 0;
}

bool nwlink_end_open(struct nwlink_end *end, const struct nwlink_end_wish *wish,
                     const struct nwlink_end_wish *other, char *why) {
    memset(end, 0, sizeof *end);
    end->fd = end->out = -1;
    snprintf(end->device, sizeof end->device, "%s", wish->device);
    int place = wish->place == NULL ? wish->place_fd : nwlink_netns_open(wish->place, why);
    if (place < 0)
        return false;
    int before = nwlink_netns_enter(place, why);
    if (wish->place != NULL)
        close(place);
    if (before < 0)
        return false;
    bool good = wish->existing ? open_existing(end, why) : make(end, wish, other, why);
    nwlink_netns_leave(before);
    if (!good)
        nwlink_end_close(end);
    return good;
}

bool nwlink_end_is_gone(const struct nwlink_end *end, int error) {
    struct sockaddr_ll address;
    socklen_t size = sizeof address;
    if (error == EAGAIN || error == EINTR)
        return false;
    if (!end->large) /* a TUN interface has no other error to tell */
        return true;
    /* a packet socket tells when the interface goes down, and forgets it when it is deleted */
    return getsockname(end->fd, (struct sockaddr *)&address, &size) != 0 ||
           address.sll_ifindex <= 0;
}

void nwlink_end_close(struct nwlink_end *end) {
    if (end->out >= 0 && end->out != end->fd)
        close(end->out);
    if (end->fd >= 0)
        close(end->fd);
    end->fd = end->out = -1;
}
