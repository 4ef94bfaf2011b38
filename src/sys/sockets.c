/*
 * sockets.c - socket calls with the manners libnw wants, over the table.
 * What:   see sockets.h.
 * Source: Linux man pages: socket(2), connect(2), accept(2), send(2), recv(2), socket(7), tcp(7).
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "sys/sockets.h"
#include "sys/address.h"
#include <limits.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62 /* asm-generic/socket.h, Linux 5.1 */
#endif

/* Result of a call that answers -1 with errno. A kernel that fails without errno is not trusted to
 * be fine. */
static nwi_err last_error(void) {
    return nwi_posix(errno != 0 ? errno : EIO);
}

static nwi_err check(int result) {
    return result < 0 ? last_error() : 0;
}

static size_t clamp_pieces(size_t count) {
    return count < IOV_MAX ? count : IOV_MAX;
}

nwi_err nwi_socket_open(int family, int type, int protocol, int *ret_fd) {
    int fd = nwi_sys()->socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return last_error();
    *ret_fd = fd;
    return 0;
}

nwi_err nwi_socket_connect(int fd, const struct sockaddr *address, socklen_t length,
                           bool *ret_pending) {
    if (nwi_sys()->connect(fd, address, length) == 0) {
        *ret_pending = false;
        return 0;
    }
    /* EINTR: POSIX connect() says the attempt goes on by itself, as with EINPROGRESS. */
    if (errno != EINPROGRESS && errno != EINTR)
        return last_error();
    *ret_pending = true;
    return 0;
}

nwi_err nwi_socket_connect_with(int fd, const struct sockaddr *address, socklen_t length,
                                const struct iovec *pieces, size_t count, bool *ret_pending,
                                size_t *ret_sent) {
    struct msghdr message = {.msg_name = (void *)address,
                             .msg_namelen = length,
                             .msg_iov = (struct iovec *)pieces,
                             .msg_iovlen = clamp_pieces(count)};
    ssize_t sent = nwi_sys()->sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL);
    if (sent < 0 && errno != EINPROGRESS && errno != EINTR)
        return last_error();
    *ret_pending = true; /* also after EINTR: as with connect() */
    *ret_sent = sent > 0 ? (size_t)sent : 0;
    return 0;
}

nwi_err nwi_socket_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return check(nwi_sys()->bind(fd, address, length));
}

nwi_err nwi_socket_listen(int fd, int backlog) {
    return check(nwi_sys()->listen(fd, backlog));
}

nwi_err nwi_socket_accept(int fd, struct sockaddr_storage *ret_peer, socklen_t *ret_length,
                          int *ret_fd) {
    struct sockaddr_storage peer;
    socklen_t length;
    int accepted;
    do {
        memset(&peer, 0, sizeof peer);
        length = sizeof peer;
        accepted =
            nwi_sys()->accept4(fd, (struct sockaddr *)&peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (accepted < 0 && errno == EINTR);
    if (accepted < 0)
        return last_error();
    if (ret_peer != NULL && ret_length != NULL) {
        *ret_peer = peer;
        *ret_length = length < sizeof peer ? length : (socklen_t)sizeof peer;
    }
    *ret_fd = accepted;
    return 0;
}

nwi_err nwi_socket_shutdown(int fd, int how) {
    return check(nwi_sys()->shutdown(fd, how));
}

void nwi_socket_close(int fd) {
    if (fd < 0)
        return;
    int saved = errno;
    /* close(2): on Linux the descriptor is released even when EINTR or EIO is reported; a second
     * close could hit a descriptor that another thread just got. */
    nwi_sys()->close(fd);
    errno = saved;
}

void nwi_socket_abort(int fd) {
    if (fd < 0)
        return;
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    /* Datagram sockets accept it without effect; a failure leaves an ordinary close, which is the
     * best left. */
    nwi_sys()->setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    nwi_socket_close(fd);
}

nwi_err nwi_socket_send(int fd, const struct iovec *pieces, size_t count, int flags,
                        size_t *ret_sent) {
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = clamp_pieces(count)};
    ssize_t sent;
    flags |= MSG_NOSIGNAL;
    do /* one piece: send() spares the kernel a header and its array, some 4% of a small echo */
        sent = count == 1 ? nwi_sys()->send(fd, pieces->iov_base, pieces->iov_len, flags)
                          : nwi_sys()->sendmsg(fd, &message, flags);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return last_error();
    *ret_sent = (size_t)sent;
    return 0;
}

nwi_err nwi_socket_recv(int fd, const struct iovec *pieces, size_t count, int flags,
                        size_t *ret_received) {
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = clamp_pieces(count)};
    ssize_t received;
    do /* one piece: as in nwi_socket_send. No room for control messages, so none is received. */
        received = count == 1 ? nwi_sys()->recv(fd, pieces->iov_base, pieces->iov_len, flags)
                              : nwi_sys()->recvmsg(fd, &message, flags);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return last_error();
    *ret_received = (size_t)received;
    return 0;
}

