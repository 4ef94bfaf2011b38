/*
 * route.h - which way the kernel would send to one address.
 * What:   one question to the kernel's routing (RTM_GETROUTE), and its answer read.
 * Source: rtnetlink(7); RFC 3549 section 2.3.1.
 * Runs:   any thread. The kernel answers inside the call; nothing is sent on the network.
 */
#ifndef NWI_SYS_ROUTE_H
#define NWI_SYS_ROUTE_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct nwi_route {
    uint8_t type;                    /* RTN_UNICAST, RTN_LOCAL, RTN_UNREACHABLE, ... */
    uint8_t prefix_length;           /* of the route that matched; with has_match */
    bool has_match;                  /* prefix_length and metric are known */
    unsigned index;                  /* of the link it leaves by; 0: none */
    uint32_t table, metric;          /* table 0: not told */
    uint32_t mtu;                    /* of the route; 0: that of the link */
    struct sockaddr_storage source;  /* chosen by the kernel; ss_family 0: none */
    struct sockaddr_storage gateway; /* ss_family 0: the address is on the link itself */
};

/* `from` NULL: the kernel chooses; `interface_index` 0: any. Routes that refuse (unreachable,
 * prohibit, blackhole) are answers: 0 with their type and nothing else. Errors: posix ENETUNREACH
 * when there is no route, EAFNOSUPPORT for other families than IPv4 and IPv6, those of the socket
 * calls. */
nwi_err nwi_route_lookup(const struct sockaddr *to, unsigned interface_index,
                         const struct sockaddr *from, struct nwi_route *ret_route);
/* Whether a route leads there by that interface. A socket bound to an interface without one takes
 * an IPv4 destination for a neighbour on its link, and nwi_route_lookup tells the same: here only
 * the tables count. 0, or posix EHOSTUNREACH, ENETUNREACH, EACCES, EINVAL: none that may be used;
 * EAFNOSUPPORT, those of the socket calls. */
nwi_err nwi_route_leads(const struct sockaddr *to, unsigned interface_index);
/* The pure part: adds to *route what the kernel's messages say; `octets` aligned as for a struct
 * nlmsghdr. `match`: they tell the entry that matched, else how the packet goes. Errors: what the
 * kernel reported; posix EPROTO when there is no answer in it. */
nwi_err nwi_route_parse(const void *octets, size_t length, bool match, struct nwi_route *route);

#endif
