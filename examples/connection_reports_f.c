/* connection_reports_f.c - connects, sends a line, and prints what both reports say. Any C
 * compiler. */
#include <Network/Network.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static nw_connection_t connection;
static nw_data_transfer_report_t transfer;

static bool resolved(void *context, nw_report_resolution_source_t source, uint64_t milliseconds,
                     uint32_t count, nw_endpoint_t successful, nw_endpoint_t preferred) {
    (void)context, (void)preferred;
    printf("resolved to %" PRIu32 " addresses by %s in %" PRIu64 " ms, connected to %s\n", count,
           source == nw_report_resolution_source_query ? "query" : "cache", milliseconds,
           nw_endpoint_get_hostname(successful));
    return true;
}

static bool shook_hands(void *context, nw_protocol_definition_t protocol, uint64_t milliseconds,
                        uint64_t rtt) {
    (void)context, (void)protocol;
    printf("handshake in %" PRIu64 " ms, round trip %" PRIu64 " ms\n", milliseconds, rtt);
    return true;
}

static void established(void *context, nw_establishment_report_t report) {
    (void)context;
    printf("established in %" PRIu64 " ms after %" PRIu32 " failed attempts\n",
           nw_establishment_report_get_duration_milliseconds(report),
           nw_establishment_report_get_previous_attempt_count(report));
    nw_establishment_report_enumerate_resolutions_f(report, NULL, resolved);
    nw_establishment_report_enumerate_protocols_f(report, NULL, shook_hands);
}

static void carried(void *context, nw_data_transfer_report_t report) {
    (void)context;
    printf(
        "in %" PRIu64 " ms: sent %" PRIu64 " octets in %" PRIu64 " packets, %" PRIu64
        " of them again; received %" PRIu64 " in %" PRIu64 "\n",
        nw_data_transfer_report_get_duration_milliseconds(report),
        nw_data_transfer_report_get_sent_application_byte_count(report, NW_ALL_PATHS),
        nw_data_transfer_report_get_sent_ip_packet_count(report, NW_ALL_PATHS),
        nw_data_transfer_report_get_sent_transport_retransmitted_byte_count(report, NW_ALL_PATHS),
        nw_data_transfer_report_get_received_application_byte_count(report, NW_ALL_PATHS),
        nw_data_transfer_report_get_received_ip_packet_count(report, NW_ALL_PATHS));
    exit(EXIT_SUCCESS);
}

static void received(void *context, dispatch_data_t content, nw_content_context_t message,
                     bool complete, nw_error_t error) {
    (void)context, (void)content, (void)message, (void)complete, (void)error;
    nw_data_transfer_report_collect_f(transfer, dispatch_get_main_queue(), NULL, carried);
}

static void state_changed(void *context, nw_connection_state_t state, nw_error_t why) {
    (void)context;
    if (state == nw_connection_state_ready)
        nw_connection_access_establishment_report_f(connection, dispatch_get_main_queue(), NULL,
                                                    established);
    if (state == nw_connection_state_waiting || state == nw_connection_state_failed) {
        fprintf(stderr, "%s\n", strerror(nw_error_get_error_code(why)));
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv) {
    nw_endpoint_t endpoint =
        nw_endpoint_create_host(argc > 1 ? argv[1] : "localhost", argc > 2 ? argv[2] : "7007");
    nw_parameters_t tcp = nw_parameters_create_secure_tcp_f(
        NULL, NW_PARAMETERS_DISABLE_PROTOCOL_F, NULL, NW_PARAMETERS_DEFAULT_CONFIGURATION_F);
    dispatch_data_t line =
        dispatch_data_create_f("hello\n", 6, NULL, NULL, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
    connection = nw_connection_create(endpoint, tcp);
    transfer = nw_connection_create_new_data_transfer_report(connection); /* begins with `ready` */
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, NULL, state_changed);
    nw_connection_send_f(connection, line, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true, NULL,
                         NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F);
    nw_connection_receive_message_f(connection, NULL, received);
    nw_connection_start(connection);
    dispatch_release(line); /* the connection holds what it needs */
    nw_release(tcp);
    nw_release(endpoint);
    dispatch_main();
}
