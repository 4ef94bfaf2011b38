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
#include "sys/datagram.h"
#include "sys/sockets.h"
#include <netinet/in.h>
#include <netinet/ip.h>

enum {
    DATAGRAM_MAX = 65536, /* octets; no UDP datagram is larger (RFC 768: 16-bit length) */
    DATAGRAM_PIECES = 64, /* iovecs of one datagram; a message in more pieces is joined first */
    UDP_HEADER = 8,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    IPV6_MINIMUM_MTU = 1280, /* RFC 8200 section 5 */
};

/* --- sending --- */

void nwi_udp_outbox_init(struct nwi_udp_outbox *outbox) {
    STAILQ_INIT(&outbox->queue);
}

void nwi_udp_outbox_add(struct nwi_udp_outbox *outbox, struct nwi_send *send) {
    STAILQ_INSERT_TAIL(&outbox->queue, send, link);
}

/* Moves the pieces of the first complete message into `message`; false when there is none yet. */
static bool take_message(struct nwi_udp_outbox *outbox, struct nwi_send_list *message) {
    struct nwi_send *send;
    STAILQ_INIT(message);
    STAILQ_FOREACH (send, &outbox->queue, link)
        if (send->complete)
            break;
    if (send == NULL)
        return false;
    struct nwi_send *piece;
    do {
        piece = STAILQ_FIRST(&outbox->queue);
        STAILQ_REMOVE_HEAD(&outbox->queue, link);
        STAILQ_INSERT_TAIL(message, piece, link);
    } while (piece != send);
    return true;
}

void nwi_udp_outbox_flush(struct nwi_udp_outbox *outbox, nwi_udp_sender sender, void *owner) {
    struct nwi_send_list message, rest;
    if (outbox->flushing)
        return; /* the loop below goes on */
    outbox->flushing = true;
    while (!outbox->blocked && take_message(outbox, &message)) {
        nwi_err err = sender(owner, &message);
        if (nwi_err_would_block(err)) {
            outbox->blocked = true;
            STAILQ_INIT(&rest);
            STAILQ_CONCAT(&rest, &outbox->queue);
            STAILQ_CONCAT(&outbox->queue, &message);
            STAILQ_CONCAT(&outbox->queue, &rest);
            break;
        }
        nwi_send_list_fail(&message, err); /* err 0: every piece completes without an error */
    }
    outbox->flushing = false;
}

void nwi_udp_outbox_fail(struct nwi_udp_outbox *outbox, nwi_err err) {
    struct nwi_send_list failed = STAILQ_HEAD_INITIALIZER(failed);
    STAILQ_CONCAT(&failed, &outbox->queue);
    nwi_send_list_fail(&failed, err);
}

/* What the message's IP metadata asks for: ECN in the low two bits of the traffic class (RFC 3168
 * section 5), above it the message's service class, or the usual one. */
static void set_traffic_class(const struct nwi_send *send, nw_service_class_t usual,
                              struct nwi_datagram_to *to) {
    const struct nwi_ip_metadata *ip =
        nwi_ip_metadata(nwi_content_context_metadata(send->context, &nwi_ip_definition));
    if (ip == NULL)
        return;
    uint8_t dscp = nwi_service_class_dscp(ip->service_class_set ? ip->service_class : usual);
    to->set_tos = true;
    to->tos = (uint8_t)(dscp << 2 | ip->ecn);
}

/* Fills the vectors with the message; false when it is in more pieces than there are. */
static bool gather(const struct nwi_send_list *message, struct iovec *pieces, size_t *ret_count) {
    size_t count = 0;
    const struct nwi_send *send;
    STAILQ_FOREACH (send, message, link) {
        size_t offset = 0, first = count;
        if (send->content == NULL)
            continue;
        count += nwi_data_iovec(send->content, 0, pieces + count, DATAGRAM_PIECES - count);
        for (size_t i = first; i < count; i++)
            offset += pieces[i].iov_len;
        if (offset < dispatch_data_get_size(send->content))
            return false;
    }
    *ret_count = count;
    return true;
}

