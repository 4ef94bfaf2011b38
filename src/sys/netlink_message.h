/*
 * netlink_message.h - what all who read netlink have in common: a datagram of the kernel's, its
 *                     messages, their attributes.
 * What:   nothing is trusted: lengths are checked, and what is too short reads as nothing.
 * Source: netlink(7), rtnetlink(7).
 * Runs:   any thread.
 */
#ifndef NWI_SYS_NETLINK_MESSAGE_H
#define NWI_SYS_NETLINK_MESSAGE_H

#include "base/err.h"
#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The kernel fills up to this much per read of a dump: NLMSG_GOODSIZE times 4. */
enum { NWI_NETLINK_RECEIVE_SIZE = 32768 };

/* The headers hold 32-bit fields: the room must be aligned for them. */
union nwi_netlink_datagram {
    struct nlmsghdr header;
    char room[NWI_NETLINK_RECEIVE_SIZE];
};

/* Reads one datagram. What another process sent (the kernel's port is 0) is dropped: *ret_length is
 * then 0. Errors: those of recvmsg; ENOBUFS also when it was cut short, as when some were dropped.
 */
nwi_err nwi_netlink_receive(int fd, union nwi_netlink_datagram *datagram, size_t *ret_length);
/* Whether `left` octets hold the whole message that begins here. */
bool nwi_netlink_is_whole(const struct nlmsghdr *header, int left);
/* The errno of a message NLMSG_ERROR that tells of one, which is negative there. What no kernel
 * sends is EPROTO. */
int nwi_netlink_errno(int told);

/* 0 when it is too short. */
uint32_t nwi_netlink_u32(const struct nlattr *attribute);
/* An address of that family, of a link when it is link-local. False, and *ret_address empty: too
 * short, or another family. */
bool nwi_netlink_address(const struct nlattr *attribute, int family, unsigned index,
                         struct sockaddr_storage *ret_address);
/* RTA_VIA, an IPv6 router on the way to IPv4 (RFC 8950). *ret_address stays when it is not that. */
void nwi_netlink_via(const struct nlattr *attribute, unsigned index,
                     struct sockaddr_storage *ret_address);

#endif
