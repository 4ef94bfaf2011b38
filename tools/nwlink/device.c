/*
 * device.c - network interfaces: made, set up, given addresses and routes.
 * Source: the kernel's Documentation/networking/tuntap.rst; netdevice(7), rtnetlink(7),
 *         packet(7).
 * Runs:   in the only thread of nwlink, in the namespace that it is in for the moment.
 */
#include "device.h"

#include "conditions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET_ROOM = 4000000 }; /* octets of packets that wait until we are scheduled */

struct address {
    int family;
    uint8_t octets[16];
    size_t size;
    unsigned prefix;
};

static bool fail(char *why, const char *doing, const char *name, int error) {
    snprintf(why, NWLINK_WHY, "cannot %s '%.60s': %s%s", doing, name, strerror(error),
             nwlink_rights_hint(error));
    return false;
}

int nwlink_device_make(char *name, bool tap, char *why) {
    struct ifreq request = {.ifr_flags = (short)((tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI)};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        snprintf(why, NWLINK_WHY, "cannot open /dev/net/tun: %s%s", strerror(errno),
                 errno == ENOENT || errno == ENODEV ? "; is the kernel's module 'tun' there?"
                                                    : nwlink_rights_hint(errno));
        return -1;
    }
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(fd, TUNSETIFF, &request) != 0) {
        fail(why, "make the interface", name, errno);
        close(fd);
        return -1;
    }
    snprintf(name, IFNAMSIZ, "%s", request.ifr_name);
    return fd;
}

int nwlink_device_carrier(int fd, bool carrier) {
    int value = carrier;
    return ioctl(fd, TUNSETCARRIER, &value) == 0 ? 0 : errno;
}

/* One ioctl on an interface; 0 or the error. */
static int control(unsigned long what, struct ifreq *request, const char *name) {
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        return errno;
    snprintf(request->ifr_name, sizeof request->ifr_name, "%s", name);
    int error = ioctl(s, what, request) == 0 ? 0 : errno;
    close(s);
    return error;
}

bool nwlink_device_up(const char *name, unsigned mtu, unsigned queue, char *why) {
    struct ifreq request = {.ifr_mtu = (int)mtu};
    int error = mtu == 0 ? 0 : control(SIOCSIFMTU, &request, name);
    if (error != 0)
        return fail(why, "set the MTU of", name, error);
    request = (struct ifreq){.ifr_qlen = (int)queue};
    if (queue != 0)
        control(SIOCSIFTXQLEN, &request, name); /* not in a user's own namespace: goes without */
    request = (struct ifreq){0};
    error = control(SIOCGIFFLAGS, &request, name);
    if (error == 0) {
        request.ifr_flags |= IFF_UP;
        error = control(SIOCSIFFLAGS, &request, name);
    }
    return error == 0 || fail(why, "bring up", name, error);
}

unsigned nwlink_device_mtu(const char *name, char *why) {
    struct ifreq request = {0};
    int error = control(SIOCGIFMTU, &request, name);
    if (error == 0)
        return (unsigned)request.ifr_mtu;
    fail(why, "use the interface", name, error);
    return 0;
}

/* A packet socket of the interface; it receives only with a protocol. */
static int open_packet_socket(const char *name, uint16_t protocol, char *why) {
    int s = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(protocol),
                                  .sll_ifindex = (int)if_nametoindex(name)};
    int room = SOCKET_ROOM, yes = 1;
    if (s < 0) {
        fail(why, "open a packet socket for", name, errno);
        return -1;
    }
    setsockopt(s, SOL_SOCKET, SO_RCVBUF, &room, sizeof room); /* as far as it may */
    setsockopt(s, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if ((protocol != 0 &&
         (setsockopt(s, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof yes) != 0 ||
          setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) != 0)) ||
        bind(s, (struct sockaddr *)&address, sizeof address) != 0) {
        fail(why, "open", name, errno);
        close(s);
        return -1;
    }
    return s;
}

