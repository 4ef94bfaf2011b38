/*
 * netlink_message.c - see netlink_message.h.
 * Runs:   any thread.
 */
#include "sys/netlink_message.h"
#include "sys/table.h"
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

nwi_err nwi_netlink_receive(int fd, union nwi_netlink_datagram *datagram, size_t *ret_length) {
    struct sockaddr_nl from = {0};
    struct iovec piece = {datagram, sizeof *datagram};
    struct msghdr header = {
        .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &piece, .msg_iovlen = 1};
    ssize_t received;
    do
        received = nwi_sys()->recvmsg(fd, &header, 0);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return nwi_posix(errno);
    if (header.msg_flags & MSG_TRUNC)
        return nwi_posix(ENOBUFS);
    *ret_length = from.nl_pid == 0 ? (size_t)received : 0;
    return 0;
}

/* libmnl takes the length for a signed number, which a very large one gets past. */
bool nwi_netlink_is_whole(const struct nlmsghdr *header, int left) {
    return mnl_nlmsg_ok(header, left) && header->nlmsg_len <= (unsigned)left;
}

int nwi_netlink_errno(int told) {
    enum { ERRNO_MAX = 4095 };
    return told < 0 && told >= -ERRNO_MAX ? -told : EPROTO;
}

uint32_t nwi_netlink_u32(const struct nlattr *attribute) {
    return mnl_attr_get_payload_len(attribute) >= sizeof(uint32_t) ? mnl_attr_get_u32(attribute)
                                                                   : 0;
}

static void put_v6(const void *octets, unsigned index, struct sockaddr_storage *ret_address) {
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    memcpy(&v6.sin6_addr, octets, sizeof v6.sin6_addr);
    if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
        v6.sin6_scope_id = index;
    memcpy(ret_address, &v6, sizeof v6);
}

bool nwi_netlink_address(const struct nlattr *attribute, int family, unsigned index,
                         struct sockaddr_storage *ret_address) {
    const void *octets = mnl_attr_get_payload(attribute);
    size_t length = mnl_attr_get_payload_len(attribute);
    memset(ret_address, 0, sizeof *ret_address);
    if (family == AF_INET && length >= sizeof(struct in_addr)) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        memcpy(&v4.sin_addr, octets, sizeof v4.sin_addr);
        memcpy(ret_address, &v4, sizeof v4);
        return true;
    }
    if (family != AF_INET6 || length < sizeof(struct in6_addr))
        return false;
    put_v6(octets, index, ret_address);
    return true;
}

void nwi_netlink_via(const struct nlattr *attribute, unsigned index,
                     struct sockaddr_storage *ret_address) {
    const struct rtvia *via = mnl_attr_get_payload(attribute);
    if (mnl_attr_get_payload_len(attribute) >= sizeof *via + sizeof(struct in6_addr) &&
        via->rtvia_family == AF_INET6)
        put_v6(via->rtvia_addr, index, ret_address);
}
