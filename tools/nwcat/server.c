/*
 * server.c - listens, and copies both ways with whoever connects.
 * What:   TCP: one client, or with --keep-open one after the other. UDP: the first peer; with
 *         --keep-open every peer is heard, and the input goes to the one that spoke up last.
 * Runs:   on the main queue.
 * Owns:   the listener and the count of sessions alive; lives as long as the process.
 */
#include "app.h"
#include "events.h"
#include "local_io.h"
#include "net.h"
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct live { /* one session alive */
    struct live *next;
    struct nwcat_session *session;
    struct server *server;
};

struct server {
    struct nwcat_app *app;
    nw_listener_t listener;
    struct live *sessions;
    unsigned accepted;
    bool listening, closing, listener_gone;
    enum nwcat_status status;
    struct nwcat_trust trust; /* of the latest client that showed a certificate */
};

/* Everything has ended: the listener and each session. */
static void check_end(struct server *server) {
    if (!server->closing || !server->listener_gone || server->sessions != NULL)
        return;
    /* The path of our own socket: left behind, it would keep the next listener from starting. */
    struct stat status;
    const char *path = server->app->options.unix_socket ? server->app->options.host : NULL;
    if (path != NULL && server->listening && stat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        unlink(path);
    nwcat_app_end(server->app, server->status);
}

static void close_down(struct server *server, enum nwcat_status status) {
    if (!server->closing)
        server->status = status;
    server->closing = true;
    nw_listener_cancel(server->listener);
    check_end(server);
}

static void interrupt(struct nwcat_app *app, enum nwcat_status status) {
    struct server *server = app->mode;
    close_down(server, status);
    for (struct live *live = server->sessions, *next; live != NULL; live = next) {
        next = live->next;
        nwcat_session_end(live->session, status);
    }
}

/* A session has ended. Output that cannot be written ends even a listener that is to stay. */
static void on_ended(void *context, struct nwcat_session *session, enum nwcat_status status) {
    struct live *live = context;
    struct server *server = live->server;
    (void)session;
    for (struct live **link = &server->sessions; *link != NULL; link = &(*link)->next) {
        if (*link == live) {
            *link = live->next;
            break;
        }
    }
    free(live);
    if (!server->app->options.keep_open || status == NWCAT_LOCAL_IO) {
        close_down(server, status);
        return;
    }
    if (server->sessions != NULL)
        nwcat_session_take_input(server->sessions->session);
    if (!server->closing && !server->app->options.udp)
        nw_listener_set_new_connection_limit(server->listener, 1);
    check_end(server);
}

static void on_connection(void *context, nw_connection_t connection) {
    struct server *server = context;
    struct live *live = server->closing ? NULL : calloc(1, sizeof *live);
    if (live == NULL) {
        nw_connection_cancel(connection);
        return;
    }
    struct nwcat_peer peer = {.number = ++server->accepted};
    char remote[128], local[128];
    nwcat_connection_ends(connection, remote, local, sizeof remote);
    peer.remote = remote[0] != '\0' ? remote : NULL;
    peer.local = local[0] != '\0' ? local : NULL;
    nwcat_event_accepted(server->app, &peer);
    live->server = server;
    struct nwcat_session_owner owner = {
        .context = live, .ended = on_ended, .trust = &server->trust};
    live->session =
        nwcat_session_start(server->app, nw_retain(connection), peer.number, true, owner);
    if (live->session == NULL) {
        free(live);
        return;
    }
    live->next = server->sessions;
    server->sessions = live;
    nwcat_session_take_input(live->session);
}

static void on_ready(struct server *server) {
    server->listening = true;
    nwcat_event_listening(server->app, server->app->options.host,
                          nw_listener_get_port(server->listener));
}

static void on_failed(struct server *server, nw_error_t error) {
    const struct nwcat_options *o = &server->app->options;
    struct nwcat_reason reason = nwcat_reason_of(error);
    char what[320];
    if (o->unix_socket)
        snprintf(what, sizeof what, "cannot listen on %s", o->host);
    else
        snprintf(what, sizeof what, "cannot listen on %s%sport %s", o->host != NULL ? o->host : "",
                 o->host != NULL ? " " : "", o->port != NULL ? o->port : "0");
    nwcat_event_error(server->app, what, &reason);
    close_down(server, NWCAT_FAILED);
}

static void on_state(void *context, nw_listener_state_t state, nw_error_t error) {
    static const char *const names[] = {"invalid", "waiting", "ready", "failed", "cancelled"};
    struct server *server = context;
    if (state == nw_listener_state_waiting) {
        struct nwcat_reason reason = nwcat_reason_of(error);
        nwcat_event_state(server->app, 0, names[state], error != NULL ? &reason : NULL);
    } else if (state == nw_listener_state_ready) {
        on_ready(server);
    } else if (state == nw_listener_state_failed) {
        on_failed(server, error);
    } else if (state == nw_listener_state_cancelled) {
        server->listener_gone = true;
        check_end(server);
    }
}

void nwcat_server_start(struct nwcat_app *app) {
    const struct nwcat_options *o = &app->options;
    enum nwcat_status status = NWCAT_FAILED;
    struct server *server = calloc(1, sizeof *server);
    nw_parameters_t parameters =
        server != NULL ? nwcat_parameters_create(app, &server->trust, &status) : NULL;
    if (parameters == NULL)
        nwcat_app_end(app, status);
    server->app = app;
    app->mode = server;
    app->interrupt = interrupt;
    server->listener =
        o->host != NULL ? nw_listener_create(parameters)
                        : nw_listener_create_with_port(o->port != NULL ? o->port : "0", parameters);
    nw_release(parameters);
    if (server->listener == NULL) {
        nwcat_event_error(app, "cannot make a listener of these options", NULL);
        nwcat_app_end(app, NWCAT_FAILED);
    }
    nwcat_event_start(app, "listener");
    nw_listener_set_queue(server->listener, dispatch_get_main_queue());
    nw_listener_set_state_changed_handler_f(server->listener, server, on_state);
    nw_listener_set_new_connection_handler_f(server->listener, server, on_connection);
    if (!o->udp || !o->keep_open)
        nw_listener_set_new_connection_limit(server->listener, 1);
    nw_listener_start(server->listener);
}