int nwlink_device_listen(const char *name, char *why) {
    struct packet_mreq all = {.mr_ifindex = (int)if_nametoindex(name),
                              .mr_type = PACKET_MR_PROMISC};
    int s = open_packet_socket(name, ETH_P_ALL, why);
    if (s >= 0 && setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) != 0) {
        fail(why, "read all packets of", name, errno);
        close(s);
        return -1;
    }
    return s;
}

int nwlink_device_send(const char *name, char *why) {
    return open_packet_socket(name, 0, why);
}

static bool read_address(const char *text, struct address *address) {
    char host[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "/");
    if (length >= sizeof host)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    address->family = strchr(host, ':') != NULL ? AF_INET6 : AF_INET;
    address->size = address->family == AF_INET6 ? 16 : 4;
    address->prefix = (unsigned)address->size * 8;
    if (inet_pton(address->family, host, address->octets) != 1)
        return false;
    if (text[length] == '\0')
        return true;
    const char *prefix = text + length + 1;
    char *end;
    unsigned long value = strtoul(prefix, &end, 10);
    if (*prefix < '0' || *prefix > '9' || *end != '\0' || value > address->prefix)
        return false;
    address->prefix = (unsigned)value;
    return true;
}

bool nwlink_address_is_valid(const char *text) {
    struct address address;
    return read_address(text, &address);
}

/* Sends the request and waits for the kernel's word; 0 or the error. */
static int ask_kernel(struct nlmsghdr *request) {
    char answer[1024];
    struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (s == NULL)
        return errno;
    request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    request->nlmsg_seq = 1;
    int error = EPROTO;
    ssize_t size = -1;
    if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) == 0 &&
        mnl_socket_sendto(s, request, request->nlmsg_len) >= 0)
        size = mnl_socket_recvfrom(s, answer, sizeof answer);
    if (size < 0)
        error = errno;
    else if (mnl_cb_run(answer, (size_t)size, 1, mnl_socket_get_portid(s), NULL, NULL) >= 0)
        error = 0;
    else
        error = errno;
    mnl_socket_close(s);
    return error;
}

bool nwlink_device_address(const char *name, const char *text, char *why) {
    char room[512];
    struct address address;
    if (!read_address(text, &address)) {
        snprintf(why, NWLINK_WHY, "'%.60s' is not ADDRESS/PREFIX", text);
        return false;
    }
    struct nlmsghdr *header = mnl_nlmsg_put_header(room);
    header->nlmsg_type = RTM_NEWADDR;
    header->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
    struct ifaddrmsg *message = mnl_nlmsg_put_extra_header(header, sizeof *message);
    message->ifa_family = (uint8_t)address.family;
    message->ifa_prefixlen = (uint8_t)address.prefix;
    message->ifa_flags = address.family == AF_INET6 ? IFA_F_NODAD : 0;
    message->ifa_index = if_nametoindex(name);
    mnl_attr_put(header, IFA_LOCAL, address.size, address.octets);
    mnl_attr_put(header, IFA_ADDRESS, address.size, address.octets);
    int error = ask_kernel(header);
    return error == 0 || fail(why, "set the address", text, error);
}

bool nwlink_device_route(const char *name, const char *gateway, char *why) {
    char room[512];
    struct address address;
    if (!read_address(gateway, &address)) {
        snprintf(why, NWLINK_WHY, "'%.60s' is not an address", gateway);
        return false;
    }
    struct nlmsghdr *header = mnl_nlmsg_put_header(room);
    header->nlmsg_type = RTM_NEWROUTE;
    header->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
    struct rtmsg *message = mnl_nlmsg_put_extra_header(header, sizeof *message);
    message->rtm_family = (uint8_t)address.family;
    message->rtm_table = RT_TABLE_MAIN;
    message->rtm_protocol = RTPROT_STATIC;
    message->rtm_scope = RT_SCOPE_UNIVERSE;
    message->rtm_type = RTN_UNICAST;
    mnl_attr_put(header, RTA_GATEWAY, address.size, address.octets);
    mnl_attr_put_u32(header, RTA_OIF, if_nametoindex(name));
    int error = ask_kernel(header);
    return error == 0 || fail(why, "route by", gateway, error);
}
