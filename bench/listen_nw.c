/*
 * listen_nw.c - see listen_nw.h.
 */
#include "listen_nw.h"
#include "die.h"
#include <errno.h>
#include <stdlib.h>

struct listening {
    nw_listener_t listener;
    void (*told)(uint16_t port);
};

static void changed(void *context, nw_listener_state_t state, nw_error_t error) {
    struct listening *listening = context;
    if (state == nw_listener_state_ready)
        listening->told(nw_listener_get_port(listening->listener));
    else if (state == nw_listener_state_failed)
        bench_die("listener", error != NULL ? nw_error_get_error_code(error) : EIO);
}

void bench_listen_nw(nw_parameters_t parameters, dispatch_queue_t queue,
                     void (*told)(uint16_t port), void *context,
                     nw_listener_new_connection_handler_f accepted) {
    struct listening *listening = calloc(1, sizeof *listening); /* lives with the process */
    nw_endpoint_t local = nw_endpoint_create_host("127.0.0.1", "0");
    nw_parameters_set_local_endpoint(parameters, local);
    nw_release(local);
    if (listening == NULL || (listening->listener = nw_listener_create(parameters)) == NULL)
        bench_die("listener", ENOMEM);
    listening->told = told;
    nw_release(parameters);
    nw_listener_set_queue(listening->listener, queue);
    nw_listener_set_new_connection_handler_f(listening->listener, context, accepted);
    nw_listener_set_state_changed_handler_f(listening->listener, listening, changed);
    nw_listener_start(listening->listener);
}
