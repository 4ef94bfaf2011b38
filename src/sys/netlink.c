/*
 * netlink.c - rtnetlink dumps and change messages.
 * What:   libmnl builds and reads the messages; the socket calls are those of the table.
 * Source: rtnetlink(7), netlink(7); RFC 3549 section 2.3.
 * Runs:   any thread.
 * Owns:   a socket during each dump; the subscription's descriptor is the caller's.
 */
#include "sys/netlink.h"
#include "sys/netlink_message.h"
#include "sys/sockets.h"
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

enum {
    DUMP_TRIES = 3,
    OVERRUNS_MAX = 16, /* of one drain: it is told once an overrun */
};

static nwi_err open_netlink(unsigned groups, int *ret_fd) {
    int fd;
    nwi_err err = nwi_socket_open(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &fd);
    if (err != 0)
        return err;
    struct sockaddr_nl own = {.nl_family = AF_NETLINK, .nl_groups = groups};
    err = nwi_socket_bind(fd, (struct sockaddr *)&own, sizeof own);
    if (err != 0) {
        nwi_socket_close(fd);
        return err;
    }
    *ret_fd = fd;
    return 0;
}

static nwi_err request_dump(int fd, uint16_t type) {
    union {
        struct nlmsghdr header;
        char room[64];
    } request = {0};
    struct nlmsghdr *header = mnl_nlmsg_put_header(request.room);
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = 1;
    if (type == RTM_GETLINK) { /* the counters, two thirds of the answer, may stay away */
        mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
        mnl_attr_put_u32(header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    } else {
        mnl_nlmsg_put_extra_header(header, sizeof(struct rtgenmsg)); /* of all families */
    }
    struct iovec piece = {header, header->nlmsg_len};
    size_t sent;
    return nwi_socket_send(fd, &piece, 1, 0, &sent);
}

struct dump {
    void (*each)(struct dump *dump, const struct nlmsghdr *message);
    void (*report)(void *context, const void *entry);
    void *context;
};

/* *ret_done: the end of the list was reached; *interrupted: it changed while being read
 * (netlink(7), NLM_F_DUMP_INTR). */
static nwi_err read_part(struct dump *dump, int fd, bool *interrupted, bool *ret_done) {
    union nwi_netlink_datagram message;
    size_t size;
    nwi_err err = nwi_netlink_receive(fd, &message, &size);
    if (err != 0)
        return err;
    int left = (int)size;
    for (const struct nlmsghdr *header = &message.header; nwi_netlink_is_whole(header, left);
         header = mnl_nlmsg_next(header, &left)) {
        if (header->nlmsg_flags & NLM_F_DUMP_INTR)
            *interrupted = true;
        if (header->nlmsg_type == NLMSG_DONE) {
            *ret_done = true;
            return 0;
        }
        if (header->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *problem = mnl_nlmsg_get_payload(header);
            if (mnl_nlmsg_get_payload_len(header) < sizeof *problem || problem->error == 0)
                return nwi_posix(EPROTO);
            return nwi_posix(nwi_netlink_errno(problem->error));
        }
        dump->each(dump, header);
    }
    return 0;
}

/* The kernel prepares the first part while it takes the request, and each later part while the one
 * before is read, so the socket is never empty before the end: would-block here is an error like
 * any other. */
static nwi_err run_dump(struct dump *dump, uint16_t type) {
    bool interrupted = false;
    for (int try = 0; try < DUMP_TRIES; try++) {
        int fd;
        nwi_err err = open_netlink(0, &fd);
        if (err != 0)
            return err;
        bool done = false;
        interrupted = false;
        err = request_dump(fd, type);
        while (err == 0 && !done)
            err = read_part(dump, fd, &interrupted, &done);
        nwi_socket_close(fd);
        if (err != 0 || !interrupted)
            return err;
    }
    return nwi_posix(EBUSY);
}

/* --- links --- */
static void copy_name(char *to, size_t size, const struct nlattr *attribute) {
    size_t length = mnl_attr_get_payload_len(attribute);
    if (length >= size)
        length = size - 1;
    memcpy(to, mnl_attr_get_payload(attribute), length);
    to[length] = '\0';
}

static void each_link(struct dump *dump, const struct nlmsghdr *message) {
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
    if (message->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(message) < sizeof *info)
        return;
    struct nwi_link link = {
        .index = (unsigned)info->ifi_index, .flags = info->ifi_flags, .arp_type = info->ifi_type};
    const struct nlattr *attribute, *inner;
    mnl_attr_for_each(attribute, message, sizeof *info) {
        switch (mnl_attr_get_type(attribute)) {
        case IFLA_IFNAME:
            copy_name(link.name, sizeof link.name, attribute);
            break;
        case IFLA_MTU:
            link.mtu = nwi_netlink_u32(attribute);
            break;
        case IFLA_LINKINFO:
            mnl_attr_for_each_nested(inner, attribute) {
                if (mnl_attr_get_type(inner) == IFLA_INFO_KIND)
                    copy_name(link.kind, sizeof link.kind, inner);
            }
            break;
        }
    }
    dump->report(dump->context, &link);
}

/* --- addresses --- */
static void each_address(struct dump *dump, const struct nlmsghdr *message) {
    const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
    if (message->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(message) < sizeof *info)
        return;
    struct nwi_link_address entry = {
        .index = info->ifa_index, .prefix_length = info->ifa_prefixlen, .flags = info->ifa_flags};
    const struct nlattr *attribute, *local = NULL, *address = NULL;
    mnl_attr_for_each(attribute, message, sizeof *info) {
        switch (mnl_attr_get_type(attribute)) {
        case IFA_LOCAL:
            local = attribute;
            break;
        case IFA_ADDRESS:
            address = attribute;
            break;
        case IFA_FLAGS:
            entry.flags = nwi_netlink_u32(attribute);
            break;
        }
    }
    /* On a point-to-point link IFA_ADDRESS is the peer's; IFA_LOCAL, where present, is always ours.
     */
    if (local == NULL)
        local = address;
    if (local != NULL && nwi_netlink_address(local, info->ifa_family, entry.index, &entry.address))
        dump->report(dump->context, &entry);
}

/* --- routes --- */
static bool is_default_route(const struct nlmsghdr *message) {
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    return mnl_nlmsg_get_payload_len(message) >= sizeof *info && info->rtm_dst_len == 0 &&
           info->rtm_type == RTN_UNICAST &&
           (info->rtm_family == AF_INET || info->rtm_family == AF_INET6);
}

static void take_gateway(struct nwi_default_route *route, const struct nlattr *attribute) {
    if (mnl_attr_get_type(attribute) == RTA_GATEWAY)
        nwi_netlink_address(attribute, route->family, route->index, &route->gateway);
    else if (mnl_attr_get_type(attribute) == RTA_VIA)
        nwi_netlink_via(attribute, route->index, &route->gateway);
}

/* One route over several links: each next hop is reported as a route of its own. */
static void each_hop(struct dump *dump, const struct nwi_default_route *common,
                     const struct nlattr *multipath) {
    const char *position = mnl_attr_get_payload(multipath);
    size_t left = mnl_attr_get_payload_len(multipath);
    while (left >= sizeof(struct rtnexthop)) {
        const struct rtnexthop *hop = (const struct rtnexthop *)(const void *)position;
        if (hop->rtnh_len < sizeof *hop || hop->rtnh_len > left)
            return;
        struct nwi_default_route route = *common;
        route.index = (unsigned)hop->rtnh_ifindex;
        const struct nlattr *attribute = (const struct nlattr *)(const void *)(hop + 1);
        const char *end = position + hop->rtnh_len;
        for (; mnl_attr_ok(attribute, (int)(end - (const char *)attribute));
             attribute = mnl_attr_next(attribute))
            take_gateway(&route, attribute);
        dump->report(dump->context, &route);
        size_t step = RTNH_ALIGN(hop->rtnh_len);
        if (step > left)
            return;
        position += step;
        left -= step;
    }
}

static void each_route(struct dump *dump, const struct nlmsghdr *message) {
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    if (message->nlmsg_type != RTM_NEWROUTE || !is_default_route(message))
        return;
    struct nwi_default_route route = {.family = info->rtm_family};
    uint32_t table = info->rtm_table;
    const struct nlattr *attribute, *multipath = NULL;
    mnl_attr_for_each(attribute, message,
                      sizeof *info) { /* the link first: a gateway's scope needs it */
        switch (mnl_attr_get_type(attribute)) {
        case RTA_OIF:
            route.index = nwi_netlink_u32(attribute);
            break;
        case RTA_PRIORITY:
            route.metric = nwi_netlink_u32(attribute);
            break;
        case RTA_TABLE:
            table = nwi_netlink_u32(attribute);
            break;
        case RTA_MULTIPATH:
            multipath = attribute;
            break;
        }
    }
    if (table != RT_TABLE_MAIN)
        return;
    if (multipath != NULL) {
        each_hop(dump, &route, multipath);
        return;
    }
    mnl_attr_for_each(attribute, message, sizeof *info) take_gateway(&route, attribute);
    if (route.index != 0)
        dump->report(dump->context, &route);
}

/* --- the face --- */
struct link_reader {
    void (*each)(void *context, const struct nwi_link *link);
    void *context;
};
static void report_link(void *context, const void *entry) {
    struct link_reader *reader = context;
    reader->each(reader->context, entry);
}
nwi_err nwi_netlink_links(void (*each)(void *context, const struct nwi_link *link), void *context) {
    struct link_reader reader = {each, context};
    struct dump dump = {each_link, report_link, &reader};
    return run_dump(&dump, RTM_GETLINK);
}

struct address_reader {
    void (*each)(void *context, const struct nwi_link_address *address);
    void *context;
};
static void report_address(void *context, const void *entry) {
    struct address_reader *reader = context;
    reader->each(reader->context, entry);
}
nwi_err nwi_netlink_addresses(void (*each)(void *context, const struct nwi_link_address *address),
                              void *context) {
    struct address_reader reader = {each, context};
    struct dump dump = {each_address, report_address, &reader};
    return run_dump(&dump, RTM_GETADDR);
}

struct route_reader {
    void (*each)(void *context, const struct nwi_default_route *route);
    void *context;
};
static void report_route(void *context, const void *entry) {
    struct route_reader *reader = context;
    reader->each(reader->context, entry);
}
nwi_err nwi_netlink_default_routes(void (*each)(void *context,
                                                const struct nwi_default_route *route),
                                   void *context) {
    struct route_reader reader = {each, context};
    struct dump dump = {each_route, report_route, &reader};
    return run_dump(&dump, RTM_GETROUTE);
}

nwi_err nwi_netlink_subscribe(int *ret_fd) {
    return open_netlink(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                            RTMGRP_IPV6_ROUTE,
                        ret_fd);
}

static bool is_relevant(const struct nlmsghdr *message) {
    switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_NEWADDR:
    case RTM_DELADDR:
        return true;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        return is_default_route(message);
    default:
        return false;
    }
}

