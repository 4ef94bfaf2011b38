/*
 * ethernet_channel.c - nw_ethernet_channel_t: the object and its public calls, sending aside.
 * Source: nw_ethernet_channel_t as documented; IEEE 802.3 (what is a length, what an EtherType).
 * Runs:   public calls on any thread become operations in the channel's serial context; handlers on
 *         its queue.
 * Owns:   a started channel holds itself until its end has been told.
 */
#include "front/ethernet_channel.h"
#include "base/log.h"
#include "model/interface.h"
#include "model/parameters.h"
#include <linux/if_ether.h>

void nwi_ethernet_perform(nw_ethernet_channel_t channel, struct nwi_operation operation) {
    operation.object = channel;
    nwi_operation_perform(&channel->context, operation);
}

static bool refuse_null(const void *object, const char *function) {
    return nwi_refuse_null(object, function, "ethernet_channel");
}

static void destroy_channel(void *object) {
    nw_ethernet_channel_t channel = object;
    for (int i = 0; i < ETHERNET_HANDLERS; i++)
        nwi_release(channel->protocol.handlers[i]);
    nwi_outlet_clear(&channel->outlet);
}

static const struct nwi_type channel_type = {
    .name = "nw_ethernet_channel",
    .size = sizeof(struct nw_ethernet_channel),
    .destroy = destroy_channel,
};

/* What the kernel handles itself: a second reader of it would be no protocol but a sniffer. */
static bool is_custom(uint16_t ether_type) {
    static const uint16_t systems[] = {
        ETH_P_IP,      ETH_P_ARP,     ETH_P_RARP,  ETH_P_IPV6,   ETH_P_8021Q,    ETH_P_8021AD,
        ETH_P_QINQ1,   ETH_P_QINQ2,   ETH_P_QINQ3, ETH_P_PAE,    ETH_P_PPP_DISC, ETH_P_PPP_SES,
        ETH_P_MPLS_UC, ETH_P_MPLS_MC, ETH_P_SLOW,  ETH_P_MACSEC,
    };
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++)
        if (ether_type == systems[i])
            return false;
    return ether_type >= ETH_P_802_3_MIN; /* below it is a length */
}

static _Atomic unsigned last_id; /* relaxed: only uniqueness matters */

static nw_ethernet_channel_t create_channel(uint16_t ether_type, nw_interface_t interface,
                                            nw_service_class_t service_class,
                                            const char *function) {
    if (interface == NULL) {
        nwi_log_misuse(function, "interface is NULL");
        return NULL;
    }
    if (!is_custom(ether_type)) {
        nwi_log(NWI_LOG_ERROR, "ethernet", "misuse", "%s: 0x%04x is no custom EtherType: %s",
                function, ether_type,
                ether_type < ETH_P_802_3_MIN ? "it would be read as a length"
                                             : "the system handles it itself");
        return NULL;
    }
    nw_ethernet_channel_t channel = nwi_object_create(&channel_type, 0);
    if (channel == NULL)
        return NULL;
    channel->id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1;
    channel->ether_type = ether_type;
    channel->interface_index = interface->index;
    channel->service_class = service_class;
    channel->loop = nwi_loop_pick_for_io();
    nwi_serial_init(&channel->context, channel->loop, channel);
    nwi_outlet_init(&channel->outlet, channel);
    channel->protocol.fd = -1;
    channel->protocol.turn.run = nwi_ethernet_turn;
    TAILQ_INIT(&channel->protocol.sends);
    return channel;
}

nw_ethernet_channel_t nw_ethernet_channel_create(uint16_t ether_type, nw_interface_t interface) {
    return create_channel(ether_type, interface, nw_service_class_best_effort, __func__);
}

