/*
 * link_type.c - see link_type.h.
 * Source: rtnetlink(7); the kernel's sysfs-class-net.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "path/link_type.h"
#include "sys/sockets.h"
#include "sys/table.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

enum { UEVENT_MAX = 1024 }; /* octets; the kernel writes three or four short lines */

/* --- what /sys says --- */
static bool exists(const char *name, const char *what) {
    char path[64 + IF_NAMESIZE];
    struct stat status;
    snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, what);
    return nwi_sys()->stat(path, &status) == 0;
}

/* The driver's word for the device ("wlan", "wwan", "bluetooth", ...); empty when it has none. */
static void read_device_type(const char *name, char *ret_type, size_t size) {
    static const char key[] = "\nDEVTYPE=";
    char path[64 + IF_NAMESIZE], text[UEVENT_MAX + 2] = "\n";
    ret_type[0] = '\0';
    snprintf(path, sizeof path, "/sys/class/net/%s/uevent", name);
    int fd = nwi_sys()->open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (fd < 0)
        return;
    ssize_t length;
    do
        length = nwi_sys()->read(fd, text + 1, UEVENT_MAX); /* sysfs gives it whole */
    while (length < 0 && errno == EINTR);
    nwi_socket_close(fd);
    if (length <= 0)
        return;
    text[length + 1] = '\0';
    const char *found = strstr(text, key);
    if (found != NULL)
        snprintf(ret_type, size, "%.*s", (int)strcspn(found + sizeof key - 1, "\n"),
                 found + sizeof key - 1);
}

/* --- the answer --- */
static bool is_one_of(const char *word, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, list[i]) == 0)
            return true;
    }
    return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof(list)[0])

static bool looks_cellular(const struct nwi_link *link) {
    static const char *const kinds[] = {"wwan", "rmnet"};
    return IS_ONE_OF(link->kind, kinds) || strncmp(link->name, "wwan", 4) == 0 ||
           strncmp(link->name, "rmnet", 5) == 0;
}

/* Radios have no kind, except the Wi-Fi that virt_wifi makes of a wire. */
static bool may_be_radio(const struct nwi_link *link) {
    return link->kind[0] == '\0' || strcmp(link->kind, "virt_wifi") == 0;
}

nw_interface_type_t nwi_link_type(const struct nwi_link *link,
                                  bool (*is_wireless)(const char *name)) {
    /* Ethernet frames that do not leave by a wire: bridges, tunnels, VPNs. */
    static const char *const virtual_kinds[] = {
        "bridge",      "tun",  "wireguard", "vxlan", "geneve", "gretap", "ip6gretap", "erspan",
        "openvswitch", "ovpn", "batadv",    "vrf",   "ifb",    "nlmon",  "macsec"};
    char device[32] = "";
    if (link->flags & IFF_LOOPBACK)
        return nw_interface_type_loopback;
    if (looks_cellular(link))
        return nw_interface_type_cellular;
    if (may_be_radio(link) && is_wireless == NULL)
        read_device_type(link->name, device, sizeof device);
    if (strcmp(device, "wwan") == 0)
        return nw_interface_type_cellular;
    if (link->arp_type != ARPHRD_ETHER || IS_ONE_OF(link->kind, virtual_kinds) ||
        strcmp(device, "bluetooth") == 0)
        return nw_interface_type_other;
    if (!may_be_radio(link))
        return nw_interface_type_wired;
    bool wifi = is_wireless != NULL
                    ? is_wireless(link->name)
                    : strcmp(device, "wlan") == 0 || exists(link->name, "phy80211") ||
                          exists(link->name, "wireless");
    return wifi ? nw_interface_type_wifi : nw_interface_type_wired;
}
