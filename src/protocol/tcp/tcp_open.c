/*
 * tcp_open.c - how a TCP socket is made and its connection begun; see tcp.h.
 * What:   Multipath TCP where it is asked for and the kernel has it, fast open likewise, both with
 *         the plain kind in their place otherwise.
 * Source: RFC 8684 (Multipath TCP version 1), mptcp(7); RFC 7413 (fast open), tcp(7).
 * Runs:   in the protocol context of the caller.
 */
#include "base/log.h"
#include "dispatch/data.h"
#include "model/parameters.h"
#include "model/tcp_options.h"
#include "protocol/tcp/tcp.h"
#include "sys/sockets.h"
#include <linux/mptcp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 /* linux/in.h, Linux 5.6 */
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP 284 /* linux/socket.h */
#endif

enum { EARLY_PIECES = 16 }; /* a SYN holds a segment at most: RFC 7413 section 4.2.1 */

/* --- several paths --- */

static bool wants_multipath(int family, nw_parameters_t parameters) {
    const struct nwi_tcp_options *options = nwi_tcp_options(parameters->stack->transport);
    if (parameters->multipath_service == nw_multipath_service_disabled || family == AF_UNIX)
        return false;
    if (options == NULL || options->multipath_force_version != nw_multipath_version_0)
        return true;
    nwi_log(NWI_LOG_NOTICE, "tcp", "multipath",
            "version 0 of Multipath TCP was asked for, Linux has version 1: one path");
    return false;
}

/* The kernel has no Multipath TCP, or it is switched off (net.mptcp.enabled), or kept from us. */
static bool has_none(nwi_err err) {
    return err == nwi_posix(ENOPROTOOPT) || err == nwi_posix(EPROTONOSUPPORT) ||
           err == NWI_ERR_INVAL || err == nwi_posix(EACCES) || err == nwi_posix(EPERM);
}

nwi_err nwi_tcp_socket(int family, nw_parameters_t parameters, int *ret_fd) {
    if (wants_multipath(family, parameters)) {
        nwi_err err = nwi_socket_open(family, SOCK_STREAM, IPPROTO_MPTCP, ret_fd);
        if (err == 0 || !has_none(err))
            return err;
        nwi_log(NWI_LOG_INFO, "tcp", "multipath", "no Multipath TCP in this kernel: one path");
    }
    return nwi_socket_open(family, SOCK_STREAM, 0, ret_fd);
}

void nwi_tcp_report_multipath(int fd, nw_parameters_t parameters) {
    struct mptcp_info info = {0};
    size_t size = sizeof info;
    if (parameters->multipath_service == nw_multipath_service_disabled ||
        !nwi_log_enabled(NWI_LOG_DEBUG))
        return;
    bool multipath = nwi_socket_get(fd, SOL_MPTCP, MPTCP_INFO, &info, &size) == 0 &&
                     !(info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK);
    nwi_log(NWI_LOG_DEBUG, "tcp", "multipath", "%s",
            multipath ? "the peer takes several paths" : "one path: plain TCP");
}

/* --- opening --- */

nwi_err nwi_tcp_open(const struct nwi_tcp_request *request, int *ret_fd) {
    int family = request->remote->sa_family;
    nwi_err err = nwi_tcp_socket(family, request->parameters, ret_fd);
    if (err != 0)
        return err;
    err = nwi_tcp_apply_options(*ret_fd, family, request->parameters);
    if (err == 0 && request->interface_index != 0)
        err = nwi_socket_bind_interface(*ret_fd, request->interface_index);
    if (err == 0 && request->local != NULL)
        err = nwi_socket_bind(*ret_fd, request->local, request->local_length);
    return err;
}

/* --- beginning --- */

/* The content goes with the SYN when the kernel has a cookie of that peer; else the SYN asks for
 * one, and the content is sent as any other once the handshake has ended. */
static nwi_err connect_early(int fd, const struct nwi_tcp_request *request, bool *ret_pending) {
    struct iovec pieces[EARLY_PIECES];
    size_t count = nwi_data_iovec(request->early->content, 0, pieces, EARLY_PIECES);
    return nwi_socket_connect_with(fd, request->remote, request->remote_length, pieces, count,
                                   ret_pending, &request->early->sent);
}

static bool wants_fast_open(nw_parameters_t parameters) {
    const struct nwi_tcp_options *options = nwi_tcp_options(parameters->stack->transport);
    return parameters->fast_open_enabled || (options != NULL && options->enable_fast_open);
}

nwi_err nwi_tcp_begin(int fd, const struct nwi_tcp_request *request, bool *ret_pending) {
    if (request->early != NULL && request->early->content != NULL &&
        request->remote->sa_family != AF_UNIX) {
        nwi_err err = connect_early(fd, request, ret_pending);
        if (err != nwi_posix(EOPNOTSUPP)) /* switched off: net.ipv4.tcp_fastopen */
            return err;
    }
    /* With a cookie of that peer the socket counts as connected at once, and the SYN goes with the
     * first octets written; without one it asks for a cookie, as any other. */
    if (request->speaks_first && request->remote->sa_family != AF_UNIX &&
        wants_fast_open(request->parameters))
        nwi_tcp_tune(fd, TCP_FASTOPEN_CONNECT, 1, "TCP_FASTOPEN_CONNECT");
    return nwi_socket_connect(fd, request->remote, request->remote_length, ret_pending);
}

void nwi_tcp_accept_early(int fd, nw_parameters_t parameters) {
    enum { PENDING = 1024 }; /* requests whose handshake has not ended: RFC 7413 section 5.1 */
    if (wants_fast_open(parameters))
        nwi_tcp_tune(fd, TCP_FASTOPEN, PENDING, "TCP_FASTOPEN");
}