nwi_err nwi_socket_recv_many(int fd, struct mmsghdr *messages, size_t count, size_t *ret_count) {
    int received;
    do
        received = nwi_sys()->recvmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT, NULL);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return last_error();
    *ret_count = (size_t)received;
    return 0;
}

nwi_err nwi_socket_send_many(int fd, struct mmsghdr *messages, size_t count, size_t *ret_count) {
    int sent;
    do
        sent = nwi_sys()->sendmmsg(fd, messages, (unsigned)count, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return last_error();
    *ret_count = (size_t)sent;
    return 0;
}

nwi_err nwi_socket_take_error(int fd) {
    int code = 0;
    nwi_err err = nwi_socket_get_int(fd, SOL_SOCKET, SO_ERROR, &code);
    return err != 0 ? err : nwi_posix(code);
}

nwi_err nwi_socket_set_int(int fd, int level, int name, int value) {
    return check(nwi_sys()->setsockopt(fd, level, name, &value, sizeof value));
}

nwi_err nwi_socket_get_int(int fd, int level, int name, int *ret_value) {
    int value = 0;
    socklen_t length = sizeof value;
    if (nwi_sys()->getsockopt(fd, level, name, &value, &length) < 0)
        return last_error();
    *ret_value = value;
    return 0;
}

nwi_err nwi_socket_set(int fd, int level, int name, const void *value, size_t size) {
    return check(nwi_sys()->setsockopt(fd, level, name, value, (socklen_t)size));
}

nwi_err nwi_socket_get(int fd, int level, int name, void *ret_value, size_t *size) {
    socklen_t length = (socklen_t)*size;
    if (nwi_sys()->getsockopt(fd, level, name, ret_value, &length) < 0)
        return last_error();
    *size = length;
    return 0;
}

nwi_err nwi_socket_bind_interface(int fd, unsigned index) {
    nwi_err err = nwi_socket_set_int(fd, SOL_SOCKET, SO_BINDTOIFINDEX, (int)index);
    if (err != nwi_posix(ENOPROTOOPT))
        return err;
    char name[IF_NAMESIZE];
    if (if_indextoname(index, name) == NULL)
        return nwi_posix(ENODEV);
    return nwi_socket_set(fd, SOL_SOCKET, SO_BINDTODEVICE, name, strlen(name) + 1);
}

typedef int (*name_call)(int fd, struct sockaddr *address, socklen_t *length);

static nwi_err ask_name(name_call call, int fd, struct sockaddr_storage *ret_address,
                        socklen_t *ret_length) {
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (call(fd, (struct sockaddr *)&address, &length) < 0)
        return last_error();
    *ret_address = address;
    *ret_length = length < sizeof address ? length : (socklen_t)sizeof address;
    return 0;
}

nwi_err nwi_socket_local(int fd, struct sockaddr_storage *ret_address, socklen_t *ret_length) {
    return ask_name(nwi_sys()->getsockname, fd, ret_address, ret_length);
}

nwi_err nwi_socket_peer(int fd, struct sockaddr_storage *ret_address, socklen_t *ret_length) {
    return ask_name(nwi_sys()->getpeername, fd, ret_address, ret_length);
}

static nwi_err ask_octets(int fd, unsigned long request, size_t *ret_octets) {
    int value = 0;
    if (nwi_sys()->ioctl_int(fd, request, &value) < 0)
        return last_error();
    *ret_octets = value > 0 ? (size_t)value : 0;
    return 0;
}

nwi_err nwi_socket_unread(int fd, size_t *ret_octets) {
    return ask_octets(fd, SIOCINQ, ret_octets);
}

nwi_err nwi_socket_unsent(int fd, size_t *ret_octets) {
    return ask_octets(fd, SIOCOUTQ, ret_octets);
}

nwi_err nwi_socket_source_for(const struct sockaddr *peer, socklen_t length,
                              unsigned interface_index, struct sockaddr_storage *ret_source,
                              socklen_t *ret_length) {
    struct sockaddr_storage target = {0};
    if (length > sizeof target)
        return NWI_ERR_INVAL;
    memcpy(&target, peer, length);
    /* connect() to port 0 is accepted for UDP on Linux, but some security modules refuse it: 53 is
     * as good. */
    if (nwi_address_port((struct sockaddr *)&target) == 0)
        nwi_address_set_port((struct sockaddr *)&target, 53);
    int fd;
    nwi_err err = nwi_socket_open(target.ss_family, SOCK_DGRAM, 0, &fd);
    if (err != 0)
        return err;
    bool pending;
    if (interface_index != 0)
        err = nwi_socket_bind_interface(fd, interface_index);
    if (err == 0)
        err = nwi_socket_connect(fd, (struct sockaddr *)&target, length, &pending);
    struct sockaddr_storage source;
    socklen_t source_length;
    if (err == 0)
        err = nwi_socket_local(fd, &source, &source_length);
    nwi_socket_close(fd);
    if (err != 0)
        return err;
    nwi_address_set_port((struct sockaddr *)&source, 0);
    *ret_source = source;
    *ret_length = source_length;
    return 0;
}