/* The whole message in one buffer of the caller's. Errors: EMSGSIZE (no datagram could hold it),
 * NWI_ERR_NOMEM. */
static nwi_err join(const struct nwi_send_list *message, struct iovec *ret_whole) {
    size_t size = 0, done = 0;
    const struct nwi_send *send;
    STAILQ_FOREACH (send, message, link)
        size += send->content != NULL ? dispatch_data_get_size(send->content) : 0;
    if (size > DATAGRAM_MAX)
        return nwi_posix(EMSGSIZE);
    char *bytes = nwi_alloc_raw(size);
    if (bytes == NULL)
        return NWI_ERR_NOMEM;
    STAILQ_FOREACH (send, message, link)
        if (send->content != NULL)
            done += nwi_data_copy_out(send->content, 0, bytes + done, size - done);
    *ret_whole = (struct iovec){bytes, done};
    return 0;
}

nwi_err nwi_udp_send_message(int fd, const struct nwi_send_list *message, nw_service_class_t usual,
                             const struct nwi_datagram_to *to) {
    struct nwi_datagram_to target = to != NULL ? *to : (struct nwi_datagram_to){0};
    struct iovec pieces[DATAGRAM_PIECES];
    void *joined = NULL;
    size_t count = 0;
    const struct nwi_send *send = STAILQ_FIRST(message);
    if (send->final && send->content == NULL && STAILQ_NEXT(send, link) == NULL)
        return 0; /* an end without content is no datagram; an empty datagram has a context of its
                     own */
    if (!gather(message, pieces, &count)) {
        nwi_err err = join(message, pieces);
        if (err != 0)
            return err;
        joined = pieces[0].iov_base;
        count = 1;
    }
    set_traffic_class(STAILQ_FIRST(message), usual, &target);
    nwi_err err =
        nwi_datagram_send(fd, pieces, count, to != NULL || target.set_tos ? &target : NULL);
    nwi_loop_charge(0);
    nwi_free(joined);
    return err;
}

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
    dispatch_data_t buffer = nwi_data_create_buffer(DATAGRAM_MAX, &room);
    if (buffer == NULL)
        return NWI_ERR_NOMEM;
    struct nwi_datagram datagram = {.data = {room, DATAGRAM_MAX}};
    nwi_err err = nwi_datagram_recv(fd, &datagram);
    nwi_loop_charge(datagram.length);
    if (err == 0)
        err = nwi_udp_make_input(&datagram, ret_input);
    dispatch_release(buffer);
    return err;
}

nwi_err nwi_udp_receive_batch(int fd, char *room,
                              void (*each)(void *owner, const struct nwi_datagram *datagram),
                              void *owner) {
    struct nwi_datagram datagrams[NWI_DATAGRAM_BATCH];
    size_t count = 0;
    memset(datagrams, 0, sizeof datagrams);
    for (size_t i = 0; i < NWI_DATAGRAM_BATCH; i++)
        datagrams[i].data = (struct iovec){room + i * DATAGRAM_MAX, DATAGRAM_MAX};
    nwi_err err = nwi_datagram_recv_many(fd, datagrams, NWI_DATAGRAM_BATCH, &count);
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

uint32_t nwi_udp_maximum_size(int fd, int family) {
    int mtu = 0;
    uint32_t headers = UDP_HEADER + (family == AF_INET6 ? IPV6_HEADER : IPV4_HEADER);
    nwi_err err = family == AF_INET6 ? nwi_socket_get_int(fd, IPPROTO_IPV6, IPV6_MTU, &mtu)
                                     : nwi_socket_get_int(fd, IPPROTO_IP, IP_MTU, &mtu);
    if (err != 0 || mtu <= (int)headers)
        mtu = IPV6_MINIMUM_MTU;
    uint32_t size = (uint32_t)mtu - headers;
    return size < DATAGRAM_MAX - headers ? size : DATAGRAM_MAX - 1 - headers;
}

nw_protocol_metadata_t nwi_udp_copy_metadata(nw_protocol_definition_t definition) {
    return definition == &nwi_udp_definition ? nwi_retain(&nwi_udp_metadata) : NULL;
}
