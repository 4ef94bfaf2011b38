/*
 * tcp_info.h - what the kernel knows about the transfer of one TCP socket.
 * What:   the counters and round-trip times of TCP_INFO, in plain units.
 * Source: tcp(7), TCP_INFO; the comments of <linux/tcp.h>.
 * Runs:   any thread; does not block.
 */
#ifndef NWI_SYS_TCP_INFO_H
#define NWI_SYS_TCP_INFO_H

#include "base/clock.h"
#include "base/err.h"
#include <stdbool.h>

/* Counted from the beginning of the connection. A number that an older kernel does not tell is 0.
 */
struct nwi_tcp_info {
    uint64_t segments_in, segments_out; /* all of them, those without octets too */
    uint64_t octets_in;                 /* in order, each octet once; the FIN counts as one */
    bool fin_in;                        /* it has come, and is counted; false when closed since */
    uint64_t octets_out;                /* those sent again count again */
    uint64_t octets_out_again;          /* of these, those sent again */
    uint64_t segments_out_of_order;     /* received */
    uint32_t segment_in;                /* octets of a typical segment received */
    nwi_ns rtt, rtt_deviation;          /* smoothed; 0: not measured yet */
    nwi_ns rtt_min;                     /* 0: not measured yet */
};

/* Errors: EOPNOTSUPP, ENOPROTOOPT (no TCP socket, as those of AF_UNIX), EBADF. */
nwi_err nwi_socket_tcp_info(int fd, struct nwi_tcp_info *ret_info);

#endif
