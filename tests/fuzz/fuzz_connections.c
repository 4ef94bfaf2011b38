/*
 * fuzz_connections.c - sequences of calls on connections and listeners, over loopback.
 * What:   the input is a program: it makes listeners (TCP, UDP, local paths) and connections to
 *         them, to nobody and to nonsense, calls everything that may be called on them in any
 *         order, on NULL as well, lets system calls and allocations fail, and gives references up
 *         early or late. line.c knows the rules that callbacks keep. At the end everything owed has
 *         to come, and no descriptor may be left.
 * Runs:   calls on the fuzzer's thread and inside the handlers; no step waits for time to pass.
 */
#include "base/alloc.h"
#include "fake/fake_sys.h"
#include "line.h"
#include <Network/establishment_timeline.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { LISTENERS = 3, QUEUES = 3, REPORTS = 4, DESCRIPTORS_MAX = 40 };

struct hearing {
    nw_listener_t listener; /* NULL: an empty slot */
    bool has_queue;
    uint8_t what; /* becomes of those who call */
    uint8_t reactions[REACTIONS];
};
static struct hearing hearings[LISTENERS];
static nw_data_transfer_report_t reports[REPORTS]; /* NULL: an empty slot */
static dispatch_queue_t queues[QUEUES];
static char folder[] = "/tmp/nw-fuzz-XXXXXX";
static unsigned runs;

static void path_of(unsigned n, char path[sizeof((struct sockaddr_un *)0)->sun_path]) {
    snprintf(path, sizeof((struct sockaddr_un *)0)->sun_path, "%s/%u", folder, n % LISTENERS);
}

static void remove_folder(void) {
    rmdir(folder);
}

static void set_up(void) {
    fuzz_log_nothing();
    CHECK(mkdtemp(folder) != NULL);
    atexit(remove_folder);
    queues[0] = dispatch_queue_create("fuzz.a", NULL);
    queues[1] = dispatch_queue_create("fuzz.b", NULL);
    queues[2] = dispatch_get_global_queue(0, 0);
    fake_sys_install();
}

/* --- what connections and listeners are made of --- */

static void take_reactions(struct program *p, uint8_t reactions[REACTIONS]) {
    for (int i = 0; i < REACTIONS; i++)
        reactions[i] = take_octet(p);
}

static void configure(void *context, nw_protocol_options_t options) {
    uint8_t what = take_octet(context);
    nw_tcp_options_set_no_delay(options, what & 1);
    nw_tcp_options_set_enable_keepalive(options, what & 2);
    nw_tcp_options_set_keepalive_idle_time(options, what >> 2);
    nw_tcp_options_set_connection_timeout(options, what & 4 ? 1 : 0);
    nw_udp_options_set_prefer_no_checksum(options, what & 8);
    nw_ip_options_set_hop_limit(options, what & 16 ? 1 : 0);
    nw_ip_options_set_version(options, what & 32 ? nw_ip_version_4 : nw_ip_version_any);
    nw_ip_options_set_calculate_receive_time(options, what & 64);
}

static nw_parameters_t make_parameters(struct program *p) {
    uint8_t what = take_octet(p);
    nw_parameters_t parameters;
    switch (what % 8) {
    case 0:
        parameters = nw_parameters_create();
        break;
    case 1:
        parameters = nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F,
                                                       p, configure);
        break;
    case 2:
    case 3:
    case 4:
        parameters =
            nw_parameters_create_secure_udp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, p, configure);
        break;
    default:
        parameters =
            nw_parameters_create_secure_tcp_f(NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, p, configure);
        break;
    }
    if (what & 0x80) {
        nw_protocol_stack_t stack = nw_parameters_copy_default_protocol_stack(parameters);
        nw_protocol_options_t ip = nw_protocol_stack_copy_internet_protocol(stack);
        configure(p, ip);
        nw_release(ip);
        nw_release(stack);
    }
    nw_parameters_set_fast_open_enabled(parameters, what & 0x40);
    if (what & 0x20)
        nw_parameters_set_required_interface_type(parameters, nw_interface_type_loopback);
    return parameters;
}

/* Each run has an address of its own, so that connections that linger do not use up the ports. */
static void host_of_run(char host[16]) {
    snprintf(host, 16, "127.0.%u.%u", runs / 250 % 250, runs % 250 + 1);
}

static nw_endpoint_t make_path_endpoint(unsigned n) {
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    path_of(n, local.sun_path);
    return nw_endpoint_create_address((struct sockaddr *)&local);
}

