/*
 * ethernet_channel_frames.c - the frames of an Ethernet channel: sending and receiving.
 * Source: nw_ethernet_channel_t as documented; packet(7).
 * Runs:   nw_ethernet_channel_send on any thread; the rest in the channel's serial context;
 *         completions and the receive handler on its queue.
 * Owns:   a send from the call to its completion; a frame received until the handler has had it.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "dispatch/data.h"
#include "front/ethernet_channel.h"
#include "model/error.h"

enum {
    HEADROOM = NWI_PACKET_HEADER + NWI_PACKET_TAG,
    BATCH_OCTETS =
        128 * 1024, /* at most this much room for a batch: jumbo frames make small ones */
};

/* --- receiving --- */

struct frame {
    struct nwi_task task;
    nw_ethernet_channel_t channel; /* borrowed: the outlet holds it */
    struct nwi_handler *handler;   /* owned */
    dispatch_data_t content;       /* owned */
    uint16_t vlan_tag;
    nw_ethernet_address_t local, remote;
};

static void resume(void *channel, struct nwi_operation *operation) {
    (void)operation;
    nwi_ethernet_read(channel);
}

static void call_out(struct nwi_task *task) {
    struct frame *frame = nwi_container_of(task, struct frame, task);
    nw_ethernet_channel_t channel = frame->channel;
    NWI_CALL(frame->handler->callback, void,
             (dispatch_data_t, uint16_t, unsigned char *, unsigned char *), frame->content,
             frame->vlan_tag, frame->local, frame->remote);
    nwi_release(frame->handler);
    dispatch_release(frame->content);
    nwi_free(frame);
    /* relaxed: only the count matters, the reader looks again in the context. Half: so that a full
     * batch is read when the client catches up. */
    if (atomic_fetch_sub_explicit(&channel->undelivered, 1, memory_order_relaxed) ==
        NWI_ETHERNET_UNDELIVERED_MAX / 2)
        nwi_ethernet_perform(channel, (struct nwi_operation){.apply = resume});
}

/* Without memory the frame is lost, as on a busy wire. */
static void tell(nw_ethernet_channel_t channel, const struct nwi_packet *packet) {
    struct nwi_handler *handler = channel->protocol.handlers[ETHERNET_RECEIVE];
    if (packet->truncated || handler == NULL)
        return;
    struct frame *frame = nwi_alloc(sizeof *frame);
    dispatch_data_t content =
        frame != NULL ? nwi_data_create_copy(packet->payload, packet->length) : NULL;
    if (content == NULL) {
        nwi_log(NWI_LOG_ERROR, "ethernet", "lost", "E%u: a frame was lost: out of memory",
                channel->id);
        nwi_free(frame);
        return;
    }
    frame->task.run = call_out;
    frame->channel = channel;
    frame->handler = nwi_retain(handler);
    frame->content = content;
    frame->vlan_tag = packet->vlan_tag;
    memcpy(frame->local, packet->local, sizeof frame->local);
    memcpy(frame->remote, packet->remote, sizeof frame->remote);
    atomic_fetch_add_explicit(&channel->undelivered, 1, memory_order_relaxed);
    nwi_outlet_push(&channel->outlet, &frame->task);
}

static size_t batch_of(size_t frame_room) {
    size_t count = BATCH_OCTETS / frame_room;
    return count < 1 ? 1 : count > NWI_PACKET_BATCH ? NWI_PACKET_BATCH : count;
}

nwi_err nwi_ethernet_make_room(nw_ethernet_channel_t channel, uint32_t mtu) {
    size_t frame_room = (size_t)mtu + HEADROOM; /* a tag inside the first one is payload */
    if (channel->protocol.room != NULL && channel->protocol.frame_room == frame_room)
        return 0;
    char *room = nwi_alloc_raw(batch_of(frame_room) * frame_room);
    if (room == NULL)
        return NWI_ERR_NOMEM;
    nwi_free(channel->protocol.room);
    channel->protocol.room = room;
    channel->protocol.frame_room = frame_room;
    return 0;
}

