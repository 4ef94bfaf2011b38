/*
 * json.c - a report as one JSON object on one line.
 * Source: RFC 8259; man/nwpath.1 lists the members.
 * Runs:   pure but for the final write.
 */
#include "common/json.h"
#include "options.h"
#include "report.h"

static void put_costs(struct tool_json *json, bool expensive, bool constrained,
                      bool ultra_constrained, nw_link_quality_t quality) {
    tool_json_bool(json, "expensive", expensive);
    tool_json_bool(json, "constrained", constrained);
    tool_json_bool(json, "ultra_constrained", ultra_constrained);
    tool_json_text(json, "quality", nwpath_quality_word(quality));
}

static void put_row(struct tool_json *json, const struct nwpath_row *row) {
    tool_json_open(json, NULL, '{');
    tool_json_text(json, "name", row->name);
    tool_json_integer(json, "index", row->index);
    tool_json_text(json, "type", nwpath_type_name(row->type));
    tool_json_text(json, "verdict", nwpath_verdict_word(row->verdict));
    tool_json_text(json, "reason", nwpath_reason_word(row->reason));
    tool_json_text(json, "text", row->why);
    if (row->routed)
        tool_json_integer(json, "metric", row->metric);
    else
        tool_json_null(json, "metric");
    tool_json_integer(json, "mtu", row->mtu);
    put_costs(json, row->expensive, row->constrained, row->ultra_constrained, row->quality);
    tool_json_open(json, "addresses", '[');
    for (size_t i = 0; i < row->address_count; i++) {
        tool_json_open(json, NULL, '{');
        tool_json_text(json, "address", row->addresses[i].text);
        tool_json_integer(json, "prefix", row->addresses[i].prefix_length);
        tool_json_text(json, "state", nwpath_state_word(row->addresses[i].state));
        tool_json_close(json, '}');
    }
    tool_json_close(json, ']');
    tool_json_open(json, "gateways", '[');
    for (size_t i = 0; i < row->gateway_count; i++) {
        tool_json_open(json, NULL, '{');
        tool_json_text(json, "gateway", row->gateways[i].text);
        tool_json_integer(json, "metric", row->gateways[i].metric);
        tool_json_close(json, '}');
    }
    tool_json_close(json, ']');
    tool_json_close(json, '}');
}

static void put_path(struct tool_json *json, const struct nwpath_report *r) {
    bool reasoned = !r->satisfied && r->lacks == 0;
    tool_json_text(json, "status", nwpath_status_word(r));
    tool_json_text(json, "reason",
                   r->lacks == 4   ? "no-ipv4"
                   : r->lacks == 6 ? "no-ipv6"
                   : reasoned      ? nwpath_unsatisfied_word(r->reason)
                                   : NULL);
    tool_json_bool(json, "ipv4", r->ipv4);
    tool_json_bool(json, "ipv6", r->ipv6);
    tool_json_bool(json, "dns", r->dns);
    put_costs(json, r->expensive, r->constrained, r->ultra_constrained, r->quality);
    tool_json_open(json, "used", '[');
    for (size_t i = 0; i < r->interface_count; i++)
        tool_json_text(json, NULL, r->interfaces[i].name);
    tool_json_close(json, ']');
    tool_json_open(json, "gateways", '[');
    for (size_t i = 0; i < r->gateway_count; i++)
        tool_json_text(json, NULL, r->gateways[i]);
    tool_json_close(json, ']');
    tool_json_open(json, "interfaces", '[');
    for (size_t i = 0; i < r->row_count; i++)
        put_row(json, &r->rows[i]);
    tool_json_close(json, ']');
}

/* The first has no rule that put it there, and taking turns is no rule of RFC 6724. */
static void put_order(struct tool_json *json, const struct nwpath_way *way) {
    if (way->order == nw_address_order_first || way->order == nw_address_order_family_turn)
        tool_json_null(json, "rule");
    else
        tool_json_integer(json, "rule", way->order);
    tool_json_text(json, "order", way->order_why);
}

static void put_way(struct tool_json *json, const struct nwpath_way *way) {
    tool_json_open(json, NULL, '{');
    tool_json_text(json, "address", way->remote);
    tool_json_text(json, "verdict", nwpath_verdict_word(way->verdict));
    tool_json_text(json, "route", nwpath_kind_word(way->kind));
    tool_json_text(json, "interface", way->interface);
    tool_json_text(json, "source", way->source);
    tool_json_text(json, "gateway", way->gateway);
    tool_json_integer(json, "table", way->table);
    if (way->has_match) {
        tool_json_integer(json, "metric", way->metric);
        tool_json_integer(json, "prefix", way->prefix_length);
    } else {
        tool_json_null(json, "metric");
        tool_json_null(json, "prefix");
    }
    tool_json_integer(json, "mtu", way->mtu);
    tool_json_text(json, "text", way->why);
    put_order(json, way);
    tool_json_close(json, '}');
}

void nwpath_write_json(const struct nwpath_report *report, const char *host, const char *port,
                       FILE *out) {
    struct tool_json json;
    char time[NWPATH_TIME_SIZE];
    tool_json_begin(&json);
    tool_json_text(&json, "time", nwpath_format_time(&report->time, time));
    tool_json_text(&json, "event", host != NULL ? "explanation" : "path");
    if (host != NULL) {
        tool_json_text(&json, "host", host);
        tool_json_text(&json, "port", port);
        tool_json_text(&json, "error", report->error[0] != '\0' ? report->error : NULL);
        tool_json_open(&json, "addresses", '[');
        for (size_t i = 0; i < report->way_count; i++)
            put_way(&json, &report->ways[i]);
        tool_json_close(&json, ']');
        tool_json_open(&json, "path", '{');
        put_path(&json, report);
        tool_json_close(&json, '}');
    } else {
        put_path(&json, report);
    }
    tool_json_end(&json, out);
}
