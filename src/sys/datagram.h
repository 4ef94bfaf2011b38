/*
 * datagram.h - datagrams with what the kernel knows about each: addresses, ECN, hop limit, time of
 * arrival.
 * What:   one or many at a time, over the table in sys/table.h.
 * Source: ip(7), ipv6(7), socket(7), recvmmsg(2); RFC 3542 (IPv6 control data), RFC 3168 section 5
 *         (ECN).
 * Runs:   any thread; nothing blocks.
 */
#ifndef NWI_SYS_DATAGRAM_H
#define NWI_SYS_DATAGRAM_H

#include "sys/sockets.h"

/* What to ask the kernel for (nwi_datagram_enable). Errors of an option that the family does not
 * know are returned. */
enum nwi_datagram_info_flags {
    NWI_DATAGRAM_TOS = 1, /* traffic class octet: DSCP and ECN */
    NWI_DATAGRAM_HOP_LIMIT = 2,
    NWI_DATAGRAM_TIME = 4,  /* kernel time stamp */
    NWI_DATAGRAM_LOCAL = 8, /* address it was sent to, interface it came in by */
};
/* family: that of the socket. An AF_INET6 socket that also takes IPv4 gets the IPv4 options too. */
nwi_err nwi_datagram_enable(int fd, int family, unsigned flags);

struct nwi_datagram {
    struct iovec data;            /* in: room; iov_base borrowed */
    size_t length;                /* out: octets received */
    struct sockaddr_storage peer; /* out */
    socklen_t peer_length;
    struct sockaddr_storage local; /* out: ss_family 0 when not enabled; port always 0 */
    unsigned interface_index;      /* out: 0 = unknown */
    uint64_t time;                 /* out: CLOCK_MONOTONIC_RAW nanoseconds; 0 = not enabled */
    uint8_t tos;                   /* out: ECN = the low two bits */
    uint8_t hop_limit;             /* out: 0 = unknown */
    bool truncated;                /* out: did not fit `data`; the rest is lost */
};
/* Receives one. Errors: would-block, ECONNREFUSED (an ICMP answer to what was sent before), ... */
nwi_err nwi_datagram_recv(int fd, struct nwi_datagram *datagram);
enum { NWI_DATAGRAM_BATCH = 16 }; /* most that one call moves */
/* Receives up to `count` without waiting; *ret_count >= 1 on success. */
nwi_err nwi_datagram_recv_many(int fd, struct nwi_datagram *datagrams, size_t count,
                               size_t *ret_count);

/* Zero = the socket's own settings. */
struct nwi_datagram_to {
    const struct sockaddr *peer; /* NULL: the socket is connected */
    socklen_t peer_length;
    const struct sockaddr *local; /* source address to use, or NULL */
    unsigned interface_index;     /* 0: routed */
    bool set_tos, set_hop_limit;
    uint8_t tos, hop_limit;
};
/* Sends the pieces as one datagram, whole or not at all. `to` may be NULL. Errors: would-block,
 * EMSGSIZE, ECONNREFUSED, ENETUNREACH, ENETDOWN, EPERM (a firewall), ... */
nwi_err nwi_datagram_send(int fd, const struct iovec *pieces, size_t count,
                          const struct nwi_datagram_to *to);
struct nwi_datagram_out {
    const struct iovec *pieces;
    size_t count;
    const struct nwi_datagram_to *to; /* or NULL */
};
/* Sends up to `count` datagrams, in order; *ret_sent >= 1 on success. Errors: those of the first
 * one, and then none was sent. */
nwi_err nwi_datagram_send_many(int fd, const struct nwi_datagram_out *out, size_t count,
                               size_t *ret_sent);

#endif