static nw_endpoint_t make_destination(struct program *p) {
    uint8_t what = take_octet(p);
    const struct hearing *hearing = &hearings[(what >> 4) % LISTENERS];
    char host[16], port[8], url[64];
    host_of_run(host);
    unsigned number = hearing->listener != NULL ? nw_listener_get_port(hearing->listener) : 0;
    snprintf(port, sizeof port, "%u", number != 0 ? number : 9); /* 9: nobody is there */
    snprintf(url, sizeof url, "http://%s:%s/", host, port);
    switch (what % 16) {
    case 0:
        return NULL;
    case 1:
        return nw_endpoint_create_host("nowhere.invalid", port);
    case 2:
        return nw_endpoint_create_host("localhost", port);
    case 3:
        return nw_endpoint_create_url(url);
    case 4:
        return nw_endpoint_create_bonjour_service("a", "_b._tcp", "local");
    case 5:
    case 6:
    case 7:
    case 8:
        return make_path_endpoint(what >> 4);
    default:
        return nw_endpoint_create_host(host, port);
    }
}

/* --- listeners --- */

static void on_listener_state(void *context, nw_listener_state_t state, nw_error_t error) {
    (void)context;
    CHECK(state != nw_listener_state_invalid);
    CHECK((error != NULL) ==
          (state == nw_listener_state_waiting || state == nw_listener_state_failed));
    if (state == nw_listener_state_cancelled)
        paid(OWED_BY_LISTENERS);
}

static void on_new_connection(void *context, nw_connection_t connection) {
    struct hearing *hearing = context;
    if (hearing->what % 8 == 0)
        return; /* nobody wants it: it is closed */
    struct line *line = line_add(nw_retain(connection), hearing->reactions);
    if (line == NULL)
        return;
    if (hearing->what % 8 != 1)
        line_set_queue(line, queues[hearing->what % QUEUES]);
    if (hearing->what % 8 > 2)
        line_start(line);
    if (hearing->what % 8 == 7)
        line_receive(line, 1, 100);
    line_publish(line);
}

static void end_listener(struct hearing *hearing) {
    if (hearing->listener == NULL)
        return;
    if (hearing->has_queue)
        owe(OWED_BY_LISTENERS);
    nw_listener_cancel(hearing->listener);
    nw_listener_cancel(hearing->listener);
    nw_release(nw_retain(hearing->listener));
    nw_release(hearing->listener);
    hearing->listener = NULL;
}

static void make_listener(struct program *p) {
    unsigned which = take_octet(p) % LISTENERS;
    uint8_t how = take_octet(p);
    struct hearing *hearing = &hearings[which];
    char host[16], path[sizeof((struct sockaddr_un *)0)->sun_path];
    if (hearing->listener != NULL)
        return; /* one in a run: its handlers have the slot for a context */
    nw_parameters_t parameters = make_parameters(p);
    nw_endpoint_t local;
    host_of_run(host);
    path_of(which, path);
    local = how % 4 == 0 ? make_path_endpoint(which) : nw_endpoint_create_host(host, "0");
    nw_parameters_set_local_endpoint(parameters, local);
    take_reactions(p, hearing->reactions);
    hearing->what = take_octet(p);
    hearing->listener = how & 4
                            ? nw_listener_create(parameters)
                            : nw_listener_create_with_port(how & 8 ? "no port" : "0", parameters);
    hearing->has_queue = !(how & 16) && hearing->listener != NULL;
    if (hearing->has_queue)
        nw_listener_set_queue(hearing->listener, queues[how >> 7]);
    nw_listener_set_state_changed_handler_f(hearing->listener, hearing, on_listener_state);
    nw_listener_set_new_connection_handler_f(hearing->listener, hearing,
                                             how & 32 ? NULL : on_new_connection);
    if (!(how & 64))
        nw_listener_start(hearing->listener);
    nw_release(local);
    nw_release(parameters);
}

static void use_listener(struct program *p) {
    struct hearing *hearing = &hearings[take_octet(p) % LISTENERS];
    switch (take_octet(p) % 5) {
    case 0:
        nw_listener_start(hearing->listener);
        break;
    case 1:
        nw_listener_set_new_connection_limit(hearing->listener, take_octet(p));
        break;
    case 2:
        nw_listener_get_new_connection_limit(hearing->listener);
        nw_listener_get_port(hearing->listener);
        break;
    case 3:
        nw_listener_set_advertise_descriptor(hearing->listener, NULL);
        nw_listener_set_advertised_endpoint_changed_handler_f(hearing->listener, NULL, NULL);
        nw_listener_set_queue(hearing->listener, NULL);
        break;
    default:
        nw_listener_cancel(NULL);
        break;
    }
}

/* --- connections --- */

static void make_line(struct program *p) {
    uint8_t reactions[REACTIONS], how = take_octet(p);
    nw_endpoint_t endpoint = make_destination(p);
    nw_parameters_t parameters = how & 1 ? NULL : make_parameters(p);
    take_reactions(p, reactions);
    struct line *line = line_add(nw_connection_create(endpoint, parameters), reactions);
    if (line != NULL) {
        if (!(how & 2))
            line_set_queue(line, queues[(how >> 4) % QUEUES]);
        if (!(how & 4))
            line_start(line);
        line_publish(line);
    }
    nw_release(endpoint);
    nw_release(parameters);
}

