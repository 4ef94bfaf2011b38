/*
 * packet.c - AF_PACKET sockets; see packet.h.
 * Source: packet(7), recvmmsg(2), sendmmsg(2); IEEE 802.3, IEEE 802.1Q.
 * Runs:   any thread.
 * Owns:   nothing.
 */
#include "sys/packet.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

/* Lets in what comes from the wire, for us or for all, with our EtherType; a tag is out of the
 * frame by then. */
static nwi_err set_filter(int fd, uint16_t ether_type) {
    enum { KIND_AT = SKF_AD_OFF + SKF_AD_PKTTYPE, TYPE_AT = 2 * NWI_PACKET_ADDRESS };
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)KIND_AT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OTHERHOST, 3, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE_AT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ether_type, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX), /* the whole frame */
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return nwi_socket_set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static nwi_err set_up(int fd, uint16_t ether_type, unsigned interface_index) {
    /* All protocols, and the filter chooses: only such a socket sees a frame before the kernel has
     * thrown away the tag of a VLAN that it has no interface for. */
    struct sockaddr_ll here = {.sll_family = AF_PACKET,
                               .sll_protocol = htons(ETH_P_ALL),
                               .sll_ifindex = (int)interface_index};
    /* Multicast groups have no call in the API, and protocols below IP live on them. */
    struct packet_mreq groups = {.mr_ifindex = (int)interface_index, .mr_type = PACKET_MR_ALLMULTI};
    /* Spares each packet that leaves the machine a copy; before Linux 4.20 the filter has to do. */
    (void)nwi_socket_set_int(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    nwi_err err = set_filter(fd, ether_type);
    if (err == 0)
        err = nwi_socket_set_int(fd, SOL_PACKET, PACKET_AUXDATA, 1);
    if (err == 0)
        err = nwi_socket_set(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &groups, sizeof groups);
    return err != 0 ? err : nwi_socket_bind(fd, (struct sockaddr *)&here, sizeof here);
}

/* Raw and not cooked: a cooked socket does not tell where a frame was sent to, which with broadcast
 * and multicast is not our own address. */
nwi_err nwi_packet_open(uint16_t ether_type, unsigned interface_index, int *ret_fd) {
    int fd;
    /* Protocol 0 takes nothing in: so no frame comes before the filter is there. */
    nwi_err err = nwi_socket_open(AF_PACKET, SOCK_RAW, 0, &fd);
    if (err != 0)
        return err;
    err = set_up(fd, ether_type, interface_index);
    if (err != 0) {
        nwi_socket_close(fd);
        return err == nwi_posix(ENXIO) ? nwi_posix(ENODEV) : err;
    }
    *ret_fd = fd;
    return 0;
}

nwi_err nwi_packet_local(int fd, uint8_t ret_address[NWI_PACKET_ADDRESS]) {
    struct sockaddr_storage storage;
    struct sockaddr_ll own;
    socklen_t length;
    nwi_err err = nwi_socket_local(fd, &storage, &length);
    if (err != 0)
        return err;
    memcpy(&own, &storage, sizeof own);
    if (own.sll_halen != NWI_PACKET_ADDRESS) /* 0: the interface has gone */
        return nwi_posix(ENODEV);
    memcpy(ret_address, own.sll_addr, NWI_PACKET_ADDRESS);
    return 0;
}

/* --- in --- */

union control { /* the union gives cmsghdr's alignment */
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
};

static uint16_t tag_of(struct msghdr *message) {
    struct tpacket_auxdata data;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_PACKET || header->cmsg_type != PACKET_AUXDATA ||
            header->cmsg_len < CMSG_LEN(sizeof data))
            continue;
        memcpy(&data, CMSG_DATA(header), sizeof data);
        return data.tp_status & TP_STATUS_VLAN_VALID ? data.tp_vlan_tci : 0;
    }
    return 0;
}

static void finish(struct nwi_packet *packet, struct msghdr *message, size_t octets) {
    const uint8_t *frame = packet->data.iov_base;
    packet->truncated = (message->msg_flags & MSG_TRUNC) != 0 || octets < NWI_PACKET_HEADER;
    if (packet->truncated)
        return;
    memcpy(packet->local, frame, NWI_PACKET_ADDRESS);
    memcpy(packet->remote, frame + NWI_PACKET_ADDRESS, NWI_PACKET_ADDRESS);
    packet->payload = frame + NWI_PACKET_HEADER;
    packet->length = octets - NWI_PACKET_HEADER;
    packet->vlan_tag = tag_of(message);
}

nwi_err nwi_packet_recv_many(int fd, struct nwi_packet *packets, size_t count, size_t *ret_count) {
    union control control[NWI_PACKET_BATCH];
    struct mmsghdr messages[NWI_PACKET_BATCH];
    if (count > NWI_PACKET_BATCH)
        count = NWI_PACKET_BATCH;
    for (size_t i = 0; i < count; i++)
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &packets[i].data,
                                                   .msg_iovlen = 1,
                                                   .msg_control = &control[i],
                                                   .msg_controllen = sizeof control[i]}};
    nwi_err err = nwi_socket_recv_many(fd, messages, count, ret_count);
    for (size_t i = 0; err == 0 && i < *ret_count; i++)
        finish(&packets[i], &messages[i].msg_hdr, messages[i].msg_len);
    return err;
}

/* --- out --- */

static uint8_t *put_before(uint8_t *end, const void *octets, size_t size) {
    return memcpy(end - size, octets, size);
}

static uint8_t *put_u16_before(uint8_t *end, uint16_t value) {
    uint16_t ordered = htons(value);
    return put_before(end, &ordered, sizeof ordered);
}

size_t nwi_packet_write_header(uint8_t *payload, const uint8_t to[NWI_PACKET_ADDRESS],
                               const uint8_t from[NWI_PACKET_ADDRESS], uint16_t vlan_tag,
                               uint16_t ether_type) {
    uint8_t *at = put_u16_before(payload, ether_type);
    if (vlan_tag != 0) {
        at = put_u16_before(at, vlan_tag);
        at = put_u16_before(at, ETH_P_8021Q);
    }
    at = put_before(at, from, NWI_PACKET_ADDRESS);
    at = put_before(at, to, NWI_PACKET_ADDRESS);
    return (size_t)(payload - at);
}

nwi_err nwi_packet_send_many(int fd, unsigned interface_index, const struct iovec *frames,
                             size_t count, size_t *ret_sent) {
    struct sockaddr_ll by[NWI_PACKET_BATCH];
    struct mmsghdr messages[NWI_PACKET_BATCH];
    if (count > NWI_PACKET_BATCH)
        count = NWI_PACKET_BATCH;
    for (size_t i = 0; i < count; i++) {
        by[i] = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = (int)interface_index};
        /* What stands behind the addresses: the EtherType, or that of a tag, which the driver is to
         * know. */
        memcpy(&by[i].sll_protocol, (const uint8_t *)frames[i].iov_base + 2 * NWI_PACKET_ADDRESS,
               sizeof by[i].sll_protocol);
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &by[i],
                                                   .msg_namelen = sizeof by[i],
                                                   .msg_iov = (struct iovec *)&frames[i],
                                                   .msg_iovlen = 1}};
    }
    return nwi_socket_send_many(fd, messages, count, ret_sent);
}
