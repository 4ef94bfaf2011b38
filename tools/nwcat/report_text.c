/*
 * report_text.c - both reports on a connection in words.
 * Runs:   pure: values in, text out.
 */
#include "report.h"

#include "progress.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum { LABEL = 16, COLUMN = 12 };

static void put_label(FILE *out, const char *label) {
    fprintf(out, "  %-*s ", LABEL, label);
}

/* "12 ms"; what is rounded down to 0 was not nothing. */
static const char *time_text(char text[24], uint64_t ms) {
    if (ms == 0)
        return "< 1 ms";
    snprintf(text, 24, "%" PRIu64 " ms", ms);
    return text;
}

static const char *or_nothing(const char *text) {
    return text != NULL ? text : "";
}

/* --- how it was established --- */

static void put_resolution(FILE *out, const struct nwcat_resolution *resolution) {
    char took[24];
    put_label(out, "name");
    fprintf(out, "%u address%s from %s%s%s, %s\n", resolution->endpoints,
            resolution->endpoints == 1 ? "" : "es",
            strcmp(resolution->source, "query") == 0 ? "a server" : resolution->source,
            resolution->protocol != NULL ? " over " : "", or_nothing(resolution->protocol),
            time_text(took, resolution->ms));
    put_label(out, "");
    if (strcmp(resolution->preferred, resolution->successful) == 0)
        fprintf(out, "%s tried first, and connected\n", resolution->successful);
    else
        fprintf(out, "%s tried first, %s connected\n", resolution->preferred,
                resolution->successful);
}

static void put_handshake(FILE *out, const struct nwcat_handshake *handshake) {
    char label[LABEL + 1], took[24], rtt[24];
    snprintf(label, sizeof label, "%s handshake", handshake->protocol);
    for (char *c = label; *c != ' ' && *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
    put_label(out, label);
    fprintf(out, "%s, round trip %s\n", time_text(took, handshake->ms),
            time_text(rtt, handshake->rtt_ms));
}

static void put_establishment(FILE *out, const struct nwcat_report *report) {
    char took[24];
    fprintf(out, "Establishment of connection %u\n", report->number);
    put_label(out, "took");
    fputs(time_text(took, report->took_ms), out);
    if (report->previous_attempts > 0)
        fprintf(out, ", begun %" PRIu64 " ms after the start, attempt %u", report->started_after_ms,
                report->previous_attempts + 1);
    fputc('\n', out);
    for (unsigned i = 0; i < report->resolution_count; i++)
        put_resolution(out, &report->resolutions[i]);
    for (unsigned i = 0; i < report->handshake_count; i++)
        put_handshake(out, &report->handshakes[i]);
    put_label(out, "proxy");
    fprintf(out, "%s\n",
            report->proxy_used         ? report->proxy
            : report->proxy_configured ? "set up, not used"
                                       : "none");
}

/* --- what it has carried --- */

static void put_octets(FILE *out, uint64_t octets) {
    char text[32];
    nwcat_format_octets(text, sizeof text, (double)octets);
    fprintf(out, "%*s", COLUMN, text);
}

static void put_row(FILE *out, const char *label, uint64_t sent, uint64_t received) {
    put_label(out, label);
    put_octets(out, sent);
    put_octets(out, received);
    fputc('\n', out);
}

static void put_path(FILE *out, const struct nwcat_report *report,
                     const struct nwcat_carried *path) {
    char smoothed[24], least[24], deviation[24];
    put_label(out, "over");
    fprintf(out, "%s (%s%s%s)\n", path->interface_name[0] != '\0' ? path->interface_name : "?",
            path->interface_type, path->radio != NULL ? ", " : "", or_nothing(path->radio));
    put_label(out, "");
    fprintf(out, "%*s%*s\n", COLUMN, "sent", COLUMN, "received");
    put_row(out, "content", path->content_out, path->content_in);
    put_row(out, "transport", path->transport_out, path->transport_in);
    put_label(out, "packets");
    fprintf(out, "%*" PRIu64 "%*" PRIu64 "\n", COLUMN, path->packets_out, COLUMN, path->packets_in);
    if (report->untimed)
        return;
    put_row(out, "again", path->again_out, path->again_in);
    put_label(out, "out of order");
    fprintf(out, "%*s", COLUMN, "");
    put_octets(out, path->disordered);
    fputc('\n', out);
    put_label(out, "round trip");
    fprintf(out, "%s, at least %s, varies by %s\n", time_text(smoothed, path->rtt_ms),
            time_text(least, path->rtt_min_ms), time_text(deviation, path->rtt_variance_ms));
}

void nwcat_report_print(const struct nwcat_report *report, FILE *out) {
    char took[24];
    if (!report->established) {
        fprintf(out, "Connection %u was not established\n", report->number);
        return;
    }
    if (!report->accepted)
        put_establishment(out, report);
    fprintf(out, "Transfer of connection %u\n", report->number);
    put_label(out, "measured");
    fprintf(out, "%s\n", time_text(took, report->measured_ms));
    for (unsigned i = 0; i < report->path_count; i++)
        put_path(out, report, &report->paths[i]);
}
