/*
 * text.c - what nwpath writes for people: the line of a change, the table, the ways to a host.
 * Source: RFC 3339 (time); colours by ECMA-48 SGR, the caller decides on them.
 * Runs:   pure: a report in, text out.
 */
#include "options.h"
#include "report.h"

#include <stdarg.h>
#include <string.h>

#define GREEN "\033[32m"
#define RED "\033[31m"
#define DIM "\033[2m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

const char *nwpath_format_time(const struct timespec *time, char text[NWPATH_TIME_SIZE]) {
    struct tm utc;
    gmtime_r(&time->tv_sec, &utc);
    size_t used = strftime(text, NWPATH_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, NWPATH_TIME_SIZE - used, ".%03uZ", (unsigned)(time->tv_nsec / 1000000));
    return text;
}

/* --- the path in one line --- */

static void write_facts(const struct nwpath_report *r, FILE *out) {
    for (size_t i = 0; i < r->interface_count; i++)
        fprintf(out, " %s(%s)", r->interfaces[i].name, nwpath_type_name(r->interfaces[i].type));
    fprintf(out, "%s%s%s", r->ipv4 ? " ipv4" : "", r->ipv6 ? " ipv6" : "", r->dns ? " dns" : "");
    fprintf(out, "%s%s%s", r->expensive ? " expensive" : "", r->constrained ? " constrained" : "",
            r->ultra_constrained ? " ultra-constrained" : "");
    if (nwpath_quality_word(r->quality) != NULL)
        fprintf(out, " quality=%s", nwpath_quality_word(r->quality));
    for (size_t i = 0; i < r->gateway_count; i++)
        fprintf(out, "%s%s", i == 0 ? " gateways=" : ",", r->gateways[i]);
    if (r->lacks != 0)
        fprintf(out, " (no IPv%d)", r->lacks);
    else if (!r->satisfied)
        fprintf(out, " (%s)", nwpath_unsatisfied_word(r->reason));
}

void nwpath_write_path(const struct nwpath_report *report, FILE *out) {
    fputs(nwpath_status_word(report), out);
    write_facts(report, out);
}

void nwpath_write_line(const struct nwpath_report *report, FILE *out) {
    char time[NWPATH_TIME_SIZE];
    fprintf(out, "%s ", nwpath_format_time(&report->time, time));
    nwpath_write_path(report, out);
    const char *separator = " -- ";
    for (size_t i = 0; i < report->row_count; i++) {
        const struct nwpath_row *row = &report->rows[i];
        if (row->type == nw_interface_type_loopback && row->verdict > nw_path_verdict_next)
            continue; /* on each machine, and nobody wonders why */
        fprintf(out, "%s%s: %s", separator, row->name, row->why);
        separator = "; ";
    }
    fputc('\n', out);
}

/* --- the table --- */

static void paint(const struct nwpath_pen *pen, const char *code) {
    if (pen->colour)
        fputs(code, pen->out);
}

/* One line, cut to the columns there are. Octets of UTF-8 beyond the first of a character take no
 * column. */
static void put_line(const struct nwpath_pen *pen, const char *colour, const char *line) {
    size_t length = strlen(line);
    if (pen->columns > 0) {
        int columns = 0;
        for (length = 0; line[length] != '\0'; length++) {
            if (((unsigned char)line[length] & 0xc0) != 0x80 && ++columns > pen->columns)
                break;
        }
    }
    if (colour != NULL)
        paint(pen, colour);
    fwrite(line, 1, length, pen->out);
    if (colour != NULL)
        paint(pen, PLAIN);
    fputc('\n', pen->out);
}

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size,
                                                         const char *format, ...) {
    va_list args;
    size_t used = strlen(text);
    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

enum { CELLS = 7, CELL_SIZE = 96, LINE_SIZE = 1024 };
enum { NAME, TYPE, METRIC, ADDRESS, GATEWAY, FLAGS, QUALITY };
struct cells {
    char text[CELLS][CELL_SIZE];
};

static void write_flags(char text[CELL_SIZE], const struct nwpath_row *row) {
    if (row->expensive)
        append(text, CELL_SIZE, "expensive");
    if (row->constrained)
        append(text, CELL_SIZE, "%sconstrained", text[0] != '\0' ? "," : "");
    if (row->ultra_constrained)
        append(text, CELL_SIZE, "%sultra", text[0] != '\0' ? "," : "");
}

static void fill_cells(struct cells *cells, const struct nwpath_row *row, size_t line) {
    memset(cells, 0, sizeof *cells);
    if (line < row->address_count) {
        const struct nwpath_address *address = &row->addresses[line];
        snprintf(cells->text[ADDRESS], CELL_SIZE, "%s/%u%s%s", address->text,
                 address->prefix_length, address->state != nw_address_state_usable ? " " : "",
                 address->state != nw_address_state_usable ? nwpath_state_word(address->state)
                                                           : "");
    }
    if (line < row->gateway_count)
        snprintf(cells->text[GATEWAY], CELL_SIZE, "%s",
                 row->gateways[line].text != NULL ? row->gateways[line].text : "on link");
    if (line > 0)
        return;
    snprintf(cells->text[NAME], CELL_SIZE, "%s", row->name);
    snprintf(cells->text[TYPE], CELL_SIZE, "%s", nwpath_type_name(row->type));
    if (row->routed)
        snprintf(cells->text[METRIC], CELL_SIZE, "%u", row->metric);
    write_flags(cells->text[FLAGS], row);
    const char *quality = nwpath_quality_word(row->quality);
    snprintf(cells->text[QUALITY], CELL_SIZE, "%s", quality != NULL ? quality : "");
}

static size_t lines_of(const struct nwpath_row *row) {
    size_t lines =
        row->address_count > row->gateway_count ? row->address_count : row->gateway_count;
    return lines > 0 ? lines : 1;
}

/* The widest cell of each column. */
static void measure(const struct nwpath_report *report, const struct cells *head, int *widths) {
    struct cells cells;
    for (int i = 0; i < CELLS; i++)
        widths[i] = (int)strlen(head->text[i]);
    for (size_t row = 0; row < report->row_count; row++) {
        for (size_t line = 0; line < lines_of(&report->rows[row]); line++) {
            fill_cells(&cells, &report->rows[row], line);
            for (int i = 0; i < CELLS; i++) {
                if ((int)strlen(cells.text[i]) > widths[i])
                    widths[i] = (int)strlen(cells.text[i]);
            }
        }
    }
}

static void put_cells(const struct nwpath_pen *pen, const char *colour, const char *mark,
                      const struct cells *cells, const int *widths, const char *why) {
    char line[LINE_SIZE] = "";
    append(line, sizeof line, "%s", mark);
    for (int i = 0; i < CELLS; i++)
        append(line, sizeof line, " %*s%s", i == METRIC ? widths[i] : -widths[i], cells->text[i],
               i + 1 < CELLS ? " " : "");
    append(line, sizeof line, "  %s", why);
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == ' ')
        line[--length] = '\0';
    put_line(pen, colour, line);
}