static nwi_err read_batch(nw_ethernet_channel_t channel) {
    struct nwi_packet packets[NWI_PACKET_BATCH];
    size_t frame_room = channel->protocol.frame_room, batch = batch_of(frame_room), count = 0;
    memset(packets, 0, sizeof packets);
    for (size_t i = 0; i < batch; i++)
        packets[i].data = (struct iovec){channel->protocol.room + i * frame_room, frame_room};
    nwi_err err = nwi_packet_recv_many(channel->protocol.fd, packets, batch, &count);
    size_t octets = 0;
    for (size_t i = 0; err == 0 && i < count; i++) {
        octets += packets[i].length;
        tell(channel, &packets[i]);
    }
    nwi_loop_charge(octets);
    return err;
}

/* What goes on by itself goes on in a later task of the context. */
static void queue_turn(nw_ethernet_channel_t channel) {
    if (channel->protocol.turn_coming)
        return;
    channel->protocol.turn_coming = true;
    nwi_serial_push(&channel->context, &channel->protocol.turn);
}

static bool may_read(nw_ethernet_channel_t channel) {
    return channel->protocol.readable &&
           channel->protocol.state == nw_ethernet_channel_state_ready &&
           atomic_load_explicit(&channel->undelivered, memory_order_relaxed) <
               NWI_ETHERNET_UNDELIVERED_MAX;
}

void nwi_ethernet_read(nw_ethernet_channel_t channel) {
    for (int reads = 0; may_read(channel); reads++) {
        if (reads > 0 && nwi_loop_turn_is_over()) { /* a flood here must not stall the others */
            queue_turn(channel);
            return;
        }
        nwi_err err = read_batch(channel);
        if (nwi_err_would_block(err)) {
            channel->protocol.readable = false;
        } else if (nwi_err_is_shortage(err)) {
            nwi_ethernet_look_later(channel); /* and reads on then */
            return;
        } else if (err != 0 && err != nwi_posix(ENETDOWN)) {
            nwi_ethernet_fail(channel, err); /* ENETDOWN is told once: the link's table decides */
        }
    }
}

/* --- sending --- */

static void completed(struct nwi_task *task) { /* on the client queue */
    struct ethernet_send *send = nwi_container_of(task, struct ethernet_send, task);
    nw_error_t error = send->err != 0 ? nwi_error_create(send->err) : NULL;
    NWI_CALL(send->completion, void, (nw_error_t), error);
    nwi_release(error);
    nwi_callback_clear(&send->completion);
    nwi_free(send);
}

static void send_done(nw_ethernet_channel_t channel, struct ethernet_send *send, nwi_err err) {
    if (send->completion.fn == NULL) { /* nobody wants to know */
        nwi_free(send);
        return;
    }
    send->err = err;
    send->task.run = completed;
    nwi_outlet_give(&channel->outlet, &send->task);
}

static void first_done(nw_ethernet_channel_t channel, nwi_err err) {
    struct ethernet_send *send = TAILQ_FIRST(&channel->protocol.sends);
    TAILQ_REMOVE(&channel->protocol.sends, send, link);
    send_done(channel, send, err);
}

void nwi_ethernet_fail_sends(nw_ethernet_channel_t channel, nwi_err err) {
    while (!TAILQ_EMPTY(&channel->protocol.sends))
        first_done(channel, err);
}

static void flush(nw_ethernet_channel_t channel) {
    while (!TAILQ_EMPTY(&channel->protocol.sends) && !channel->protocol.blocked) {
        struct iovec frames[NWI_PACKET_BATCH];
        size_t count = 0, sent = 0;
        struct ethernet_send *send;
        TAILQ_FOREACH (send, &channel->protocol.sends, link) {
            if (count == NWI_PACKET_BATCH)
                break;
            uint8_t *payload = send->octets + HEADROOM;
            size_t header = nwi_packet_write_header(payload, send->to, channel->protocol.own,
                                                    send->vlan_tag, channel->ether_type);
            frames[count++] = (struct iovec){payload - header, header + send->size};
        }
        nwi_err err = nwi_packet_send_many(channel->protocol.fd, channel->interface_index, frames,
                                           count, &sent);
        if (nwi_err_would_block(err)) {
            channel->protocol.blocked = true;
            nwi_watch_await_write(&channel->protocol.watch);
        } else if (err != 0) {
            first_done(channel, err); /* its own: the next may pass */
        }
        for (; sent > 0; sent--)
            first_done(channel, 0);
    }
}

