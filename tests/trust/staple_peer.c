/*
 * staple_peer.c - one end of TLS that asks for a stapled status, or staples one.
 * Use:    staple_peer client PORT CA WISH: connects to localhost; WISH is "none", "asked" or
 *         "required". Prints "connected N" with the octets of the responses that came, or the code
 *         of the error.
 *         staple_peer server CERTIFICATES KEY RESPONSE: prints its port and serves until it is
 *         ended; or the code of the error.
 */
#include <Network/Network.h>
#include <Security/identity.h>
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **words;

static void *read_file(const char *path, size_t *ret_size) {
    enum { SIZE_MAX_READ = 1 << 16 };
    char *bytes = malloc(SIZE_MAX_READ);
    FILE *file = fopen(path, "rb");
    if (file == NULL || bytes == NULL)
        exit(2);
    *ret_size = fread(bytes, 1, SIZE_MAX_READ, file);
    fclose(file);
    return bytes;
}

static void add_octets(void *context, dispatch_data_t response) {
    *(size_t *)context += dispatch_data_get_size(response);
}

static size_t count_octets(nw_connection_t connection) {
    size_t octets = 0;
    nw_protocol_definition_t definition = nw_protocol_copy_tls_definition();
    nw_protocol_metadata_t metadata = nw_connection_copy_protocol_metadata(connection, definition);
    sec_protocol_metadata_t sec = nw_tls_copy_sec_protocol_metadata(metadata);
    sec_protocol_metadata_access_ocsp_response_f(sec, &octets, add_octets);
    sec_release(sec);
    nw_release(metadata);
    nw_release(definition);
    return octets;
}

static void configure_client(void *context, nw_protocol_options_t tls) {
    size_t size;
    sec_protocol_options_t options = nw_tls_copy_sec_protocol_options(tls);
    void *bytes = read_file(words[3], &size);
    sec_certificate_t ca = sec_certificate_create_with_bytes(bytes, size);
    (void)context;
    sec_protocol_options_add_trust_anchor(options, ca);
    sec_protocol_options_set_tls_server_name(options, "a.example");
    if (strcmp(words[4], "asked") == 0)
        sec_protocol_options_set_tls_ocsp_enabled(options, true);
    if (strcmp(words[4], "required") == 0)
        sec_protocol_options_set_stapled_status_required(options, true);
    sec_release(ca);
    free(bytes);
    sec_release(options);
}

static void end(nw_error_t error) {
    printf("%d\n", nw_error_get_error_code(error));
    exit(0);
}

static void client_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    if (state == nw_connection_state_ready) {
        printf("connected %zu\n", count_octets(context));
        exit(0);
    }
    if (state == nw_connection_state_waiting || state == nw_connection_state_failed)
        end(error);
}

static void connect_it(void) {
    nw_endpoint_t endpoint = nw_endpoint_create_host("127.0.0.1", words[2]);
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, configure_client, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    static nw_connection_t connection; /* held to the end */
    connection = nw_connection_create(endpoint, parameters);
    nw_release(parameters);
    nw_release(endpoint);
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, connection, client_changed);
    nw_connection_start(connection);
}

static void configure_server(void *context, nw_protocol_options_t tls) {
    size_t size;
    sec_protocol_options_t options = nw_tls_copy_sec_protocol_options(tls);
    sec_identity_t identity = sec_identity_create_with_files(words[2], words[3], NULL, NULL);
    void *bytes = read_file(words[4], &size);
    dispatch_data_t response = dispatch_data_create_f(bytes, size, NULL, NULL, NULL);
    (void)context;
    sec_protocol_options_set_local_identity(options, identity);
    sec_protocol_options_set_local_stapled_status(options, response);
    dispatch_release(response);
    free(bytes);
    sec_release(identity);
    sec_release(options);
}

static void server_changed(void *context, nw_listener_state_t state, nw_error_t error) {
    if (state == nw_listener_state_ready) {
        printf("%u\n", nw_listener_get_port(context));
        fflush(stdout);
    } else if (state == nw_listener_state_failed || state == nw_listener_state_waiting) {
        end(error);
    }
}

static void accept_it(void *context, nw_connection_t connection) {
    (void)context;
    nw_retain(connection);
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_start(connection);
}

static void serve(void) {
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        NULL, configure_server, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    static nw_listener_t listener; /* held to the end */
    listener = nw_listener_create(parameters);
    nw_release(parameters);
    nw_listener_set_queue(listener, dispatch_get_main_queue());
    nw_listener_set_state_changed_handler_f(listener, listener, server_changed);
    nw_listener_set_new_connection_handler_f(listener, NULL, accept_it);
    nw_listener_start(listener);
}

int main(int argc, char **argv) {
    words = argv;
    if (argc == 5 && strcmp(argv[1], "client") == 0)
        connect_it();
    else if (argc == 5 && strcmp(argv[1], "server") == 0)
        serve();
    else
        return 2;
    dispatch_main();
}
