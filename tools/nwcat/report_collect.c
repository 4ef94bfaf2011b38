/*
 * report_collect.c - see report_collect.h.
 * What:   the establishment report and the data transfer report come one after the other, each as
 *         an object; both become plain values.
 * Runs:   on the main queue.
 * Owns:   a reference to the connection and to the transfer report, until both have come.
 */
#include "report_collect.h"

#include "events.h"
#include "meter.h"
#include "net.h"
#include "timeline_collect.h"

#include <stdlib.h>
#include <string.h>

struct nwcat_measure {
    const struct nwcat_app *app;
    nw_connection_t connection;
    nw_data_transfer_report_t transfer;
    struct nwcat_report report;
    void *context;
    void (*done)(void *context);
};

struct nwcat_measure *nwcat_measure_begin(const struct nwcat_app *app, nw_connection_t connection) {
    struct nwcat_measure *measure = app->options.report ? calloc(1, sizeof *measure) : NULL;
    if (measure == NULL)
        return NULL;
    measure->app = app;
    measure->connection = nw_retain(connection);
    measure->transfer = nw_connection_create_new_data_transfer_report(connection);
    return measure;
}

/* --- words --- */

static const char *protocol_name(nw_protocol_definition_t definition) {
    nw_protocol_definition_t tcp = nw_protocol_copy_tcp_definition();
    nw_protocol_definition_t tls = nw_protocol_copy_tls_definition();
    const char *name = nw_protocol_definition_is_equal(definition, tcp)   ? "tcp"
                       : nw_protocol_definition_is_equal(definition, tls) ? "tls"
                                                                          : "other";
    nw_release(tcp);
    nw_release(tls);
    return name;
}

static const char *source_name(nw_report_resolution_source_t source) {
    return source == nw_report_resolution_source_query   ? "query"
           : source == nw_report_resolution_source_cache ? "cache"
                                                         : "expired-cache";
}

static const char *resolution_protocol_name(nw_report_resolution_protocol_t protocol) {
    static const char *const names[] = {NULL, "udp", "tcp", "tls", "https"};
    return (unsigned)protocol < sizeof names / sizeof names[0] ? names[protocol] : NULL;
}

static const char *interface_type_name(nw_interface_t interface) {
    static const char *const names[] = {"other", "wifi", "cellular", "wired", "loopback"};
    unsigned type = interface != NULL ? (unsigned)nw_interface_get_type(interface) : 0;
    return type < sizeof names / sizeof names[0] ? names[type] : "other";
}

static const char *radio_name(nw_interface_radio_type_t radio) {
    static const char *const wifi[] = {NULL,     "wifi-b",  "wifi-a", "wifi-g",
                                       "wifi-n", "wifi-ac", "wifi-ax"};
    static const char *const cell[] = {"lte",   "endc-sub6", "endc-mmw", "nr-sub6", "nr-mmw",
                                       "wcdma", "gsm",       "cdma",     "evdo"};
    unsigned value = (unsigned)radio, first = (unsigned)nw_interface_radio_type_cell_lte;
    if (value < sizeof wifi / sizeof wifi[0])
        return wifi[value];
    return value >= first && value - first < sizeof cell / sizeof cell[0] ? cell[value - first]
                                                                          : "other";
}

/* --- establishment --- */

static bool take_resolution(void *context, nw_resolution_report_t resolution) {
    struct nwcat_report *report = context;
    if (report->resolution_count == NWCAT_REPORT_MOST)
        return false;
    struct nwcat_resolution *row = &report->resolutions[report->resolution_count++];
    row->source = source_name(nw_resolution_report_get_source(resolution));
    row->protocol = resolution_protocol_name(nw_resolution_report_get_protocol(resolution));
    row->ms = nw_resolution_report_get_milliseconds(resolution);
    row->endpoints = nw_resolution_report_get_endpoint_count(resolution);
    nw_endpoint_t endpoint = nw_resolution_report_copy_preferred_endpoint(resolution);
    nwcat_endpoint_text(row->preferred, sizeof row->preferred, endpoint);
    nw_release(endpoint);
    endpoint = nw_resolution_report_copy_successful_endpoint(resolution);
    nwcat_endpoint_text(row->successful, sizeof row->successful, endpoint);
    nw_release(endpoint);
    return true;
}

static bool take_handshake(void *context, nw_protocol_definition_t protocol, uint64_t milliseconds,
                           uint64_t rtt) {
    struct nwcat_report *report = context;
    if (report->handshake_count == NWCAT_REPORT_MOST)
        return false;
    report->handshakes[report->handshake_count++] = (struct nwcat_handshake){
        .protocol = protocol_name(protocol), .ms = milliseconds, .rtt_ms = rtt};
    return true;
}

