/*
 * message.h - datagrams as messages: shared by a connected UDP socket and by the peers of a
 * listener's socket.
 * What:   an outbox joins the pieces of a message until it is complete, and keeps messages that the
 *         kernel would not take yet; receiving makes a message with its own context of a datagram.
 * Runs:   in the protocol context of the layer that embeds it.
 */
#ifndef NWI_PROTOCOL_UDP_MESSAGE_H
#define NWI_PROTOCOL_UDP_MESSAGE_H

#include "protocol/udp/udp.h"

enum { NWI_UDP_MAX = 65536 }; /* octets; no UDP datagram is larger (RFC 768: 16-bit length) */

struct nwi_udp_outbox {
    struct nwi_send_list queue; /* pieces in order; a message ends at one marked complete */
    bool blocked;               /* the kernel would not take the first message */
    bool flushing;
};
/* Sends some of the messages, from the first on; *ret_sent >= 1 on success. Errors: those of the
 * first one, and then none was sent. */
typedef nwi_err (*nwi_udp_sender)(void *owner, const struct nwi_send_list *messages, size_t count,
                                  size_t *ret_sent);

void nwi_udp_outbox_init(struct nwi_udp_outbox *outbox);
void nwi_udp_outbox_add(struct nwi_udp_outbox *outbox, struct nwi_send *send);
/* Sends every complete message, until one would block. Pieces end with their message's result. */
void nwi_udp_outbox_flush(struct nwi_udp_outbox *outbox, nwi_udp_sender sender, void *owner);
void nwi_udp_outbox_fail(struct nwi_udp_outbox *outbox, nwi_err err);
/* Receives one datagram. Errors: would-block; ECONNREFUSED and its like belong to what was sent
 * before. */
nwi_err nwi_udp_receive(int fd, struct nwi_input *ret_input);
/* Receives what there is, up to NWI_DATAGRAM_BATCH, into `room` of NWI_UDP_BATCH_ROOM octets, and
 * calls `each` for every one. *ret_empty: there were no more. Errors: as nwi_udp_receive; then
 * there was none. */
#define NWI_UDP_BATCH_ROOM ((size_t)NWI_DATAGRAM_BATCH * NWI_UDP_MAX)
nwi_err nwi_udp_receive_batch(int fd, char *room,
                              void (*each)(void *owner, const struct nwi_datagram *datagram),
                              void *owner, bool *ret_empty);

/* The input made of a received datagram: its own context with IP and UDP metadata. The octets are
 * copied. */
nwi_err nwi_udp_make_input(const struct nwi_datagram *datagram, struct nwi_input *ret_input);
/* An nwi_udp_sender for `fd`: each message (sends linked in order) is one datagram. `usual`: the
 * service class of messages that name none. */
nwi_err nwi_udp_send_messages(int fd, const struct nwi_send_list *messages, size_t count,
                              nw_service_class_t usual, const struct nwi_datagram_to *to,
                              size_t *ret_sent);
nwi_err nwi_udp_apply_options(int fd, int family, nw_parameters_t parameters);
/* Octets of user content in one datagram to that peer over this socket. minimum_mtu: the options
 * ask for IPv6's smallest packets. */
uint32_t nwi_udp_maximum_size(int fd, int family, bool minimum_mtu);
/* How a listener's socket answers: from the address that was written to (family 0: not known), and
 * for link-local addresses by the interface. Lends from its arguments. */
struct nwi_datagram_to nwi_udp_back_to(const struct sockaddr_storage *peer, socklen_t length,
                                       const struct sockaddr_storage *local,
                                       unsigned interface_index);
nw_protocol_metadata_t nwi_udp_copy_metadata(nw_protocol_definition_t definition);

#endif
