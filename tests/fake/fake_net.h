/*
 * fake_net.h - written networks for src/path: a laptop, a server, a machine without network.
 * What:   records as netlink would give them, made into tables.
 */
#ifndef FAKE_NET_H
#define FAKE_NET_H

#include "path/table.h"
#include "sys/address.h"
#include <assert.h>
#include <linux/if_addr.h>
#include <net/if_arp.h>
#include <string.h>

#define UP (IFF_UP | IFF_RUNNING)
enum { LO = 1, ETH0 = 2, WLAN0 = 3, BR0 = 4, TUN0 = 5, WWAN0 = 6, VETH0 = 7 };

static inline struct nwi_link_address net_address(unsigned index, const char *text, unsigned bits,
                                                  uint32_t flags) {
    struct nwi_link_address address = {
        .index = index, .prefix_length = (uint8_t)bits, .flags = flags};
    socklen_t length;
    if (!nwi_address_parse(text, 0, &address.address, &length))
        memset(&address.address, 0, sizeof address.address);
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address.address;
    if (address.address.ss_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
        v6->sin6_scope_id = index;
    return address;
}

static inline struct nwi_default_route net_route(unsigned index, const char *gateway,
                                                 uint32_t metric) {
    struct nwi_default_route route = {.index = index, .metric = metric};
    route.gateway = net_address(index, gateway, 0, 0).address;
    route.family = route.gateway.ss_family;
    return route;
}

static inline bool net_wireless(const char *name) {
    return strncmp(name, "wlan", 4) == 0;
}

static const struct nwi_link net_laptop_links[] = {
    {.index = LO,
     .name = "lo",
     .flags = UP | IFF_LOOPBACK,
     .arp_type = ARPHRD_LOOPBACK,
     .mtu = 65536},
    {.index = WWAN0, .name = "wwan0", .flags = UP, .arp_type = ARPHRD_ETHER, .mtu = 1400},
    {.index = WLAN0, .name = "wlan0", .flags = UP, .arp_type = ARPHRD_ETHER, .mtu = 1500},
    {.index = ETH0, .name = "eth0", .flags = UP, .arp_type = ARPHRD_ETHER, .mtu = 1500},
    {.index = BR0,
     .name = "br0",
     .kind = "bridge",
     .flags = UP,
     .arp_type = ARPHRD_ETHER,
     .mtu = 1500},
    {.index = TUN0,
     .name = "tun0",
     .kind = "tun",
     .flags = UP,
     .arp_type = ARPHRD_NONE,
     .mtu = 1400},
    {.index = VETH0,
     .name = "veth0",
     .kind = "veth",
     .flags = IFF_UP,
     .arp_type = ARPHRD_ETHER,
     .mtu = 1500},
};

/* Ethernet by default, Wi-Fi behind it, a phone modem behind that; a bridge with an address only; a
 * tunnel with a link-local address; a veth without carrier. */
static inline struct nwi_path_table *net_laptop(void) {
    struct nwi_link_address addresses[] = {
        net_address(LO, "127.0.0.1", 8, 0),
        net_address(LO, "::1", 128, 0),
        net_address(ETH0, "192.0.2.10", 24, 0),
        net_address(ETH0, "2001:db8::10", 64, IFA_F_TEMPORARY),
        net_address(ETH0, "fe80::10", 64, 0),
        net_address(WLAN0, "192.0.2.20", 24, 0),
        net_address(WWAN0, "100.64.0.9", 30, 0),
        net_address(BR0, "10.9.0.1", 16, 0),
        net_address(TUN0, "fe80::50", 64, 0),
        net_address(VETH0, "10.8.0.1", 24, 0),
    };
    struct nwi_default_route routes[] = {
        net_route(WWAN0, "100.64.0.10", 700),
        net_route(WLAN0, "192.0.2.1", 600),
        net_route(ETH0, "192.0.2.1", 100),
        net_route(ETH0, "fe80::1", 1024),
    };
    return nwi_path_table_create(&(struct nwi_path_records){
        .links = net_laptop_links,
        .link_count = sizeof net_laptop_links / sizeof net_laptop_links[0],
        .addresses = addresses,
        .address_count = sizeof addresses / sizeof addresses[0],
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .has_dns = true,
        .is_wireless = net_wireless,
    });
}

/* Only the loopback link. */
static inline struct nwi_path_table *net_island(void) {
    struct nwi_link_address addresses[] = {net_address(LO, "127.0.0.1", 8, 0),
                                           net_address(LO, "::1", 128, 0)};
    return nwi_path_table_create(&(struct nwi_path_records){.links = net_laptop_links,
                                                            .link_count = 1,
                                                            .addresses = addresses,
                                                            .address_count = 2,
                                                            .is_wireless = net_wireless});
}

#endif
