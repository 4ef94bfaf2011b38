/*
 * route.c - which way the kernel would send to one address.
 * What:   asks twice: how a packet would go, and which entry of the tables says so. The first answer
 *         has the source address, the second the prefix and the metric.
 * Source: rtnetlink(7), netlink(7); RTM_F_FIB_MATCH in linux/rtnetlink.h.
 * Runs:   any thread.
 * Owns:   a socket during each question.
 */
#include "sys/route.h"
#include "sys/netlink_message.h"
#include "sys/sockets.h"
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

enum { ANSWER_SIZE = 8192 }; /* octets; an entry with many next hops takes two thousand */

union answer {
    struct nlmsghdr header; /* aligns the octets */
    char octets[ANSWER_SIZE];
};

/* --- reading --- */
static uint32_t read_mtu(const struct nlattr *metrics) {
    const struct nlattr *inner;
    mnl_attr_for_each_nested(inner, metrics) {
        if (mnl_attr_get_type(inner) == RTAX_MTU)
            return nwi_netlink_u32(inner);
    }
    return 0;
}

/* How the packet goes: the link first, since the scope of a link-local gateway is that link. */
static void read_way(const struct nlmsghdr *message, const struct rtmsg *info,
                     struct nwi_route *route) {
    const struct nlattr *attribute;
    route->type = info->rtm_type;
    mnl_attr_for_each(attribute, message, sizeof *info) {
        if (mnl_attr_get_type(attribute) == RTA_OIF)
            route->index = nwi_netlink_u32(attribute);
    }
    mnl_attr_for_each(attribute, message, sizeof *info) {
        switch (mnl_attr_get_type(attribute)) {
        case RTA_PREFSRC:
            nwi_netlink_address(attribute, info->rtm_family, route->index, &route->source);
            break;
        case RTA_GATEWAY:
            nwi_netlink_address(attribute, info->rtm_family, route->index, &route->gateway);
            break;
        case RTA_VIA:
            nwi_netlink_via(attribute, route->index, &route->gateway);
            break;
        }
    }
}

static void read_entry(const struct nlmsghdr *message, bool match, struct nwi_route *route) {
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    const struct nlattr *attribute;
    if (match) {
        route->has_match = true;
        route->prefix_length = info->rtm_dst_len;
        route->metric = 0;
    } else {
        read_way(message, info, route);
    }
    if (info->rtm_table != RT_TABLE_UNSPEC)
        route->table = info->rtm_table;
    mnl_attr_for_each(attribute, message, sizeof *info) {
        switch (mnl_attr_get_type(attribute)) {
        case RTA_TABLE: /* numbers beyond 255 have no room in the header */
            route->table = nwi_netlink_u32(attribute);
            break;
        case RTA_PRIORITY:
            route->metric = nwi_netlink_u32(attribute);
            break;
        case RTA_METRICS:
            route->mtu = read_mtu(attribute);
            break;
        }
    }
}

nwi_err nwi_route_parse(const void *octets, size_t length, bool match, struct nwi_route *route) {
    const struct nlmsghdr *header = octets; /* one question without acknowledgement: one answer */
    if (length < sizeof *header || header->nlmsg_len < sizeof *header || header->nlmsg_len > length)
        return nwi_posix(EPROTO);
    size_t size = mnl_nlmsg_get_payload_len(header);
    if (header->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *problem = mnl_nlmsg_get_payload(header);
        bool told = size >= sizeof *problem && problem->error < 0;
        return told ? nwi_posix(nwi_netlink_errno(problem->error)) : nwi_posix(EPROTO);
    }
    if (header->nlmsg_type != RTM_NEWROUTE || size < sizeof(struct rtmsg))
        return nwi_posix(EPROTO);
    read_entry(header, match, route);
    return 0;
}

/* --- asking --- */
static void put_address(struct nlmsghdr *header, uint16_t attribute,
                        const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        mnl_attr_put(header, attribute, sizeof(struct in_addr),
                     &((const struct sockaddr_in *)address)->sin_addr);
    else
        mnl_attr_put(header, attribute, sizeof(struct in6_addr),
                     &((const struct sockaddr_in6 *)address)->sin6_addr);
}

