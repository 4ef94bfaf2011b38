/*
 * inbox.c - see inbox.h.
 */
#include "protocol/udp/inbox.h"
#include "base/alloc.h"
#include "stack/chain.h"
#include <string.h>

enum {
    ROOM_FIRST = 4,
    ROOM_KEPT = 16, /* a larger ring goes when it is empty: a burst was rare */
};

static size_t size_of(const struct nwi_input *input) {
    return input->content != NULL ? dispatch_data_get_size(input->content) : 0;
}

static bool grow(struct nwi_udp_inbox *inbox) {
    size_t room = inbox->room != 0 ? inbox->room * 2 : ROOM_FIRST;
    struct nwi_input *ring = nwi_alloc_raw(room * sizeof *ring);
    if (ring == NULL)
        return false;
    for (size_t i = 0; i < inbox->count; i++)
        ring[i] = inbox->ring[(inbox->first + i) & (inbox->room - 1)];
    nwi_free(inbox->ring);
    inbox->ring = ring;
    inbox->room = room;
    inbox->first = 0;
    return true;
}

bool nwi_udp_inbox_add(struct nwi_udp_inbox *inbox, const struct nwi_input *input,
                       size_t octets_max) {
    size_t size = size_of(input);
    if (inbox->count == NWI_UDP_INBOX_COUNT || inbox->octets + size > octets_max)
        return false;
    if (inbox->count == inbox->room && !grow(inbox))
        return false;
    inbox->ring[(inbox->first + inbox->count++) & (inbox->room - 1)] = *input;
    inbox->octets += size;
    return true;
}

static void free_ring(struct nwi_udp_inbox *inbox) {
    nwi_free(inbox->ring);
    *inbox = (struct nwi_udp_inbox){0};
}

bool nwi_udp_inbox_take(struct nwi_udp_inbox *inbox, struct nwi_input *ret_input) {
    if (inbox->count == 0)
        return false;
    *ret_input = inbox->ring[inbox->first];
    inbox->first = (inbox->first + 1) & (inbox->room - 1);
    inbox->count--;
    inbox->octets -= size_of(ret_input);
    if (inbox->count == 0 && inbox->room > ROOM_KEPT)
        free_ring(inbox);
    return true;
}

void nwi_udp_inbox_clear(struct nwi_udp_inbox *inbox) {
    struct nwi_input input;
    while (nwi_udp_inbox_take(inbox, &input))
        nwi_input_drop(&input);
    free_ring(inbox);
}
