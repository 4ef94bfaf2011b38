/*
 * door.c - the listeners of a scene: what they see, and what becomes of what arrives.
 * Runs:   handlers on the listener's own queue.
 */
#include "scene.h"
#include <stdlib.h>

static const char door_queue_key;

bool scene_is_secure;

/* Both ends know one key; what else a handshake may be about is not the model's. */
static void share_key(void *context, nw_protocol_options_t options) {
    static const char key[] = "a key of both ends", name[] = "model";
    sec_protocol_options_t sec = nw_tls_copy_sec_protocol_options(options);
    dispatch_data_t key_data = dispatch_data_create_f(key, sizeof key, NULL, NULL, NULL);
    dispatch_data_t name_data = dispatch_data_create_f(name, sizeof name, NULL, NULL, NULL);
    (void)context;
    sec_protocol_options_add_pre_shared_key(sec, key_data, name_data);
    /* What is kept of a session outlives its scene, whose memory is counted. */
    sec_protocol_options_set_tls_resumption_enabled(sec, false);
    dispatch_release(key_data);
    dispatch_release(name_data);
    sec_release(sec);
}

nw_parameters_t scene_parameters(bool stream) {
    if (stream && scene_is_secure)
        return nw_parameters_create_secure_tcp_f(NULL, share_key, NULL,
                                                 NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    return stream ? nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                                      NW_PARAMETERS_DEFAULT_CONFIGURATION_F)
                  : nw_parameters_create_secure_udp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                                      NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
}

static void enter(struct door *door) {
    if (call_is_open())
        fail(NULL, "a handler of listener %u runs inside a call", door->number);
    if (dispatch_get_specific(&door_queue_key) != door)
        fail(NULL, "a handler of listener %u does not run on its queue", door->number);
    if (atomic_fetch_add_explicit(&door->running, 1, memory_order_relaxed) != 0)
        fail(NULL, "two handlers of listener %u at once", door->number);
    if (door->told.state == nw_listener_state_cancelled)
        fail(NULL, "a handler of listener %u after cancelled", door->number);
}

static void leave(struct door *door) {
    atomic_fetch_sub_explicit(&door->running, 1, memory_order_release);
    scene_event();
}

static void told_listener_state(void *context, nw_listener_state_t state, nw_error_t error) {
    struct door *door = context;
    enter(door);
    const char *wrong = machine_check_listener(
        door->told.state, state, atomic_load_explicit(&door->cancel_called, memory_order_relaxed),
        error != NULL);
    if (wrong != NULL || (state == nw_listener_state_failed && !door->scene->faults))
        fail(NULL, "listener %u: state %d after %d (error %d): %s", door->number, (int)state,
             (int)door->told.state, nw_error_get_error_code(error),
             wrong != NULL ? wrong : "nothing has failed");
    door->told.state = state;
    atomic_store_explicit(&door->state_told, (unsigned)state, memory_order_relaxed);
    leave(door);
}

static void told_arrival(void *context, nw_connection_t connection) {
    struct door *door = context;
    struct scene *scene = door->scene;
    unsigned policy = atomic_load_explicit(&door->policy, memory_order_relaxed);
    enter(door);
    atomic_fetch_add_explicit(&tally.accepted, 1, memory_order_relaxed);
    if (policy != POLICY_DROP) {
        nw_retain(connection);
        unsigned slot =
            PLAN_CLIENTS + (door->told.next_slot++ * PLAN_LISTENERS + door->number) % PLAN_ACCEPTED;
        struct actor *actor = scene_add(scene, slot, door->number == 0 ? TARGET_TCP : TARGET_UDP,
                                        door->number, connection, true);
        /* A client of TLS is not ready before its peer has started: none is kept waiting. */
        if (policy == POLICY_START || (scene_is_secure && door->number == 0))
            actor_set_up(actor);
    }
    leave(door);
}

static bool is_ready(void *context) {
    struct door *door = context;
    unsigned state = atomic_load_explicit(&door->state_told, memory_order_relaxed);
    return state >= nw_listener_state_ready;
}

static void door_queue_gone(void *context) {
    struct door *door = context;
    atomic_store_explicit(&door->queue_gone, true, memory_order_release);
    scene_event();
}

void door_open(struct scene *scene, unsigned number) {
    struct door *door = &scene->doors[number];
    nw_parameters_t parameters = scene_parameters(number == 0);
    door->scene = scene;
    door->number = number;
    door->listener = nw_listener_create_with_port("0", parameters);
    nw_release(parameters);
    if (door->listener == NULL)
        fail(NULL, "no listener");
    door->queue = dispatch_queue_create("door", DISPATCH_QUEUE_SERIAL);
    dispatch_queue_set_specific(door->queue, &door_queue_key, door, NULL);
    dispatch_set_context(door->queue, door);
    dispatch_set_finalizer_f(door->queue, door_queue_gone);
    nw_listener_set_queue(door->listener, door->queue);
    dispatch_release(door->queue);
    nw_listener_set_state_changed_handler_f(door->listener, door, told_listener_state);
    nw_listener_set_new_connection_handler_f(door->listener, door, told_arrival);
    nw_listener_start(door->listener);
    if (!scene_wait(is_ready, door))
        fail(NULL, "listener %u is not ready after %d s", number, WAIT_SECONDS);
    door->port = nw_listener_get_port(door->listener);
}

static void cancel(struct door *door) {
    atomic_store_explicit(&door->cancel_called, true, memory_order_relaxed);
    call_begin();
    nw_listener_cancel(door->listener);
    call_end();
}

void door_do(struct door *door, const struct step *step) {
    switch (step->op) {
    case OP_LIMIT:
        if (scene_is_secure && door->number == 0)
            break; /* as above: who is not let in does not shake hands */
        call_begin();
        nw_listener_set_new_connection_limit(door->listener, step->a);
        (void)nw_listener_get_new_connection_limit(door->listener);
        call_end();
        break;
    case OP_POLICY:
        atomic_store_explicit(&door->policy, step->a, memory_order_relaxed);
        break;
    case OP_CLOSE:
        cancel(door);
        break;
    case OP_LISTENER_HANDLER:
        call_begin();
        nw_listener_set_new_connection_handler_f(door->listener, door, told_arrival);
        if (nw_listener_get_port(door->listener) != door->port && !door->scene->faults)
            fail(NULL, "listener %u changed its port", door->number);
        call_end();
        break;
    default:
        break;
    }
}

void door_end(struct door *door) {
    cancel(door);
    call_begin();
    nw_release(door->listener);
    call_end();
}
