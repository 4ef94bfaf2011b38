/*
 * outbox.c - see message.h: datagrams on their way out.
 * What:   joins the pieces of a message until it is complete; hands complete ones to the kernel, several
 *         with one system call; keeps what it would not take.
 * Source: sendmmsg(2); RFC 768, RFC 3168 section 5.
 * Runs:   in the protocol context of the layer that embeds the outbox.
 */
#include "base/alloc.h"
#include "dispatch/data.h"
#include "loop/loop.h"
#include "model/content_context.h"
#include "model/metadata.h"
#include "protocol/udp/message.h"
#include "stack/message.h"
#include "stack/socket_options.h"
#include "sys/datagram.h"

enum {
    DATAGRAM_PIECES = 64, /* iovecs of one system call; a message in more is joined first */
};

void nwi_udp_outbox_init(struct nwi_udp_outbox *outbox) {
    STAILQ_INIT(&outbox->queue);
}

void nwi_udp_outbox_add(struct nwi_udp_outbox *outbox, struct nwi_send *send) {
    STAILQ_INSERT_TAIL(&outbox->queue, send, link);
}

/* Takes up to NWI_DATAGRAM_BATCH complete messages; returns how many. */
static size_t take_messages(struct nwi_udp_outbox *outbox, struct nwi_send_list *messages) {
    size_t count = 0;
    while (count < NWI_DATAGRAM_BATCH && nwi_message_take(&outbox->queue, &messages[count]))
        count++;
    return count;
}

/* In front of the queue again, in their order. */
static void put_back(struct nwi_udp_outbox *outbox, struct nwi_send_list *messages, size_t count) {
    struct nwi_send_list all = STAILQ_HEAD_INITIALIZER(all);
    for (size_t i = 0; i < count; i++)
        STAILQ_CONCAT(&all, &messages[i]);
    STAILQ_CONCAT(&all, &outbox->queue);
    STAILQ_CONCAT(&outbox->queue, &all);
}

void nwi_udp_outbox_flush(struct nwi_udp_outbox *outbox, nwi_udp_sender sender, void *owner) {
    struct nwi_send_list messages[NWI_DATAGRAM_BATCH];
    if (outbox->flushing)
        return; /* the loop below goes on */
    outbox->flushing = true;
    size_t count;
    while (!outbox->blocked && (count = take_messages(outbox, messages)) > 0) {
        size_t sent = 0;
        nwi_err err = sender(owner, messages, count, &sent);
        outbox->blocked = nwi_err_would_block(err);
        size_t ended = err == 0 ? sent : outbox->blocked ? 0 : 1;
        /* First out of reach of what the completions may do. */
        put_back(outbox, messages + ended, count - ended);
        for (size_t i = 0; i < ended; i++)
            nwi_send_list_fail(&messages[i], err); /* err 0: completes without an error */
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
static bool gather(const struct nwi_send_list *message, struct iovec *pieces, size_t room,
                   size_t *ret_count) {
    size_t count = 0;
    const struct nwi_send *send;
    STAILQ_FOREACH (send, message, link) {
        size_t offset = 0, first = count;
        if (send->content == NULL)
            continue;
        count += nwi_data_iovec(send->content, 0, pieces + count, room - count);
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
    size_t size = nwi_message_size(message);
    if (size > NWI_UDP_MAX)
        return nwi_posix(EMSGSIZE);
    char *bytes = nwi_alloc_raw(size);
    if (bytes == NULL)
        return NWI_ERR_NOMEM;
    nwi_message_copy_out(message, bytes);
    *ret_whole = (struct iovec){bytes, size};
    return 0;
}

/* One message as one datagram; what is in too many pieces is joined first. */
static nwi_err send_one(int fd, const struct nwi_send_list *message, nw_service_class_t usual,
                        const struct nwi_datagram_to *to) {
    struct nwi_datagram_to target = to != NULL ? *to : (struct nwi_datagram_to){0};
    struct iovec pieces[DATAGRAM_PIECES];
    void *joined = NULL;
    size_t count = 0;
    if (nwi_message_is_bare_end(message))
        return 0;
    if (!gather(message, pieces, DATAGRAM_PIECES, &count)) {
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

nwi_err nwi_udp_send_messages(int fd, const struct nwi_send_list *messages, size_t count,
                              nw_service_class_t usual, const struct nwi_datagram_to *to,
                              size_t *ret_sent) {
    struct iovec pieces[DATAGRAM_PIECES];
    struct nwi_datagram_to targets[NWI_DATAGRAM_BATCH];
    struct nwi_datagram_out out[NWI_DATAGRAM_BATCH];
    size_t ready = 0, used = 0, added;
    for (; ready < count && !nwi_message_is_bare_end(&messages[ready]); ready++, used += added) {
        if (!gather(&messages[ready], pieces + used, DATAGRAM_PIECES - used, &added))
            break;
        targets[ready] = to != NULL ? *to : (struct nwi_datagram_to){0};
        set_traffic_class(STAILQ_FIRST(&messages[ready]), usual, &targets[ready]);
        bool plain = to == NULL && !targets[ready].set_tos;
        out[ready] =
            (struct nwi_datagram_out){pieces + used, added, plain ? NULL : &targets[ready]};
    }
    if (ready > 1) {
        nwi_err err = nwi_datagram_send_many(fd, out, ready, ret_sent);
        nwi_loop_charge(0);
        return err;
    }
    *ret_sent = 1;
    return send_one(fd, &messages[0], usual, to);
}
