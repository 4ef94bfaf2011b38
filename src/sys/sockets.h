/*
 * sockets.h - sockets as libnw uses them: non-blocking, close-on-exec, never SIGPIPE.
 * What:   typed calls over the table in sys/table.h. Each returns 0 or a posix nwi_err; out
 *         parameters are named ret_* and stay untouched on failure. EINTR is retried inside.
 * Runs:   any thread; nothing here blocks.
 * Owns:   nothing; descriptors belong to the caller.
 * Note:   not named socket.h, which with src/ on the include path would hide the C library's
 *         <sys/socket.h>.
 */
#ifndef NWI_SYS_SOCKETS_H
#define NWI_SYS_SOCKETS_H

#include "base/clock.h"
#include "base/err.h"
#include "sys/table.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Descriptors, memory or buffers have run out: the call may succeed later, and no event tells when.
 */
static inline bool nwi_err_is_shortage(nwi_err err) {
    return err == nwi_posix(EMFILE) || err == nwi_posix(ENFILE) || err == nwi_posix(ENOBUFS) ||
           err == NWI_ERR_NOMEM;
}
#define NWI_SHORTAGE_PAUSE (50 * NWI_MS) /* before such a call is tried again */

/* The call would have to wait: readiness comes through the loop. */
static inline bool nwi_err_would_block(nwi_err err) {
    return err == nwi_posix(EAGAIN) || err == nwi_posix(EWOULDBLOCK);
}

/* --- life --- */
/* Errors: EMFILE, ENFILE, EAFNOSUPPORT, EPERM, ENOMEM, ... */
nwi_err nwi_socket_open(int family, int type, int protocol, int *ret_fd);
/* *ret_pending: the kernel goes on by itself; writability then tells the end, nwi_socket_take_error
 * the result. */
nwi_err nwi_socket_connect(int fd, const struct sockaddr *address, socklen_t length,
                           bool *ret_pending);
/* The same of TCP with its first octets (RFC 7413): *ret_sent of them go with the SYN, as many as a
 * segment holds, or 0 when the kernel has no cookie of that peer. Always pending. Errors:
 * EOPNOTSUPP: fast open is switched off, and nothing has happened; those of connect. */
nwi_err nwi_socket_connect_with(int fd, const struct sockaddr *address, socklen_t length,
                                const struct iovec *pieces, size_t count, bool *ret_pending,
                                size_t *ret_sent);
nwi_err nwi_socket_bind(int fd, const struct sockaddr *address, socklen_t length);
nwi_err nwi_socket_listen(int fd, int backlog);
/* `ret_peer` and `ret_length` may both be NULL. An AF_UNIX peer without a name gives the length of
 * its family alone. Errors: would-block; EMFILE, ENFILE, ENOBUFS, ENOMEM (pause and try again);
 * ECONNABORTED (try the next). */
nwi_err nwi_socket_accept(int fd, struct sockaddr_storage *ret_peer, socklen_t *ret_length,
                          int *ret_fd);
/* how: SHUT_RD, SHUT_WR, SHUT_RDWR. */
nwi_err nwi_socket_shutdown(int fd, int how);
/* -1 is fine. The descriptor is gone afterwards whatever close() answered. */
void nwi_socket_close(int fd);
/* Closes with a reset instead of FIN (SO_LINGER zero); unsent bytes are dropped. */
void nwi_socket_abort(int fd);

/* --- bytes --- */
/* Writes with MSG_NOSIGNAL | `flags`; *ret_sent may be less than asked for. More than IOV_MAX
 * pieces: the rest is left for the next call. Errors: would-block, EPIPE, ECONNRESET, EMSGSIZE, ...
 */
nwi_err nwi_socket_send(int fd, const struct iovec *pieces, size_t count, int flags,
                        size_t *ret_sent);
/* *ret_received 0 = end of the stream (or an empty datagram). */
nwi_err nwi_socket_recv(int fd, const struct iovec *pieces, size_t count, int flags,
                        size_t *ret_received);

/* Several datagrams in one call, at once or not at all: those that wait, of at most `count`; those
 * that the socket took, written with MSG_NOSIGNAL. Errors: as above, of the first. */
nwi_err nwi_socket_recv_many(int fd, struct mmsghdr *messages, size_t count, size_t *ret_count);
nwi_err nwi_socket_send_many(int fd, struct mmsghdr *messages, size_t count, size_t *ret_count);

/* --- options and questions --- */
/* Takes the pending error off the socket (SO_ERROR): the result of a pending connect. Returns it; 0
 * = none. */
nwi_err nwi_socket_take_error(int fd);
nwi_err nwi_socket_set_int(int fd, int level, int name, int value);
nwi_err nwi_socket_get_int(int fd, int level, int name, int *ret_value);
nwi_err nwi_socket_set(int fd, int level, int name, const void *value, size_t size);
/* *size: room in, octets written out. */
nwi_err nwi_socket_get(int fd, int level, int name, void *ret_value, size_t *size);
/* Ties the socket to one interface for sending and receiving (SO_BINDTOIFINDEX; SO_BINDTODEVICE
 * before Linux 5.1). */
nwi_err nwi_socket_bind_interface(int fd, unsigned index);
nwi_err nwi_socket_local(int fd, struct sockaddr_storage *ret_address, socklen_t *ret_length);
nwi_err nwi_socket_peer(int fd, struct sockaddr_storage *ret_address, socklen_t *ret_length);
/* Octets received and not yet read; octets written and not yet acknowledged (SIOCINQ, SIOCOUTQ). */
nwi_err nwi_socket_unread(int fd, size_t *ret_octets);
nwi_err nwi_socket_unsent(int fd, size_t *ret_octets);
/* The local address the kernel would use towards `peer` (a connected UDP socket, nothing is sent);
 * its port is 0. `interface_index` 0: any. Errors: ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ...:
 * no way to that address. */
nwi_err nwi_socket_source_for(const struct sockaddr *peer, socklen_t length,
                              unsigned interface_index, struct sockaddr_storage *ret_source,
                              socklen_t *ret_length);

#endif