static void read_establishment(struct nwcat_report *report, nw_establishment_report_t from) {
    report->established = true;
    report->took_ms = nw_establishment_report_get_duration_milliseconds(from);
    report->started_after_ms = nw_establishment_report_get_attempt_started_after_milliseconds(from);
    report->previous_attempts = nw_establishment_report_get_previous_attempt_count(from);
    report->proxy_used = nw_establishment_report_get_used_proxy(from);
    report->proxy_configured = nw_establishment_report_get_proxy_configured(from);
    nw_endpoint_t proxy = nw_establishment_report_copy_proxy_endpoint(from);
    nwcat_endpoint_text(report->proxy, sizeof report->proxy, proxy);
    nw_release(proxy);
    nw_establishment_report_enumerate_resolution_reports_f(from, report, take_resolution);
    nw_establishment_report_enumerate_protocols_f(from, report, take_handshake);
}

/* --- transfer --- */

static void read_path(struct nwcat_carried *path, nw_data_transfer_report_t from, uint32_t index) {
    nw_interface_t interface = nw_data_transfer_report_copy_path_interface(from, index);
    if (interface != NULL)
        snprintf(path->interface_name, sizeof path->interface_name, "%s",
                 nw_interface_get_name(interface));
    path->interface_type = interface_type_name(interface);
    nw_release(interface);
    path->radio = radio_name(nw_data_transfer_report_get_path_radio_type(from, index));
    path->content_in = nw_data_transfer_report_get_received_application_byte_count(from, index);
    path->content_out = nw_data_transfer_report_get_sent_application_byte_count(from, index);
    path->transport_in = nw_data_transfer_report_get_received_transport_byte_count(from, index);
    path->transport_out = nw_data_transfer_report_get_sent_transport_byte_count(from, index);
    path->packets_in = nw_data_transfer_report_get_received_ip_packet_count(from, index);
    path->packets_out = nw_data_transfer_report_get_sent_ip_packet_count(from, index);
    path->again_in =
        nw_data_transfer_report_get_received_transport_duplicate_byte_count(from, index);
    path->again_out =
        nw_data_transfer_report_get_sent_transport_retransmitted_byte_count(from, index);
    path->disordered =
        nw_data_transfer_report_get_received_transport_out_of_order_byte_count(from, index);
    path->rtt_ms = nw_data_transfer_report_get_transport_smoothed_rtt_milliseconds(from, index);
    path->rtt_min_ms = nw_data_transfer_report_get_transport_minimum_rtt_milliseconds(from, index);
    path->rtt_variance_ms = nw_data_transfer_report_get_transport_rtt_variance(from, index);
}

static void read_transfer(struct nwcat_report *report, nw_data_transfer_report_t from) {
    uint32_t count = nw_data_transfer_report_get_path_count(from);
    report->measured_ms = nw_data_transfer_report_get_duration_milliseconds(from);
    report->path_count = count < NWCAT_REPORT_MOST ? count : NWCAT_REPORT_MOST;
    for (uint32_t i = 0; i < report->path_count; i++)
        read_path(&report->paths[i], from, i);
}

/* --- showing --- */

/* For people: the race, unless --timeline has drawn it, and the words under it. */
static void show(struct nwcat_measure *measure) {
    const struct nwcat_app *app = measure->app;
    struct nwcat_timeline race = {0};
    nwcat_event_report(app, &measure->report);
    if (app->options.json)
        return;
    nwcat_meter_hide(app->meter);
    if (!app->options.timeline && !measure->report.accepted &&
        nwcat_timeline_collect(app, measure->connection, &race))
        nwcat_timeline_draw(app, &race);
    nwcat_timeline_clear(&race);
    nwcat_report_print(&measure->report, stderr);
    fflush(stderr);
}

static void finish(struct nwcat_measure *measure) {
    show(measure);
    nw_release(measure->transfer);
    nw_release(measure->connection);
    measure->done(measure->context);
    free(measure);
}

static void take_transfer(void *context, nw_data_transfer_report_t transfer) {
    struct nwcat_measure *measure = context;
    read_transfer(&measure->report, transfer);
    finish(measure);
}

static void take_establishment(void *context, nw_establishment_report_t establishment) {
    struct nwcat_measure *measure = context;
    if (establishment != NULL)
        read_establishment(&measure->report, establishment);
    if (measure->transfer != NULL)
        nw_data_transfer_report_collect_f(measure->transfer, dispatch_get_main_queue(), measure,
                                          take_transfer);
    else
        finish(measure); /* memory had run out as it began */
}

void nwcat_measure_end(struct nwcat_measure *measure, unsigned number, bool accepted, void *context,
                       void (*done)(void *context)) {
    measure->report.number = number;
    measure->report.accepted = accepted;
    measure->report.untimed = measure->app->options.udp || measure->app->options.unix_socket;
    measure->context = context;
    measure->done = done;
    nw_connection_access_establishment_report_f(measure->connection, dispatch_get_main_queue(),
                                                measure, take_establishment);
}
