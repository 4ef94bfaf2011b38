/*
 * message.h - messages among pieces of content on their way down.
 * What:   a message is what stands in a queue of sends up to one that is complete; layers that carry
 *         messages take them whole.
 * Runs:   in the protocol context.
 */
#ifndef NWI_STACK_MESSAGE_H
#define NWI_STACK_MESSAGE_H

#include "stack/layer.h"

/* Moves the pieces of the first complete message into `message`; false when there is none yet. */
bool nwi_message_take(struct nwi_send_list *queue, struct nwi_send_list *message);
size_t nwi_message_size(const struct nwi_send_list *message);
/* Copies the octets, nwi_message_size() of them. */
void nwi_message_copy_out(const struct nwi_send_list *message, void *octets);
/* Whether it ends the direction. */
bool nwi_message_is_final(const struct nwi_send_list *message);
/* An end without content is no datagram; an empty datagram has a context of its own. */
bool nwi_message_is_bare_end(const struct nwi_send_list *message);

#endif
