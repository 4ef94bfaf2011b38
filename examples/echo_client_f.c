/* echo_client_f.c - echo_client.c without blocks: any C compiler. */
#include <Network/Network.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int status = EXIT_FAILURE;

static void state_changed(void *connection, nw_connection_state_t state, nw_error_t why) {
    if (state == nw_connection_state_waiting || state == nw_connection_state_failed) {
        fprintf(stderr, "%s\n", strerror(nw_error_get_error_code(why)));
        nw_connection_cancel(connection); /* waiting would try again when the network changes */
    } else if (state == nw_connection_state_cancelled) {
        exit(status);
    }
}

static void sent(void *context, nw_error_t error) {
    (void)context, (void)error; /* the state says it too */
}

static bool print(void *context, dispatch_data_t part, size_t at, const void *p, size_t n) {
    (void)context, (void)part, (void)at;
    return fwrite(p, 1, n, stdout) == n;
}

static void received(void *connection, dispatch_data_t content, nw_content_context_t context,
                     bool complete, nw_error_t error) {
    (void)context;
    if (content != NULL)
        dispatch_data_apply_f(content, NULL, print);
    status = complete && error == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
    nw_connection_cancel(connection);
}

int main(int argc, char **argv) {
    nw_endpoint_t endpoint =
        nw_endpoint_create_host(argc > 1 ? argv[1] : "localhost", argc > 2 ? argv[2] : "7007");
    nw_parameters_t tcp = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_connection_t connection = nw_connection_create(endpoint, tcp);
    dispatch_data_t line =
        dispatch_data_create_f("hello\n", 6, NULL, NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT);

    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, connection, state_changed);
    nw_connection_send_f(connection, line, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true, NULL, sent);
    nw_connection_receive_message_f(connection, connection, received);
    nw_connection_start(connection);
    dispatch_main();
}