void nwi_ethernet_turn(struct nwi_task *task) {
    nw_ethernet_channel_t channel =
        nwi_container_of(task, struct nw_ethernet_channel, protocol.turn);
    channel->protocol.turn_coming = false;
    flush(channel);
    nwi_ethernet_read(channel);
}

void nwi_ethernet_watch_ready(struct nwi_watch *watch, unsigned events) {
    nw_ethernet_channel_t channel =
        nwi_container_of(watch, struct nw_ethernet_channel, protocol.watch);
    if (channel->protocol.fd < 0)
        return;
    if ((events & NWI_IO_WRITE) != 0 && channel->protocol.blocked) {
        channel->protocol.blocked = false;
        flush(channel);
    }
    if ((events & ~(unsigned)NWI_IO_WRITE) != 0) {
        channel->protocol.readable = true;
        nwi_ethernet_read(channel);
    }
}

static nwi_err check_send(nw_ethernet_channel_t channel, const struct ethernet_send *send) {
    switch (channel->protocol.state) {
    case nw_ethernet_channel_state_ready:
        break;
    case nw_ethernet_channel_state_waiting:
    case nw_ethernet_channel_state_failed:
        return channel->protocol.reason;
    case nw_ethernet_channel_state_cancelled:
        return NWI_ERR_CANCELED;
    default:
        return nwi_posix(ENOTCONN);
    }
    bool fits = send->size <= atomic_load_explicit(&channel->mtu, memory_order_relaxed);
    return fits ? send->err : nwi_posix(EMSGSIZE);
}

static void send_arrived(struct nwi_task *task) {
    struct ethernet_send *send = nwi_container_of(task, struct ethernet_send, task);
    nw_ethernet_channel_t channel = send->channel;
    nwi_err err = check_send(channel, send);
    if (err != 0) {
        send_done(channel, send, err);
        return;
    }
    TAILQ_INSERT_TAIL(&channel->protocol.sends, send, link);
    if (channel->protocol.turn_coming || nwi_serial_count(&channel->context) > 1)
        queue_turn(channel); /* more is behind this one: they go together */
    else
        flush(channel);
}

static void send_frame(nw_ethernet_channel_t channel, dispatch_data_t content, uint16_t vlan_tag,
                       const unsigned char *remote_address, struct nwi_callback completion,
                       const char *function) {
    if (nwi_refuse_null(channel, function, "ethernet_channel")) {
        nwi_callback_clear(&completion);
        return;
    }
    size_t size = content != NULL ? dispatch_data_get_size(content) : 0;
    size_t held = size <= NWI_PACKET_PAYLOAD_MAX ? size : 0;
    struct ethernet_send *send = nwi_alloc_certain(sizeof *send + HEADROOM + held);
    send->task.run = send_arrived;
    send->channel = channel;
    send->completion = completion;
    send->size = size;
    send->vlan_tag = vlan_tag;
    if (content == NULL || remote_address == NULL) {
        nwi_log_misuse(function, content == NULL ? "content is NULL" : "remote_address is NULL");
        send->err = NWI_ERR_INVAL;
    } else {
        memcpy(send->to, remote_address, sizeof send->to);
        nwi_data_copy_out(content, 0, send->octets + HEADROOM, held);
    }
    nwi_serial_perform(&channel->context, &send->task);
}

void nw_ethernet_channel_send_f(nw_ethernet_channel_t channel, dispatch_data_t content,
                                uint16_t vlan_tag, nw_ethernet_address_t remote_address,
                                void *completion_context,
                                nw_ethernet_channel_send_completion_f completion) {
    send_frame(channel, content, vlan_tag, remote_address,
               nwi_callback_f(completion_context, (nwi_fn)completion), __func__);
}
NW_EXPORT void nw_ethernet_channel_send(nw_ethernet_channel_t channel, dispatch_data_t content,
                                        uint16_t vlan_tag, nw_ethernet_address_t remote_address,
                                        const void *completion) {
    send_frame(channel, content, vlan_tag, remote_address, nwi_callback_block(completion),
               __func__);
}
