/*
 * test_link_type.c - src/path/link_type.c over links as the kernel describes them, with a written
 * /sys.
 */
#include "path/link_type.h"
#include "sys/table.h"
#include <errno.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* What /sys/class/net/NAME has. */
static const struct device {
    const char *name, *uevent, *folder;
} devices[] = {
    {"wlp3s0", "DEVTYPE=wlan\nINTERFACE=wlp3s0\nIFINDEX=3\n", "phy80211"},
    {"wlan1", "INTERFACE=wlan1\nIFINDEX=4\n", "wireless"}, /* an old driver */
    {"wlx1", "INTERFACE=wlx1\n", "phy80211"},
    {"wwp0s20u4", "DEVTYPE=wwan\nINTERFACE=wwp0s20u4\n", NULL},
    {"bnep0", "INTERFACE=bnep0\nDEVTYPE=bluetooth\n", NULL},
    {"enp0s1", "INTERFACE=enp0s1\nIFINDEX=2\n", NULL},
    {"eth9", "INTERFACE=eth9\nNOT_DEVTYPE=wlan\n", NULL},
    {"eth8", "", NULL},
};
enum { DEVICES = sizeof devices / sizeof devices[0] };
static unsigned opened;

static const struct device *device_at(const char *path, const char *what) {
    char expected[128];
    for (int i = 0; i < DEVICES; i++) {
        snprintf(expected, sizeof expected, "/sys/class/net/%s/%s", devices[i].name, what);
        if (strcmp(path, expected) == 0)
            return &devices[i];
    }
    return NULL;
}

static int written_open(const char *path, int flags, int mode) {
    const struct device *device = device_at(path, "uevent");
    (void)flags, (void)mode;
    opened++;
    if (device == NULL) {
        errno = ENOENT;
        return -1;
    }
    int fd = memfd_create("uevent", 0);
    assert_int_equal(write(fd, device->uevent, strlen(device->uevent)), strlen(device->uevent));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static int written_stat(const char *path, struct stat *status) {
    const char *folder = strrchr(path, '/') + 1;
    const struct device *device = device_at(path, folder);
    memset(status, 0, sizeof *status);
    if (device != NULL && device->folder != NULL && strcmp(device->folder, folder) == 0)
        return 0;
    errno = ENOENT;
    return -1;
}

static ssize_t failing_read(int fd, void *buffer, size_t size) {
    (void)fd, (void)buffer, (void)size;
    errno = EIO;
    return -1;
}

static nw_interface_type_t type_of(const char *name, const char *kind, unsigned arp_type,
                                   unsigned flags) {
    struct nwi_link link = {.index = 9, .arp_type = arp_type, .flags = flags};
    snprintf(link.name, sizeof link.name, "%s", name);
    snprintf(link.kind, sizeof link.kind, "%s", kind);
    return nwi_link_type(&link, NULL);
}

static void types(void **state) {
    (void)state;
    static const struct {
        const char *name, *kind;
        unsigned arp_type, flags;
        nw_interface_type_t type;
    } cases[] = {
        {"lo", "", ARPHRD_LOOPBACK, IFF_LOOPBACK, nw_interface_type_loopback},
        {"enp0s1", "", ARPHRD_ETHER, 0, nw_interface_type_wired},
        {"eth9", "", ARPHRD_ETHER, 0, nw_interface_type_wired},
        {"eth8", "", ARPHRD_ETHER, 0, nw_interface_type_wired},
        {"gone0", "", ARPHRD_ETHER, 0, nw_interface_type_wired}, /* removed meanwhile */
        {"wlp3s0", "", ARPHRD_ETHER, 0, nw_interface_type_wifi},
        {"wlan1", "", ARPHRD_ETHER, 0, nw_interface_type_wifi},
        {"wlx1", "virt_wifi", ARPHRD_ETHER, 0, nw_interface_type_wifi},
        {"wwp0s20u4", "", ARPHRD_NONE, IFF_POINTOPOINT, nw_interface_type_cellular},
        {"wwan0", "wwan", ARPHRD_RAWIP, 0, nw_interface_type_cellular},
        {"rmnet_data0", "", ARPHRD_RAWIP, 0, nw_interface_type_cellular},
        {"qmapmux0.0", "rmnet", ARPHRD_RAWIP, 0, nw_interface_type_cellular},
        {"bnep0", "", ARPHRD_ETHER, 0, nw_interface_type_other},
        {"ppp0", "ppp", ARPHRD_PPP, IFF_POINTOPOINT, nw_interface_type_other},
        {"ib0", "", ARPHRD_INFINIBAND, 0, nw_interface_type_other},
        {"tun0", "tun", ARPHRD_NONE, IFF_POINTOPOINT, nw_interface_type_other},
        {"tap0", "tun", ARPHRD_ETHER, 0, nw_interface_type_other},
        {"wg0", "wireguard", ARPHRD_NONE, 0, nw_interface_type_other},
        {"br0", "bridge", ARPHRD_ETHER, 0, nw_interface_type_other},
        {"docker0", "bridge", ARPHRD_ETHER, 0, nw_interface_type_other},
        {"vx0", "vxlan", ARPHRD_ETHER, 0, nw_interface_type_other},
        {"sit0", "sit", ARPHRD_SIT, 0, nw_interface_type_other},
        {"eth0", "veth", ARPHRD_ETHER, 0, nw_interface_type_wired},
        {"eth0.7", "vlan", ARPHRD_ETHER, 0, nw_interface_type_wired},
        {"bond0", "bond", ARPHRD_ETHER, 0, nw_interface_type_wired},
        {"d0", "dummy", ARPHRD_ETHER, 0, nw_interface_type_wired},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (type_of(cases[i].name, cases[i].kind, cases[i].arp_type, cases[i].flags) !=
            cases[i].type)
            fail_msg("%s is not of type %d", cases[i].name, cases[i].type);
    }
}

/* Nobody asks /sys about what cannot be a radio; an unreadable answer is none. */
static void economy(void **state) {
    (void)state;
    opened = 0;
    assert_int_equal(type_of("wlp3s0", "veth", ARPHRD_ETHER, 0), nw_interface_type_wired);
    assert_int_equal(opened, 0);
    struct nwi_sys_table deaf = *nwi_sys();
    const struct nwi_sys_table *before = nwi_sys();
    deaf.read = failing_read;
    nwi_sys_swap(&deaf);
    assert_int_equal(type_of("enp0s1", "", ARPHRD_ETHER, 0), nw_interface_type_wired);
    assert_int_equal(type_of("wlp3s0", "", ARPHRD_ETHER, 0), nw_interface_type_wifi);
    nwi_sys_swap(before);
    assert_int_equal(opened, 2);
}

int main(void) {
    struct nwi_sys_table written = nwi_sys_kernel;
    written.open = written_open;
    written.stat = written_stat;
    nwi_sys_swap(&written);
    const struct CMUnitTest tests[] = {cmocka_unit_test(types), cmocka_unit_test(economy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
