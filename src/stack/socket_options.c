/*
 * socket_options.c - see socket_options.h.
 */
#include "stack/socket_options.h"
#include "base/log.h"
#include "model/ip_options.h"
#include "model/udp_options.h"
#include "sys/address.h"
#include "sys/sockets.h"
#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/ip.h>

/* RFC 4594 figure 3, RFC 8622 (lower effort); priority as SO_PRIORITY orders it (0 best effort, 6
 * interactive). */
static const struct {
    uint8_t dscp;
    int priority;
} service_classes[] = {
    [nw_service_class_best_effort] = {0, 0},        [nw_service_class_background] = {1, 1},
    [nw_service_class_interactive_video] = {34, 5}, /* AF41 */
    [nw_service_class_interactive_voice] = {46, 6}, /* EF */
    [nw_service_class_responsive_data] = {18, 2},   /* AF21 */
    [nw_service_class_signaling] = {40, 4},         /* CS5 */
};

uint8_t nwi_service_class_dscp(nw_service_class_t service_class) {
    return (unsigned)service_class < sizeof service_classes / sizeof service_classes[0]
               ? service_classes[service_class].dscp
               : 0;
}

int nwi_service_class_priority(nw_service_class_t service_class) {
    return (unsigned)service_class < sizeof service_classes / sizeof service_classes[0]
               ? service_classes[service_class].priority
               : 0;
}

void nwi_socket_tune(int fd, int level, int name, int value, const char *what) {
    nwi_err err = nwi_socket_set_int(fd, level, name, value);
    char text[160];
    if (err != 0)
        nwi_log(NWI_LOG_NOTICE, "socket", "option", "%s = %d was refused: %s", what, value,
                nwi_err_format(err, text, sizeof text));
}

/* Settings that IPv4 and IPv6 both have, for values that mean the same in both. */
static const struct setting {
    int name4, name6;
    const char *text4, *text6;
} traffic_class = {IP_TOS, IPV6_TCLASS, "IP_TOS", "IPV6_TCLASS"},
  hop_limit = {IP_TTL, IPV6_UNICAST_HOPS, "IP_TTL", "IPV6_UNICAST_HOPS"},
  multicast_hops = {IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, "IP_MULTICAST_TTL",
                    "IPV6_MULTICAST_HOPS"},
  multicast_loop = {IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, "IP_MULTICAST_LOOP",
                    "IPV6_MULTICAST_LOOP"},
  mtu_discover = {IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, "IP_MTU_DISCOVER", "IPV6_MTU_DISCOVER"};

/* An AF_INET6 socket sends IPv4 to peers with mapped addresses, by settings of its own: ipv6(7). */
static void tune_ip(int fd, int family, const struct setting *setting, int value) {
    if (family == AF_INET6)
        nwi_socket_tune(fd, IPPROTO_IPV6, setting->name6, value, setting->text6);
    nwi_socket_tune(fd, IPPROTO_IP, setting->name4, value, setting->text4);
}

static void set_service_class(int fd, int family, nw_service_class_t service_class) {
    if (service_class == nw_service_class_best_effort)
        return; /* what a socket has from birth */
    tune_ip(fd, family, &traffic_class, nwi_service_class_dscp(service_class) << 2);
    /* after IP_TOS, which sets a priority of the kernel's own choice */
    nwi_socket_tune(fd, SOL_SOCKET, SO_PRIORITY, service_classes[service_class].priority,
                    "SO_PRIORITY");
}

/* Datagrams are not fragmented unless the client says so: what is too large fails with EMSGSIZE. A
 * stream is left to the system, which finds the path's MTU by itself. */
static void set_fragmentation(int fd, int family, const struct nwi_ip_options *ip, bool datagrams) {
    if (ip->use_minimum_mtu && family == AF_INET6 && datagrams)
        nwi_socket_tune(fd, IPPROTO_IPV6, IPV6_MTU, NWI_IPV6_MINIMUM_MTU, "IPV6_MTU");
    if (!ip->fragmentation_set && !datagrams)
        return;
    bool disable = ip->fragmentation_set ? ip->disable_fragmentation : true;
    tune_ip(fd, family, &mtu_discover, disable ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
}

static void set_address_preference(int fd, nw_ip_local_address_preference_t preference) {
    if (preference == nw_ip_local_address_preference_default)
        return;
    nwi_socket_tune(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, /* RFC 5014 section 5 */
                    preference == nw_ip_local_address_preference_temporary ? IPV6_PREFER_SRC_TMP
                                                                           : IPV6_PREFER_SRC_PUBLIC,
                    "IPV6_ADDR_PREFERENCES");
}

void nwi_socket_apply_ip_options(int fd, int family, nw_parameters_t parameters) {
    const struct nwi_ip_options *ip = nwi_ip_options(parameters->stack->internet);
    if (family != AF_INET && family != AF_INET6)
        return;
    set_service_class(fd, family, parameters->service_class);
    if (ip == NULL)
        return;
    if (ip->hop_limit != 0) {
        tune_ip(fd, family, &hop_limit, ip->hop_limit);
        tune_ip(fd, family, &multicast_hops, ip->hop_limit); /* 1 without this: ip(7) */
    }
    set_fragmentation(fd, family, ip, nwi_udp_options(parameters->stack->transport) != NULL);
    if (family == AF_INET6)
        set_address_preference(fd, ip->local_address_preference);
    if (ip->disable_multicast_loopback)
        tune_ip(fd, family, &multicast_loop, 0);
}

bool nwi_is_dual_stack(nw_parameters_t parameters, const struct sockaddr *local) {
    const struct nwi_ip_options *ip = nwi_ip_options(parameters->stack->internet);
    return local->sa_family == AF_INET6 && nwi_address_is_any(local) &&
           (ip == NULL || ip->version == nw_ip_version_any);
}