/* Where the reasons would be cut off they get lines of their own. */
static bool is_narrow(const struct nwpath_pen *pen, const int *widths) {
    enum { WHY_MIN = 24 };
    int before = 1;
    for (int i = 0; i < CELLS; i++)
        before += widths[i] + 2;
    return pen->columns > 0 && before + WHY_MIN > pen->columns;
}

unsigned nwpath_write_table(const struct nwpath_report *report, const struct nwpath_pen *pen) {
    static const struct cells head = {
        {"INTERFACE", "TYPE", "METRIC", "ADDRESS", "GATEWAY", "FLAGS", "QUALITY"}};
    static const char *const colours[] = {[nw_path_verdict_used] = GREEN,
                                          [nw_path_verdict_next] = NULL,
                                          [nw_path_verdict_refused] = DIM,
                                          [nw_path_verdict_unusable] = DIM};
    static const char *const marks[] = {[nw_path_verdict_used] = "*",
                                        [nw_path_verdict_next] = "+",
                                        [nw_path_verdict_refused] = "-",
                                        [nw_path_verdict_unusable] = "-"};
    int widths[CELLS];
    struct cells cells;
    unsigned lines = 1;
    measure(report, &head, widths);
    bool narrow = is_narrow(pen, widths);
    put_cells(pen, BOLD, " ", &head, widths, narrow ? "" : "WHY");
    for (size_t i = 0; i < report->row_count; i++) {
        const struct nwpath_row *row = &report->rows[i];
        for (size_t line = 0; line < lines_of(row); line++, lines++) {
            fill_cells(&cells, row, line);
            put_cells(pen, colours[row->verdict], line == 0 ? marks[row->verdict] : " ", &cells,
                      widths, line == 0 && !narrow ? row->why : "");
        }
        if (narrow) {
            char why[LINE_SIZE];
            snprintf(why, sizeof why, "    %s", row->why);
            put_line(pen, colours[row->verdict], why);
            lines++;
        }
    }
    return lines;
}

void nwpath_write_status(const struct nwpath_report *report, const struct nwpath_pen *pen) {
    char *text = NULL;
    size_t size;
    FILE *line = open_memstream(&text, &size);
    if (line == NULL)
        return;
    nwpath_write_path(report, line);
    if (fclose(line) == 0)
        put_line(pen, report->satisfied ? GREEN : RED, text);
    free(text);
}

/* --- the ways to a host --- */

static void write_way(const struct nwpath_way *way, unsigned number, const struct nwpath_pen *pen) {
    char line[LINE_SIZE] = "";
    bool v6 = strchr(way->remote, ':') != NULL && way->port != 0;
    append(line, sizeof line, "%2u. %s%s%s", number, v6 ? "[" : "", way->remote, v6 ? "]" : "");
    if (way->port != 0)
        append(line, sizeof line, ":%u", way->port);
    if (way->source != NULL)
        append(line, sizeof line, "  from %s", way->source);
    if (way->interface != NULL)
        append(line, sizeof line, "  on %s", way->interface);
    if (way->mtu != 0)
        append(line, sizeof line, "  mtu %u", way->mtu);
    put_line(pen,
             way->verdict == nw_path_verdict_used   ? GREEN
             : way->verdict == nw_path_verdict_next ? NULL
                                                    : RED,
             line);
    snprintf(line, sizeof line, "      way:   %s", way->why);
    put_line(pen, NULL, line);
    snprintf(line, sizeof line, "      order: %s", way->order_why);
    put_line(pen, NULL, line);
}

void nwpath_write_ways(const struct nwpath_report *report, const char *host, const char *port,
                       const struct nwpath_pen *pen) {
    char line[LINE_SIZE];
    snprintf(line, sizeof line, "%s%s%s", host, port != NULL ? " port " : "",
             port != NULL ? port : "");
    if (report->error[0] != '\0') {
        append(line, sizeof line, ": %s", report->error);
        put_line(pen, RED, line);
    } else {
        append(line, sizeof line, ": %zu address%s%s", report->way_count,
               report->way_count == 1 ? "" : "es",
               report->way_count > 1 ? ", tried in this order" : "");
        put_line(pen, BOLD, line);
    }
    for (size_t i = 0; i < report->way_count; i++)
        write_way(&report->ways[i], (unsigned)i + 1, pen);
    fputs("\npath: ", pen->out);
    nwpath_write_status(report, pen);
    nwpath_write_table(report, pen);
}
