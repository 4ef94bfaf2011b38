/*
 * lab_tls.c - one end of TLS, told by its arguments how to be and by its input what to do.
 * What:   lab_tls [OPTION]... HOST PORT          connects at each "connect"
 *         lab_tls -l [OPTION]... ADDRESS PORT    listens; PORT 0: one that is free
 *         -c FILE, -k FILE, -w PASSWORD: certificates, key, what opens it. -a FILE: the CAs that
 *         are trusted, not the system's. -n NAME: the server's name. -A PROTOCOL: offered by ALPN;
 *         may be given again.
 *         -p IDENTITY:KEY: a pre-shared key, as text. -s NUMBER: a cipher suite is appended. -m, -M
 *         12|13: lowest and highest version. -r: the peer must show a certificate. -e: fast open,
 *         which takes idempotent content. -u: DTLS over UDP.
 * Input:  "connect", "send TEXT", "early TEXT", "end" (of the sending side), "cancel"; they act on
 *         the connection that was made or came last. The end of the input ends the program.
 * Output: "port N", "state NAME [DOMAIN CODE]", "tls VERSION SUITE ALPN|- full|resumed early|late",
 *         "peer SUBJECT", "sent DOMAIN CODE" ("none 0": fine), "got TEXT" (of each
 *         piece its first line), "finished OCTETS" (the peer's end), "broken DOMAIN CODE OCTETS". A
 *         listener answers each piece with "re:TEXT", and the end with its own. What is sent are
 *         lines.
 * Runs:   on the main queue.
 */
#include "lab_input.h"
#include <Network/Network.h>
#include <Security/identity.h>
#include <Security/session_metadata.h>
#include <Security/trust_evaluation.h>
#include <Security/trust_settings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct end { /* one connection */
    nw_connection_t connection;
    uint64_t received; /* octets */
};

static struct {
    bool listens, fast_open, must_show, over_udp;
    const char *certificates, *key, *password, *anchors, *server_name, *host, *port;
    const char *protocols[8];
    int protocol_count, suite_count;
    tls_ciphersuite_t suites[8];
    tls_protocol_version_t lowest, highest;
    char *key_name, *key_text; /* pre-shared */
    nw_parameters_t parameters;
    nw_listener_t listener;
    struct end *last;
} lab;

static void quit(const char *why, const char *more) {
    fprintf(stderr, "lab_tls: %s%s\n", why, more != NULL ? more : "");
    exit(2);
}

/* " DOMAIN CODE", or nothing for NULL. */
static const char *reason(nw_error_t error) {
    static char text[64];
    static const char *const domains[] = {"invalid", "posix", "dns", "tls"};
    text[0] = '\0';
    if (error != NULL)
        snprintf(text, sizeof text, " %s %d", domains[nw_error_get_error_domain(error) & 3],
                 nw_error_get_error_code(error));
    return text;
}

/* --- settings --- */

static dispatch_data_t data_of(const char *text) {
    return dispatch_data_create_f(text, strlen(text), NULL, NULL, NULL);
}

static void set_identity(sec_protocol_options_t sec) {
    char *why = NULL;
    sec_identity_t identity =
        sec_identity_create_with_files(lab.certificates, lab.key, lab.password, &why);
    if (identity == NULL)
        quit(why, NULL);
    sec_protocol_options_set_local_identity(sec, identity);
    sec_release(identity);
}

static void set_anchors(sec_protocol_options_t sec) {
    size_t count = 0;
    char *why = NULL;
    sec_certificate_t *list = sec_certificates_create_with_file(lab.anchors, &count, &why);
    if (list == NULL)
        quit(why, NULL);
    for (size_t i = 0; i < count; i++)
        sec_protocol_options_add_trust_anchor(sec, list[i]);
    sec_certificates_free(list, count);
    sec_protocol_options_set_system_anchors_enabled(sec, false);
}