static nw_content_context_t make_context(struct program *p) {
    uint8_t what = take_octet(p);
    nw_content_context_t context;
    switch (what % 8) {
    case 0:
        return NULL;
    case 1:
        return NW_CONNECTION_FINAL_MESSAGE_CONTEXT;
    case 2:
        return NW_CONNECTION_DEFAULT_STREAM_CONTEXT;
    case 3:
        context = nw_content_context_create("fuzz");
        nw_content_context_set_expiration_milliseconds(context, what & 0x80 ? UINT64_MAX
                                                                            : take_octet(p) % 4);
        nw_content_context_set_relative_priority(context, (what >> 3) / 16.0);
        nw_content_context_set_is_final(context, what & 0x40);
        return context;
    default:
        return NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT;
    }
}

static void send_something(struct program *p, struct line *line) {
    static const uint8_t octets[70000];
    nw_content_context_t context = make_context(p);
    uint8_t what = take_octet(p);
    size_t size = what & 0x40 ? sizeof octets : what % 16;
    dispatch_data_t content =
        what & 0x80 ? NULL : dispatch_data_create_f(octets, size, NULL, NULL, NULL);
    line_send(line, content, context, !(what & 0x10), what & 0x20);
    if (content != NULL)
        dispatch_release(content);
    nw_release(context);
}

static bool see_event(void *context, uint64_t nanoseconds, const char *name, const char *event,
                      nw_endpoint_t endpoint, nw_error_t error) {
    (void)context, (void)nanoseconds;
    CHECK(name != NULL && event != NULL);
    nw_endpoint_get_type(endpoint);
    nw_error_get_error_code(error);
    return true;
}

static void ask(nw_connection_t connection) {
    nw_protocol_definition_t tcp = nw_protocol_copy_tcp_definition();
    nw_protocol_metadata_t metadata = nw_connection_copy_protocol_metadata(connection, tcp);
    nw_tcp_get_available_receive_buffer(metadata);
    nw_tcp_get_available_send_buffer(metadata);
    nw_establishment_timeline_t timeline = nw_connection_copy_establishment_timeline(connection);
    nw_establishment_timeline_enumerate_f(timeline, NULL, see_event);
    CHECK(timeline != NULL || nw_establishment_timeline_get_count(timeline) == 0);
    CHECK(timeline != NULL || nw_establishment_timeline_get_missing(timeline) == 0);
    CHECK(connection != NULL || (metadata == NULL && timeline == NULL));
    free(nw_connection_copy_description(connection));
    nw_connection_get_maximum_datagram_size(connection);
    nw_release(nw_connection_copy_endpoint(connection));
    nw_release(nw_connection_copy_parameters(connection));
    nw_release(nw_connection_copy_current_path(connection));
    nw_release(timeline);
    nw_release(metadata);
    nw_release(tcp);
}

/* --- reports --- */

static bool see_handshake(void *context, nw_protocol_definition_t protocol, uint64_t took,
                          uint64_t rtt) {
    (void)context, (void)rtt;
    CHECK(protocol != NULL && took < 3600 * 1000);
    return true;
}

static void on_established(void *context, nw_establishment_report_t report) {
    (void)context;
    if (report != NULL)
        nw_establishment_report_enumerate_protocols_f(report, NULL, see_handshake);
    paid(OWED_BY_LINES);
}

static void on_collected(void *context, nw_data_transfer_report_t report) {
    (void)context;
    CHECK(nw_data_transfer_report_get_state(report) == nw_data_transfer_report_state_collected);
    CHECK(nw_data_transfer_report_get_path_count(report) <= 1);
    CHECK(nw_data_transfer_report_get_sent_transport_byte_count(report, NW_ALL_PATHS) >=
          nw_data_transfer_report_get_sent_transport_retransmitted_byte_count(report, 0));
    nw_release(nw_data_transfer_report_copy_path_interface(report, 0));
    paid(OWED_BY_LINES);
}

/* Begins, collects or gives up one of the reports, or asks for the establishment's. */
static void report(struct program *p, nw_connection_t connection) {
    uint8_t what = take_octet(p);
    nw_data_transfer_report_t *slot = &reports[(what >> 2) % REPORTS];
    dispatch_queue_t queue = queues[(what >> 4) % QUEUES];
    if (what % 4 == 0) {
        owe(OWED_BY_LINES);
        nw_connection_access_establishment_report_f(connection, queue, NULL, on_established);
    } else if (what % 4 == 1 && *slot != NULL) {
        owe(OWED_BY_LINES);
        nw_data_transfer_report_collect_f(*slot, queue, NULL, on_collected);
    } else {
        nw_release(*slot);
        *slot = what % 4 == 2 ? nw_connection_create_new_data_transfer_report(connection) : NULL;
    }
}

