/*
 * probe.c - which ports answer (-z).
 * What:   one connection a port, several at a time; verdicts are told in the order of the ports.
 *         TCP: open when established. UDP has no handshake: a datagram of one octet goes out, an
 *         ICMP refusal means closed, any answer open, and silence "no-answer" (open, or filtered).
 * Runs:   on the main queue.
 * Owns:   its probes; lives as long as the process.
 */
#include "app.h"
#include "common/timer.h"
#include "events.h"
#include "net.h"
#include "timeline_collect.h"

#include <errno.h>
#include <stdlib.h>

enum { AT_ONCE = 32 };
#define UDP_SILENCE 1.0 /* seconds to wait for a refusal when no -w is given */

struct probe {
    struct prober *prober;
    struct probe *next; /* in order of ports */
    nw_connection_t connection;
    struct tool_timer *timer;
    uint16_t port;
    bool decided, gone; /* gone: the last handler has run */
    enum nwcat_probe_verdict verdict;
    struct nwcat_reason reason;
    bool has_reason;
    struct nwcat_trust trust;
    struct nwcat_tls_facts tls;
    bool has_tls;
    double began, seconds;
};

struct prober {
    struct nwcat_app *app;
    nw_parameters_t parameters;
    struct probe *first, *last; /* not yet told */
    uint16_t port;              /* the last one started */
    unsigned running;
    bool all_started, stopped, found, picture_failed;
    enum nwcat_status status; /* of the first failure */
    struct nwcat_trust trust; /* of the parameters that no connection is made of */
};

static void go_on(struct prober *prober);

static enum nwcat_status status_of(const struct probe *probe) {
    switch (probe->verdict) {
    case NWCAT_PROBE_OPEN:
    case NWCAT_PROBE_NO_ANSWER:
        return NWCAT_OK;
    case NWCAT_PROBE_TIMEOUT:
        return NWCAT_TIMEOUT;
    case NWCAT_PROBE_NO_NAME:
        return NWCAT_NO_NAME;
    case NWCAT_PROBE_TLS:
        return NWCAT_TLS;
    default:
        return NWCAT_FAILED;
    }
}

/* Tells the verdict. A single port says why in words too, as a connection would. */
static void tell(struct prober *prober, const struct probe *probe) {
    struct nwcat_app *app = prober->app;
    nwcat_event_probe(app, app->options.host, probe->port, probe->verdict, probe->seconds,
                      probe->has_reason ? &probe->reason : NULL,
                      probe->has_tls ? &probe->tls : NULL);
    enum nwcat_status status = status_of(probe);
    if (status == NWCAT_OK)
        prober->found = true;
    else if (prober->status == NWCAT_OK)
        prober->status = status;
    if (status != NWCAT_OK && app->options.ports.count <= 1 && !app->options.json &&
        app->options.verbose == 0) {
        char what[320];
        snprintf(what, sizeof what,
                 probe->verdict == NWCAT_PROBE_TIMEOUT ? "no answer from %s port %u"
                 : app->options.unix_socket            ? "cannot connect to %s"
                                                       : "cannot connect to %s port %u",
                 app->options.host, probe->port);
        nwcat_event_error(app, what, probe->has_reason ? &probe->reason : NULL);
    }
}

static void free_probe(struct probe *probe) {
    tool_timer_free(probe->timer);
    nw_release(probe->connection);
    free(probe);
}

/* Tells and frees what is at the head of the line and has ended. */
static void drain(struct prober *prober) {
    while (prober->first != NULL && prober->first->gone) {
        struct probe *probe = prober->first;
        prober->first = probe->next;
        if (prober->first == NULL)
            prober->last = NULL;
        if (probe->decided)
            tell(prober, probe);
        free_probe(probe);
    }
    go_on(prober);
}

static void decide(struct probe *probe, enum nwcat_probe_verdict verdict, nw_error_t error) {
    if (probe->decided)
        return;
    probe->decided = true;
    probe->verdict = verdict;
    probe->seconds = nwcat_now() - probe->began;
    if (error != NULL) {
        probe->has_reason = true;
        probe->reason = nwcat_tls_reason(error, &probe->trust);
        enum nwcat_status status = nwcat_reason_status(&probe->reason);
        if (status == NWCAT_NO_NAME)
            probe->verdict = NWCAT_PROBE_NO_NAME;
        else if (status == NWCAT_TIMEOUT)
            probe->verdict = NWCAT_PROBE_TIMEOUT;
        else if (status == NWCAT_TLS)
            probe->verdict = NWCAT_PROBE_TLS;
    }
    struct nwcat_app *app = probe->prober->app;
    if (app->options.timeline || app->options.timeline_svg != NULL || app->options.json) {
        struct nwcat_timeline timeline = {0};
        if (nwcat_timeline_collect(app, probe->connection, &timeline) &&
            !nwcat_timeline_show(app, &timeline))
            probe->prober->picture_failed = true;
        nwcat_timeline_clear(&timeline);
    }
    tool_timer_stop(probe->timer);
    nw_connection_cancel(probe->connection);
}

static void on_timer(void *context) {
    struct probe *probe = context;
    const struct nwcat_options *o = &probe->prober->app->options;
    decide(probe, o->udp && !o->tls.on ? NWCAT_PROBE_NO_ANSWER : NWCAT_PROBE_TIMEOUT, NULL);
}

static void on_answer(void *context, dispatch_data_t content, nw_content_context_t content_context,
                      bool is_complete, nw_error_t error) {
    (void)content_context;
    if (error != NULL)
        decide(context, NWCAT_PROBE_CLOSED, error);
    else if (content != NULL || is_complete)
        decide(context, NWCAT_PROBE_OPEN, NULL);
}

