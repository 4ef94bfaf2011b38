/*
 * end.h - one end of the wire: an interface in some namespace, and the descriptor on which its
 *         packets are read and written.
 * Owns:   the descriptors, and with them an interface that it made.
 */
#ifndef NWLINK_END_H
#define NWLINK_END_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum { NWLINK_ADDRESSES_MAX = 8 };

struct nwlink_end_wish { /* zero: a TUN interface with MTU 1500 and no address */
    const char *place;   /* a namespace, see netns.h; NULL: `place_fd` */
    int place_fd;        /* borrowed */
    const char *device;
    bool existing; /* an interface that is there already: Ethernet, by packet sockets */
    bool tap;
    unsigned mtu; /* 0: 1500 */
    const char *addresses[NWLINK_ADDRESSES_MAX];
    unsigned address_count;
    bool usual; /* nobody asked for these addresses: without IPv6 those of IPv6 are left out */
    bool up;    /* bring it up */
    bool route; /* default routes by the other end's addresses */
};

struct nwlink_end {
    int fd;     /* one packet a read; does not block */
    int out;    /* one packet a write: `fd` itself, but for an interface that was there */
    bool large; /* what is read begins with a virtio_net_hdr: see segment.h */
    bool ethernet;
    uint32_t largest; /* octets of the largest packet that can be read */
    char device[IFNAMSIZ];
};

/* False: `why` (NWLINK_WHY octets), and nothing is left behind. */
bool nwlink_end_open(struct nwlink_end *end, const struct nwlink_end_wish *wish,
                     const struct nwlink_end_wish *other, char *why);
/* After a failed read: whether the interface has gone for good. */
bool nwlink_end_is_gone(const struct nwlink_end *end, int error);
void nwlink_end_close(struct nwlink_end *end); /* also of one that was never opened: fd below 0 */

#endif
