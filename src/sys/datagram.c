/*
 * datagram.c - datagrams and their control data.
 * What:   see datagram.h.
 * Source: ip(7), ipv6(7), socket(7), cmsg(3), recvmmsg(2); RFC 3542 sections 6.1 to 6.5.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "sys/datagram.h"
#include "base/clock.h"
#include <netinet/in.h>
#include <string.h>
#include <time.h>

/* Room for every kind of control data at once; the union gives cmsghdr's alignment. */
union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo)) +
              4 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec))];
};

struct option {
    unsigned flag;
    int level4, name4, level6, name6;
};
static const struct option options[] = {
    {NWI_DATAGRAM_TOS, IPPROTO_IP, IP_RECVTOS, IPPROTO_IPV6, IPV6_RECVTCLASS},
    {NWI_DATAGRAM_HOP_LIMIT, IPPROTO_IP, IP_RECVTTL, IPPROTO_IPV6, IPV6_RECVHOPLIMIT},
    {NWI_DATAGRAM_LOCAL, IPPROTO_IP, IP_PKTINFO, IPPROTO_IPV6, IPV6_RECVPKTINFO},
};

nwi_err nwi_datagram_enable(int fd, int family, unsigned flags) {
    nwi_err err = 0;
    if (flags & NWI_DATAGRAM_TIME)
        err = nwi_socket_set_int(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    for (size_t i = 0; err == 0 && i < sizeof options / sizeof options[0]; i++) {
        if (!(flags & options[i].flag))
            continue;
        if (family == AF_INET6)
            err = nwi_socket_set_int(fd, options[i].level6, options[i].name6, 1);
        if (err == 0) /* Linux takes these on an AF_INET6 socket too, for its IPv4 traffic */
            err = nwi_socket_set_int(fd, options[i].level4, options[i].name4, 1);
    }
    return err;
}

static uint64_t nanoseconds(const struct timespec *time) {
    return (uint64_t)time->tv_sec * NWI_SEC + (uint64_t)time->tv_nsec;
}

/* Wall clock and raw monotonic clock at one moment: what was interrupted between the readings is
 * read again. */
static void read_clocks(struct timespec *wall, struct timespec *raw) {
    enum { TRIES = 4, NEAR = 20000 }; /* ns from the first reading to the third */
    for (int i = 0; i < TRIES; i++) {
        struct timespec after;
        clock_gettime(CLOCK_MONOTONIC_RAW, raw);
        clock_gettime(CLOCK_REALTIME, wall);
        clock_gettime(CLOCK_MONOTONIC_RAW, &after);
        if (nanoseconds(&after) - nanoseconds(raw) < NEAR)
            return;
    }
}

/* The kernel stamps with the wall clock; the API promises the raw monotonic one: both are read now,
 * and the age of the packet carried over. A wall clock set back in between gives "now", never a
 * time in the future. */
static uint64_t raw_time(const struct timespec *stamp) {
    struct timespec wall, raw;
    read_clocks(&wall, &raw);
    uint64_t now = nanoseconds(&wall), then = nanoseconds(stamp), result = nanoseconds(&raw);
    uint64_t age = now > then ? now - then : 0;
    return age < result ? result - age : result;
}

static int read_int(const struct cmsghdr *header) {
    int value = 0;
    size_t length = header->cmsg_len - CMSG_LEN(0);
    memcpy(&value, CMSG_DATA(header), length < sizeof value ? length : sizeof value);
    return value;
}

static void take_pktinfo4(struct nwi_datagram *d, const struct cmsghdr *header) {
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(header), sizeof info);
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = info.ipi_addr};
    memcpy(&d->local, &local, sizeof local);
    d->interface_index = (unsigned)info.ipi_ifindex;
}

static void take_pktinfo6(struct nwi_datagram *d, const struct cmsghdr *header) {
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(header), sizeof info);
    /* An IPv4 packet on an AF_INET6 socket brings both kinds; the IPv4 one is the more exact. */
    if (d->local.ss_family == AF_INET)
        return;
    struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr};
    if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
        local.sin6_scope_id = info.ipi6_ifindex;
    memcpy(&d->local, &local, sizeof local);
    d->interface_index = info.ipi6_ifindex;
}

static void take_control(struct nwi_datagram *d, const struct cmsghdr *header) {
    size_t length = header->cmsg_len - CMSG_LEN(0);
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec stamp;
        if (length < sizeof stamp)
            return;
        memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
        d->time = raw_time(&stamp);
    } else if (header->cmsg_level == IPPROTO_IP) {
        if (header->cmsg_type == IP_TOS) /* one octet here, an int elsewhere: ip(7) */
            d->tos = *(const uint8_t *)CMSG_DATA(header);
        else if (header->cmsg_type == IP_TTL)
            d->hop_limit = (uint8_t)read_int(header);
        else if (header->cmsg_type == IP_PKTINFO && length >= sizeof(struct in_pktinfo))
            take_pktinfo4(d, header);
    } else if (header->cmsg_level == IPPROTO_IPV6) {
        if (header->cmsg_type == IPV6_TCLASS)
            d->tos = (uint8_t)read_int(header);
        else if (header->cmsg_type == IPV6_HOPLIMIT)
            d->hop_limit = (uint8_t)read_int(header);
        else if (header->cmsg_type == IPV6_PKTINFO && length >= sizeof(struct in6_pktinfo))
            take_pktinfo6(d, header);
    }
}