static void configure(void *context, nw_protocol_options_t options) {
    (void)context;
    sec_protocol_options_t sec = nw_tls_copy_sec_protocol_options(options);
    if (lab.certificates != NULL)
        set_identity(sec);
    if (lab.anchors != NULL)
        set_anchors(sec);
    if (lab.server_name != NULL)
        sec_protocol_options_set_tls_server_name(sec, lab.server_name);
    for (int i = 0; i < lab.protocol_count; i++)
        sec_protocol_options_add_tls_application_protocol(sec, lab.protocols[i]);
    for (int i = 0; i < lab.suite_count; i++)
        sec_protocol_options_append_tls_ciphersuite(sec, lab.suites[i]);
    if (lab.lowest != 0)
        sec_protocol_options_set_min_tls_protocol_version(sec, lab.lowest);
    if (lab.highest != 0)
        sec_protocol_options_set_max_tls_protocol_version(sec, lab.highest);
    if (lab.must_show)
        sec_protocol_options_set_peer_authentication_required(sec, true);
    if (lab.key_name != NULL) {
        dispatch_data_t key = data_of(lab.key_text), name = data_of(lab.key_name);
        sec_protocol_options_add_pre_shared_key(sec, key, name);
        dispatch_release(key), dispatch_release(name);
    }
    sec_release(sec);
}

/* --- connections --- */

static void on_sent(void *context, nw_error_t error) {
    (void)context;
    printf("sent%s\n", error != NULL ? reason(error) : " none 0");
}

/* Peers of the lab read lines. */
static void send_text(struct end *end, const char *text) {
    char line[300];
    snprintf(line, sizeof line, "%.250s\n", text);
    dispatch_data_t data = data_of(line);
    nw_connection_send_f(end->connection, data, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, NULL,
                         on_sent);
    dispatch_release(data);
}

static void finish(struct end *end) {
    printf("finished %llu\n", (unsigned long long)end->received);
    if (lab.listens)
        nw_connection_send_f(end->connection, NULL, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true, NULL,
                             on_sent);
}

static void on_received(void *context, dispatch_data_t content, nw_content_context_t message,
                        bool is_complete, nw_error_t error) {
    struct end *end = context;
    size_t size = content != NULL ? dispatch_data_get_size(content) : 0;
    end->received += size;
    if (size > 0) {
        const void *bytes;
        char text[256];
        dispatch_data_t map = dispatch_data_create_map(content, &bytes, &size);
        int shown = size < 200 ? (int)size : 200;
        snprintf(text, sizeof text, "re:%.*s", shown, (const char *)bytes);
        dispatch_release(map);
        text[strcspn(text, "\r\n")] = '\0';
        printf("got %s\n", text + 3);
        if (lab.listens)
            send_text(end, text);
    }
    bool final = message != NULL && nw_content_context_get_is_final(message);
    if (error != NULL)
        printf("broken%s %llu\n", reason(error), (unsigned long long)end->received);
    else if (is_complete && final)
        finish(end);
    else
        nw_connection_receive_f(end->connection, 1, 1 << 16, end, on_received);
}

static void print_peer(void *context, sec_certificate_t certificate) {
    bool *told = context;
    char *subject = *told ? NULL : sec_certificate_copy_subject(certificate);
    if (subject != NULL)
        printf("peer %s\n", subject);
    *told = true;
    free(subject);
}

static void print_session(nw_connection_t connection) {
    nw_protocol_definition_t tls = nw_protocol_copy_tls_definition();
    nw_protocol_metadata_t metadata = nw_connection_copy_protocol_metadata(connection, tls);
    nw_release(tls);
    if (metadata == NULL)
        quit("no metadata of TLS", NULL);
    sec_protocol_metadata_t sec = nw_tls_copy_sec_protocol_metadata(metadata);
    const char *protocol = sec_protocol_metadata_get_negotiated_protocol(sec);
    bool told = false;
    printf("tls %04x %04x %s %s %s\n",
           sec_protocol_metadata_get_negotiated_tls_protocol_version(sec),
           sec_protocol_metadata_get_negotiated_tls_ciphersuite(sec),
           protocol != NULL ? protocol : "-",
           sec_protocol_metadata_get_session_resumed(sec) ? "resumed" : "full",
           sec_protocol_metadata_get_early_data_accepted(sec) ? "early" : "late");
    sec_protocol_metadata_access_peer_certificate_chain_f(sec, &told, print_peer);
    sec_release(sec);
    nw_release(metadata);
}

static void on_state(void *context, nw_connection_state_t state, nw_error_t error) {
    static const char *const names[] = {"invalid", "waiting", "preparing",
                                        "ready",   "failed",  "cancelled"};
    struct end *end = context;
    if (state == nw_connection_state_ready) {
        print_session(end->connection);
        nw_connection_receive_f(end->connection, 1, 1 << 16, end, on_received);
    }
    printf("state %s%s\n", names[state], reason(error));
}

/* Ends live as long as the program, which is short. */
static void begin(nw_connection_t connection) {
    struct end *end = calloc(1, sizeof *end);
    if (end == NULL || connection == NULL)
        quit("no connection", NULL);
    end->connection = connection;
    lab.last = end;
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, end, on_state);
    nw_connection_start(connection);
}

