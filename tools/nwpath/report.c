/*
 * report.c - from an explanation to plain values.
 * Runs:   any thread.
 * Owns:   what report.h says. Texts are lent by objects that the explanation or path holds, so what
 *         `copy` gives here is given back at once.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

struct filling {
    struct nwpath_report *report;
    bool failed; /* no memory */
};

/* Room for one more; NULL, and the filling has failed: no memory. The new element is zero. */
static void *grow(struct filling *filling, void *array, size_t *count, size_t size) {
    void *grown = realloc(*(void **)array, (*count + 1) * size);
    if (grown == NULL) {
        filling->failed = true;
        return NULL;
    }
    *(void **)array = grown;
    void *element = (char *)grown + (*count)++ * size;
    memset(element, 0, size);
    return element;
}
#define GROW(filling, array, count) grow(filling, &(array), &(count), sizeof *(array))

/* --- interfaces --- */

static bool take_address(void *context, nw_endpoint_t address, uint8_t prefix_length,
                         nw_address_state_t state) {
    struct filling *filling = context;
    struct nwpath_row *row = &filling->report->rows[filling->report->row_count - 1];
    struct nwpath_address *to = GROW(filling, row->addresses, row->address_count);
    if (to == NULL)
        return false;
    *to = (struct nwpath_address){nw_endpoint_get_hostname(address), prefix_length, state};
    return true;
}

static bool take_gateway(void *context, nw_endpoint_t gateway, uint32_t metric) {
    struct filling *filling = context;
    struct nwpath_row *row = &filling->report->rows[filling->report->row_count - 1];
    struct nwpath_gateway *to = GROW(filling, row->gateways, row->gateway_count);
    if (to == NULL)
        return false;
    *to =
        (struct nwpath_gateway){gateway != NULL ? nw_endpoint_get_hostname(gateway) : NULL, metric};
    return true;
}

static bool take_row(void *context, nw_interface_explanation_t explanation) {
    struct filling *filling = context;
    struct nwpath_row *row = GROW(filling, filling->report->rows, filling->report->row_count);
    if (row == NULL)
        return false;
    nw_interface_t interface = nw_interface_explanation_copy_interface(explanation);
    row->name = nw_interface_get_name(interface);
    row->index = nw_interface_get_index(interface);
    row->type = nw_interface_get_type(interface);
    nw_release(interface);
    row->why = nw_interface_explanation_get_text(explanation);
    row->verdict = nw_interface_explanation_get_verdict(explanation);
    row->reason = nw_interface_explanation_get_reason(explanation);
    row->routed = nw_interface_explanation_get_metric(explanation, &row->metric);
    row->mtu = nw_interface_explanation_get_mtu(explanation);
    row->expensive = nw_interface_explanation_is_expensive(explanation);
    row->constrained = nw_interface_explanation_is_constrained(explanation);
    row->ultra_constrained = nw_interface_explanation_is_ultra_constrained(explanation);
    row->quality = nw_interface_explanation_get_link_quality(explanation);
    nw_interface_explanation_enumerate_addresses_f(explanation, filling, take_address);
    nw_interface_explanation_enumerate_gateways_f(explanation, filling, take_gateway);
    return !filling->failed;
}

/* --- ways --- */

/* NULL for NULL. */
static const char *text_of(nw_endpoint_t endpoint) {
    const char *text = endpoint != NULL ? nw_endpoint_get_hostname(endpoint) : NULL;
    nw_release(endpoint);
    return text;
}