nw_ethernet_channel_t nw_ethernet_channel_create_with_parameters(uint16_t ether_type,
                                                                 nw_interface_t interface,
                                                                 nw_parameters_t parameters) {
    if (parameters == NULL) {
        nwi_log_misuse(__func__, "parameters is NULL");
        return NULL;
    }
    if (interface != NULL && !nwi_parameters_allow_interface(parameters, interface)) {
        nwi_log(NWI_LOG_ERROR, "ethernet", "misuse", "%s: the parameters do not allow %s", __func__,
                interface->name);
        return NULL;
    }
    return create_channel(ether_type, interface, parameters->service_class, __func__);
}

static void apply_queue(void *object, struct nwi_operation *operation) {
    nw_ethernet_channel_t channel = object;
    if (channel->protocol.started)
        nwi_log_misuse("nw_ethernet_channel_set_queue",
                       "the channel has been started: the queue stays");
    else
        nwi_outlet_set_queue(&channel->outlet, operation->queue);
    dispatch_release(operation->queue);
}

void nw_ethernet_channel_set_queue(nw_ethernet_channel_t channel, dispatch_queue_t queue) {
    if (refuse_null(channel, __func__))
        return;
    if (queue == NULL) {
        nwi_log_misuse(__func__, "queue is NULL");
        return;
    }
    dispatch_retain(queue);
    nwi_ethernet_perform(channel, (struct nwi_operation){.apply = apply_queue, .queue = queue});
}

static void apply_handler(void *object, struct nwi_operation *operation) {
    nw_ethernet_channel_t channel = object;
    if (channel->protocol.state == nw_ethernet_channel_state_cancelled) {
        nwi_callback_clear(&operation->callback);
        return;
    }
    struct nwi_handler **slot = &channel->protocol.handlers[operation->number];
    nwi_release(*slot);
    *slot = nwi_handler_create(operation->callback);
}

static void set_handler(nw_ethernet_channel_t channel, const char *function,
                        enum ethernet_handler which, struct nwi_callback callback) {
    if (refuse_null(channel, function))
        nwi_callback_clear(&callback);
    else
        nwi_ethernet_perform(channel, (struct nwi_operation){.apply = apply_handler,
                                                             .callback = callback,
                                                             .number = (int)which});
}

void nw_ethernet_channel_set_state_changed_handler_f(
    nw_ethernet_channel_t channel, void *context,
    nw_ethernet_channel_state_changed_handler_f handler) {
    set_handler(channel, __func__, ETHERNET_STATE, nwi_callback_f(context, (nwi_fn)handler));
}
NW_EXPORT void nw_ethernet_channel_set_state_changed_handler(nw_ethernet_channel_t channel,
                                                             const void *handler) {
    set_handler(channel, __func__, ETHERNET_STATE, nwi_callback_block(handler));
}
void nw_ethernet_channel_set_receive_handler_f(nw_ethernet_channel_t channel, void *context,
                                               nw_ethernet_channel_receive_handler_f handler) {
    set_handler(channel, __func__, ETHERNET_RECEIVE, nwi_callback_f(context, (nwi_fn)handler));
}
NW_EXPORT void nw_ethernet_channel_set_receive_handler(nw_ethernet_channel_t channel,
                                                       const void *handler) {
    set_handler(channel, __func__, ETHERNET_RECEIVE, nwi_callback_block(handler));
}

uint32_t nw_ethernet_channel_get_maximum_payload_size(nw_ethernet_channel_t channel) {
    return refuse_null(channel, __func__)
               ? 0
               : atomic_load_explicit(&channel->mtu, memory_order_relaxed);
}

void nw_ethernet_channel_start(nw_ethernet_channel_t channel) {
    if (!refuse_null(channel, __func__))
        nwi_ethernet_perform(channel, (struct nwi_operation){.apply = nwi_ethernet_begin});
}

void nw_ethernet_channel_cancel(nw_ethernet_channel_t channel) {
    if (!refuse_null(channel, __func__))
        nwi_ethernet_perform(channel, (struct nwi_operation){.apply = nwi_ethernet_end});
}
