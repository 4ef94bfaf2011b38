/*
 * tls_server_f.c - listens with TLS and sends back what each client sends; any C compiler.
 * Use:  tls_server_f PORT CERTIFICATE.pem KEY.pem [CLIENT-CA.pem]
 *       With CLIENT-CA.pem each client must show a certificate of that CA (mutual TLS).
 *       nwcert set localhost          makes server.pem, server-key.pem, ca.pem, client.pem
 */
#include <Network/Network.h>
#include <Security/identity.h>
#include <Security/trust_settings.h>
#include <stdio.h>
#include <stdlib.h>

enum { READ_MAX = 65536 };

/* --- one client: receive, send back, again --- */

struct client {
    nw_connection_t connection;
    bool end; /* the client has finished */
};

static void receive(struct client *client);

static void sent(void *context, nw_error_t error) {
    struct client *client = context;
    if (client->end || error != NULL)
        nw_connection_cancel(client->connection);
    else
        receive(client);
}

static void received(void *context, dispatch_data_t content, nw_content_context_t message,
                     bool complete, nw_error_t error) {
    struct client *client = context;
    if (error != NULL) {
        nw_connection_cancel(client->connection);
        return;
    }
    client->end = complete && (message == NULL || nw_content_context_get_is_final(message));
    nw_connection_send_f(client->connection, content,
                         client->end ? NW_CONNECTION_FINAL_MESSAGE_CONTEXT
                                     : NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                         true, client, sent);
}

static void receive(struct client *client) {
    nw_connection_receive_f(client->connection, 1, READ_MAX, client, received);
}

static void client_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    struct client *client = context;
    if (state == nw_connection_state_failed) { /* also: no handshake came about */
        char *why = nw_error_copy_description(error);
        fprintf(stderr, "client: %s\n", why != NULL ? why : "out of memory");
        free(why);
        nw_connection_cancel(client->connection);
    } else if (state == nw_connection_state_cancelled) {
        nw_release(client->connection);
        free(client);
    }
}

static void serve(void *context, nw_connection_t connection) {
    struct client *client = calloc(1, sizeof *client);
    (void)context;
    if (client == NULL) {
        nw_connection_cancel(connection);
        return;
    }
    client->connection = nw_retain(connection);
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, client, client_changed);
    nw_connection_start(connection);
    receive(client);
}

/* --- the listener --- */

static void listener_changed(void *context, nw_listener_state_t state, nw_error_t error) {
    if (state == nw_listener_state_ready) {
        printf("listening on port %u\n", nw_listener_get_port(context));
        fflush(stdout);
    } else if (state == nw_listener_state_failed) {
        char *why = nw_error_copy_description(error);
        fprintf(stderr, "listener: %s\n", why != NULL ? why : "out of memory");
        exit(EXIT_FAILURE);
    }
}

static void end_without(char *why) {
    fprintf(stderr, "%s\n", why);
    exit(EXIT_FAILURE);
}

/* Who we are, and who may come. */
static void configure(void *context, nw_protocol_options_t tls) {
    char **argv = context, *why;
    sec_protocol_options_t options = nw_tls_copy_sec_protocol_options(tls);
    sec_identity_t identity = sec_identity_create_with_files(argv[2], argv[3], NULL, &why);
    if (identity == NULL)
        end_without(why);
    sec_protocol_options_set_local_identity(options, identity);
    sec_release(identity);
    if (argv[4] != NULL) {
        size_t count;
        sec_certificate_t *anchors = sec_certificates_create_with_file(argv[4], &count, &why);
        if (anchors == NULL)
            end_without(why);
        for (size_t i = 0; i < count; i++)
            sec_protocol_options_add_trust_anchor(options, anchors[i]);
        sec_protocol_options_set_peer_authentication_required(options, true);
        sec_certificates_free(anchors, count);
    }
    sec_release(options);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "use: tls_server_f PORT CERTIFICATE.pem KEY.pem [CLIENT-CA.pem]\n");
        return 2;
    }
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        argv, configure, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_listener_t listener = nw_listener_create_with_port(argv[1], parameters);
    nw_release(parameters); /* the listener holds what it needs */
    if (listener == NULL)
        end_without("cannot listen on that port");
    nw_listener_set_queue(listener, dispatch_get_main_queue());
    nw_listener_set_state_changed_handler_f(listener, listener, listener_changed);
    nw_listener_set_new_connection_handler_f(listener, NULL, serve);
    nw_listener_start(listener);
    dispatch_main();
}
