/*
 * timeline_collect.c - the race of a connection, asked of the library, and shown where it is
 * wanted.
 * What:   events in time become rows: a question or an attempt opens one, its outcome closes it.
 * Runs:   on the main queue.
 */
#include "timeline_collect.h"

#include "events.h"
#include "meter.h"
#include "net.h"

#include <Network/establishment_timeline.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct collector {
    const struct nwcat_app *app;
    struct nwcat_timeline *timeline;
};

/* The latest open row of that name and kind; `label_start` NULL: whatever its label. */
static struct nwcat_row *open_row(struct nwcat_timeline *timeline, enum nwcat_row_kind kind,
                                  const char *name, const char *label_start) {
    for (size_t i = timeline->count; i-- > 0;) {
        struct nwcat_row *row = &timeline->rows[i];
        if (row->kind == kind && row->outcome == NWCAT_ROW_RUNNING &&
            strcmp(row->name, name) == 0 &&
            (label_start == NULL || strncmp(row->label, label_start, strlen(label_start)) == 0))
            return row;
    }
    return NULL;
}

static void begin_row(struct nwcat_timeline *timeline, enum nwcat_row_kind kind, double ms,
                      const char *name, const char *label) {
    struct nwcat_row *row = nwcat_timeline_add(timeline);
    if (row == NULL)
        return; /* a picture without it is better than none */
    row->kind = kind;
    row->start = ms;
    snprintf(row->name, sizeof row->name, "%s", name);
    snprintf(row->label, sizeof row->label, "%s", label);
}

static void end_row(struct nwcat_row *row, double ms, enum nwcat_row_outcome outcome,
                    nw_error_t error) {
    if (row == NULL)
        return;
    row->end = ms;
    row->outcome = outcome;
    if (error != NULL) {
        struct nwcat_reason reason = nwcat_reason_of(error);
        snprintf(row->note, sizeof row->note, "%.*s", NWCAT_ROW_NOTE - 1, reason.text);
    }
}

/* Ends the attempt of that name, and with it the handshake that it has come to: the reason stands
 * where it happened. */
static void end_attempt(struct nwcat_timeline *timeline, const char *name, double ms,
                        enum nwcat_row_outcome outcome, nw_error_t error) {
    struct nwcat_row *handshake = open_row(timeline, NWCAT_ROW_HANDSHAKE, name, NULL);
    end_row(handshake, ms, outcome, error);
    end_row(open_row(timeline, NWCAT_ROW_ATTEMPT, name, NULL), ms, outcome,
            handshake == NULL ? error : NULL);
}

/* What the verdict leaves open is given up with it. */
static void decide(struct nwcat_timeline *timeline, double ms, bool won) {
    timeline->decided = true;
    timeline->won = won;
    for (size_t i = 0; i < timeline->count; i++)
        if (timeline->rows[i].outcome == NWCAT_ROW_RUNNING)
            end_row(&timeline->rows[i], ms, NWCAT_ROW_LEFT, NULL);
}

static void begin_questions(struct collector *collector, double ms, const char *name) {
    const struct nwcat_options *o = &collector->app->options;
    char label[NWCAT_ROW_LABEL];
    snprintf(label, sizeof label, "AAAA %s", o->host);
    if (o->family != 4)
        begin_row(collector->timeline, NWCAT_ROW_QUESTION, ms, name, label);
    snprintf(label, sizeof label, "A %s", o->host);
    if (o->family != 6)
        begin_row(collector->timeline, NWCAT_ROW_QUESTION, ms, name, label);
}

/* The words are those of <Network/establishment_timeline.h>; unknown ones are passed over. */
static bool take_event(void *context, uint64_t nanoseconds, const char *name, const char *event,
                       nw_endpoint_t endpoint, nw_error_t error) {
    struct collector *collector = context;
    struct nwcat_timeline *timeline = collector->timeline;
    double ms = (double)nanoseconds / 1e6;
    char label[NWCAT_ROW_LABEL];
    timeline->total = ms;
    nwcat_endpoint_text(label, sizeof label, endpoint);
    if (strcmp(event, "start") == 0) {
        timeline->decided = false; /* another round */
    } else if (strcmp(event, "resolve-start") == 0) {
        begin_questions(collector, ms, name);
    } else if (strcmp(event, "answer-aaaa") == 0 || strcmp(event, "answer-a") == 0) {
        const char *asked = event[strlen("answer-a")] != '\0' ? "AAAA " : "A ";
        end_row(open_row(timeline, NWCAT_ROW_QUESTION, name, asked), ms,
                error != NULL ? NWCAT_ROW_BAD : NWCAT_ROW_GOOD, error);
    } else if (strcmp(event, "attempt-start") == 0) {
        begin_row(timeline, NWCAT_ROW_ATTEMPT, ms, name, label);
    } else if (strcmp(event, "handshake-start") == 0) {
        begin_row(timeline, NWCAT_ROW_HANDSHAKE, ms, name,
                  collector->app->options.udp ? "DTLS" : "TLS");
    } else if (strcmp(event, "attempt-failed") == 0) {
        end_attempt(timeline, name, ms, NWCAT_ROW_BAD, error);
    } else if (strcmp(event, "abandoned") == 0) {
        end_attempt(timeline, name, ms, NWCAT_ROW_LEFT, NULL);
    } else if (strcmp(event, "ready") == 0) {
        end_attempt(timeline, name, ms, NWCAT_ROW_GOOD, NULL);
        decide(timeline, ms, true);
    } else if (strcmp(event, "failed") == 0) {
        decide(timeline, ms, false);
    }
    return true;
}