static void prepare(struct nwi_datagram *d, struct msghdr *message, union control *control) {
    memset(&d->peer, 0, sizeof d->peer);
    memset(&d->local, 0, sizeof d->local);
    d->peer_length = 0;
    d->interface_index = 0;
    d->time = 0;
    d->tos = d->hop_limit = 0;
    *message = (struct msghdr){.msg_name = &d->peer,
                               .msg_namelen = sizeof d->peer,
                               .msg_iov = &d->data,
                               .msg_iovlen = 1,
                               .msg_control = control,
                               .msg_controllen = sizeof *control};
}

static void finish(struct nwi_datagram *d, struct msghdr *message, size_t length) {
    d->length = length < d->data.iov_len ? length : d->data.iov_len;
    d->peer_length = message->msg_namelen;
    d->truncated = (message->msg_flags & MSG_TRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header))
        take_control(d, header);
}

nwi_err nwi_datagram_recv(int fd, struct nwi_datagram *datagram) {
    union control control;
    struct msghdr message;
    ssize_t received;
    do {
        prepare(datagram, &message, &control);
        received = nwi_sys()->recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0)
        return nwi_posix(errno);
    finish(datagram, &message, (size_t)received);
    return 0;
}

nwi_err nwi_datagram_recv_many(int fd, struct nwi_datagram *datagrams, size_t count,
                               size_t *ret_count) {
    union control control[NWI_DATAGRAM_BATCH];
    struct mmsghdr messages[NWI_DATAGRAM_BATCH];
    if (count > NWI_DATAGRAM_BATCH)
        count = NWI_DATAGRAM_BATCH;
    for (size_t i = 0; i < count; i++) {
        prepare(&datagrams[i], &messages[i].msg_hdr, &control[i]);
        messages[i].msg_len = 0;
    }
    nwi_err err = nwi_socket_recv_many(fd, messages, count, ret_count);
    for (size_t i = 0; err == 0 && i < *ret_count; i++)
        finish(&datagrams[i], &messages[i].msg_hdr, messages[i].msg_len);
    return err;
}

static void add_control(struct msghdr *message, int level, int type, const void *value,
                        size_t size) {
    struct cmsghdr *header =
        (struct cmsghdr *)(void *)((char *)message->msg_control + message->msg_controllen);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), value, size);
    message->msg_controllen += CMSG_SPACE(size);
}

/* Whether the packet will be IPv4: decided by the peer, else by the source, else by the socket. */
static bool goes_by_v4(int fd, const struct nwi_datagram_to *to) {
    const struct sockaddr *address = to->peer != NULL ? to->peer : to->local;
    struct sockaddr_storage own;
    socklen_t length;
    if (address == NULL) {
        if (nwi_socket_peer(fd, &own, &length) != 0 && nwi_socket_local(fd, &own, &length) != 0)
            return false;
        address = (struct sockaddr *)&own;
    }
    if (address->sa_family == AF_INET)
        return true;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
}

static void add_source(struct msghdr *message, const struct nwi_datagram_to *to, bool v4) {
    if (v4) {
        struct in_pktinfo info = {.ipi_ifindex = (int)to->interface_index};
        if (to->local != NULL && to->local->sa_family == AF_INET)
            info.ipi_spec_dst = ((const struct sockaddr_in *)(const void *)to->local)->sin_addr;
        add_control(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = to->interface_index};
        if (to->local != NULL && to->local->sa_family == AF_INET6)
            info.ipi6_addr = ((const struct sockaddr_in6 *)(const void *)to->local)->sin6_addr;
        add_control(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
}

/* Makes the header of one datagram; `control` is room for its control data, zeroed here because
 * padding between the parts is seen by the kernel. */
static void fill(int fd, const struct nwi_datagram_out *out, struct msghdr *message,
                 union control *control) {
    const struct nwi_datagram_to *to = out->to;
    *message = (struct msghdr){.msg_iov = (struct iovec *)out->pieces, .msg_iovlen = out->count};
    if (to == NULL)
        return;
    memset(control, 0, sizeof *control);
    message->msg_name = (void *)to->peer;
    message->msg_namelen = to->peer != NULL ? to->peer_length : 0;
    message->msg_control = control;
    bool source = to->local != NULL || to->interface_index != 0;
    bool v4 = (source || to->set_tos || to->set_hop_limit) && goes_by_v4(fd, to);
    if (source)
        add_source(message, to, v4);
    int tos = to->tos, hop_limit = to->hop_limit;
    if (to->set_tos)
        add_control(message, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &tos,
                    sizeof tos);
    if (to->set_hop_limit)
        add_control(message, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_HOPLIMIT,
                    &hop_limit, sizeof hop_limit);
    if (message->msg_controllen == 0)
        message->msg_control = NULL;
}

nwi_err nwi_datagram_send(int fd, const struct iovec *pieces, size_t count,
                          const struct nwi_datagram_to *to) {
    union control control;
    struct msghdr message;
    fill(fd, &(struct nwi_datagram_out){pieces, count, to}, &message, &control);
    ssize_t sent;
    do
        sent = nwi_sys()->sendmsg(fd, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? nwi_posix(errno) : 0;
}

nwi_err nwi_datagram_send_many(int fd, const struct nwi_datagram_out *out, size_t count,
                               size_t *ret_sent) {
    union control control[NWI_DATAGRAM_BATCH];
    struct mmsghdr messages[NWI_DATAGRAM_BATCH];
    if (count > NWI_DATAGRAM_BATCH)
        count = NWI_DATAGRAM_BATCH;
    for (size_t i = 0; i < count; i++)
        fill(fd, &out[i], &messages[i].msg_hdr, &control[i]);
    return nwi_socket_send_many(fd, messages, count, ret_sent);
}