/* A route to some place: by it an address becomes reachable or is no more. Copies that the kernel
 * makes for single destinations, and its tables of own addresses, are none. */
static bool is_way(const struct nlmsghdr *message) {
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    return (message->nlmsg_type == RTM_NEWROUTE || message->nlmsg_type == RTM_DELROUTE) &&
           mnl_nlmsg_get_payload_len(message) >= sizeof *info && info->rtm_table == RT_TABLE_MAIN &&
           !(info->rtm_flags & RTM_F_CLONED) && !is_default_route(message);
}

nwi_err nwi_netlink_drain(int fd, bool *ret_changed, bool *ret_ways) {
    union nwi_netlink_datagram message;
    size_t size;
    bool changed = false, ways = false;
    int overruns = 0;
    for (;;) {
        nwi_err err = nwi_netlink_receive(fd, &message, &size);
        if (err == nwi_posix(ENOBUFS) &&
            overruns++ <
                OVERRUNS_MAX) { /* the kernel dropped some: netlink(7) asks for a fresh dump */
            changed = ways = true;
            continue;
        }
        if (nwi_err_would_block(err)) {
            *ret_changed = changed;
            *ret_ways = ways;
            return 0;
        }
        if (err != 0)
            return err;
        int left = (int)size;
        for (const struct nlmsghdr *header = &message.header; nwi_netlink_is_whole(header, left);
             header = mnl_nlmsg_next(header, &left)) {
            changed = changed || is_relevant(header);
            ways = ways || is_way(header);
        }
    }
}