struct batch {
    struct program *program;
    struct line *line;
};

static void in_batch(void *context) {
    struct batch *batch = context;
    for (uint8_t n = take_octet(batch->program) % 4; n > 0; n--)
        send_something(batch->program, batch->line);
    line_receive(batch->line, 1, 10);
}

static void call_null(void) {
    nw_connection_set_queue(NULL, queues[0]);
    nw_connection_start(NULL);
    nw_connection_restart(NULL);
    nw_connection_cancel(NULL);
    nw_connection_force_cancel(NULL);
    nw_connection_cancel_current_endpoint(NULL);
    nw_connection_batch_f(NULL, NULL, NULL);
    nw_connection_receive_f(NULL, 1, 1, NULL, NULL);
    nw_connection_receive_message_f(NULL, NULL, NULL);
    nw_connection_send_f(NULL, NULL, NULL, true, NULL, NULL);
    nw_connection_set_state_changed_handler_f(NULL, NULL, NULL);
    ask(NULL);
}

static void use_line(struct program *p) {
    struct line *line = line_pick(take_octet(p));
    uint8_t what = take_octet(p);
    if (line == NULL) {
        call_null();
        return;
    }
    switch (what % 16) {
    case 0:
    case 1:
        send_something(p, line);
        break;
    case 2:
    case 3:
        line_receive(line, take_octet(p), take_octet(p));
        break;
    case 4:
        line_receive_message(line);
        break;
    case 5:
        nw_connection_batch_f(line->connection, &(struct batch){p, line}, in_batch);
        break;
    case 6:
        line_cancel(line, what & 16);
        break;
    case 7:
        nw_connection_restart(line->connection);
        break;
    case 8:
        nw_connection_cancel_current_endpoint(line->connection);
        break;
    case 9:
        ask(line->connection);
        break;
    case 10:
        line_drop(line);
        break;
    case 11:
        line_start(line);
        break;
    case 12:
        line_set_queue(line, what & 16 ? NULL : queues[(what >> 5) % QUEUES]);
        break;
    case 13:
        nw_connection_set_path_changed_handler_f(line->connection, NULL, NULL);
        break;
    case 14:
        report(p, line->connection);
        break;
    default:
        line_await(line);
        break;
    }
}

/* --- the world --- */

static void let_fail(struct program *p) {
    static const int codes[] = {EMFILE,     ENFILE, ENOBUFS, ENOMEM,    EINTR,
                                ECONNRESET, EPIPE,  EACCES,  ETIMEDOUT, ECONNREFUSED};
    uint8_t what = take_octet(p), when = take_octet(p);
    if (what & 0x80)
        nwi_alloc_fail_at(when % 64 + 1);
    else
        fake_sys_fail((enum fake_sys_call)(what % FAKE_CALL_COUNT), when % 4 + 1, when >> 2 & 3,
                      codes[(when >> 4) % (sizeof codes / sizeof codes[0])]);
}

static void do_nothing(void *context) {
    (void)context;
}

static void turn(struct program *p) {
    dispatch_sync_f(queues[take_octet(p) % QUEUES], NULL, do_nothing);
}

static int count_descriptors(void) {
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    CHECK(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void end_run(void) {
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    nwi_alloc_fail_at(0);
    for (int call = 0; call < FAKE_CALL_COUNT; call++)
        fake_sys_fail((enum fake_sys_call)call, 0, 0, 0);
    for (unsigned i = 0; i < LISTENERS; i++)
        end_listener(&hearings[i]);
    await_paid(OWED_BY_LISTENERS);
    /* A report holds its connection: what one without a queue owes comes with its end. */
    for (unsigned i = 0; i < REPORTS; i++) {
        nw_release(reports[i]);
        reports[i] = NULL;
    }
    lines_end();
    for (unsigned i = 0; i < LISTENERS; i++) {
        path_of(i, path);
        unlink(path);
    }
    for (int tries = 0; count_descriptors() > DESCRIPTORS_MAX;
         tries++) { /* closed a moment later */
        CHECK(tries < 10000);
        dispatch_sync_f(queues[0], NULL, do_nothing);
        usleep(100);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static void (*const steps[])(struct program *) = {
        make_listener, use_listener, make_line, use_line, use_line, use_line, let_fail, turn};
    struct program program = {data, data + size};
    if (queues[0] == NULL)
        set_up();
    runs++;
    lines_begin();
    while (!program_ended(&program))
        steps[take_octet(&program) % (sizeof steps / sizeof steps[0])](&program);
    end_run();
    return 0;
}
