/*
 * events.h - everything nwcat says, to people or as JSON.
 * What:   one function for each event. With --json each becomes one line of JSON (schema:
 *         man/nwcat.1, section EVENTS); without, a sentence on standard error, when it is loud
 *         enough for -v.
 * Runs:   on the main queue.
 */
#ifndef NWCAT_EVENTS_H
#define NWCAT_EVENTS_H

#include "app.h"
#include "reason.h"
#include "report.h"
#include "timeline.h"
#include "tls.h"

/* What is known of one connection; texts may be NULL. */
struct nwcat_peer {
    unsigned number; /* 1, 2, 3 ... in order of appearance */
    const char *remote, *local, *interface_name;
    double seconds; /* since it was started, or since it was ready with "closed" */
    uint64_t sent, received;
};

enum nwcat_probe_verdict {
    NWCAT_PROBE_OPEN,
    NWCAT_PROBE_CLOSED,
    NWCAT_PROBE_TIMEOUT,
    NWCAT_PROBE_NO_ANSWER,
    NWCAT_PROBE_NO_NAME,
    NWCAT_PROBE_TLS, /* open, but no TLS came about */
    NWCAT_PROBE_COUNT
};

void nwcat_event_start(const struct nwcat_app *app, const char *role);
void nwcat_event_listening(const struct nwcat_app *app, const char *address, unsigned port);
void nwcat_event_accepted(const struct nwcat_app *app, const struct nwcat_peer *peer);
/* `reason` NULL unless the state has one. */
void nwcat_event_state(const struct nwcat_app *app, unsigned number, const char *state,
                       const struct nwcat_reason *reason);
void nwcat_event_ready(const struct nwcat_app *app, const struct nwcat_peer *peer);
void nwcat_event_row(const struct nwcat_app *app, const struct nwcat_row *row);
void nwcat_event_timeline(const struct nwcat_app *app, const struct nwcat_timeline *timeline);
/* Both reports of a connection; JSON only. */
void nwcat_event_report(const struct nwcat_app *app, const struct nwcat_report *report);
/* The certificates that a peer sent, each with its verdict; `status` 0: trusted. */
void nwcat_event_certificates(const struct nwcat_app *app, sec_trust_t peer, int32_t status,
                              const char *reason);
/* What the handshake of connection `number` agreed on. */
void nwcat_event_tls(const struct nwcat_app *app, unsigned number,
                     const struct nwcat_tls_facts *facts);
void nwcat_event_warning(const struct nwcat_app *app, const char *text);
void nwcat_event_input_end(const struct nwcat_app *app, unsigned number);
void nwcat_event_peer_end(const struct nwcat_app *app, unsigned number);
void nwcat_event_closed(const struct nwcat_app *app, const struct nwcat_peer *peer);
void nwcat_event_probe(const struct nwcat_app *app, const char *host, unsigned port,
                       enum nwcat_probe_verdict verdict, double seconds,
                       const struct nwcat_reason *reason, const struct nwcat_tls_facts *tls);
/* A failure that ends nwcat or a connection: "cannot connect to HOST port PORT: Connection
 * refused". */
void nwcat_event_error(const struct nwcat_app *app, const char *what,
                       const struct nwcat_reason *reason);
void nwcat_event_end(const struct nwcat_app *app, int status);

#endif