static bool take_way(void *context, nw_address_explanation_t explanation) {
    struct filling *filling = context;
    struct nwpath_way *way = GROW(filling, filling->report->ways, filling->report->way_count);
    if (way == NULL)
        return false;
    nw_endpoint_t remote = nw_address_explanation_copy_remote(explanation);
    way->port = nw_endpoint_get_port(remote);
    way->remote = text_of(remote);
    way->source = text_of(nw_address_explanation_copy_source(explanation));
    way->gateway = text_of(nw_address_explanation_copy_gateway(explanation));
    nw_interface_t interface = nw_address_explanation_copy_interface(explanation);
    way->interface = nw_interface_get_name(interface);
    nw_release(interface);
    way->why = nw_address_explanation_get_text(explanation);
    way->order_why = nw_address_explanation_get_order_text(explanation);
    way->verdict = nw_address_explanation_get_verdict(explanation);
    way->kind = nw_address_explanation_get_route_kind(explanation);
    way->order = nw_address_explanation_get_order(explanation);
    way->table = nw_address_explanation_get_table(explanation);
    way->mtu = nw_address_explanation_get_mtu(explanation);
    way->has_match =
        nw_address_explanation_get_match(explanation, &way->metric, &way->prefix_length);
    return true;
}

static void take_error(struct nwpath_report *report) {
    nw_error_t error = nw_path_explanation_copy_error(report->explanation);
    if (error == NULL)
        return;
    report->no_name = nw_error_get_error_domain(error) == nw_error_domain_dns;
    char *text = nw_error_copy_description(error);
    snprintf(report->error, sizeof report->error, "%s", text != NULL ? text : "out of memory");
    free(text);
    nw_release(error);
}

/* --- the path --- */

static bool take_interface(void *context, nw_interface_t interface) {
    struct nwpath_report *report = context;
    if (report->interface_count == NWPATH_LIST_MAX)
        return false;
    report->interfaces[report->interface_count].name = nw_interface_get_name(interface);
    report->interfaces[report->interface_count++].type = nw_interface_get_type(interface);
    return true;
}

static bool take_path_gateway(void *context, nw_endpoint_t gateway) {
    struct nwpath_report *report = context;
    if (report->gateway_count == NWPATH_LIST_MAX)
        return false;
    report->gateways[report->gateway_count++] = nw_endpoint_get_hostname(gateway);
    return true;
}

static void take_path(struct nwpath_report *report, int family) {
    nw_path_t path = report->path;
    report->status = nw_path_get_status(path);
    report->reason = nw_path_get_unsatisfied_reason(path);
    report->quality = nw_path_get_link_quality(path);
    report->ipv4 = nw_path_has_ipv4(path);
    report->ipv6 = nw_path_has_ipv6(path);
    report->dns = nw_path_has_dns(path);
    report->expensive = nw_path_is_expensive(path);
    report->constrained = nw_path_is_constrained(path);
    report->ultra_constrained = nw_path_is_ultra_constrained(path);
    nw_path_enumerate_interfaces_f(path, report, take_interface);
    nw_path_enumerate_gateways_f(path, report, take_path_gateway);
    report->satisfied = report->status == nw_path_status_satisfied;
    if (report->satisfied && ((family == 4 && !report->ipv4) || (family == 6 && !report->ipv6)))
        report->lacks = family;
    report->satisfied &= report->lacks == 0;
}

bool nwpath_report_fill(struct nwpath_report *report, nw_path_t path,
                        nw_path_explanation_t explanation, int family) {
    struct filling filling = {.report = report};
    memset(report, 0, sizeof *report);
    if (explanation == NULL)
        return false;
    clock_gettime(CLOCK_REALTIME, &report->time);
    report->explanation = nw_retain(explanation);
    report->path = path != NULL ? nw_retain(path) : nw_path_explanation_copy_path(explanation);
    take_path(report, family);
    nw_path_explanation_enumerate_interfaces_f(explanation, &filling, take_row);
    if (!filling.failed)
        nw_path_explanation_enumerate_addresses_f(explanation, &filling, take_way);
    take_error(report);
    if (filling.failed)
        nwpath_report_free(report);
    return !filling.failed;
}

void nwpath_report_free(struct nwpath_report *report) {
    for (size_t i = 0; i < report->row_count; i++) {
        free(report->rows[i].addresses);
        free(report->rows[i].gateways);
    }
    free(report->rows);
    free(report->ways);
    nw_release(report->path);
    nw_release(report->explanation);
    memset(report, 0, sizeof *report);
}
