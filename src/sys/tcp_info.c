/*
 * tcp_info.c - see tcp_info.h.
 * Runs:   any thread.
 * Owns:   nothing.
 * Note:   a file of its own because <linux/tcp.h>, the only header with the newer fields, does not
 *         go together with <netinet/tcp.h>.
 */
#include "sys/tcp_info.h"
#include "sys/sockets.h"
#include <linux/tcp.h>
#include <netinet/in.h>

enum { NEVER_MEASURED = UINT32_MAX }; /* how the kernel spells it for the minimum */

static nwi_ns microseconds(uint32_t value) {
    return (nwi_ns)value * 1000;
}

/* RFC 9293 section 3.3.2, in the kernel's numbers (its enum is not in <linux/tcp.h>): the states
 * that a FIN of the peer's leads to. */
static bool has_fin(unsigned state) {
    enum { TIME_WAIT = 6, CLOSE_WAIT = 8, LAST_ACK = 9, CLOSING = 11 };
    return state == TIME_WAIT || state == CLOSE_WAIT || state == LAST_ACK || state == CLOSING;
}

nwi_err nwi_socket_tcp_info(int fd, struct nwi_tcp_info *ret_info) {
    struct tcp_info info = {0}; /* an older kernel fills in less of it */
    size_t size = sizeof info;
    nwi_err err = nwi_socket_get(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    if (err != 0)
        return err;
    bool measured = info.tcpi_min_rtt != (uint32_t)NEVER_MEASURED;
    *ret_info = (struct nwi_tcp_info){
        .segments_in = info.tcpi_segs_in,
        .segments_out = info.tcpi_segs_out,
        .octets_in = info.tcpi_bytes_received,
        .fin_in = has_fin(info.tcpi_state),
        .octets_out = info.tcpi_bytes_sent,
        .octets_out_again = info.tcpi_bytes_retrans,
        .segments_out_of_order = info.tcpi_rcv_ooopack,
        .segment_in = info.tcpi_rcv_mss,
        .rtt = microseconds(info.tcpi_rtt),
        .rtt_deviation = measured || info.tcpi_rtt != 0 ? microseconds(info.tcpi_rttvar) : 0,
        .rtt_min = measured ? microseconds(info.tcpi_min_rtt) : 0,
    };
    return 0;
}
