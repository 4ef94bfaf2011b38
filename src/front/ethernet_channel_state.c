/*
 * ethernet_channel_state.c - the states of an Ethernet channel, and the interface that makes them.
 * What:   the socket is opened at the start and stays, also while the interface is down: the kernel
 *         joins it again by itself. Whether it is up the table of links tells, at each change.
 * Source: nw_ethernet_channel_t as documented; packet(7), netdevice(7).
 * Runs:   in the channel's serial context; handlers on its queue.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "front/ethernet_channel.h"
#include "model/error.h"
#include "stack/socket_options.h"
#include <net/if_arp.h>

#define REST (2 * NWI_PATH_COALESCE + 10 * NWI_MS) /* by then a change has been told */

static const char *const state_name[] = {"setup", "waiting", "preparing",
                                         "ready", "failed",  "cancelled"};

struct notice {
    struct nwi_task task;
    nw_ethernet_channel_t channel; /* borrowed: the outlet holds it */
    struct nwi_handler *handler;   /* owned */
    nw_ethernet_channel_state_t state;
    nw_error_t error; /* owned */
    bool last;
};

static void call_out(struct nwi_task *task) {
    struct notice *notice = nwi_container_of(task, struct notice, task);
    if (notice->handler != NULL)
        NWI_CALL(notice->handler->callback, void, (nw_ethernet_channel_state_t, nw_error_t),
                 notice->state, notice->error);
    nwi_release(notice->handler);
    nwi_release(notice->error);
    if (notice->last)
        nwi_release(notice->channel);
    nwi_free(notice);
}

static bool is_end(nw_ethernet_channel_state_t state) {
    return state == nw_ethernet_channel_state_failed ||
           state == nw_ethernet_channel_state_cancelled;
}

/* The only writer of the state. An end is final, but a failed channel may still be cancelled. */
static void enter(nw_ethernet_channel_t channel, nw_ethernet_channel_state_t next, nwi_err err) {
    nw_ethernet_channel_state_t from = channel->protocol.state;
    char name[16], text[160];
    if ((next == from && err == channel->protocol.reason) || (is_end(from) && next <= from))
        return;
    snprintf(name, sizeof name, "E%u", channel->id);
    if (nwi_log_enabled(NWI_LOG_DEBUG))
        nwi_log(NWI_LOG_DEBUG, name, "state", "%s -> %s%s%s", state_name[from], state_name[next],
                err != 0 ? ", " : "", err != 0 ? nwi_err_format(err, text, sizeof text) : "");
    channel->protocol.state = next;
    channel->protocol.reason = err;
    bool last = is_end(next) && channel->protocol.holds_itself;
    if (last)
        channel->protocol.holds_itself = false;
    struct nwi_handler *handler = channel->protocol.handlers[ETHERNET_STATE];
    if (channel->outlet.queue != NULL && (handler != NULL || last)) {
        struct notice *notice = nwi_alloc_certain(sizeof *notice);
        *notice = (struct notice){.task.run = call_out,
                                  .channel = channel,
                                  .handler = nwi_retain(handler),
                                  .state = next,
                                  .error = err != 0 ? nwi_error_create(err) : NULL,
                                  .last = last};
        nwi_outlet_push(&channel->outlet, &notice->task);
    }
    if (next == nw_ethernet_channel_state_cancelled)
        for (int i = 0; i < ETHERNET_HANDLERS; i++)
            channel->protocol.handlers[i] = nwi_release(channel->protocol.handlers[i]);
}

/* Gives back what a running channel has. */
static void stop(nw_ethernet_channel_t channel, nwi_err why) {
    channel->protocol.path_changes = nwi_path_unsubscribe(channel->protocol.path_changes);
    if (channel->protocol.started)
        nwi_alarm_stop(&channel->protocol.again);
    if (channel->protocol.fd >= 0) {
        nwi_watch_stop(&channel->protocol.watch);
        nwi_socket_close(channel->protocol.fd);
        channel->protocol.fd = -1;
    }
    nwi_free(channel->protocol.room);
    channel->protocol.room = NULL;
    channel->protocol.readable = channel->protocol.blocked = false;
    nwi_ethernet_fail_sends(channel, why);
}

void nwi_ethernet_fail(nw_ethernet_channel_t channel, nwi_err err) {
    char text[160];
    if (is_end(channel->protocol.state))
        return;
    nwi_log(NWI_LOG_ERROR, "ethernet", "failed", "E%u, interface %u: %s%s", channel->id,
            channel->interface_index, nwi_err_format(err, text, sizeof text),
            err == nwi_posix(EPERM) ? " (it needs the capability CAP_NET_RAW)" : "");
    stop(channel, err);
    enter(channel, nw_ethernet_channel_state_failed, err);
}

static void wait_for(nw_ethernet_channel_t channel, nwi_err err) {
    channel->protocol.blocked = false;
    nwi_ethernet_fail_sends(channel, err);
    enter(channel, nw_ethernet_channel_state_waiting, err);
}

