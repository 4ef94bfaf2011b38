/*
 * lab_peer.c - a client told by its standard input what to do; it writes each event as one line.
 * What:   lab_peer [-ueF] [-m SERVICE] [-c CLASS] [-r TYPE] [-p TYPE] [-L ADDRESS] [-I HOST]
 *         HOST PORT
 *         -u: UDP. -r, -p: the required or prohibited type of interface (wired, wifi, cellular,
 *         loopback). -e: expensive ones are prohibited. -L: the local endpoint. -F: fast open. -m,
 *         -c: number of a multipath service, of a service class. -I: the interface that leads to
 *         HOST is required; then "start" starts.
 * Input:  "send TEXT", "early TEXT" (idempotent), "end" (of the sending side), "receive" (again,
 *         after "broken"), "size", "restart", "start", "cancel".
 * Output: "state NAME [DOMAIN CODE]", "viable 0|1", "better 0|1", "path STATUS INTERFACE REASON",
 *         "interface NAME" (-I), "size OCTETS" (of the largest datagram), "sent DOMAIN CODE" ("none
 *         0": fine), "received OCTETS", "finished OCTETS" (the peer's end), "broken DOMAIN CODE
 *         OCTETS", "cancelled MICROSECONDS" (since the command; then it ends).
 * Runs:   on the main queue; the input is read as it comes.
 */
#include "lab_input.h"
#include <Network/Network.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    nw_connection_t connection;
    bool datagrams;
    uint64_t received; /* octets */
    double cancel_at;  /* seconds */
} peer;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void quit(const char *why) {
    fprintf(stderr, "lab_peer: %s\n", why);
    exit(2);
}

/* " DOMAIN CODE", or nothing for NULL. */
static const char *reason(nw_error_t error) {
    static char text[64];
    static const char *const domains[] = {"invalid", "posix", "dns", "tls"};
    text[0] = '\0';
    if (error != NULL) {
        unsigned domain = (unsigned)nw_error_get_error_domain(error);
        snprintf(text, sizeof text, " %s %d", domain < 4 ? domains[domain] : "other",
                 nw_error_get_error_code(error));
    }
    return text;
}

static void on_received(void *context, dispatch_data_t content, nw_content_context_t message,
                        bool is_complete, nw_error_t error) {
    (void)context;
    size_t size = content != NULL ? dispatch_data_get_size(content) : 0;
    peer.received += size;
    if (size > 0)
        printf("received %zu\n", size);
    bool final = message != NULL && nw_content_context_get_is_final(message);
    if (error != NULL)
        printf("broken%s %llu\n", reason(error), (unsigned long long)peer.received);
    else if (is_complete && final)
        printf("finished %llu\n", (unsigned long long)peer.received);
    else
        nw_connection_receive_f(peer.connection, 1, 1 << 16, NULL, on_received);
}

static void on_state(void *context, nw_connection_state_t state, nw_error_t error) {
    static const char *const names[] = {"invalid", "waiting", "preparing",
                                        "ready",   "failed",  "cancelled"};
    (void)context;
    printf("state %s%s\n", names[state], reason(error));
    if (state == nw_connection_state_ready)
        nw_connection_receive_f(peer.connection, 1, 1 << 16, NULL, on_received);
    if (state == nw_connection_state_cancelled) {
        printf("cancelled %.0f\n", (now() - peer.cancel_at) * 1e6);
        exit(0);
    }
}

static void on_better(void *context, bool value) {
    (void)context;
    printf("better %d\n", value);
}

static void on_viable(void *context, bool value) {
    (void)context;
    printf("viable %d\n", value);
}

static bool print_name(void *context, nw_interface_t interface) {
    (void)context;
    printf(" %s", nw_interface_get_name(interface));
    return false; /* the first is the one in use */
}

static void on_path(void *context, nw_path_t path) {
    (void)context;
    printf("path %d", (int)nw_path_get_status(path));
    nw_path_enumerate_interfaces_f(path, NULL, print_name);
    printf("%s %d\n", nw_path_get_status(path) == nw_path_status_satisfied ? "" : " reason",
           (int)nw_path_get_unsatisfied_reason(path));
}

static void on_sent(void *context, nw_error_t error) {
    (void)context;
    printf("sent%s\n", error != NULL ? reason(error) : " none 0");
}

/* Asked by -I: which interface leads to a host. */
static struct question {
    nw_parameters_t parameters;
    nw_connection_t connection;
    const char *host, *port;
} question;

static void start(nw_parameters_t parameters, const char *host, const char *port);

