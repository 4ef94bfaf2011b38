/*
 * ethernet_channel.h - Ethernet frames of one custom EtherType on one interface, without IP.
 * Create a channel, give it a queue and handlers, start it. All handlers run on its queue, in
 * order. A started channel keeps itself alive until it has been cancelled or has failed. On Linux
 * the process needs the capability CAP_NET_RAW: without it the channel fails with EPERM.
 */
#ifndef NETWORK_ETHERNET_CHANNEL_H
#define NETWORK_ETHERNET_CHANNEL_H

#include <Network/error.h>
#include <Network/interface.h>
#include <Network/nw_object.h>
#include <Network/parameters.h>
#include <dispatch/dispatch.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_ethernet_channel);

/** The life of a channel. */
typedef enum {
    nw_ethernet_channel_state_invalid = 0,   /* never delivered */
    nw_ethernet_channel_state_waiting = 1,   /* the interface is down (ENETDOWN); it goes on by
                                                itself */
    nw_ethernet_channel_state_preparing = 2, /* started */
    nw_ethernet_channel_state_ready = 3,     /* frames pass, both ways */
    nw_ethernet_channel_state_failed = 4,    /* an end: EPERM (not allowed), ENODEV (the interface
                                                has gone), ENOTSUP (not an Ethernet one) */
    nw_ethernet_channel_state_cancelled = 5, /* the end after nw_ethernet_channel_cancel(); the last
                                                call back */
} nw_ethernet_channel_state_t;

/** An Ethernet address, in the order in which it is sent. */
typedef unsigned char nw_ethernet_address_t[6];

/**
 * Creates a channel for frames of `ether_type` (host byte order) on an interface. Only custom
 * EtherTypes are taken: none below 0x0600, which are lengths, and none that the system handles
 * itself, as IPv4, IPv6, ARP, VLAN tags and 802.1X. Returns a reference, or NULL when an argument
 * is NULL or refused, or memory ran out.
 */
NW_EXPORT nw_ethernet_channel_t nw_ethernet_channel_create(uint16_t ether_type,
                                                           nw_interface_t interface);

/**
 * The same with parameters, which are copied: their rules have to allow the interface (else NULL),
 * and their service class orders what is sent among other traffic of the machine.
 */
NW_EXPORT nw_ethernet_channel_t nw_ethernet_channel_create_with_parameters(
    uint16_t ether_type, nw_interface_t interface, nw_parameters_t parameters);

/** Gets each new state, and with waiting and failed the reason (lent), else NULL. */
typedef void (*nw_ethernet_channel_state_changed_handler_f)(void *context,
                                                            nw_ethernet_channel_state_t state,
                                                            nw_error_t error);
#ifdef __BLOCKS__
typedef void (^nw_ethernet_channel_state_changed_handler_t)(nw_ethernet_channel_state_t state,
                                                            nw_error_t error);
/** Sets the state handler, before start; NULL removes it. */
NW_EXPORT void
nw_ethernet_channel_set_state_changed_handler(nw_ethernet_channel_t ethernet_channel,
                                              nw_ethernet_channel_state_changed_handler_t handler);
#endif
/** Function form of the same. */
NW_EXPORT void nw_ethernet_channel_set_state_changed_handler_f(
    nw_ethernet_channel_t ethernet_channel, void *context,
    nw_ethernet_channel_state_changed_handler_f handler);

/** Sets the queue that all handlers run on. Needed before nw_ethernet_channel_start(). */
NW_EXPORT void nw_ethernet_channel_set_queue(nw_ethernet_channel_t ethernet_channel,
                                             dispatch_queue_t queue);

/**
 * The most octets that one frame can carry: the MTU of the interface. 0 before the channel is
 * ready, and for NULL.
 */
NW_EXPORT uint32_t
nw_ethernet_channel_get_maximum_payload_size(nw_ethernet_channel_t ethernet_channel);

/** Starts the channel. A second call is ignored. */
NW_EXPORT void nw_ethernet_channel_start(nw_ethernet_channel_t ethernet_channel);

/**
 * Ends the channel. Frames not yet sent complete with ECANCELED; the state cancelled comes last.
 * May be called repeatedly.
 */
NW_EXPORT void nw_ethernet_channel_cancel(nw_ethernet_channel_t ethernet_channel);

/**
 * Gets a frame: its payload as it was on the wire (padding up to 46 octets included), its VLAN tag
 * (priority, drop and VLAN bits; 0 = none), the address it was sent to (ours, or a broadcast or
 * multicast one) and whose it is. Content and addresses are lent for the call.
 */
typedef void (*nw_ethernet_channel_receive_handler_f)(void *context, dispatch_data_t content,
                                                      uint16_t vlan_tag,
                                                      nw_ethernet_address_t local_address,
                                                      nw_ethernet_address_t remote_address);
#ifdef __BLOCKS__
typedef void (^nw_ethernet_channel_receive_handler_t)(dispatch_data_t content, uint16_t vlan_tag,
                                                      nw_ethernet_address_t local_address,
                                                      nw_ethernet_address_t remote_address);
/**
 * Sets the handler of frames, before start; NULL removes it. While it does not keep up, some 128
 * frames wait for it; the kernel's buffer takes a few more, and what then comes is lost.
 */
NW_EXPORT void
nw_ethernet_channel_set_receive_handler(nw_ethernet_channel_t ethernet_channel,
                                        nw_ethernet_channel_receive_handler_t handler);
#endif
/** Function form of the same. */
NW_EXPORT void
nw_ethernet_channel_set_receive_handler_f(nw_ethernet_channel_t ethernet_channel, void *context,
                                          nw_ethernet_channel_receive_handler_f handler);

/** Called once: the frame was given to the interface (NULL), or was dropped (the reason, lent). */
typedef void (*nw_ethernet_channel_send_completion_f)(void *context, nw_error_t error);
#ifdef __BLOCKS__
typedef void (^nw_ethernet_channel_send_completion_t)(nw_error_t error);
/**
 * Sends one frame, which is one payload, to an address; broadcast is ff:ff:ff:ff:ff:ff. `vlan_tag`
 * is sent as it is, 0 = no tag. The content is copied before the call returns. Only a ready channel
 * sends. The completion gets ENOTCONN before that, ENETDOWN while waiting, EMSGSIZE when the
 * payload is larger than nw_ethernet_channel_get_maximum_payload_size(), EINVAL without content or
 * address, ENOBUFS when the interface's queue was full, the channel's error or ECANCELED after its
 * end.
 */
NW_EXPORT void nw_ethernet_channel_send(nw_ethernet_channel_t ethernet_channel,
                                        dispatch_data_t content, uint16_t vlan_tag,
                                        nw_ethernet_address_t remote_address,
                                        nw_ethernet_channel_send_completion_t completion);
#endif
/** Function form of the same. */
NW_EXPORT void nw_ethernet_channel_send_f(nw_ethernet_channel_t ethernet_channel,
                                          dispatch_data_t content, uint16_t vlan_tag,
                                          nw_ethernet_address_t remote_address,
                                          void *completion_context,
                                          nw_ethernet_channel_send_completion_f completion);

NW_EXTERN_C_END

#endif
