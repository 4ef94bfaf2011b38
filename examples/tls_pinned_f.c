/*
 * tls_pinned_f.c - connects only to a server whose key, or whose CA's key, is the one expected.
 * Use:  tls_pinned_f HOST PORT PIN [CA.pem]
 *       PIN is the SHA-256 of a public key in hex; nwcat --show-certs and nwcert show tell pins.
 */
#include <Network/Network.h>
#include <Security/identity.h>
#include <Security/trust_settings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIN_SIZE = 32 };

static bool read_pin(const char *hex, uint8_t pin[PIN_SIZE]) {
    if (strlen(hex) != 2 * PIN_SIZE || strspn(hex, "0123456789abcdefABCDEF") != 2 * PIN_SIZE)
        return false;
    for (size_t i = 0; i < PIN_SIZE; i++)
        sscanf(hex + 2 * i, "%2hhx", &pin[i]);
    return true;
}

/* Everything else is checked besides: a pin only tightens. */
static void configure(void *context, nw_protocol_options_t tls) {
    char **argv = context, *why;
    uint8_t pin[PIN_SIZE];
    sec_protocol_options_t options = nw_tls_copy_sec_protocol_options(tls);
    if (!read_pin(argv[3], pin)) {
        fprintf(stderr, "'%s' is not the SHA-256 of a key in hex\n", argv[3]);
        exit(2);
    }
    sec_protocol_options_add_pin(options, pin);
    if (argv[4] != NULL) {
        size_t count;
        sec_certificate_t *anchors = sec_certificates_create_with_file(argv[4], &count, &why);
        if (anchors == NULL) {
            fprintf(stderr, "%s\n", why);
            exit(EXIT_FAILURE);
        }
        for (size_t i = 0; i < count; i++)
            sec_protocol_options_add_trust_anchor(options, anchors[i]);
        sec_certificates_free(anchors, count);
    }
    sec_release(options);
}

static void state_changed(void *context, nw_connection_state_t state, nw_error_t error) {
    static int status = EXIT_FAILURE;
    nw_connection_t connection = context;
    if (state == nw_connection_state_ready) {
        printf("it is the one\n");
        status = EXIT_SUCCESS;
        nw_connection_cancel(connection);
    } else if (state == nw_connection_state_waiting || state == nw_connection_state_failed) {
        char *why = nw_error_copy_description(error);
        fprintf(stderr, "%s\n", why != NULL ? why : "out of memory");
        free(why);
        nw_connection_cancel(connection);
    } else if (state == nw_connection_state_cancelled) {
        exit(status);
    }
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "use: tls_pinned_f HOST PORT PIN [CA.pem]\n");
        return 2;
    }
    nw_endpoint_t endpoint = nw_endpoint_create_host(argv[1], argv[2]);
    nw_parameters_t parameters = nw_parameters_create_secure_tcp_f(
        argv, configure, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    nw_connection_t connection = nw_connection_create(endpoint, parameters);
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, connection, state_changed);
    nw_connection_start(connection);
    nw_release(parameters); /* the connection holds what it needs */
    nw_release(endpoint);
    dispatch_main();
}
