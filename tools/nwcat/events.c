/*
 * events.c - everything nwcat says, to people or as JSON.
 * Runs:   on the main queue.
 */
#include "events.h"

#include "common/json.h"
#include "events_private.h"
#include "meter.h"
#include "progress.h"

#include <stdarg.h>
#include <string.h>

/* --- JSON --- */

FILE *nwcat_event_stream(const struct nwcat_app *app) {
    return app->options.probe ? stdout : stderr;
}

void nwcat_event_begin(struct tool_json *json, const struct nwcat_app *app, const char *event) {
    tool_json_begin(json);
    tool_json_text(json, "event", event);
    tool_json_number(json, "time", nwcat_now() - app->began, 6);
}

static void put_reason(struct tool_json *json, const struct nwcat_reason *reason) {
    if (reason == NULL)
        return;
    tool_json_open(json, "error", '{');
    tool_json_text(json, "domain", reason->name);
    tool_json_integer(json, "code", reason->code);
    tool_json_text(json, "text", reason->text);
    tool_json_close(json, '}');
}

static void put_peer(struct tool_json *json, const struct nwcat_peer *peer) {
    tool_json_integer(json, "connection", peer->number);
    tool_json_text(json, "remote", peer->remote);
    if (peer->local != NULL)
        tool_json_text(json, "local", peer->local);
    if (peer->interface_name != NULL)
        tool_json_text(json, "interface", peer->interface_name);
}

static const char *const kind_words[NWCAT_ROW_KIND_COUNT] = {"question", "attempt", "handshake"};
static const char *const outcome_words[NWCAT_ROW_OUTCOME_COUNT] = {[NWCAT_ROW_RUNNING] = "running",
                                                                   [NWCAT_ROW_GOOD] = "succeeded",
                                                                   [NWCAT_ROW_BAD] = "failed",
                                                                   [NWCAT_ROW_LEFT] = "abandoned"};

static void put_row(struct tool_json *json, const struct nwcat_row *row) {
    tool_json_text(json, "kind", kind_words[row->kind]);
    tool_json_text(json, "name", row->name);
    tool_json_text(json, "label", row->label);
    tool_json_text(json, "outcome", outcome_words[row->outcome]);
    tool_json_number(json, "start_ms", row->start, 3);
    if (row->end >= 0)
        tool_json_number(json, "end_ms", row->end, 3);
    else
        tool_json_null(json, "end_ms");
    if (row->note[0] != '\0')
        tool_json_text(json, "note", row->note);
}

/* --- words --- */

