/*
 * tls_client.c - sends a line over TLS and prints the answer: echo_client.c, but for one word.
 * Use:  tls_client HOST PORT [CA.pem]     clang -fblocks; with CA.pem: trusts these CAs alone
 */
#include <Network/Network.h>
#include <Security/identity.h>
#include <Security/trust_settings.h>
#include <stdio.h>
#include <stdlib.h>

/* What the program wants beyond the defaults: here, whom to trust. */
static nw_parameters_t trusting(const char *file) {
    size_t count;
    char *why;
    sec_certificate_t *anchors = sec_certificates_create_with_file(file, &count, &why);
    if (anchors == NULL) {
        fprintf(stderr, "%s\n", why);
        exit(EXIT_FAILURE);
    }
    nw_parameters_t parameters = nw_parameters_create_secure_tcp(
        ^(nw_protocol_options_t tls) {
            sec_protocol_options_t options = nw_tls_copy_sec_protocol_options(tls);
            for (size_t i = 0; i < count; i++)
                sec_protocol_options_add_trust_anchor(options, anchors[i]);
            sec_protocol_options_set_system_anchors_enabled(options, false);
            sec_release(options);
        },
        NW_PARAMETERS_DEFAULT_CONFIGURATION);
    sec_certificates_free(anchors, count);
    return parameters;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "use: tls_client HOST PORT [CA.pem]\n");
        return 2;
    }
    nw_endpoint_t endpoint = nw_endpoint_create_host(argv[1], argv[2]);
    nw_parameters_t tls =
        argc > 3 ? trusting(argv[3])
                 : nw_parameters_create_secure_tcp(NW_PARAMETERS_DEFAULT_CONFIGURATION,
                                                   NW_PARAMETERS_DEFAULT_CONFIGURATION);
    nw_connection_t connection = nw_connection_create(endpoint, tls);
    __block int status = EXIT_FAILURE;

    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler(connection, ^(nw_connection_state_t state,
                                                          nw_error_t error) {
        if (state == nw_connection_state_waiting || state == nw_connection_state_failed) {
            char *why = nw_error_copy_description(error);
            fprintf(stderr, "%s: %s\n", argv[1], why != NULL ? why : "out of memory");
            free(why);
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
    dispatch_release(line); /* the connection holds what it needs */
    nw_release(tls);
    nw_release(endpoint);
    dispatch_main();
}
