/*
 * main.c - nwcat: from the command line to the mode that works, and the way out.
 * What:   the netcat of libnw, over its public API alone.
 * Source: the options of Apple's nwcat sample, and of nc, ncat and socat.
 * Runs:   main thread; everything later on the main queue.
 */
#include "app.h"
#include "common/signals.h"
#include "common/terminal.h"
#include "events.h"
#include "local_io.h"
#include "meter.h"
#include "tls.h"

#include <dispatch/dispatch.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double nwcat_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void nwcat_app_end(struct nwcat_app *app, int status) {
    nwcat_meter_finish(app->meter);
    app->meter = NULL;
    bool spoke = app->output == NULL && fflush(stdout) != 0;
    int error = app->output != NULL ? nwcat_output_close(app->output) : spoke ? errno : 0;
    app->output = NULL;
    if (error != 0) {
        struct nwcat_reason reason = nwcat_reason_posix(error);
        nwcat_event_error(app, "cannot write the output", &reason);
        status = status == NWCAT_OK ? NWCAT_LOCAL_IO : status;
    }
    nwcat_event_end(app, status);
    exit(status);
}

static void end_without_file(struct nwcat_app *app, const char *verb, const char *path) {
    struct nwcat_reason reason = nwcat_reason_posix(errno);
    char what[512];
    snprintf(what, sizeof what, "cannot %s '%s'", verb, path != NULL ? path : "-");
    nwcat_event_error(app, what, &reason);
    nwcat_app_end(app, NWCAT_LOCAL_IO);
}

static void open_ends(struct nwcat_app *app) {
    const struct nwcat_options *o = &app->options;
    if (o->probe)
        return;
    if (!o->detach) {
        app->input = nwcat_input_open(o->input);
        if (app->input == NULL)
            end_without_file(app, "read", o->input);
    }
    app->output = nwcat_output_open(o->output);
    if (app->output == NULL)
        end_without_file(app, "write", o->output);
    uint64_t total = app->input != NULL ? nwcat_input_total(app->input) : 0;
    bool bulk =
        nwcat_output_is_file(app->output) || (total > 0 && !nwcat_output_is_terminal(app->output));
    if (!o->json && !o->no_progress && (o->progress || (bulk && isatty(STDERR_FILENO))))
        app->meter = nwcat_meter_create(app, o->listen && o->keep_open ? 0 : total);
}

/* Before any output is made anew. */
static void read_tls_files(struct nwcat_app *app) {
    enum nwcat_status status;
    if (!app->options.tls.on)
        return;
    app->tls = nwcat_tls_create(app, &status);
    if (app->tls == NULL)
        nwcat_app_end(app, status);
}

static void on_interrupt(void *context, int status) {
    struct nwcat_app *app = context;
    if (app->interrupt == NULL)
        _exit(status);
    app->interrupt(app, (enum nwcat_status)status);
}

int main(int argc, char **argv) {
    static struct nwcat_app app; /* lives until the end; dispatch_main never returns */
    tool_fill_standard_descriptors();
    setlocale(LC_CTYPE, "");
    app.began = nwcat_now();
    int status = nwcat_options_parse(&app.options, argc, argv, stdout, stderr);
    if (status != NWCAT_RUN)
        return fflush(stdout) == 0 && !ferror(stdout) ? status : NWCAT_LOCAL_IO;
    app.colour = tool_wants_colour(STDERR_FILENO, TOOL_AUTO);
    app.utf8 = tool_shows_utf8();
    tool_signals_watch(&app, on_interrupt);
    read_tls_files(&app);
    open_ends(&app);
    if (app.options.probe)
        nwcat_probe_start(&app);
    else if (app.options.listen)
        nwcat_server_start(&app);
    else
        nwcat_client_start(&app);
    dispatch_main();
}