static void on_asked(void *context, nw_error_t error) {
    if (error != NULL)
        decide(context, NWCAT_PROBE_CLOSED, error);
}

/* A UDP "connection" is ready at once: what counts is what comes back. */
static void ask_by_datagram(struct probe *probe) {
    static const char nothing[1] = {0};
    dispatch_data_t octet = dispatch_data_create_f(nothing, sizeof nothing, NULL, NULL, NULL);
    nw_connection_receive_f(probe->connection, 1, UINT16_MAX, probe, on_answer);
    nw_connection_send_f(probe->connection, octet, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true,
                         probe, on_asked);
    if (octet != NULL)
        dispatch_release(octet);
    double limit = probe->prober->app->options.timeout;
    tool_timer_set(probe->timer, limit > 0 ? limit : UDP_SILENCE);
}

static void on_state(void *context, nw_connection_state_t state, nw_error_t error) {
    struct probe *probe = context;
    struct prober *prober = probe->prober;
    switch (state) {
    case nw_connection_state_ready:
        probe->has_tls =
            prober->app->options.tls.on && nwcat_tls_facts_read(probe->connection, &probe->tls);
        if (prober->app->options.udp && !prober->app->options.tls.on)
            ask_by_datagram(probe);
        else
            decide(probe, NWCAT_PROBE_OPEN, NULL);
        break;
    case nw_connection_state_waiting:
    case nw_connection_state_failed:
        decide(probe, NWCAT_PROBE_CLOSED, error);
        break;
    case nw_connection_state_cancelled:
        probe->gone = true;
        prober->running--;
        drain(prober);
        break;
    case nw_connection_state_invalid:
    case nw_connection_state_preparing:
        break;
    }
}

/* With TLS each probe has parameters of its own, since they lead to its record of the peer's
 * certificate. */
static nw_parameters_t copy_parameters(struct probe *probe, const struct prober *prober) {
    enum nwcat_status status;
    if (!prober->app->options.tls.on)
        return nw_retain(prober->parameters);
    return nwcat_parameters_create(prober->app, &probe->trust, &status);
}

static bool start_one(struct prober *prober, uint16_t port) {
    struct nwcat_app *app = prober->app;
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    nw_endpoint_t endpoint = nwcat_remote_endpoint(app, text);
    struct probe *probe = calloc(1, sizeof *probe);
    nw_parameters_t parameters = probe != NULL ? copy_parameters(probe, prober) : NULL;
    nw_connection_t connection =
        endpoint != NULL && parameters != NULL ? nw_connection_create(endpoint, parameters) : NULL;
    nw_release(endpoint);
    nw_release(parameters);
    if (connection == NULL) {
        free(probe);
        return false;
    }
    probe->prober = prober;
    probe->connection = connection;
    probe->port = port;
    probe->began = nwcat_now();
    probe->timer = tool_timer_create(probe, on_timer, false);
    if (app->options.timeout > 0)
        tool_timer_set(probe->timer, app->options.timeout);
    if (prober->last != NULL)
        prober->last->next = probe;
    else
        prober->first = probe;
    prober->last = probe;
    prober->running++;
    nw_connection_set_queue(connection, dispatch_get_main_queue());
    nw_connection_set_state_changed_handler_f(connection, probe, on_state);
    nw_connection_start(connection);
    return true;
}

/* Starts what may be started; ends nwcat when all has been told. */
static void go_on(struct prober *prober) {
    struct nwcat_app *app = prober->app;
    while (!prober->all_started && !prober->stopped && prober->running < AT_ONCE) {
        uint16_t port =
            app->options.unix_socket ? 0 : nwcat_ports_next(&app->options.ports, prober->port);
        bool more =
            app->options.unix_socket ? prober->running == 0 && prober->first == NULL : port != 0;
        if (!more || app->options.unix_socket)
            prober->all_started = true;
        if (!more)
            break;
        prober->port = port;
        if (!start_one(prober, port)) {
            char what[320];
            snprintf(what, sizeof what, "'%s' is not a host that can be connected to",
                     app->options.host);
            nwcat_event_error(app, what, NULL);
            prober->status = NWCAT_NO_NAME;
            prober->stopped = true;
        }
    }
    if (prober->running > 0 || prober->first != NULL)
        return;
    nw_release(prober->parameters);
    enum nwcat_status status = prober->found && !prober->stopped ? NWCAT_OK : prober->status;
    nwcat_app_end(app, status == NWCAT_OK && prober->picture_failed ? NWCAT_LOCAL_IO : status);
}

static void interrupt(struct nwcat_app *app, enum nwcat_status status) {
    struct prober *prober = app->mode;
    prober->stopped = true;
    prober->status = status;
    for (struct probe *probe = prober->first; probe != NULL; probe = probe->next)
        nw_connection_cancel(probe->connection);
}

void nwcat_probe_start(struct nwcat_app *app) {
    enum nwcat_status status = NWCAT_FAILED;
    struct prober *prober = calloc(1, sizeof *prober);
    if (prober == NULL)
        nwcat_app_end(app, NWCAT_FAILED);
    prober->app = app;
    prober->parameters = nwcat_parameters_create(app, &prober->trust, &status);
    if (prober->parameters == NULL)
        nwcat_app_end(app, status);
    app->mode = prober;
    app->interrupt = interrupt;
    nwcat_event_start(app, "probe");
    go_on(prober);
}
