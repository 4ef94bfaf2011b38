/*
 * arrival.c - see arrival.h.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "sys/arrival.h"
#include "sys/sockets.h"
#include <netinet/in.h>
#include <string.h>

nwi_err nwi_arrival_enable(int fd, int family) {
    return family == AF_INET6 ? nwi_socket_set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                              : nwi_socket_set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

nwi_err nwi_arrival_interface(int fd, int family, unsigned *ret_index) {
    union {
        struct cmsghdr header; /* aligns the octets */
        char octets[256];
    } controls = {0};
    size_t size = sizeof controls;
    nwi_err err = family == AF_INET6
                      ? nwi_socket_get(fd, IPPROTO_IPV6, IPV6_2292PKTOPTIONS, &controls, &size)
                      : nwi_socket_get(fd, IPPROTO_IP, IP_PKTOPTIONS, &controls, &size);
    if (err != 0)
        return err;
    struct msghdr message = {.msg_control = &controls, .msg_controllen = size};
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        size_t length = header->cmsg_len - CMSG_LEN(0);
        if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO &&
            length >= sizeof(struct in6_pktinfo)) {
            *ret_index =
                ((const struct in6_pktinfo *)(const void *)CMSG_DATA(header))->ipi6_ifindex;
            return 0;
        }
        if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO &&
            length >= sizeof(struct in_pktinfo)) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(header), sizeof info);
            *ret_index = (unsigned)info.ipi_ifindex;
            return 0;
        }
    }
    return nwi_posix(ENODATA);
}
