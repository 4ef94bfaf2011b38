/*
 * echo_server_f.c - echo_server.c without blocks: any C compiler.
 * Use:  echo_server_f [PORT]      0 or nothing: the system chooses
 */
#include <Network/Network.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_MAX = 65536 };

static void received(void *context, dispatch_data_t content, nw_content_context_t content_context,
                     bool complete, nw_error_t error);

static void sent(void *connection, nw_error_t error) {
    if (error != NULL)
        nw_connection_cancel(connection);
    else
        nw_connection_receive_f(connection, 1, READ_MAX, connection, received);
}

static void sent_end(void *connection, nw_error_t error) {
    (void)error;
    nw_connection_cancel(connection);
}

/* Sends back what came. The end of the client's stream is sent back as our own end. */
static void received(void *context, dispatch_data_t content, nw_content_context_t content_context,
                     bool complete, nw_error_t error) {
    nw_connection_t connection = context;
    if (error != NULL) {
        nw_connection_cancel(connection);
        return;
    }
    if (complete && (content_context == NULL || nw_content_context_get_is_final(content_context)))
        nw_connection_send_f(connection, content, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true,
                             connection, sent_end);
    else
        nw_connection_send_f(connection, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                             connection, sent);
}

static void connection_changed(void *connection, nw_connection_state_t state, nw_error_t error) {
    (void)error;
    if (state == nw_connection_state_failed)
        nw_connection_cancel(connection);
    else if (state == nw_connection_state_cancelled)
        nw_release(connection);
}

static void serve(void *context, nw_connection_t connection) {
    (void)context;
    nw_retain(connection); /* until cancelled */
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, connection, connection_changed);
    nw_connection_start(connection);
    nw_connection_receive_f(connection, 1, READ_MAX, connection, received);
}

static void listener_changed(void *listener, nw_listener_state_t state, nw_error_t error) {
    if (state == nw_listener_state_ready) {
        printf("listening on port %u\n", nw_listener_get_port(listener));
        fflush(stdout);
    } else if (state == nw_listener_state_failed) {
        fprintf(stderr, "listener: %s\n", strerror(nw_error_get_error_code(error)));
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv) {
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_listener_t listener = nw_listener_create_with_port(argc > 1 ? argv[1] : "0", parameters);
    if (listener == NULL) {
        fprintf(stderr, "cannot listen on that port\n");
        return EXIT_FAILURE;
    }
    nw_listener_set_queue(listener, dispatch_get_main_queue());
    nw_listener_set_state_changed_handler_f(listener, listener, listener_changed);
    nw_listener_set_new_connection_handler_f(listener, NULL, serve);
    nw_listener_start(listener);
    dispatch_main();
}