void nwcat_event_say(const struct nwcat_app *app, unsigned loudness, const char *format, ...) {
    if (app->options.json || app->options.verbose < loudness)
        return;
    va_list args;
    va_start(args, format);
    nwcat_meter_hide(app->meter);
    flockfile(stderr);
    fputs("nwcat: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    funlockfile(stderr);
    va_end(args);
}

static bool as_json(const struct nwcat_app *app) {
    return app->options.json;
}

/* --- events --- */

void nwcat_event_start(const struct nwcat_app *app, const char *role) {
    const struct nwcat_options *o = &app->options;
    if (!as_json(app))
        return;
    struct tool_json json;
    nwcat_event_begin(&json, app, "start");
    tool_json_text(&json, "role", role);
    tool_json_text(&json, "host", o->host);
    tool_json_text(&json, "port", o->port);
    tool_json_text(&json, "protocol", o->udp ? "udp" : o->unix_socket ? "unix" : "tcp");
    tool_json_bool(&json, "tls", o->tls.on);
    tool_json_text(&json, "version", NWCAT_VERSION);
    tool_json_end(&json, nwcat_event_stream(app));
}

void nwcat_event_listening(const struct nwcat_app *app, const char *address, unsigned port) {
    if (as_json(app)) {
        struct tool_json json;
        nwcat_event_begin(&json, app, "listening");
        tool_json_text(&json, "address", address);
        tool_json_integer(&json, "port", port);
        tool_json_end(&json, nwcat_event_stream(app));
    } else if (app->options.unix_socket) {
        nwcat_event_say(app, 1, "listening on %s", address);
    } else {
        /* a port that the system chose is of no use unless it is told */
        bool chosen = app->options.port == NULL ||
                      strspn(app->options.port, "0") == strlen(app->options.port);
        nwcat_event_say(app, chosen ? 0 : 1, "listening on %s%sport %u%s",
                        address != NULL ? address : "", address != NULL ? " " : "", port,
                        app->options.udp ? " (UDP)" : "");
    }
}

void nwcat_event_accepted(const struct nwcat_app *app, const struct nwcat_peer *peer) {
    if (as_json(app)) {
        struct tool_json json;
        nwcat_event_begin(&json, app, "accepted");
        put_peer(&json, peer);
        tool_json_end(&json, nwcat_event_stream(app));
    } else {
        nwcat_event_say(app, 1, "connection %u from %s", peer->number,
                        peer->remote != NULL ? peer->remote : "?");
    }
}

void nwcat_event_state(const struct nwcat_app *app, unsigned number, const char *state,
                       const struct nwcat_reason *reason) {
    if (as_json(app)) {
        struct tool_json json;
        nwcat_event_begin(&json, app, "state");
        tool_json_integer(&json, "connection", number);
        tool_json_text(&json, "state", state);
        put_reason(&json, reason);
        tool_json_end(&json, nwcat_event_stream(app));
    } else if (reason != NULL) {
        nwcat_event_say(app, 1, "%s: %s", state, reason->text);
    } else {
        nwcat_event_say(app, 2, "%s", state);
    }
}

void nwcat_event_ready(const struct nwcat_app *app, const struct nwcat_peer *peer) {
    char took[32];
    nwcat_format_ms(took, sizeof took, peer->seconds * 1000);
    if (as_json(app)) {
        struct tool_json json;
        nwcat_event_begin(&json, app, "ready");
        put_peer(&json, peer);
        tool_json_number(&json, "seconds", peer->seconds, 6);
        tool_json_end(&json, nwcat_event_stream(app));
    } else {
        nwcat_event_say(app, 1, "connected to %s%s%s%s%s in %s",
                        peer->remote != NULL ? peer->remote : "the peer",
                        peer->local != NULL ? " from " : "", peer->local != NULL ? peer->local : "",
                        peer->interface_name != NULL ? " over " : "",
                        peer->interface_name != NULL ? peer->interface_name : "", took);
    }
}

void nwcat_event_row(const struct nwcat_app *app, const struct nwcat_row *row) {
    if (as_json(app)) {
        struct tool_json json;
        nwcat_event_begin(&json, app, kind_words[row->kind]);
        put_row(&json, row);
        tool_json_end(&json, nwcat_event_stream(app));
        return;
    }
    char at[32];
    nwcat_format_ms(at, sizeof at, row->end >= 0 ? row->end : row->start);
    static const char *const begun[NWCAT_ROW_KIND_COUNT] = {"asking", "trying", "securing"};
    const char *word = row->outcome == NWCAT_ROW_RUNNING ? begun[row->kind]
                       : row->outcome == NWCAT_ROW_GOOD  ? nwcat_row_done(row->kind)
                       : row->outcome == NWCAT_ROW_BAD   ? "failed"
                                                         : "given up";
    nwcat_event_say(app, 1, "%9s  %-7s %-9s %s%s%s", at, row->name, word, row->label,
                    row->note[0] != '\0' ? ": " : "", row->note);
}

void nwcat_event_timeline(const struct nwcat_app *app, const struct nwcat_timeline *timeline) {
    if (!as_json(app))
        return;
    struct tool_json json;
    nwcat_event_begin(&json, app, "timeline");
    tool_json_text(&json, "title", timeline->title);
    tool_json_number(&json, "total_ms", timeline->total, 3);
    tool_json_bool(&json, "connected", timeline->won);
    tool_json_open(&json, "rows", '[');
    for (size_t i = 0; i < timeline->count; i++) {
        tool_json_open(&json, NULL, '{');
        put_row(&json, &timeline->rows[i]);
        tool_json_close(&json, '}');
    }
    tool_json_close(&json, ']');
    tool_json_end(&json, nwcat_event_stream(app));
}

/* --- reports --- */

static void put_resolutions(struct tool_json *json, const struct nwcat_report *report) {
    tool_json_open(json, "resolutions", '[');
    for (unsigned i = 0; i < report->resolution_count; i++) {
        const struct nwcat_resolution *resolution = &report->resolutions[i];
        tool_json_open(json, NULL, '{');
        tool_json_text(json, "source", resolution->source);
        tool_json_text(json, "protocol", resolution->protocol);
        tool_json_integer(json, "milliseconds", (int64_t)resolution->ms);
        tool_json_integer(json, "endpoint_count", resolution->endpoints);
        tool_json_text(json, "preferred", resolution->preferred);
        tool_json_text(json, "successful", resolution->successful);
        tool_json_close(json, '}');
    }
    tool_json_close(json, ']');
}

static void put_handshakes(struct tool_json *json, const struct nwcat_report *report) {
    tool_json_open(json, "protocols", '[');
    for (unsigned i = 0; i < report->handshake_count; i++) {
        tool_json_open(json, NULL, '{');
        tool_json_text(json, "name", report->handshakes[i].protocol);
        tool_json_integer(json, "handshake_ms", (int64_t)report->handshakes[i].ms);
        tool_json_integer(json, "rtt_ms", (int64_t)report->handshakes[i].rtt_ms);
        tool_json_close(json, '}');
    }
    tool_json_close(json, ']');
}

static void tell_establishment(const struct nwcat_app *app, const struct nwcat_report *report) {
    struct tool_json json;
    nwcat_event_begin(&json, app, "establishment_report");
    tool_json_integer(&json, "connection", report->number);
    tool_json_bool(&json, "accepted", report->accepted);
    tool_json_bool(&json, "established", report->established);
    if (report->established) {
        tool_json_integer(&json, "duration_ms", (int64_t)report->took_ms);
        tool_json_integer(&json, "attempt_started_after_ms", (int64_t)report->started_after_ms);
        tool_json_integer(&json, "previous_attempts", report->previous_attempts);
        tool_json_bool(&json, "used_proxy", report->proxy_used);
        tool_json_bool(&json, "proxy_configured", report->proxy_configured);
        tool_json_text(&json, "proxy", report->proxy_used ? report->proxy : NULL);
        put_resolutions(&json, report);
        put_handshakes(&json, report);
    }
    tool_json_end(&json, nwcat_event_stream(app));
}

static void put_path(struct tool_json *json, const struct nwcat_carried *path) {
    tool_json_open(json, NULL, '{');
    tool_json_text(json, "interface",
                   path->interface_name[0] != '\0' ? path->interface_name : NULL);
    tool_json_text(json, "interface_type", path->interface_type);
    tool_json_text(json, "radio", path->radio);
    tool_json_integer(json, "sent_application_bytes", (int64_t)path->content_out);
    tool_json_integer(json, "received_application_bytes", (int64_t)path->content_in);
    tool_json_integer(json, "sent_transport_bytes", (int64_t)path->transport_out);
    tool_json_integer(json, "received_transport_bytes", (int64_t)path->transport_in);
    tool_json_integer(json, "retransmitted_bytes", (int64_t)path->again_out);
    tool_json_integer(json, "duplicate_bytes", (int64_t)path->again_in);
    tool_json_integer(json, "out_of_order_bytes", (int64_t)path->disordered);
    tool_json_integer(json, "sent_packets", (int64_t)path->packets_out);
    tool_json_integer(json, "received_packets", (int64_t)path->packets_in);
    tool_json_integer(json, "smoothed_rtt_ms", (int64_t)path->rtt_ms);
    tool_json_integer(json, "minimum_rtt_ms", (int64_t)path->rtt_min_ms);
    tool_json_integer(json, "rtt_variance_ms", (int64_t)path->rtt_variance_ms);
    tool_json_close(json, '}');
}

void nwcat_event_report(const struct nwcat_app *app, const struct nwcat_report *report) {
    struct tool_json json;
    if (!as_json(app))
        return;
    tell_establishment(app, report);
    nwcat_event_begin(&json, app, "data_transfer_report");
    tool_json_integer(&json, "connection", report->number);
    tool_json_integer(&json, "duration_ms", (int64_t)report->measured_ms);
    tool_json_open(&json, "paths", '[');
    for (unsigned i = 0; i < report->path_count; i++)
        put_path(&json, &report->paths[i]);
    tool_json_close(&json, ']');
    tool_json_end(&json, nwcat_event_stream(app));
}

static void plain_event(const struct nwcat_app *app, const char *event, unsigned number,
                        const char *words) {
    if (as_json(app)) {
        struct tool_json json;
        nwcat_event_begin(&json, app, event);
        tool_json_integer(&json, "connection", number);
        tool_json_end(&json, nwcat_event_stream(app));
    } else {
        nwcat_event_say(app, 2, "%s", words);
    }
}

void nwcat_event_input_end(const struct nwcat_app *app, unsigned number) {
    plain_event(app, "input_end", number, "end of input");
}

void nwcat_event_peer_end(const struct nwcat_app *app, unsigned number) {
    plain_event(app, "peer_end", number, "the peer has sent all it had");
}

void nwcat_event_closed(const struct nwcat_app *app, const struct nwcat_peer *peer) {
    if (as_json(app)) {
        struct tool_json json;
        nwcat_event_begin(&json, app, "closed");
        put_peer(&json, peer);
        tool_json_integer(&json, "sent", (int64_t)peer->sent);
        tool_json_integer(&json, "received", (int64_t)peer->received);
        tool_json_number(&json, "seconds", peer->seconds, 6);
        tool_json_end(&json, nwcat_event_stream(app));
        return;
    }
    char sent[32], received[32], rate[32], took[32];
    nwcat_format_octets(sent, sizeof sent, (double)peer->sent);
    nwcat_format_octets(received, sizeof received, (double)peer->received);
    nwcat_format_ms(took, sizeof took, peer->seconds * 1000);
    double per_second =
        (double)(peer->sent + peer->received) / (peer->seconds > 0 ? peer->seconds : 1);
    nwcat_format_octets(rate, sizeof rate, per_second);
    nwcat_event_say(app, 1, "closed after %s: sent %s, received %s (%s/s)", took, sent, received,
                    rate);
}

static const char *const verdict_words[NWCAT_PROBE_COUNT] = {
    [NWCAT_PROBE_OPEN] = "open",       [NWCAT_PROBE_CLOSED] = "closed",
    [NWCAT_PROBE_TIMEOUT] = "timeout", [NWCAT_PROBE_NO_ANSWER] = "no-answer",
    [NWCAT_PROBE_NO_NAME] = "no-name", [NWCAT_PROBE_TLS] = "no-tls"};

void nwcat_event_probe(const struct nwcat_app *app, const char *host, unsigned port,
                       enum nwcat_probe_verdict verdict, double seconds,
                       const struct nwcat_reason *reason, const struct nwcat_tls_facts *tls) {
    const struct nwcat_options *o = &app->options;
    if (as_json(app)) {
        struct tool_json json;
        nwcat_event_begin(&json, app, "probe");
        tool_json_text(&json, "host", host);
        tool_json_integer(&json, "port", port);
        tool_json_text(&json, "protocol", o->udp ? "udp" : "tcp");
        tool_json_text(&json, "verdict", verdict_words[verdict]);
        tool_json_number(&json, "seconds", seconds, 6);
        put_reason(&json, reason);
        if (tls != NULL) {
            tool_json_open(&json, "tls", '{');
            nwcat_event_put_tls(&json, tls);
            tool_json_close(&json, '}');
        }
        tool_json_end(&json, stdout);
        return;
    }
    /* A single port answers by its exit status alone; of a range, what is open is of interest. */
    bool found = verdict == NWCAT_PROBE_OPEN || verdict == NWCAT_PROBE_NO_ANSWER;
    if (o->verbose == 0 && !(found && o->ports.count > 1))
        return;
    char took[32], where[24] = "";
    nwcat_format_ms(took, sizeof took, seconds * 1000);
    if (!o->unix_socket)
        snprintf(where, sizeof where, " %u/%s", port, o->udp ? "udp" : "tcp");
    char agreed[400] = "";
    if (tls != NULL)
        nwcat_event_tls_text(tls, agreed, sizeof agreed);
    const char *why = reason != NULL ? reason->text : agreed;
    printf("%s%s %s%s%s%s %s\n", host, where, verdict_words[verdict], why[0] != '\0' ? " (" : "",
           why, why[0] != '\0' ? ")" : "", took);
    fflush(stdout);
}

void nwcat_event_error(const struct nwcat_app *app, const char *what,
                       const struct nwcat_reason *reason) {
    if (as_json(app)) {
        struct tool_json json;
        nwcat_event_begin(&json, app, "error");
        tool_json_text(&json, "message", what);
        put_reason(&json, reason);
        tool_json_end(&json, nwcat_event_stream(app));
    } else {
        nwcat_event_say(app, 0, "%s%s%s", what, reason != NULL ? ": " : "",
                        reason != NULL ? reason->text : "");
    }
}

void nwcat_event_end(const struct nwcat_app *app, int status) {
    if (!as_json(app))
        return;
    struct tool_json json;
    nwcat_event_begin(&json, app, "end");
    tool_json_integer(&json, "status", status);
    tool_json_integer(&json, "sent", (int64_t)app->sent);
    tool_json_integer(&json, "received", (int64_t)app->received);
    tool_json_end(&json, nwcat_event_stream(app));
}
