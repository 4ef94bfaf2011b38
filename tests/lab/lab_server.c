/*
 * lab_server.c - a listener told by its arguments how to be; it writes each event as one line.
 * What:   lab_server [-uFe] [-m SERVICE] [-c CLASS] [-r TYPE] [-p TYPE] [-I NAME] [-L ADDRESS] PORT
 *         -u: UDP. -F: fast open. -e: expensive interfaces are prohibited. -m, -c: number of a
 *         multipath service, of a service class. -r, -p: the required or prohibited type. -I: the
 *         required interface. -L: the local endpoint.
 * Input:  its end ends the program.
 * Output: "state NAME [DOMAIN CODE]", "came ADDRESS", "got TEXT"; each text is answered with
 * "re:TEXT".
 * Runs:   on the main queue.
 */
#include "lab_input.h"
#include <Network/Network.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *name_of(nw_listener_state_t state) {
    static const char *const names[] = {"invalid", "waiting", "ready", "failed", "cancelled"};
    return names[state];
}

static void on_state(void *context, nw_listener_state_t state, nw_error_t error) {
    (void)context;
    printf("state %s", name_of(state));
    if (error != NULL)
        printf(" posix %d", nw_error_get_error_code(error));
    printf("\n");
}

static void receive_next(nw_connection_t connection);

static void on_sent(void *context, nw_error_t error) {
    (void)context;
    if (error != NULL)
        printf("unsent %d\n", nw_error_get_error_code(error));
}

static bool copy_region(void *context, dispatch_data_t region, size_t offset, const void *bytes,
                        size_t size) {
    char *text = context;
    (void)region;
    if (offset + size < 200)
        memcpy(text + offset, bytes, size);
    return true;
}

static void on_received(void *context, dispatch_data_t content, nw_content_context_t message,
                        bool complete, nw_error_t error) {
    nw_connection_t connection = context;
    char text[256] = "re:";
    (void)complete, (void)message;
    if (content == NULL || error != NULL) {
        nw_connection_cancel(connection);
        return;
    }
    dispatch_data_apply_f(content, text + 3, copy_region);
    printf("got %s\n", text + 3);
    dispatch_data_t answer = dispatch_data_create_f(text, strlen(text), NULL, NULL, NULL);
    nw_connection_send_f(connection, answer, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, NULL,
                         on_sent);
    dispatch_release(answer);
    receive_next(connection);
}

static void receive_next(nw_connection_t connection) {
    nw_connection_receive_f(connection, 1, 200, connection, on_received);
}

static void on_connection(void *context, nw_connection_t connection) {
    (void)context;
    nw_endpoint_t remote = nw_connection_copy_endpoint(connection);
    char *address = nw_endpoint_copy_address_string(remote);
    printf("came %s\n", address != NULL ? address : "?");
    free(address);
    nw_release(remote);
    nw_retain(connection);
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_start(connection);
    receive_next(connection);
}

static nw_interface_type_t type_named(const char *name) {
    static const char *const names[] = {"other", "wifi", "cellular", "wired", "loopback"};
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0)
            return (nw_interface_type_t)i;
    exit(2);
}

/* The way to name an interface: the path of a monitor that lists it. */
struct wish {
    const char *name;
    nw_parameters_t parameters;
    dispatch_semaphore_t done;
};
static bool require_named(void *context, nw_interface_t interface) {
    struct wish *wish = context;
    if (strcmp(nw_interface_get_name(interface), wish->name) == 0)
        nw_parameters_require_interface(wish->parameters, interface);
    return true;
}
static void on_path(void *context, nw_path_t path) {
    struct wish *wish = context;
    nw_path_enumerate_interfaces_f(path, wish, require_named);
    dispatch_semaphore_signal(wish->done);
}
static void require(nw_parameters_t parameters, const char *name) {
    struct wish wish = {name, parameters, dispatch_semaphore_create(0)};
    nw_path_monitor_t monitor = nw_path_monitor_create_for_ethernet_channel();
    dispatch_queue_t queue = dispatch_queue_create("monitor", NULL);
    nw_path_monitor_set_queue(monitor, queue);
    nw_path_monitor_set_update_handler_f(monitor, &wish, on_path);
    nw_path_monitor_start(monitor);
    dispatch_semaphore_wait(wish.done, DISPATCH_TIME_FOREVER);
    nw_path_monitor_cancel(monitor);
    nw_interface_t required = nw_parameters_copy_required_interface(parameters);
    if (required == NULL)
        exit(3);
    nw_release(required);
}

static void gone(void) {
    exit(0);
}

static nw_parameters_t make_parameters(bool datagrams) {
    return datagrams
               ? nw_parameters_create_secure_udp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                                   NW_PARAMETERS_DEFAULT_CONFIGURATION_F)
               : nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                                   NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
}

static void apply(nw_parameters_t parameters, int option, const char *value) {
    nw_endpoint_t local = NULL;
    switch (option) {
    case 'F':
        nw_parameters_set_fast_open_enabled(parameters, true);
        return;
    case 'e':
        nw_parameters_set_prohibit_expensive(parameters, true);
        return;
    case 'm':
        nw_parameters_set_multipath_service(parameters, (nw_multipath_service_t)atoi(value));
        return;
    case 'c':
        nw_parameters_set_service_class(parameters, (nw_service_class_t)atoi(value));
        return;
    case 'r':
        nw_parameters_set_required_interface_type(parameters, type_named(value));
        return;
    case 'p':
        nw_parameters_prohibit_interface_type(parameters, type_named(value));
        return;
    case 'I':
        require(parameters, value);
        return;
    case 'L':
        local = nw_endpoint_create_host(value, "0");
        nw_parameters_set_local_endpoint(parameters, local);
        nw_release(local);
        return;
    default:
        exit(2);
    }
}

int main(int argc, char **argv) {
    int option;
    bool datagrams = argc > 1 && strncmp(argv[1], "-u", 2) == 0;
    nw_parameters_t parameters = make_parameters(datagrams);
    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt(argc, argv, "uFem:c:r:p:I:L:")) != -1)
        if (option != 'u')
            apply(parameters, option, optarg);
    nw_listener_t listener = nw_listener_create_with_port(argv[optind], parameters);
    nw_listener_set_queue(listener, dispatch_get_main_queue());
    nw_listener_set_state_changed_handler_f(listener, NULL, on_state);
    nw_listener_set_new_connection_handler_f(listener, NULL, on_connection);
    nw_listener_start(listener);
    lab_input_begin(NULL, gone);
    dispatch_main();
}
