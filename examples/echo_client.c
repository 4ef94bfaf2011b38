/* echo_client.c - sends a line to a name and prints the answer. clang -fblocks. */
#include <Network/Network.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    const char *host = argc > 1 ? argv[1] : "localhost", *port = argc > 2 ? argv[2] : "7007";
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, port);
    nw_parameters_t tcp = nw_parameters_create_secure_tcp(NW_PARAMETERS_DISABLE_PROTOCOL,
                                                          NW_PARAMETERS_DEFAULT_CONFIGURATION);
    nw_connection_t connection = nw_connection_create(endpoint, tcp);
    __block int status = EXIT_FAILURE;

    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler(connection, ^(nw_connection_state_t state,
                                                          nw_error_t why) {
        if (state == nw_connection_state_waiting || state == nw_connection_state_failed) {
            fprintf(stderr, "%s: %s\n", host, strerror(nw_error_get_error_code(why)));
            nw_connection_cancel(connection); /* waiting would try again when the network changes */
        } else if (state == nw_connection_state_cancelled) {
            exit(status);
        }
    });
    dispatch_data_t line =
        dispatch_data_create("hello\n", 6, NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
    nw_connection_send(connection, line, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true,
                       ^(nw_error_t error) {
                           (void)error; /* the state says it too */
                       });
    nw_connection_receive_message(connection, ^(dispatch_data_t content,
                                                nw_content_context_t context, bool complete,
                                                nw_error_t error) {
        (void)context;
        if (content != NULL)
            dispatch_data_apply(content,
                                ^bool(dispatch_data_t part, size_t at, const void *p, size_t n) {
                                    (void)part, (void)at;
                                    return fwrite(p, 1, n, stdout) == n;
                                });
        status = complete && error == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
        nw_connection_cancel(connection);
    });
    nw_connection_start(connection);
    dispatch_main();
}