static nwi_err send_question(int fd, const struct sockaddr *to, unsigned index,
                             const struct sockaddr *from, unsigned flags) {
    union {
        struct nlmsghdr header;
        char room[256];
    } request = {0};
    struct nlmsghdr *header = mnl_nlmsg_put_header(request.room);
    header->nlmsg_type = RTM_GETROUTE;
    header->nlmsg_flags = NLM_F_REQUEST;
    header->nlmsg_seq = 1;
    struct rtmsg *info = mnl_nlmsg_put_extra_header(header, sizeof *info);
    uint8_t bits = to->sa_family == AF_INET ? 32 : 128;
    info->rtm_family = (unsigned char)to->sa_family;
    info->rtm_dst_len = bits;
    info->rtm_flags = flags | RTM_F_LOOKUP_TABLE; /* else it is always said to be main */
    put_address(header, RTA_DST, to);
    if (from != NULL && from->sa_family == to->sa_family) {
        info->rtm_src_len = bits;
        put_address(header, RTA_SRC, from);
    }
    if (index != 0)
        mnl_attr_put_u32(header, RTA_OIF, index);
    struct iovec piece = {header, header->nlmsg_len};
    size_t sent;
    return nwi_socket_send(fd, &piece, 1, 0, &sent);
}

static nwi_err ask(const struct sockaddr *to, unsigned index, const struct sockaddr *from,
                   unsigned flags, struct nwi_route *route) {
    int fd;
    union answer answer;
    struct iovec piece = {&answer, sizeof answer};
    size_t received = 0;
    bool pending;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    nwi_err err = nwi_socket_open(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &fd);
    if (err != 0)
        return err;
    /* Connected to the kernel (port 0): nobody else can put an answer in here. */
    err = nwi_socket_connect(fd, (struct sockaddr *)&kernel, sizeof kernel, &pending);
    if (err == 0)
        err = send_question(fd, to, index, from, flags);
    if (err ==
        0) /* answered while the question was taken: would-block is an error like any other */
        err = nwi_socket_recv(fd, &piece, 1, 0, &received);
    nwi_socket_close(fd);
    return err != 0 ? err : nwi_route_parse(&answer, received, flags & RTM_F_FIB_MATCH, route);
}

/* A route that refuses is told as the error that a packet would meet. */
static uint8_t refusing_type(nwi_err err) {
    if (err == nwi_posix(EHOSTUNREACH))
        return RTN_UNREACHABLE;
    if (err == nwi_posix(EACCES))
        return RTN_PROHIBIT;
    return err == nwi_posix(EINVAL) ? RTN_BLACKHOLE : RTN_UNSPEC;
}

nwi_err nwi_route_lookup(const struct sockaddr *to, unsigned interface_index,
                         const struct sockaddr *from, struct nwi_route *ret_route) {
    struct nwi_route route = {0};
    if (to->sa_family != AF_INET && to->sa_family != AF_INET6)
        return nwi_posix(EAFNOSUPPORT);
    if (to->sa_family == AF_INET6 && interface_index == 0)
        interface_index = ((const struct sockaddr_in6 *)to)->sin6_scope_id;
    nwi_err err = ask(to, interface_index, from, 0, &route);
    if (refusing_type(err) != RTN_UNSPEC) {
        *ret_route = (struct nwi_route){.type = refusing_type(err)};
        return 0;
    }
    if (err != 0)
        return err;
    /* Only what is known better by it; without it the answer stands. */
    (void)ask(to, interface_index, from, RTM_F_FIB_MATCH, &route);
    *ret_route = route;
    return 0;
}

nwi_err nwi_route_leads(const struct sockaddr *to, unsigned interface_index) {
    struct nwi_route route = {0};
    if (to->sa_family != AF_INET && to->sa_family != AF_INET6)
        return nwi_posix(EAFNOSUPPORT);
    return ask(to, interface_index, NULL, RTM_F_FIB_MATCH, &route);
}
