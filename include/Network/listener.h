/*
 * listener.h - waits for peers and makes a connection of each.
 * Create it, give it a queue and handlers, start it. All handlers run on its queue, in order. A
 * started listener keeps itself alive until it has been cancelled or has failed.
 */
#ifndef NETWORK_LISTENER_H
#define NETWORK_LISTENER_H

#include <Network/advertise_descriptor.h>
#include <Network/connection.h>
#include <Network/endpoint.h>
#include <Network/error.h>
#include <Network/nw_object.h>
#include <Network/parameters.h>
#include <dispatch/dispatch.h>

NW_EXTERN_C_BEGIN

NW_OBJECT_DECL(nw_listener);

/** The life of a listener. */
typedef enum {
    nw_listener_state_invalid = 0,   /* never delivered */
    nw_listener_state_waiting = 1,   /* no network to listen on now */
    nw_listener_state_ready = 2,     /* listening */
    nw_listener_state_failed = 3,    /* an end: the port is taken, or the listener was lost */
    nw_listener_state_cancelled = 4, /* the end after nw_listener_cancel(); the last call back */
} nw_listener_state_t;

/** No limit on new connections. */
#define NW_LISTENER_INFINITE_CONNECTION_LIMIT UINT32_MAX

/**
 * Creates a listener on a port, decimal or by service name; "0" lets the system choose. A local
 * endpoint in the parameters must agree with it. The parameters are copied. Returns a reference, or
 * NULL when an argument is NULL or does not fit, or memory ran out.
 */
NW_EXPORT nw_listener_t nw_listener_create_with_port(const char *port, nw_parameters_t parameters);

/** Creates a listener on the parameters' local endpoint, or on a port that the system chooses. */
NW_EXPORT nw_listener_t nw_listener_create(nw_parameters_t parameters);

/** Sets the queue that all handlers run on. Needed before nw_listener_start(). */
NW_EXPORT void nw_listener_set_queue(nw_listener_t listener, dispatch_queue_t queue);

/** Gets each new state, and with waiting and failed the reason (lent), else NULL. */
typedef void (*nw_listener_state_changed_handler_f)(void *context, nw_listener_state_t state,
                                                    nw_error_t error);
#ifdef __BLOCKS__
typedef void (^nw_listener_state_changed_handler_t)(nw_listener_state_t state, nw_error_t error);
/** Sets the state handler, before start; NULL removes it. */
NW_EXPORT void nw_listener_set_state_changed_handler(nw_listener_t listener,
                                                     nw_listener_state_changed_handler_t handler);
#endif
/** Function form of the same. */
NW_EXPORT void nw_listener_set_state_changed_handler_f(nw_listener_t listener, void *context,
                                                       nw_listener_state_changed_handler_f handler);

/**
 * Gets a new connection, lent and not started: retain it, set its queue, start it. One that is not
 * retained is closed.
 */
typedef void (*nw_listener_new_connection_handler_f)(void *context, nw_connection_t connection);
#ifdef __BLOCKS__
typedef void (^nw_listener_new_connection_handler_t)(nw_connection_t connection);
/** Sets the handler of new connections. A listener started without it fails with EINVAL. */
NW_EXPORT void nw_listener_set_new_connection_handler(nw_listener_t listener,
                                                      nw_listener_new_connection_handler_t handler);
#endif
/** Function form of the same. */
NW_EXPORT void
nw_listener_set_new_connection_handler_f(nw_listener_t listener, void *context,
                                         nw_listener_new_connection_handler_f handler);

/** How many more connections will be delivered; NW_LISTENER_INFINITE_CONNECTION_LIMIT by default.
 */
NW_EXPORT uint32_t nw_listener_get_new_connection_limit(nw_listener_t listener);

/**
 * Sets how many more connections to deliver: each delivery lowers it by one, and at 0 peers are
 * held back until it is raised.
 */
NW_EXPORT void nw_listener_set_new_connection_limit(nw_listener_t listener,
                                                    uint32_t new_connection_limit);

/** Advertises the listener while it is ready; may be called again to change that; NULL ends it. */
NW_EXPORT void nw_listener_set_advertise_descriptor(nw_listener_t listener,
                                                    nw_advertise_descriptor_t advertise_descriptor);

/** Gets a Bonjour endpoint under which the listener is now known (added), or no longer. Lent. */
typedef void (*nw_listener_advertised_endpoint_changed_handler_f)(void *context,
                                                                  nw_endpoint_t advertised_endpoint,
                                                                  bool added);
#ifdef __BLOCKS__
typedef void (^nw_listener_advertised_endpoint_changed_handler_t)(nw_endpoint_t advertised_endpoint,
                                                                  bool added);
/** Sets the handler of advertised endpoints; NULL removes it. */
NW_EXPORT void nw_listener_set_advertised_endpoint_changed_handler(
    nw_listener_t listener, nw_listener_advertised_endpoint_changed_handler_t handler);
#endif
/** Function form of the same. */
NW_EXPORT void nw_listener_set_advertised_endpoint_changed_handler_f(
    nw_listener_t listener, void *context,
    nw_listener_advertised_endpoint_changed_handler_f handler);

/** The port listened on, in host byte order; 0 until ready when the system chooses it. */
NW_EXPORT uint16_t nw_listener_get_port(nw_listener_t listener);

/** Starts listening. A second call is ignored. */
NW_EXPORT void nw_listener_start(nw_listener_t listener);

/** Stops listening. Connections made before live on. May be called repeatedly. */
NW_EXPORT void nw_listener_cancel(nw_listener_t listener);

NW_EXTERN_C_END

#endif