static void obey(char *line) {
    if (strncmp(line, "send ", 5) == 0) {
        dispatch_data_t data = dispatch_data_create_f(line + 5, strlen(line + 5), NULL, NULL, NULL);
        nw_connection_send_f(peer.connection, data, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                             NULL, on_sent);
        dispatch_release(data);
    } else if (strncmp(line, "early ", 6) == 0) {
        dispatch_data_t data = dispatch_data_create_f(line + 6, strlen(line + 6), NULL, NULL, NULL);
        nw_connection_send_f(peer.connection, data, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                             NULL, NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F);
        dispatch_release(data);
    } else if (strcmp(line, "end") == 0) {
        nw_connection_send_f(peer.connection, NULL, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true, NULL,
                             on_sent);
    } else if (strcmp(line, "size") == 0) {
        printf("size %u\n", nw_connection_get_maximum_datagram_size(peer.connection));
    } else if (strcmp(line, "receive") == 0) {
        nw_connection_receive_f(peer.connection, 1, 1 << 16, NULL, on_received);
    } else if (strcmp(line, "start") == 0) {
        start(question.parameters, question.host, question.port);
    } else if (strcmp(line, "restart") == 0) {
        nw_connection_restart(peer.connection);
    } else if (strcmp(line, "cancel") == 0) {
        peer.cancel_at = now();
        nw_connection_cancel(peer.connection);
    } else {
        quit("no such command");
    }
}

static void gone(void) {
    quit("the test has gone");
}

static nw_interface_type_t type_named(const char *name) {
    if (strcmp(name, "wired") == 0)
        return nw_interface_type_wired;
    if (strcmp(name, "wifi") == 0)
        return nw_interface_type_wifi;
    if (strcmp(name, "cellular") == 0)
        return nw_interface_type_cellular;
    return nw_interface_type_loopback;
}

static bool require_first(void *context, nw_interface_t interface) {
    nw_parameters_require_interface(context, interface);
    printf("interface %s\n", nw_interface_get_name(interface));
    return false;
}

static nw_parameters_t make_parameters(void) {
    return peer.datagrams
               ? nw_parameters_create_secure_udp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                                   NW_PARAMETERS_DEFAULT_CONFIGURATION_F)
               : nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL,
                                                   NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
}

static void start(nw_parameters_t parameters, const char *host, const char *port) {
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, port);
    peer.connection = nw_connection_create(endpoint, parameters);
    if (peer.connection == NULL)
        quit("no connection");
    nw_release(endpoint);
    nw_release(parameters);
    nw_connection_set_queue(peer.connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(peer.connection, NULL, on_state);
    nw_connection_set_viability_changed_handler_f(peer.connection, NULL, on_viable);
    nw_connection_set_better_path_available_handler_f(peer.connection, NULL, on_better);
    nw_connection_set_path_changed_handler_f(peer.connection, NULL, on_path);
    nw_connection_start(peer.connection);
}

/* The way to name an interface: the path of a connection that uses it. */
static void ask_path(void *context, nw_connection_state_t state, nw_error_t error) {
    struct question *question = context;
    if (state == nw_connection_state_ready) {
        nw_path_t path = nw_connection_copy_current_path(question->connection);
        nw_path_enumerate_interfaces_f(path, question->parameters, require_first);
        nw_release(path);
        nw_connection_cancel(question->connection);
    } else if (error != NULL) {
        quit("no way to the host of -I");
    }
}

static void ask_interface(struct question *question, const char *host) {
    nw_endpoint_t endpoint = nw_endpoint_create_host(host, "9");
    nw_parameters_t udp = nw_parameters_create_secure_udp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    question->connection = nw_connection_create(endpoint, udp);
    nw_connection_set_queue(question->connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(question->connection, question, ask_path);
    nw_connection_start(question->connection);
    nw_release(endpoint);
    nw_release(udp);
}

int main(int argc, char **argv) {
    const char *required = NULL, *prohibited = NULL, *interface_to = NULL, *local = NULL;
    bool expensive_prohibited = false, fast_open = false;
    int multipath = 0, service_class = 0;
    int option;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt(argc, argv, "ueFm:c:r:p:L:I:")) != -1) {
        switch (option) {
        case 'u':
            peer.datagrams = true;
            break;
        case 'r':
            required = optarg;
            break;
        case 'p':
            prohibited = optarg;
            break;
        case 'F':
            fast_open = true;
            break;
        case 'm':
            multipath = atoi(optarg);
            break;
        case 'c':
            service_class = atoi(optarg);
            break;
        case 'e':
            expensive_prohibited = true;
            break;
        case 'L':
            local = optarg;
            break;
        case 'I':
            interface_to = optarg;
            break;
        default:
            return 2;
        }
    }
    if (argc - optind != 2)
        quit("HOST PORT");
    question = (struct question){make_parameters(), NULL, argv[optind], argv[optind + 1]};
    if (required != NULL)
        nw_parameters_set_required_interface_type(question.parameters, type_named(required));
    if (prohibited != NULL)
        nw_parameters_prohibit_interface_type(question.parameters, type_named(prohibited));
    nw_parameters_set_prohibit_expensive(question.parameters, expensive_prohibited);
    nw_parameters_set_fast_open_enabled(question.parameters, fast_open);
    nw_parameters_set_multipath_service(question.parameters, (nw_multipath_service_t)multipath);
    nw_parameters_set_service_class(question.parameters, (nw_service_class_t)service_class);
    if (local != NULL) {
        nw_endpoint_t endpoint = nw_endpoint_create_host(local, "0");
        nw_parameters_set_local_endpoint(question.parameters, endpoint);
        nw_release(endpoint);
    }
    if (interface_to != NULL)
        ask_interface(&question, interface_to);
    else
        start(question.parameters, question.host, question.port);
    lab_input_begin(obey, gone);
    dispatch_main();
}
