/*
 * tcp_options.c - TCP options as socket options; see tcp.h.
 * Source: tcp(7), socket(7).
 */
#include "model/tcp_options.h"
#include "base/log.h"
#include "model/ip_options.h"
#include "protocol/tcp/tcp.h"
#include "stack/socket_options.h"
#include "sys/sockets.h"
#include <netinet/tcp.h>

void nwi_tcp_tune(int fd, int name, int value, const char *what) {
    nwi_socket_tune(fd, IPPROTO_TCP, name, value, what);
}

static void set_keepalive(int fd, const struct nwi_tcp_options *tcp) {
    if (!tcp->enable_keepalive)
        return;
    nwi_socket_tune(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
    if (tcp->keepalive_idle_time != 0)
        nwi_tcp_tune(fd, TCP_KEEPIDLE, (int)tcp->keepalive_idle_time, "TCP_KEEPIDLE");
    if (tcp->keepalive_interval != 0)
        nwi_tcp_tune(fd, TCP_KEEPINTVL, (int)tcp->keepalive_interval, "TCP_KEEPINTVL");
    if (tcp->keepalive_count != 0)
        nwi_tcp_tune(fd, TCP_KEEPCNT, (int)tcp->keepalive_count, "TCP_KEEPCNT");
}

/* Linux has one limit for unacknowledged data and zero windows (TCP_USER_TIMEOUT, ms): the shorter
 * wish holds. */
static void set_drop_time(int fd, const struct nwi_tcp_options *tcp) {
    uint32_t seconds = tcp->retransmit_connection_drop_time;
    if (tcp->persist_timeout != 0 && (seconds == 0 || tcp->persist_timeout < seconds))
        seconds = tcp->persist_timeout;
    if (seconds != 0)
        nwi_tcp_tune(fd, TCP_USER_TIMEOUT,
                     seconds < INT32_MAX / 1000 ? (int)seconds * 1000 : INT32_MAX,
                     "TCP_USER_TIMEOUT");
}

/* The largest segment (octets of content): the program's wish, and no more than fills the smallest
 * MTU of IPv6 where it asked for that (RFC 9293 section 3.7.1: MTU less both headers). */
static void set_segment_size(int fd, int family, const struct nwi_tcp_options *tcp,
                             const struct nwi_ip_options *ip) {
    enum { IPV6_AND_TCP_HEADERS = 60 };
    uint32_t size = tcp != NULL ? tcp->maximum_segment_size : 0;
    uint32_t minimum = NWI_IPV6_MINIMUM_MTU - IPV6_AND_TCP_HEADERS;
    if (ip != NULL && ip->use_minimum_mtu && family == AF_INET6 && (size == 0 || size > minimum))
        size = minimum;
    if (size != 0)
        nwi_tcp_tune(fd, TCP_MAXSEG, (int)size, "TCP_MAXSEG");
}

/* What Linux decides for the whole host, or not at all. docs/coverage.md lists these. */
static void report_unsupported(const struct nwi_tcp_options *tcp) {
    const struct {
        bool asked;
        const char *name, *why;
    } options[] = {
        {tcp->no_options, "no_options", "Linux has no socket option for it"},
        {tcp->retransmit_fin_drop, "retransmit_fin_drop",
         "Linux bounds FIN_WAIT for the whole host"},
        {tcp->disable_ecn, "disable_ecn", "Linux decides by net.ipv4.tcp_ecn"},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].asked)
            nwi_log(NWI_LOG_NOTICE, "tcp", "option", "%s has no effect: %s", options[i].name,
                    options[i].why);
}

nwi_err nwi_tcp_apply_options(int fd, int family, nw_parameters_t parameters) {
    const struct nwi_tcp_options *tcp = nwi_tcp_options(parameters->stack->transport);
    if (family == AF_UNIX)
        return 0;
    nwi_socket_apply_ip_options(fd, family, parameters);
    set_segment_size(fd, family, tcp, nwi_ip_options(parameters->stack->internet));
    if (tcp == NULL)
        return 0;
    /* Flights of a handshake and the first content are small writes one after the other: each would
     * wait for the peer's delayed acknowledgement of the one before (RFC 1122 section 4.2.3.2). TLS
     * gathers small content by itself. */
    if (tcp->no_delay || parameters->stack->application_count > 0)
        nwi_tcp_tune(fd, TCP_NODELAY, 1, "TCP_NODELAY");
    if (tcp->no_push)
        nwi_tcp_tune(fd, TCP_CORK, 1, "TCP_CORK");
    if (tcp->disable_ack_stretching)
        nwi_tcp_tune(fd, TCP_QUICKACK, 1, "TCP_QUICKACK");
    set_keepalive(fd, tcp);
    set_drop_time(fd, tcp);
    report_unsupported(tcp);
    if (nw_parameters_get_reuse_local_address(parameters))
        return nwi_socket_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return 0;
}
