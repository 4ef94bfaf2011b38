/*
 * netlink.h - what the kernel tells about links, addresses and default routes.
 * What:   whole lists on request, and a descriptor that becomes readable when one of them changed.
 * Source: rtnetlink(7), netlink(7); RFC 3549.
 * Runs:   any thread. The lists are answered by the kernel inside the call; nothing waits.
 */
#ifndef NWI_SYS_NETLINK_H
#define NWI_SYS_NETLINK_H

#include "base/err.h"
#include "sys/table.h"
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct nwi_link {
    unsigned index;
    char name[IF_NAMESIZE];
    char kind[16];     /* "bridge", "veth", "tun", "wireguard", ...; empty for hardware */
    unsigned flags;    /* IFF_UP, IFF_RUNNING, IFF_LOOPBACK, IFF_POINTOPOINT, ... */
    unsigned arp_type; /* ARPHRD_ETHER, ARPHRD_NONE, ARPHRD_RAWIP, ... */
    unsigned mtu;      /* octets */
};

struct nwi_link_address {
    unsigned index;                  /* of the link */
    struct sockaddr_storage address; /* port 0; scope set for link-local IPv6 */
    uint8_t prefix_length;
    uint32_t flags; /* IFA_F_TENTATIVE, IFA_F_DEPRECATED, IFA_F_TEMPORARY, ... */
};

struct nwi_default_route {
    unsigned index; /* of the link it leaves by */
    int family;
    struct sockaddr_storage gateway; /* ss_family 0: on the link itself */
    uint32_t metric;                 /* lower is preferred */
};

/* Each calls `each` per entry, inside the call. Errors: those of the socket calls; posix EBUSY when
 * the list kept changing under the reader (entries may have been reported twice). */
nwi_err nwi_netlink_links(void (*each)(void *context, const struct nwi_link *link), void *context);
nwi_err nwi_netlink_addresses(void (*each)(void *context, const struct nwi_link_address *address),
                              void *context);
/* Routes to everywhere in the main table that a packet can use (no blackhole or unreachable). */
nwi_err nwi_netlink_default_routes(void (*each)(void *context,
                                                const struct nwi_default_route *route),
                                   void *context);

/* A non-blocking descriptor of the caller's that is readable after changes to any of the three. */
nwi_err nwi_netlink_subscribe(int *ret_fd);
/* Reads all that waits; *ret_changed tells whether something that the three lists show was in it,
 * *ret_ways whether another route of the main table came, went or changed (both also when the
 * kernel had to drop messages). Errors: those of recvmsg, not would-block. */
nwi_err nwi_netlink_drain(int fd, bool *ret_changed, bool *ret_ways);

#endif
