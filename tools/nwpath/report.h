/*
 * report.h - one explanation, flat, for those that write it down.
 * What:   what text, table and JSON need of a path and its explanation; plain values, so that they
 *         can be tested without a network.
 * Owns:   a reference to the explanation and the path, whose texts the fields point at; arrays.
 */
#ifndef NWPATH_REPORT_H
#define NWPATH_REPORT_H

#include <Network/path_explanation.h>
#include <time.h>

struct nwpath_address {
    const char *text;
    unsigned prefix_length;
    nw_address_state_t state;
};

struct nwpath_gateway {
    const char *text; /* NULL: the route needs none */
    uint32_t metric;
};

/* One interface. */
struct nwpath_row {
    const char *name, *why;
    uint32_t index, metric, mtu;
    nw_interface_type_t type;
    nw_path_verdict_t verdict;
    nw_path_verdict_reason_t reason;
    bool routed; /* metric is one */
    bool expensive, constrained, ultra_constrained;
    nw_link_quality_t quality;
    struct nwpath_address *addresses;
    size_t address_count;
    struct nwpath_gateway *gateways;
    size_t gateway_count;
};

/* One address of the destination, in the order of trying. */
struct nwpath_way {
    const char *remote, *source, *gateway, *interface; /* all but remote may be NULL */
    const char *why, *order_why;
    uint16_t port; /* 0: none in particular */
    nw_path_verdict_t verdict;
    nw_route_kind_t kind;
    nw_address_order_t order;
    uint32_t table, metric, mtu;
    bool has_match; /* metric and prefix_length are known */
    uint8_t prefix_length;
};

enum { NWPATH_LIST_MAX = 64 }; /* interfaces, gateways of the path; more are left out */

struct nwpath_report {
    nw_path_explanation_t explanation;
    nw_path_t path;
    struct timespec time; /* wall clock */
    bool satisfied;       /* the path is, and has the family asked for */
    int lacks;            /* family asked for that a satisfied path has not: 4 or 6; else 0 */
    nw_path_status_t status;
    nw_path_unsatisfied_reason_t reason;
    nw_link_quality_t quality;
    bool ipv4, ipv6, dns, expensive, constrained, ultra_constrained;
    struct {
        const char *name;
        nw_interface_type_t type;
    } interfaces[NWPATH_LIST_MAX];
    size_t interface_count;
    const char *gateways[NWPATH_LIST_MAX];
    size_t gateway_count;
    struct nwpath_row *rows;
    size_t row_count;
    struct nwpath_way *ways;
    size_t way_count;
    char error[160]; /* why there are no ways; "": nothing wrong */
    bool no_name;    /* the error is of the lookup */
};

/* Fills in everything; takes references. `path` NULL: the explanation's. `family`: 0, 4, 6. False
 * when memory ran out: nothing is owned then. */
bool nwpath_report_fill(struct nwpath_report *report, nw_path_t path,
                        nw_path_explanation_t explanation, int family);
void nwpath_report_free(struct nwpath_report *report);

/* --- what is written (words.c, text.c, json.c): pure --- */

const char *nwpath_status_word(const struct nwpath_report *report); /* "satisfied" */
const char *nwpath_unsatisfied_word(nw_path_unsatisfied_reason_t reason);
const char *nwpath_verdict_word(nw_path_verdict_t verdict);
const char *nwpath_reason_word(nw_path_verdict_reason_t reason);
const char *nwpath_state_word(nw_address_state_t state);
const char *nwpath_kind_word(nw_route_kind_t kind);
const char *nwpath_quality_word(nw_link_quality_t quality); /* NULL: unknown */

enum { NWPATH_TIME_SIZE = 40 };
/* "2026-11-25T08:00:00.123Z". Returns `text`. */
const char *nwpath_format_time(const struct timespec *time, char text[NWPATH_TIME_SIZE]);
/* "satisfied eth0(wired) ipv4 dns ...", without time and end of line. */
void nwpath_write_path(const struct nwpath_report *report, FILE *out);
/* The line of a change in a pipe: time, path, and after " -- " the reason of each interface. */
void nwpath_write_line(const struct nwpath_report *report, FILE *out);

struct nwpath_pen {
    FILE *out;
    bool colour;
    int columns; /* lines are cut there; 0: not */
};
/* A table of the interfaces, one a line; returns how many lines. */
unsigned nwpath_write_table(const struct nwpath_report *report, const struct nwpath_pen *pen);
/* The status in colour, and its facts; one line. */
void nwpath_write_status(const struct nwpath_report *report, const struct nwpath_pen *pen);
/* The ways to HOST, then the path and its table. */
void nwpath_write_ways(const struct nwpath_report *report, const char *host, const char *port,
                       const struct nwpath_pen *pen);
/* One JSON object, one line. host NULL: of the path alone. */
void nwpath_write_json(const struct nwpath_report *report, const char *host, const char *port,
                       FILE *out);

#endif
