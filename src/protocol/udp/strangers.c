/*
 * strangers.c - see strangers.h.
 */
#include "protocol/udp/strangers.h"
#include "base/alloc.h"
#include "sys/address.h"
#include <string.h>

enum {
    COUNT_MAX = 256, /* what is more is lost, as in a socket's full buffer */
    OCTETS_MAX = 256 * 1024,
    OF_ONE_PEER = 4, /* so that nobody takes the places of all others */
};

struct nwi_udp_stranger {
    STAILQ_ENTRY(nwi_udp_stranger) link;
    struct nwi_datagram datagram; /* its octets stand behind this struct */
};

void nwi_udp_strangers_init(struct nwi_udp_strangers *strangers) {
    STAILQ_INIT(&strangers->list);
}

static bool has_room_for(const struct nwi_udp_strangers *strangers,
                         const struct nwi_datagram *datagram) {
    const struct nwi_udp_stranger *stranger;
    int same = 0;
    if (strangers->count == COUNT_MAX || strangers->octets + datagram->length > OCTETS_MAX)
        return false;
    STAILQ_FOREACH (stranger, &strangers->list, link)
        same += nwi_address_equal((const struct sockaddr *)&stranger->datagram.peer,
                                  (const struct sockaddr *)&datagram->peer);
    return same < OF_ONE_PEER;
}

void nwi_udp_strangers_add(struct nwi_udp_strangers *strangers,
                           const struct nwi_datagram *datagram) {
    struct nwi_udp_stranger *stranger = NULL;
    if (has_room_for(strangers, datagram))
        stranger = nwi_alloc_raw(sizeof *stranger + datagram->length);
    if (stranger == NULL)
        return;
    stranger->datagram = *datagram;
    stranger->datagram.data.iov_base =
        memcpy(stranger + 1, datagram->data.iov_base, datagram->length);
    STAILQ_INSERT_TAIL(&strangers->list, stranger, link);
    strangers->count++;
    strangers->octets += datagram->length;
}

const struct nwi_datagram *nwi_udp_strangers_first(const struct nwi_udp_strangers *strangers) {
    const struct nwi_udp_stranger *first = STAILQ_FIRST(&strangers->list);
    return first != NULL ? &first->datagram : NULL;
}

void nwi_udp_strangers_drop_first(struct nwi_udp_strangers *strangers) {
    struct nwi_udp_stranger *first = STAILQ_FIRST(&strangers->list);
    STAILQ_REMOVE_HEAD(&strangers->list, link);
    strangers->count--;
    strangers->octets -= first->datagram.length;
    nwi_free(first);
}

void nwi_udp_strangers_clear(struct nwi_udp_strangers *strangers) {
    while (!STAILQ_EMPTY(&strangers->list))
        nwi_udp_strangers_drop_first(strangers);
}
