/*
 * timeline_collect.c - the race of a connection, asked of the library, and shown where it is wanted.
 * Runs: on the main queue.
 */
#include "timeline_collect.h"

#include "events.h"
#include "meter.h"
#include "net.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const struct nwcat_row *find_row(const struct nwcat_timeline *timeline, const struct nwcat_row *row) {
    for (size_t i = 0; i < timeline->count; i++) {
        const struct nwcat_row *other = &timeline->rows[i];
        if (other->kind == row->kind && strcmp(other->name, row->name) == 0 &&
            strcmp(other->label, row->label) == 0 && other->start == row->start)
            return other;
    }
    return NULL;
}

void nwcat_timeline_tell_news(const struct nwcat_app *app, const struct nwcat_timeline *before,
                              const struct nwcat_timeline *now) {
    for (size_t i = 0; i < now->count; i++) {
        const struct nwcat_row *row = &now->rows[i], *old = find_row(before, row);
        if (old == NULL) {
            struct nwcat_row begun = *row; /* first that it began, then how it ended */
            begun.outcome = NWCAT_ROW_RUNNING;
            begun.end = -1;
            begun.note[0] = '\0';
            nwcat_event_row(app, &begun);
        }
        if (row->outcome != NWCAT_ROW_RUNNING && (old == NULL || old->outcome == NWCAT_ROW_RUNNING))
            nwcat_event_row(app, row);
    }
}

static unsigned terminal_columns(void) {
    struct winsize window;
    const char    *columns = getenv("COLUMNS");
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        return window.ws_col;
    return columns != NULL && atoi(columns) > 0 ? (unsigned)atoi(columns) : 100;
}

static bool write_svg(const struct nwcat_app *app, const struct nwcat_timeline *timeline) {
    const char *path = app->options.timeline_svg;
    FILE       *out = fopen(path, "we");
    if (out != NULL) {
        nwcat_timeline_draw_svg(timeline, out);
        bool bad = ferror(out) != 0;
        if (fclose(out) == 0 && !bad)
            return true;
    }
    struct nwcat_reason reason = nwcat_reason_posix(errno);
    char                what[512];
    snprintf(what, sizeof what, "cannot write '%s'", path);
    nwcat_event_error(app, what, &reason);
    return false;
}

bool nwcat_timeline_show(const struct nwcat_app *app, const struct nwcat_timeline *timeline) {
    nwcat_event_timeline(app, timeline);
    if (app->options.timeline && !app->options.json) {
        nwcat_meter_hide(app->meter);
        nwcat_timeline_draw_text(timeline, stderr, terminal_columns(), app->colour, app->utf8);
        fflush(stderr);
    }
    return app->options.timeline_svg == NULL || write_svg(app, timeline);
}