static void on_connection(void *context, nw_connection_t connection) {
    (void)context;
    begin(nw_retain(connection));
}

static void on_listener(void *context, nw_listener_state_t state, nw_error_t error) {
    (void)context;
    if (state == nw_listener_state_ready)
        printf("port %u\n", nw_listener_get_port(lab.listener));
    else
        printf("listener %d%s\n", (int)state, reason(error));
}

static void listen_on(void) {
    nw_endpoint_t local = nw_endpoint_create_host(lab.host, lab.port);
    nw_parameters_set_local_endpoint(lab.parameters, local);
    nw_release(local);
    lab.listener = nw_listener_create(lab.parameters);
    nw_listener_set_queue(lab.listener, dispatch_get_main_queue());
    nw_listener_set_state_changed_handler_f(lab.listener, NULL, on_listener);
    nw_listener_set_new_connection_handler_f(lab.listener, NULL, on_connection);
    nw_listener_start(lab.listener);
}

/* --- commands --- */

static void obey(char *line) {
    if (strcmp(line, "connect") == 0) {
        nw_endpoint_t remote = nw_endpoint_create_host(lab.host, lab.port);
        begin(nw_connection_create(remote, lab.parameters));
        nw_release(remote);
    } else if (lab.last == NULL) {
        quit("no connection yet for: ", line);
    } else if (strncmp(line, "send ", 5) == 0) {
        send_text(lab.last, line + 5);
    } else if (strncmp(line, "early ", 6) == 0) {
        dispatch_data_t data = data_of(line + 6);
        nw_connection_send_f(lab.last->connection, data, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT,
                             true, NULL, NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F);
        dispatch_release(data);
    } else if (strcmp(line, "end") == 0) {
        nw_connection_send_f(lab.last->connection, NULL, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true,
                             NULL, on_sent);
    } else if (strcmp(line, "cancel") == 0) {
        nw_connection_cancel(lab.last->connection);
    } else {
        quit("no such command: ", line);
    }
}

static void gone(void) {
    exit(0);
}

static tls_protocol_version_t version_named(const char *name) {
    if (strcmp(name, "12") != 0 && strcmp(name, "13") != 0)
        quit("no such version: ", name);
    return name[1] == '2' ? tls_protocol_version_TLSv12 : tls_protocol_version_TLSv13;
}

static void set_pre_shared(char *text) {
    char *colon = strchr(text, ':');
    if (colon == NULL)
        quit("not IDENTITY:KEY: ", text);
    *colon = '\0';
    lab.key_name = text;
    lab.key_text = colon + 1;
}

static void take_option(int option, char *value) {
    switch (option) {
    case 'l':
        lab.listens = true;
        return;
    case 'e':
        lab.fast_open = true;
        return;
    case 'r':
        lab.must_show = true;
        return;
    case 'u':
        lab.over_udp = true;
        return;
    case 'c':
        lab.certificates = value;
        return;
    case 'k':
        lab.key = value;
        return;
    case 'w':
        lab.password = value;
        return;
    case 'a':
        lab.anchors = value;
        return;
    case 'n':
        lab.server_name = value;
        return;
    case 'm':
        lab.lowest = version_named(value);
        return;
    case 'M':
        lab.highest = version_named(value);
        return;
    case 'p':
        set_pre_shared(value);
        return;
    case 'A':
        if (lab.protocol_count < 8)
            lab.protocols[lab.protocol_count++] = value;
        return;
    case 's':
        if (lab.suite_count < 8)
            lab.suites[lab.suite_count++] = (tls_ciphersuite_t)strtoul(value, NULL, 16);
        return;
    default:
        quit("no such option", NULL);
    }
}

int main(int argc, char **argv) {
    int option;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((option = getopt(argc, argv, "leruc:k:w:a:n:m:M:p:A:s:")) != -1)
        take_option(option, optarg);
    if (argc - optind != 2)
        quit("where to, or where?", NULL);
    lab.host = argv[optind];
    lab.port = argv[optind + 1];
    lab.parameters =
        (lab.over_udp ? nw_parameters_create_secure_udp_f : nw_parameters_create_secure_tcp_f)(
            NULL, configure, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    if (lab.fast_open)
        nw_parameters_set_fast_open_enabled(lab.parameters, true);
    if (lab.listens)
        listen_on();
    lab_input_begin(obey, gone);
    dispatch_main();
}
