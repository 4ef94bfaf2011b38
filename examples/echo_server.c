/*
 * echo_server.c - listens, prints the port, and sends back what each client sends. clang -fblocks.
 * Use:  echo_server [PORT]      0 or nothing: the system chooses
 */
#include <Network/Network.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_MAX = 65536 };

/* One turn: receive, send back, again. The end of the client's stream is sent back as our own end.
 */
static void echo(nw_connection_t connection) {
    nw_connection_receive(
        connection, 1, READ_MAX,
        ^(dispatch_data_t content, nw_content_context_t context, bool complete, nw_error_t error) {
            bool end = complete && (context == NULL || nw_content_context_get_is_final(context));
            if (error != NULL) {
                nw_connection_cancel(connection);
                return;
            }
            nw_connection_send(connection, content,
                               end ? NW_CONNECTION_FINAL_MESSAGE_CONTEXT
                                   : NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                               true, ^(nw_error_t send_error) {
                                   if (end || send_error != NULL)
                                       nw_connection_cancel(connection);
                                   else
                                       echo(connection);
                               });
        });
}

static void serve(nw_connection_t connection) {
    nw_retain(connection); /* until cancelled */
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler(connection,
                                            ^(nw_connection_state_t state, nw_error_t error) {
                                                (void)error;
                                                if (state == nw_connection_state_failed)
                                                    nw_connection_cancel(connection);
                                                else if (state == nw_connection_state_cancelled)
                                                    nw_release(connection);
                                            });
    nw_connection_start(connection);
    echo(connection);
}

int main(int argc, char **argv) {
    nw_parameters_t parameters = nw_parameters_create_secure_tcp(
        NW_PARAMETERS_DISABLE_PROTOCOL, NW_PARAMETERS_DEFAULT_CONFIGURATION);
    nw_listener_t listener = nw_listener_create_with_port(argc > 1 ? argv[1] : "0", parameters);
    if (listener == NULL) {
        fprintf(stderr, "cannot listen on that port\n");
        return EXIT_FAILURE;
    }
    nw_listener_set_queue(listener, dispatch_get_main_queue());
    nw_listener_set_state_changed_handler(listener, ^(nw_listener_state_t state, nw_error_t error) {
        if (state == nw_listener_state_ready) {
            printf("listening on port %u\n", nw_listener_get_port(listener));
            fflush(stdout);
        } else if (state == nw_listener_state_failed) {
            fprintf(stderr, "listener: %s\n", strerror(nw_error_get_error_code(error)));
            exit(EXIT_FAILURE);
        }
    });
    nw_listener_set_new_connection_handler(listener, ^(nw_connection_t connection) {
        serve(connection);
    });
    nw_listener_start(listener);
    dispatch_main();
}