bool nwcat_timeline_collect(const struct nwcat_app *app, nw_connection_t connection,
                            struct nwcat_timeline *timeline) {
    const struct nwcat_options *o = &app->options;
    nw_establishment_timeline_t events = nw_connection_copy_establishment_timeline(connection);
    nwcat_timeline_clear(timeline);
    if (events == NULL)
        return false;
    nw_endpoint_t endpoint = nw_connection_copy_endpoint(connection);
    char target[NWCAT_TITLE - 8];
    nwcat_endpoint_text(target, sizeof target, endpoint);
    nw_release(endpoint);
    snprintf(timeline->title, sizeof timeline->title, "%s (%s)", target,
             o->udp           ? "UDP"
             : o->unix_socket ? "Unix"
                              : "TCP");
    struct collector collector = {.app = app, .timeline = timeline};
    nw_establishment_timeline_enumerate_f(events, &collector, take_event);
    nw_release(events);
    return true;
}

static const struct nwcat_row *find_row(const struct nwcat_timeline *timeline,
                                        const struct nwcat_row *row) {
    for (size_t i = 0; i < timeline->count; i++) {
        const struct nwcat_row *other = &timeline->rows[i];
        if (other->kind == row->kind && strcmp(other->name, row->name) == 0 &&
            strcmp(other->label, row->label) == 0 && other->start == row->start)
            return other;
    }
    return NULL;
}

struct news { /* one line to tell */
    const struct nwcat_row *row;
    bool begun; /* that it began, else how it ended */
};

static double time_of(const struct news *news) {
    return news->begun ? news->row->start : news->row->end;
}

static int by_time(const void *a, const void *b) {
    double first = time_of(a), second = time_of(b);
    if (first != second)
        return first < second ? -1 : 1;
    return ((const struct news *)b)->begun - ((const struct news *)a)->begun;
}

static void tell(const struct nwcat_app *app, const struct news *news) {
    struct nwcat_row row = *news->row;
    if (news->begun) {
        row.outcome = NWCAT_ROW_RUNNING;
        row.end = -1;
        row.note[0] = '\0';
    }
    nwcat_event_row(app, &row);
}

void nwcat_timeline_tell_news(const struct nwcat_app *app, const struct nwcat_timeline *before,
                              const struct nwcat_timeline *now) {
    struct news *news = calloc(now->count * 2 + 1, sizeof *news);
    size_t count = 0;
    if (news == NULL)
        return;
    for (size_t i = 0; i < now->count; i++) {
        const struct nwcat_row *row = &now->rows[i], *old = find_row(before, row);
        if (old == NULL)
            news[count++] = (struct news){row, true};
        if (row->outcome != NWCAT_ROW_RUNNING && (old == NULL || old->outcome == NWCAT_ROW_RUNNING))
            news[count++] = (struct news){row, false};
    }
    qsort(news, count, sizeof *news, by_time);
    for (size_t i = 0; i < count; i++)
        tell(app, &news[i]);
    free(news);
}

static unsigned terminal_columns(void) {
    struct winsize window;
    const char *columns = getenv("COLUMNS");
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        return window.ws_col;
    return columns != NULL && atoi(columns) > 0 ? (unsigned)atoi(columns) : 100;
}

static bool write_svg(const struct nwcat_app *app, const struct nwcat_timeline *timeline) {
    const char *path = app->options.timeline_svg;
    FILE *out = fopen(path, "we");
    if (out != NULL) {
        nwcat_timeline_draw_svg(timeline, out);
        bool bad = ferror(out) != 0;
        if (fclose(out) == 0 && !bad)
            return true;
    }
    struct nwcat_reason reason = nwcat_reason_posix(errno);
    char what[512];
    snprintf(what, sizeof what, "cannot write '%s'", path);
    nwcat_event_error(app, what, &reason);
    return false;
}

void nwcat_timeline_draw(const struct nwcat_app *app, const struct nwcat_timeline *timeline) {
    nwcat_meter_hide(app->meter);
    nwcat_timeline_draw_text(timeline, stderr, terminal_columns(), app->colour, app->utf8);
    fflush(stderr);
}

bool nwcat_timeline_show(const struct nwcat_app *app, const struct nwcat_timeline *timeline) {
    nwcat_event_timeline(app, timeline);
    if (app->options.timeline && !app->options.json)
        nwcat_timeline_draw(app, timeline);
    return app->options.timeline_svg == NULL || write_svg(app, timeline);
}