static nwi_err open_socket(nw_ethernet_channel_t channel) {
    int fd;
    nwi_err err = nwi_packet_open(channel->ether_type, channel->interface_index, &fd);
    if (err != 0)
        return err;
    if (channel->service_class != nw_service_class_best_effort)
        nwi_socket_tune(fd, SOL_SOCKET, SO_PRIORITY,
                        nwi_service_class_priority(channel->service_class), "SO_PRIORITY");
    err = nwi_watch_start_reading(&channel->protocol.watch, &channel->context, channel->loop, fd,
                                  channel, nwi_ethernet_watch_ready);
    if (err != 0) {
        nwi_socket_close(fd);
        return err;
    }
    channel->protocol.fd = fd;
    return 0;
}

/* What hinders frames from passing; 0: nothing. */
static nwi_err examine(nw_ethernet_channel_t channel, uint32_t *ret_mtu) {
    NWI_AUTO_RELEASE
    struct nwi_path_table *table = nwi_path_copy_table();
    if (table == NULL)
        return NWI_ERR_NOMEM;
    const struct nwi_path_interface *found = nwi_path_table_find(table, channel->interface_index);
    if (found == NULL)
        return nwi_posix(ENODEV);
    if (found->link.arp_type != ARPHRD_ETHER && found->link.arp_type != ARPHRD_LOOPBACK)
        return nwi_posix(ENOTSUP);
    if ((found->link.flags & IFF_UP) == 0 || (found->link.flags & IFF_RUNNING) == 0)
        return nwi_posix(ENETDOWN);
    *ret_mtu = found->link.mtu < NWI_PACKET_PAYLOAD_MAX ? found->link.mtu : NWI_PACKET_PAYLOAD_MAX;
    return nwi_packet_local(channel->protocol.fd, channel->protocol.own);
}

static void become_ready(nw_ethernet_channel_t channel, uint32_t mtu) {
    atomic_store_explicit(&channel->mtu, mtu, memory_order_relaxed);
    if (channel->protocol.state == nw_ethernet_channel_state_waiting)
        enter(channel, nw_ethernet_channel_state_preparing, 0);
    enter(channel, nw_ethernet_channel_state_ready, 0);
    nwi_ethernet_read(channel); /* what came while the state was another */
}

static void path_changed(void *context);

/* The network is watched before it is looked at, so that no change slips between. */
static nwi_err watch_network(nw_ethernet_channel_t channel) {
    return channel->protocol.path_changes != NULL
               ? 0
               : nwi_path_subscribe(&channel->context, channel, path_changed, channel,
                                    &channel->protocol.path_changes);
}

void nwi_ethernet_look(nw_ethernet_channel_t channel) {
    uint32_t mtu = 0;
    if (is_end(channel->protocol.state))
        return;
    nwi_err err = watch_network(channel);
    if (err == 0 && channel->protocol.fd < 0)
        err = open_socket(channel);
    if (err == 0)
        err = examine(channel, &mtu);
    if (err == 0)
        err = nwi_ethernet_make_room(channel, mtu);
    if (err == 0) {
        become_ready(channel, mtu);
    } else if (nwi_err_is_shortage(err)) {
        if (channel->protocol.state != nw_ethernet_channel_state_ready)
            wait_for(channel, err);
        nwi_ethernet_look_later(channel);
    } else if (err == nwi_posix(ENETDOWN)) {
        wait_for(channel, err); /* the next change of the network brings us back here */
    } else {
        nwi_ethernet_fail(channel, err);
    }
}

/* The table is read when a change is told, perhaps amid the next ones: when those undo each other
 * they are not told, but we may have seen what lay between. So it is read until it has come to
 * rest.
 */
static void look_until_rest(nw_ethernet_channel_t channel, bool changed) {
    nw_ethernet_channel_state_t before = channel->protocol.state;
    nwi_ethernet_look(channel);
    if ((changed || channel->protocol.state != before) && !is_end(channel->protocol.state))
        (void)nwi_alarm_set(&channel->protocol.again, nwi_now() + REST); /* no memory: as told */
}

static void path_changed(void *context) {
    look_until_rest(context, true);
}

static void look_again(struct nwi_alarm *alarm) {
    look_until_rest(alarm->owner, false);
}

void nwi_ethernet_look_later(nw_ethernet_channel_t channel) {
    nwi_err err = nwi_alarm_set(&channel->protocol.again, nwi_now() + NWI_SHORTAGE_PAUSE);
    if (err != 0)
        nwi_ethernet_fail(channel, err);
}

void nwi_ethernet_begin(void *object, struct nwi_operation *operation) {
    nw_ethernet_channel_t channel = object;
    (void)operation;
    if (channel->protocol.started)
        return; /* a second start is ignored */
    if (channel->outlet.queue == NULL) {
        nwi_log_misuse("nw_ethernet_channel_start",
                       "no queue: call nw_ethernet_channel_set_queue first");
        return;
    }
    if (is_end(channel->protocol.state))
        return; /* cancelled before it began */
    channel->protocol.started = true;
    nwi_alarm_init(&channel->protocol.again, &channel->context, channel->loop, channel, look_again);
    nwi_retain(channel);
    channel->protocol.holds_itself = true;
    enter(channel, nw_ethernet_channel_state_preparing, 0);
    nwi_ethernet_look(channel);
}

void nwi_ethernet_end(void *object, struct nwi_operation *operation) {
    nw_ethernet_channel_t channel = object;
    (void)operation;
    stop(channel, NWI_ERR_CANCELED);
    enter(channel, nw_ethernet_channel_state_cancelled, 0);
}
