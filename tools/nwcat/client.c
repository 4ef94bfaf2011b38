/*
 * client.c - connects, and copies both ways.
 * What:   one session, and the race of its addresses told while it runs.
 * Runs:   on the main queue.
 * Owns:   the session; lives as long as the process.
 */
#include "app.h"
#include "common/timer.h"
#include "events.h"
#include "net.h"
#include "session.h"
#include "timeline_collect.h"

#include <stdlib.h>

#define LOOK_EVERY 0.02 /* seconds between two looks at the race */

struct client {
    struct nwcat_app *app;
    struct nwcat_session *session;
    struct tool_timer *look;
    struct nwcat_timeline seen; /* what has been told */
    bool decided, picture_failed;
    struct nwcat_trust trust;
};

/* Tells what is new in the race. */
static void look(void *context) {
    struct client *client = context;
    struct nwcat_timeline now = {0};
    if (!nwcat_timeline_collect(client->app, nwcat_session_connection(client->session), &now))
        return;
    nwcat_timeline_tell_news(client->app, &client->seen, &now);
    nwcat_timeline_clear(&client->seen);
    client->seen = now;
}

/* The race has its verdict: the picture is drawn once. */
static void decide(struct client *client) {
    if (client->decided)
        return;
    client->decided = true;
    tool_timer_free(client->look);
    client->look = NULL;
    look(client);
    client->seen.decided = true; /* -w or a signal may have decided it */
    if (client->seen.count > 0)
        client->picture_failed = !nwcat_timeline_show(client->app, &client->seen);
}

static void on_ready(void *context, struct nwcat_session *session) {
    (void)session;
    decide(context);
}

static void on_ended(void *context, struct nwcat_session *session, enum nwcat_status status) {
    struct client *client = context;
    (void)session;
    decide(client);
    nwcat_app_end(client->app,
                  status == NWCAT_OK && client->picture_failed ? NWCAT_LOCAL_IO : status);
}

static void interrupt(struct nwcat_app *app, enum nwcat_status status) {
    struct client *client = app->mode;
    nwcat_session_end(client->session, status);
}

void nwcat_client_start(struct nwcat_app *app) {
    enum nwcat_status status = NWCAT_FAILED;
    struct client *client = calloc(1, sizeof *client);
    nw_parameters_t parameters =
        client != NULL ? nwcat_parameters_create(app, &client->trust, &status) : NULL;
    if (parameters == NULL)
        nwcat_app_end(app, status);
    nw_endpoint_t endpoint = nwcat_remote_endpoint(app, app->options.port);
    nw_connection_t connection =
        endpoint != NULL ? nw_connection_create(endpoint, parameters) : NULL;
    nw_release(endpoint);
    nw_release(parameters);
    if (connection == NULL) {
        char what[320];
        snprintf(what, sizeof what, "'%s' is not a host that can be connected to",
                 app->options.host);
        nwcat_event_error(app, what, NULL);
        nwcat_app_end(app, NWCAT_NO_NAME);
    }
    client->app = app;
    app->mode = client;
    app->interrupt = interrupt;
    nwcat_event_start(app, "client");
    struct nwcat_session_owner owner = {
        .context = client, .ready = on_ready, .ended = on_ended, .trust = &client->trust};
    client->session = nwcat_session_start(app, connection, 1, false, owner);
    if (client->session == NULL)
        nwcat_app_end(app, NWCAT_FAILED);
    nwcat_session_take_input(client->session);
    if (app->options.verbose > 0 || app->options.json) {
        client->look = tool_timer_create(client, look, true);
        tool_timer_set(client->look, LOOK_EVERY);
    }
}
