/*
 * path_monitor.h - tells how this machine is connected to the network, and each change of it.
 * Create it, give it a queue and handlers, start it. All handlers run on its queue, in order. A
 * started monitor keeps itself alive until it has been cancelled.
 */
#ifndef NETWORK_PATH_MONITOR_H
#define NETWORK_PATH_MONITOR_H

#include <Network/interface.h>
#include <Network/nw_object.h>
#include <Network/path.h>
#include <dispatch/dispatch.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_path_monitor);

/**
 * Creates a monitor of the path that new connections would take by default: satisfied while an
 * interface with an address has a default route. Its paths list such interfaces only. Returns a
 * reference, or NULL when memory ran out.
 */
NW_EXPORT nw_path_monitor_t nw_path_monitor_create(void);

/**
 * Creates a monitor that looks at interfaces of one type only. For nw_interface_type_loopback the
 * path is satisfied while the loopback interface is up with an address. Returns a reference, or
 * NULL when there is no such type or memory ran out.
 */
NW_EXPORT nw_path_monitor_t
nw_path_monitor_create_with_type(nw_interface_type_t required_interface_type);

/**
 * Creates a monitor of the interfaces an nw_ethernet_channel can use: wired, with an Ethernet link
 * layer, and up; addresses and routes do not matter. Returns a reference, or NULL when memory ran
 * out.
 */
NW_EXPORT nw_path_monitor_t nw_path_monitor_create_for_ethernet_channel(void);

/** Leaves out interfaces of this type. Before nw_path_monitor_start(); may be called for several.
 */
NW_EXPORT void nw_path_monitor_prohibit_interface_type(nw_path_monitor_t monitor,
                                                       nw_interface_type_t interface_type);

/** Is called once after nw_path_monitor_cancel(), as the monitor's last call back. */
typedef void (*nw_path_monitor_cancel_handler_f)(void *context);
#ifdef __BLOCKS__
typedef void (^nw_path_monitor_cancel_handler_t)(void);
/** Sets the cancel handler, before start; NULL removes it. */
NW_EXPORT void nw_path_monitor_set_cancel_handler(nw_path_monitor_t monitor,
                                                  nw_path_monitor_cancel_handler_t cancel_handler);
#endif
/** Function form of the same. */
NW_EXPORT void
nw_path_monitor_set_cancel_handler_f(nw_path_monitor_t monitor, void *context,
                                     nw_path_monitor_cancel_handler_f cancel_handler);

/** Gets the path as it is now, lent: soon after the start, and whenever it has become another one.
 */
typedef void (*nw_path_monitor_update_handler_f)(void *context, nw_path_t path);
#ifdef __BLOCKS__
typedef void (^nw_path_monitor_update_handler_t)(nw_path_t path);
/** Sets the update handler, before start; NULL removes it. */
NW_EXPORT void nw_path_monitor_set_update_handler(nw_path_monitor_t monitor,
                                                  nw_path_monitor_update_handler_t update_handler);
#endif
/** Function form of the same. */
NW_EXPORT void
nw_path_monitor_set_update_handler_f(nw_path_monitor_t monitor, void *context,
                                     nw_path_monitor_update_handler_f update_handler);

/** Sets the queue that all handlers run on. Needed before nw_path_monitor_start(). */
NW_EXPORT void nw_path_monitor_set_queue(nw_path_monitor_t monitor, dispatch_queue_t queue);

/** Starts watching. A second call is ignored, and so is one after nw_path_monitor_cancel(). */
NW_EXPORT void nw_path_monitor_start(nw_path_monitor_t monitor);

/** Ends watching: the cancel handler is called, and nothing after it. May be called repeatedly. */
NW_EXPORT void nw_path_monitor_cancel(nw_path_monitor_t monitor);

NW_EXTERN_C_END

#endif
