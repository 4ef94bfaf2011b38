/*
 * message.c - see message.h.
 */
#include "protocol/udp/message.h"
#include "base/alloc.h"
#include "dispatch/data.h"
#include "loop/loop.h"
#include "model/content_context.h"
#include "model/parameters.h"
#include "model/received.h"
#include "stack/chain.h"
#include "stack/socket_options.h"
#include "sys/address.h"
#include "sys/datagram.h"
#include "sys/sockets.h"
#include <netinet/in.h>
#include <netinet/ip.h>

enum {
    UDP_HEADER = 8,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
};

/* --- receiving --- */

nwi_err nwi_udp_make_input(const struct nwi_datagram *datagram, struct nwi_input *ret_input) {
    struct nwi_input input = {.complete = true};
    input.context = nwi_received_datagram((nw_ip_ecn_flag_t)(datagram->tos & 3), datagram->time);
    if (datagram->length > 0)
        input.content = nwi_data_create_copy(datagram->data.iov_base, datagram->length);
    if (input.context == NULL || (datagram->length > 0 && input.content == NULL)) {
        nwi_input_drop(&input);
        return NWI_ERR_NOMEM;
    }
    *ret_input = input;
    return 0;
}

nwi_err nwi_udp_receive(int fd, struct nwi_input *ret_input) {
    void *room;
    dispatch_data_t buffer = nwi_data_create_buffer(NWI_UDP_MAX, &room);
    if (buffer == NULL)
        return NWI_ERR_NOMEM;
    struct nwi_datagram datagram = {.data = {room, NWI_UDP_MAX}};
    nwi_err err = nwi_datagram_recv(fd, &datagram);
    nwi_loop_charge(datagram.length);
    if (err == 0)
        err = nwi_udp_make_input(&datagram, ret_input);
    dispatch_release(buffer);
    return err;
}

nwi_err nwi_udp_receive_batch(int fd, char *room,
                              void (*each)(void *owner, const struct nwi_datagram *datagram),
                              void *owner, bool *ret_empty) {
    struct nwi_datagram datagrams[NWI_DATAGRAM_BATCH];
    size_t count = 0;
    memset(datagrams, 0, sizeof datagrams);
    for (size_t i = 0; i < NWI_DATAGRAM_BATCH; i++)
        datagrams[i].data = (struct iovec){room + i * NWI_UDP_MAX, NWI_UDP_MAX};
    nwi_err err = nwi_datagram_recv_many(fd, datagrams, NWI_DATAGRAM_BATCH, &count);
    *ret_empty = nwi_err_would_block(err) || (err == 0 && count < NWI_DATAGRAM_BATCH);
    for (size_t i = 0; err == 0 && i < count; i++)
        nwi_loop_charge(datagrams[i].length);
    for (size_t i = 0; err == 0 && i < count; i++)
        each(owner, &datagrams[i]);
    return err;
}

/* --- the socket --- */

nwi_err nwi_udp_apply_options(int fd, int family, nw_parameters_t parameters) {
    const struct nwi_udp_options *udp = nwi_udp_options(parameters->stack->transport);
    const struct nwi_ip_options *ip = nwi_ip_options(parameters->stack->internet);
    nwi_err err = 0;
    nwi_socket_apply_ip_options(fd, family, parameters);
    if (nw_parameters_get_reuse_local_address(parameters))
        err = nwi_socket_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (udp != NULL && udp->prefer_no_checksum && family == AF_INET)
        nwi_socket_tune(fd, SOL_SOCKET, SO_NO_CHECK, 1,
                        "SO_NO_CHECK"); /* IPv6 needs the checksum: RFC 8200 section 8.1 */
    unsigned wanted =
        NWI_DATAGRAM_TOS | (ip != NULL && ip->calculate_receive_time ? NWI_DATAGRAM_TIME : 0);
    return err != 0 ? err : nwi_datagram_enable(fd, family, wanted);
}

uint32_t nwi_udp_maximum_size(int fd, int family, bool minimum_mtu) {
    int mtu = 0;
    bool v6 = family == AF_INET6;
    uint32_t headers = UDP_HEADER + (v6 ? IPV6_HEADER : IPV4_HEADER);
    nwi_err err = v6 ? nwi_socket_get_int(fd, IPPROTO_IPV6, IPV6_MTU, &mtu)
                     : nwi_socket_get_int(fd, IPPROTO_IP, IP_MTU, &mtu);
    if (err != 0 || mtu <= (int)headers || (minimum_mtu && v6 && mtu > NWI_IPV6_MINIMUM_MTU))
        mtu = NWI_IPV6_MINIMUM_MTU; /* IPV6_MTU tells the route's, not what we set */
    uint32_t size = (uint32_t)mtu - headers;
    return size < NWI_UDP_MAX - headers ? size : NWI_UDP_MAX - 1 - headers;
}

struct nwi_datagram_to nwi_udp_back_to(const struct sockaddr_storage *peer, socklen_t length,
                                       const struct sockaddr_storage *local,
                                       unsigned interface_index) {
    return (struct nwi_datagram_to){
        .peer = (const struct sockaddr *)peer,
        .peer_length = length,
        .local = local->ss_family != 0 ? (const struct sockaddr *)local : NULL,
        .interface_index =
            nwi_address_is_link_local((const struct sockaddr *)peer) ? interface_index : 0,
    };
}

nw_protocol_metadata_t nwi_udp_copy_metadata(nw_protocol_definition_t definition) {
    return definition == &nwi_udp_definition ? nwi_retain(&nwi_udp_metadata) : NULL;
}
