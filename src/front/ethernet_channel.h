/*
 * ethernet_channel.h - an Ethernet channel from inside; shared by the ethernet_channel*.c files
 * only.
 * Runs:   `protocol` in the channel's serial context.
 */
#ifndef NWI_FRONT_ETHERNET_CHANNEL_H
#define NWI_FRONT_ETHERNET_CHANNEL_H

#include "dispatch/alarm.h"
#include "dispatch/serial.h"
#include "dispatch/watch.h"
#include "front/operation.h"
#include "path/monitor.h"
#include "sys/packet.h"
#include <sys/queue.h>

/* Frames that the client has not been given: then the rest stays with the kernel, which drops what
 * its buffer does not hold. */
enum { NWI_ETHERNET_UNDELIVERED_MAX = 128 };

enum ethernet_handler { ETHERNET_STATE, ETHERNET_RECEIVE, ETHERNET_HANDLERS };

struct ethernet_send {
    struct nwi_task task; /* into the context, then to the client queue */
    TAILQ_ENTRY(ethernet_send) link;
    nw_ethernet_channel_t channel;  /* borrowed: its context holds it */
    struct nwi_callback completion; /* owned */
    nwi_err err;
    size_t size; /* octets of payload; none is here when it is larger than any frame */
    uint16_t vlan_tag;
    uint8_t to[NWI_PACKET_ADDRESS];
    uint8_t octets[]; /* room for the header with a tag, then the payload */
};

struct nw_ethernet_channel {
    struct nwi_object base;
    unsigned id;
    uint16_t ether_type;
    uint32_t interface_index;
    nw_service_class_t service_class;
    struct nwi_loop *loop;
    struct nwi_serial context;
    struct nwi_outlet outlet;
    struct {
        nw_ethernet_channel_state_t state; /* written by nwi_ethernet_enter() alone */
        nwi_err reason;                    /* of waiting or failed */
        bool started, holds_itself;
        struct nwi_handler *handlers[ETHERNET_HANDLERS];
        struct nwi_path_subscription *path_changes; /* owned; from start to end */
        struct nwi_alarm again;                     /* after a shortage, after a change */
        /* The socket: from start to end, whether the interface is up or down. */
        int fd;
        struct nwi_watch watch;
        uint8_t own[NWI_PACKET_ADDRESS]; /* the interface's address */
        bool readable, blocked, turn_coming;
        struct nwi_task turn;              /* goes on with sends and reads */
        TAILQ_HEAD(, ethernet_send) sends; /* not yet given to the kernel */
        char *room;                        /* for a batch of frames; owned; while ready */
        size_t frame_room;                 /* octets for each */
    } protocol;
    _Atomic uint32_t undelivered; /* relaxed: a count that publishes nothing */
    _Atomic uint32_t mtu;         /* relaxed, the same; 0 before ready */
};

/* ethernet_channel.c */
void nwi_ethernet_perform(nw_ethernet_channel_t channel, struct nwi_operation operation);

/* ethernet_channel_state.c: operations, and the end by an error. */
void nwi_ethernet_begin(void *channel, struct nwi_operation *operation);
void nwi_ethernet_end(void *channel, struct nwi_operation *operation);
void nwi_ethernet_fail(nw_ethernet_channel_t channel, nwi_err err);
/* Looks at the interface anew, at once or after a pause. */
void nwi_ethernet_look(nw_ethernet_channel_t channel);
void nwi_ethernet_look_later(nw_ethernet_channel_t channel);

/* ethernet_channel_frames.c */
/* Makes room for frames of the MTU. Errors: NWI_ERR_NOMEM. */
nwi_err nwi_ethernet_make_room(nw_ethernet_channel_t channel, uint32_t mtu);
/* Reads what there is, as long as the client keeps up. */
void nwi_ethernet_read(nw_ethernet_channel_t channel);
void nwi_ethernet_watch_ready(struct nwi_watch *watch, unsigned events);
void nwi_ethernet_turn(struct nwi_task *task);
/* Ends all sends that the kernel has not got. */
void nwi_ethernet_fail_sends(nw_ethernet_channel_t channel, nwi_err err);

#endif
