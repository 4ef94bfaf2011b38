/*
 * listener.h - a listener from inside; shared by the listener*.c files only.
 * Runs:   `protocol` in the listener's serial context.
 */
#ifndef NWI_FRONT_LISTENER_H
#define NWI_FRONT_LISTENER_H

#include "establish/door.h"
#include "front/connection.h"
#include "front/operation.h"

/* Connections that the client has not been told of: then peers wait in front of the door. */
enum { NWI_LISTENER_UNDELIVERED_MAX = 128 };

enum listener_handler {
    LISTENER_STATE,
    LISTENER_NEW_CONNECTION,
    LISTENER_ADVERTISED,
    LISTENER_HANDLERS
};

struct nw_listener {
    struct nwi_object base;
    unsigned id;
    nw_parameters_t parameters; /* our copy */
    struct nwi_loop *loop;
    struct nwi_serial context;
    struct nwi_outlet outlet;
    struct {
        nw_listener_state_t state; /* written by enter() alone */
        bool started, holds_itself;
        struct nwi_door *door;
        struct nwi_handler *handlers[LISTENER_HANDLERS];
        struct nwi_path_subscription *path_changes; /* owned; while waiting */
    } protocol;
    /* Relaxed, both: counts that publish nothing; the connections travel through the outlet. */
    _Atomic uint32_t limit;       /* relaxed; may still come in; UINT32_MAX = no limit */
    _Atomic uint32_t undelivered; /* relaxed; up when one comes in, down when the client was told */
    _Atomic uint16_t port;        /* host order; release in became_ready, acquire in the getter */
};

/* listener.c */
void nwi_listener_perform(nw_listener_t listener, struct nwi_operation operation);

/* listener_state.c: operations, and the notice of a new connection (+1, given up afterwards). */
void nwi_listener_begin(void *listener, struct nwi_operation *operation);
void nwi_listener_end(void *listener, struct nwi_operation *operation);
void nwi_listener_resume(void *listener, struct nwi_operation *operation);
void nwi_listener_tell_connection(nw_listener_t listener, nw_connection_t connection);
/* One connection fewer that the client has not been told of. */
void nwi_listener_delivered(nw_listener_t listener);

/* listener_peers.c */
extern const struct nwi_door_events nwi_listener_door_events;

#endif
